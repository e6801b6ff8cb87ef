"""A page or a chart that can't be made takes nothing away: what was found is out and kept."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NoReturn

import pytest
from typer.testing import CliRunner

import workspan.cli.chart
import workspan.lab.report.comparison
import workspan.lab.report.explained
import workspan.lab.report.pages
import workspan.lab.report.replayed
from workspan.cli.exits import Exit, exit_for
from workspan.cli.main import app
from workspan.errors import OutputError

ASKING = ("-e", "scripted", "-b", "100 work", "--input", "p.jsonl")
COMPARE = ("compare", "-s", "single,self_consistency(n=2)", *ASKING, "--journal", "j")
BROKEN = (
    ValueError("'yerr' must not contain negative values"),
    MemoryError(),
    RecursionError("deep"),
    OSError(28, os.strerror(28)),
    ZeroDivisionError("division by zero"),
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    rows = [{"id": f"p{i}", "prompt": "2+3?", "answer": "5", "kind": "number"} for i in range(3)]
    Path("p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def fails(*arguments: str) -> str:
    """Run a command that ends with the exit code for a failed drawing; return what it printed."""
    done = CliRunner().invoke(app, list(arguments))
    assert isinstance(done.exception, OutputError), done.output
    assert exit_for(done.exception) == Exit.OUTPUT
    assert "\n" not in str(done.exception)
    return done.output


def break_(monkeypatch: pytest.MonkeyPatch, module: object, name: str, error: Exception) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(module, name, broken)


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_comparison_is_printed_and_kept(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    break_(monkeypatch, workspan.lab.report.comparison, "accuracy_plot", error)
    assert "self_consistency(n=2)" in fails(*COMPARE, "--report", "r.html")
    printed = fails(*COMPARE, "--report", "r.html", "--json").splitlines()
    records = [json.loads(line) for line in printed if line[:1] == "{"]
    assert [record["problems"] for record in records if "event" not in record] == [3, 3]
    assert not Path("r.html").exists()


def test_a_chart_that_fails_leaves_the_table_and_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    break_(monkeypatch, workspan.cli.chart, "draw", ValueError("cannot convert NaN"))
    assert "self_consistency(n=2)" in fails(*COMPARE, "--chart", "--report", "r.html")
    assert Path("r.html").read_text().startswith("<!doctype html>")


def test_an_older_page_stays_where_a_new_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(app, [*COMPARE, "--report", "r.html"]).exit_code == 0
    before = Path("r.html").read_bytes()
    break_(monkeypatch, os, "replace", OSError(28, os.strerror(28)))
    assert "self_consistency(n=2)" in fails(*COMPARE, "--report", "r.html")
    assert Path("r.html").read_bytes() == before
    assert not [*Path().glob(".workspan-*")]


def test_a_replay_and_an_explanation_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(app, list(COMPARE)).exit_code == 0
    break_(monkeypatch, workspan.lab.report.replayed, "curve_plot", ValueError("no points"))
    replay = ("replay", "j", "--input", "p.jsonl", "-s", "single", "-b", "100", "--seeds", "1")
    assert "single" in fails(*replay, "--report", "r.html")
    solve = ("solve", "-s", "auto(n=2)", *ASKING, "--output", "a.jsonl")
    assert CliRunner().invoke(app, list(solve)).exit_code == 0
    break_(monkeypatch, workspan.lab.report.explained, "chains_plot", ValueError("no lines"))
    assert "auto(n=2)" in fails("explain", "a.jsonl", "--report", "r.html")
    assert not Path("r.html").exists()


def test_a_profile_that_can_not_be_written_is_made_again_of_what_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ("calibrate", *ASKING, "--chains", "2", "--journal", "j", "--to", "l.json")
    break_(monkeypatch, os, "replace", OSError(28, os.strerror(28)))
    fails(*command)
    assert not Path("l.json").exists()
    kept = Path("j").read_bytes()
    assert kept.count(b'"outcome":"end"') == 3
