"""``workspan sweep`` and ``workspan runs`` as scripts and people meet them."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from counting_server import serving
from workspan.app.sweeping import alone, journals_of
from workspan.cli.main import main

PLAN = """
name = "small"
strategies = ["single(max_tokens=60)", {of = "self_consistency(max_tokens=60)", n = [1, 2, 4]}]
budgets = ["100 work", "400 work"]
seeds = [0, 1]
tasks = ["TASKS"]
limit = 8
total = "100k work"

[[engines]]
name = "simulated"
engine = "scripted"
"""
FIELDS = ["engine", "task", "strategy", "budget", "effort", "seed", "accuracy", "low", "high"]
FIELDS += ["work", "span", "cost", "status"]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    tasks = tmp_path / "tasks.jsonl"
    rows = [
        {"id": f"sum {i}", "question": f"What is {i} + 1?", "answer": str(3 + i % 3)}
        for i in range(9)
    ]
    tasks.write_text("".join(json.dumps(row | {"kind": "number"}) + "\n" for row in rows))
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.replace("TASKS", str(tasks)))
    return path


class Said:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as ended:
            main([*map(str, arguments)])
        out, aside = self._capsys.readouterr()
        assert ended.value.code == code, aside
        return out, " ".join(aside.split())

    def records(self, *arguments: str | Path) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self(*arguments)[0].splitlines()]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    monkeypatch.setenv("COLUMNS", "140")
    return Said(capsys)


def test_a_sweep_is_priced_run_kept_and_asked(plan: Path, tmp_path: Path, said: Said) -> None:
    store = tmp_path / "s.db"
    _, aside = said("sweep", plan, "--store", store, "--dry-run")
    assert "16 cells, 128 runs; 8 cells with the draws of a larger one; to be expected" in aside
    assert "all runs together within 100000 work" in aside
    assert not store.exists()
    cells = said.records("sweep", plan, "--store", store, "--json")
    assert len(cells) == 16
    assert all([*cell][:14] == ["cell", *FIELDS] for cell in cells)
    assert {cell["status"] for cell in cells} == {"done"}
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*.jsonl")} >= {0o600}

    [sweep] = said.records("runs", "list", "--store", store, "--json")
    assert (sweep["name"], sweep["cells"], sweep["done"]) == ("small", 16, 16)
    assert said.records("runs", "show", "small", "--store", store, "--json") == cells
    one = cells[0]["cell"]
    trials = said.records("runs", "show", "small", "--cell", one, "--store", store, "--json")
    assert [trial["problem"] for trial in trials] == sorted(trial["problem"] for trial in trials)
    assert len(trials) == cells[0]["problems"] == 8
    table, _ = said("runs", "show", "small", "--store", store)
    assert one[:6] in table.split()
    short = said.records("runs", "show", "small", "--cell", one[:6], "--store", store, "--json")
    assert short == trials
    _, aside = said("runs", "show", "small", "--cell", "x", "--store", store, code=2)
    assert "the sweep has no cell 'x'" in aside

    found = said.records("runs", "compare", "small", "--store", store, "--json")
    versus = [one for one in found if one["kind"] == "versus"]
    assert len(versus) == 3 * 2
    for each in versus:
        assert each["low"] <= each["difference"] <= each["high"]
        assert each["p"] <= each["p_holm"] <= 1
        assert (each["problems"], each["seeds"]) == (8, 2)
    _, aside = said("runs", "compare", "small", "--store", store)
    assert "ahead of single(max_tokens=60); Holm: p adjusted for 6 comparisons" in aside
    said("runs", "compare", "small", "--base", "nobody", "--store", store, code=2)


def test_tables_of_80_columns_leave_nothing_out(
    plan: Path, tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the last columns say, money and how many problems are needed, was cut off."""
    monkeypatch.setenv("COLUMNS", "80")
    path, store = tmp_path / "priced.toml", tmp_path / "s.db"
    long = plan.read_text().replace("max_tokens=60", "max_tokens=60, temperature=0.123")
    with serving() as server:
        engine = f'engine = "http://127.0.0.1:{server.port}/v1"\nmodel = "m"\nprice = "1500/6000"'
        path.write_text(long.replace('engine = "scripted"', engine))
        priced, _ = said("sweep", path, "--store", store, "--dry-run")
    plan.write_text(long)
    said("sweep", plan, "--store", store)
    compared, _ = said("runs", "compare", "small", "--store", store)
    shown, _ = said("runs", "show", "small", "--store", store)
    for table, last in ((priced, "money"), (compared, "needed"), (shown, "status")):
        assert max(map(len, table.splitlines())) <= 80
        assert any(line.rstrip().endswith(last) for line in table.splitlines())
        assert "…" not in table
    lines = priced.splitlines()
    assert sum(line.rstrip().endswith("–") for line in lines) == 2  # of money, as wide as it is
    assert all(line.split()[-1].count(".") == 1 for line in lines if "$" in line)


