"""``workspan map`` and what writes verdicts: claims, sweeps' comparisons, recordings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from map_rig import HELD, HOSTILE
from sweep_rig import Rig
from workspan.app.mapping import keep_comparison, keep_verdicts
from workspan.claims.base import Setting
from workspan.cli.main import app
from workspan.errors import InputError
from workspan.testing.strategy_suite import scripted

FIRST = [
    *("id", "claim", "source", "verdict", "low", "high", "budget", "model", "date", "command"),
]


def told(*words: str) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, [*words])
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_claim_is_measured_kept_and_drawn(address: str, tmp_path: Path) -> None:
    [claimed] = told("claims", "guessing_tokens", "--store", address, "--json")
    rows = told("map", "--store", address, "--json")
    assert all([*row][: len(FIRST)] == FIRST for row in rows)
    [row] = [row for row in rows if row["verdict"] != "not measured"]
    assert row["verdict"] == "held"
    assert (row["low"], row["high"]) == (claimed["low"], claimed["high"])
    assert row["command"] == "workspan claims guessing_tokens"
    assert (row["idea"], row["kind"]) == ("task_structure", "program")
    page = tmp_path / "map.html"
    done = CliRunner().invoke(app, ["map", "--store", address, "--to", str(page)])
    assert done.exit_code == 0, done.output
    assert "guessing_tokens" in page.read_text()
    assert page.stat().st_mode & 0o077 == 0
    assert CliRunner().invoke(app, ["map", "--store", address, "--to", str(page)]).exit_code == 0


def test_an_engine_that_is_judged_is_named_with_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Setting, "size", lambda *_: 8)
    store = str(tmp_path / "s.db")
    words = ["claims", "natural_chain", "--engine", "scripted", "--store", store, "--json"]
    told(*words)
    [row] = [row for row in told("map", "--store", store, "--json") if row["date"]]
    assert row["kind"] == "program"
    assert row["model"] == "simulated (no model)"
    assert row["command"] == "workspan claims natural_chain --engine scripted"


def test_without_a_page_or_json_it_is_told_in_lines(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    anyio.run(keep_verdicts, store, (HELD, HOSTILE))
    done = CliRunner().invoke(app, ["map", "--store", store])
    assert "● held: long_chain, reasoner:graphs: 0.47 [0.448, 0.49]" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_store_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    store = tmp_path / "none.db"
    done = CliRunner().invoke(app, ["map", "--store", str(store)])
    assert isinstance(done.exception, InputError)
    assert "workspan claims --store" in str(done.exception)
    assert not store.exists()


def test_a_file_that_is_no_map_is_left_alone(tmp_path: Path) -> None:
    store, notes = str(tmp_path / "s.db"), tmp_path / "notes.html"
    anyio.run(keep_verdicts, store, (HELD,))
    notes.write_text("mine")
    for target in (notes, Path(store)):
        done = CliRunner().invoke(app, ["map", "--store", store, "--to", str(target)])
        assert isinstance(done.exception, InputError)
    assert notes.read_text() == "mine"


def test_a_store_that_is_none_stops_claims_before_they_are_measured(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("my notes, which are no database at all\n" * 9)
    done = CliRunner().invoke(app, ["claims", "guessing_tokens", "--store", str(notes), "--json"])
    assert isinstance(done.exception, InputError)
    assert not done.stdout


@pytest.mark.parametrize("flag", [True, False])
def test_a_sweeps_comparison_writes_its_verdicts_where_it_is_told_to(
    address: str, tmp_path: Path, flag: bool
) -> None:
    rig = Rig(scripted(), address, tmp_path / "calls")
    anyio.run(rig.sweep, ["single", "self_consistency(n=4)"])
    words = ["runs", "compare", "test", "--store", address, "--json"]
    compared = told(*words, *(["--verdicts"] if flag else []))
    rows = [row for row in told("map", "--store", address, "--json") if row["date"]]
    assert len(rows) == int(flag)
    for row in rows:
        [one] = [one for one in compared if one["kind"] == "versus"]
        assert (row["low"], row["high"], row["found"]) == (
            one["low"],
            one["high"],
            one["difference"],
        )
        assert row["verdict"] == "undecided"
        assert row["idea"] == "parallel"
        assert row["kind"] == "program"
        assert row["budget"] == one["budget"]
        assert row["command"] == "workspan runs compare test --verdicts --store STORE"


def test_a_comparison_of_a_sweep_that_is_not_there_keeps_nothing(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    anyio.run(keep_verdicts, store, ())
    with pytest.raises(InputError, match="no sweep"):
        anyio.run(keep_comparison, store, "none")


def test_a_map_is_read_and_drawn_without_anything_heavy() -> None:
    code = (
        "import sys, workspan.app.mapping, workspan.lab.map.page\nprint(*[m for m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "scipy", "jinja2", "matplotlib", "aiohttp", "sympy", "pyarrow", "psycopg"}
    assert heavy.isdisjoint(done.stdout.split())


def test_the_list_says_once_of_which_kind_nothing_was_measured(tmp_path: Path) -> None:
    store = str(tmp_path / "s.db")
    told("claims", "guessing_tokens", "--store", store, "--json")
    done = CliRunner().invoke(app, ["map", "--store", store])
    gaps = [line for line in done.stdout.splitlines() if "○ not measured:" in line]
    assert gaps
    assert all(line.count(" on ") == 1 for line in gaps)