def test_a_store_that_is_none_is_refused_before_anything_is_opened(
    plan: Path, tmp_path: Path, said: Said
) -> None:
    _, aside = said("sweep", plan, "--store", plan, code=2)
    assert "was left as it is" in aside
    assert "to be expected" not in aside  # nothing was priced for it
    said("sweep", plan, "--store", "mysql://h/d", code=2)
    said("sweep", plan, "--store", tmp_path, code=2)
    assert sorted(tmp_path.iterdir()) == [plan, tmp_path / "tasks.jsonl"]


def test_cells_are_exported_and_queried(plan: Path, tmp_path: Path, said: Said) -> None:
    pytest.importorskip("duckdb")
    from pyarrow import parquet

    store, folder = tmp_path / "s.db", tmp_path / "out"
    cells = said.records("sweep", plan, "--store", store, "--json")
    said("runs", "export", "--store", store, "--to", folder)
    written = parquet.read_table(folder / "cells.parquet").to_pylist()
    accuracies = {row["id"]: row["accuracy"] for row in written}
    assert accuracies == {cell["cell"]: cell["accuracy"] for cell in cells}
    assert parquet.read_table(folder / "trials.parquet").num_rows == 16 * 8
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
    said("runs", "export", "--store", store, "--to", folder)  # ours is replaced, others are not
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "trials.parquet").write_text("mine")
    _, aside = said("runs", "export", "--store", store, "--to", tmp_path / "theirs", code=2)
    assert "not an export of ours" in aside
    assert [path.read_text() for path in (tmp_path / "theirs").iterdir()] == ["mine"]
    sql = (
        "SELECT c.id AS cell, avg(t.correct) AS mean FROM cells c JOIN trials t ON t.cell = c.id "
        "GROUP BY c.id"
    )
    asked = said.records("runs", "query", sql, "--store", store, "--sweep", "small")
    assert {row["cell"]: pytest.approx(row["mean"]) for row in asked} == accuracies
    twice = "SELECT 1 AS work, 2 AS work_2, 3 AS work, 4 AS work"
    [row] = said.records("runs", "query", twice, "--store", store)
    assert row == {"work": 1, "work_2": 2, "work_3": 3, "work_4": 4}
    assert "is empty" in said("runs", "query", ";", "--store", store, code=2)[1]
    for wrong in ("SELECT nothing FROM cells", "SELECT * FROM read_text('/etc/hostname')"):
        assert "the query: " in said("runs", "query", wrong, "--store", store, code=2)[1]
    said("runs", "query", f"COPY cells TO '{tmp_path}/x.csv'", "--store", store, code=2)
    assert not (tmp_path / "x.csv").exists()


def test_what_is_forgotten_is_gone_with_its_calls(plan: Path, tmp_path: Path, said: Said) -> None:
    store = tmp_path / "s.db"
    said("sweep", plan, "--store", store)
    plan.write_text(plan.read_text().replace('"400 work"', '"500 work"').replace("small", "new"))
    said("sweep", plan, "--store", store)
    calls = [*tmp_path.rglob("*.jsonl")]
    would, _ = said("runs", "prune", "small", "--store", store, "--dry-run")
    assert "would forget: small" in would
    assert "8 cells" in would
    assert [*tmp_path.rglob("*.jsonl")] == calls
    [sweep] = [
        row["id"]
        for row in said.records("runs", "list", "--store", store, "--json")
        if row["name"] == "small"
    ]
    with alone(journals_of(str(store)), sweep):  # as a process that runs it does
        said("runs", "prune", "small", "--store", store, code=5)
    assert [*tmp_path.rglob("*.jsonl")] == calls
    said("runs", "prune", "small", "--store", store)
    [left] = said.records("runs", "list", "--store", store, "--json")
    assert (left["name"], left["done"]) == ("new", 16)
    assert len([*tmp_path.rglob("*.jsonl")]) < len(calls)
    said("runs", "prune", "--store", store, code=2)
    said("runs", "show", "small", "--store", store, code=2)
    said("runs", "list", "--store", tmp_path / "none.db", code=2)


def test_a_total_that_is_too_small_ends_with_a_code_of_its_own(
    plan: Path, tmp_path: Path, said: Said
) -> None:
    plan.write_text(plan.read_text().replace("100k work", "2k work"))
    _, aside = said("sweep", plan, "--store", tmp_path / "s.db", code=4)
    assert "not done: " in aside
    assert "cut; the same command tries them again" in aside
    assert "the total holds no more of their runs; with a higher one in the file" in aside


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--on", "ray"), 5, "pip install 'workspan[ray]'"),
        (("--on", "ray://h:10001"), 2, "Ray's client, which is not used here"),
        (("--on", ""), 2, "here, ray, or the address"),
        (("--workers", "2"), 2, "workers are of a cluster"),
    ],
)
def test_a_place_that_is_none_is_refused_unspent(
    plan: Path,
    tmp_path: Path,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.setitem(sys.modules, "workspan.cluster.on_ray", None)  # as without the extra
    _, aside = said("sweep", plan, "--store", tmp_path / "s.db", *options, code=code)
    assert words in aside
    problems = tmp_path / "tasks.jsonl"
    asked: list[str | Path] = [
        "solve",
        "--input",
        problems,
        "--output",
        tmp_path / "o.jsonl",
        "-e",
        "scripted",
    ]
    _, aside = said(*asked, *options, code=code)
    assert words in aside


def test_what_needs_this_process_is_not_sent_away(tmp_path: Path, said: Said) -> None:
    _, aside = said("solve", "2 + 2?", "-e", "scripted", "--on", "ray", code=2)
    assert "--on is for many problems" in aside
    (tmp_path / "t.jsonl").write_text('{"question": "1 + 1?"}\n')
    asked: list[str | Path] = [
        "solve",
        "--input",
        tmp_path / "t.jsonl",
        "--output",
        tmp_path / "o.jsonl",
    ]
    asked += ["-e", "scripted", "--on", "ray", "-s", "auto", "--pooled"]
    assert "no share of a pooled budget" in said(*asked, code=2)[1]


def test_models_are_swept_without_the_extra_of_the_lab() -> None:
    code = (
        "import sys; sys.modules.update({'numpy': None, 'scipy': None, 'pyarrow': None}); "
        "import workspan.app.sweeping, workspan.app.swept, workspan.cli.sweep, workspan.cli.runs"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_dry_run_needs_no_key_and_an_unknown_effort_is_refused_unspent(
    tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    plan, tasks = tmp_path / "p.toml", tmp_path / "t.jsonl"
    tasks.write_text('{"id": "a", "question": "1 + 1?", "answer": "2", "kind": "number"}\n')
    with serving("--text", "Answer: 2") as server:
        told = PLAN.replace("TASKS", str(tasks)).replace('"scripted"', f'"{server.url}"')
        told += 'model = "simulated"\nkey_env = "NO_SUCH_KEY"\n'
        plan.write_text(told)
        _, aside = said("sweep", plan, "--store", tmp_path / "s.db", "--dry-run")
        assert "to be expected" in aside
        _, aside = said("sweep", plan, "--store", tmp_path / "s.db", code=2)
        assert "simulated: the environment has no NO_SUCH_KEY" in aside
        monkeypatch.setenv("NO_SUCH_KEY", "k" * 20)
        plan.write_text(told + 'efforts = ["low"]\n')
        _, aside = said("sweep", plan, "--store", tmp_path / "s.db", code=2)
        assert "simulated: nobody knows what efforts 'simulated' takes" in aside
        plan.write_text(told + 'efforts = ["low"]\nset = {effort_field = "reasoning_effort"}\n')
        said("sweep", plan, "--store", tmp_path / "s.db", "--dry-run")
        assert not server.bill().calls


def test_a_dry_run_needs_no_server_where_its_model_is_named(tmp_path: Path, said: Said) -> None:
    plan, tasks, store = tmp_path / "p.toml", tmp_path / "t.jsonl", tmp_path / "s.db"
    tasks.write_text('{"id": "a", "question": "1 + 1?", "answer": "2", "kind": "number"}\n')
    away = PLAN.replace("TASKS", str(tasks)).replace('"scripted"', '"http://127.0.0.1:9/v1"')
    away += 'set = {"retries.attempts" = 1}\nprice = "0/0"\n'
    plan.write_text(away + 'model = "gpt-5.1"\nefforts = ["low", "high"]\n')
    out, aside = said("sweep", plan, "--store", store, "--dry-run")
    assert "effort high" in out
    assert "to be expected" in aside
    assert "gpt-5.1 is taken at your word: its server is not there" in aside
    assert aside.count("at your word") == 1
    said("sweep", plan, "--store", store, code=3)
    plan.write_text(away)
    _, aside = said("sweep", plan, "--store", store, "--dry-run", code=3)
    assert "can't be reached" in aside
    assert "with its model named it need not be there yet" in aside
    assert not store.exists()


def test_a_report_is_drawn_of_the_latest_sweep(plan: Path, tmp_path: Path, said: Said) -> None:
    store, page = tmp_path / "s.db", tmp_path / "report.html"
    said("sweep", plan, "--store", store)
    out, _ = said("runs", "report", "--store", store, "--to", page, "--problems", plan)
    assert out.startswith(f"{page}: 16 cells, ")
    text = page.read_text()
    assert "What is 3 + 1?" in text  # what was asked, from the sweep's own file
    assert "<title>Sweep small</title>" in text
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    said("runs", "report", "small", "--store", store, "--to", page, "--base", "nobody", code=2)
    [told] = said.records("runs", "report", "small", "--store", store, "--to", page, "--json")
    assert (told["path"], told["cells"]) == (str(page), 16)
    plan.write_text(plan.read_text().replace("limit = 8", "limit = 7"))
    said("runs", "report", "--store", store, "--to", page, "--problems", plan)
    assert "What is 3 + 1?" in page.read_text()  # as many as were run, whatever the limit is now
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text(tasks.read_text().replace("What is", "Tell me"))
    said("runs", "report", "--store", store, "--to", page, "--problems", plan)
    assert "Tell me" not in page.read_text()  # other problems than those that were run


def test_a_report_spares_what_is_not_its_own(plan: Path, tmp_path: Path, said: Said) -> None:
    store = tmp_path / "s.db"
    said("sweep", plan, "--store", store)
    for name in ("mine.html", "mine.png", "mine.svg"):
        path = tmp_path / name
        path.write_text("<!doctype html>mine")
        _, aside = said("runs", "report", "--store", store, "--to", path, code=2)
        assert "left as it is" in aside
        assert path.read_text() == "<!doctype html>mine"
    for to in ("report.pdf", "report"):
        _, aside = said("runs", "report", "--store", store, "--to", tmp_path / to, code=2)
        assert "name a file that ends in .html, .png, .svg" in aside
    wrong = ("--to", tmp_path / "a.html", "--serial", "deep")
    assert "such as 'deep(d=10)=10'" in said("runs", "report", "--store", store, *wrong, code=2)[1]
    said("runs", "report", "none", "--store", store, "--to", tmp_path / "a.html", code=2)
    said("runs", "report", "--store", tmp_path / "no.db", "--to", tmp_path / "a.html", code=2)


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device")])
def test_a_report_that_fails_leaves_the_store_as_it_was(
    plan: Path, tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    import workspan.lab.report.sweep.page

    def broken(*_: object, **__: object) -> None:
        raise error

    store = tmp_path / "s.db"
    cells = said.records("sweep", plan, "--store", store, "--json")
    monkeypatch.setattr(workspan.lab.report.sweep.page, "render", broken)
    _, aside = said("runs", "report", "--store", store, "--to", tmp_path / "a.html", code=6)
    assert "the store is as it was" in aside
    assert not (tmp_path / "a.html").exists()
    assert said.records("runs", "show", "small", "--store", store, "--json") == cells


def test_a_report_without_what_draws_it_says_what_to_install(
    plan: Path, tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "s.db"
    said("sweep", plan, "--store", store)
    monkeypatch.setitem(sys.modules, "workspan.lab.report.sweep.image", None)
    _, aside = said("runs", "report", "--store", store, "--to", tmp_path / "a.html", code=5)
    assert "pip install 'workspan[lab]'" in aside
