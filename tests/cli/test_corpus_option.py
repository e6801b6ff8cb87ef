"""``--corpus`` as a script sees it: a real process, real files, a simulated engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workspan.app.specs import searches
from workspan.cli.corpus import cited
from workspan.spec import parse_strategy

pytestmark = pytest.mark.slow


def workspan(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workspan", *arguments, "--engine", "scripted"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "WORKSPAN_HOME": str(folder / "home"), "WORKSPAN_STATE": str(folder)},
    )


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# One\n\nOne and two make 3, three and one make 4.\n")
    return tmp_path / "notes"


def test_a_corpus_makes_solve_retrieve_and_cite(notes: Path) -> None:
    ask = ["solve", "How many, one or two?", "--corpus", str(notes), "--kind", "number"]
    done = [workspan(notes.parent, *ask, "--json", "--seed", str(seed)) for seed in range(4)]
    found = [json.loads(one.stdout) for one in done]
    assert {record["strategy"] for record in found} == {"retrieve"}
    assert any(record["calls"] > 1 for record in found)
    assert {source for record in found for source in record["sources"]} <= {"a.md:3"}
    assert len(list((notes.parent / "home" / "corpora").iterdir())) == 1
    shown = workspan(notes.parent, *ask).stdout
    assert "rests on: a.md:3" in shown or "cites no passage" in shown


def test_a_broken_line_of_a_corpus_is_named_before_any_spend(notes: Path) -> None:
    (notes / "b.jsonl").write_text('{"text": "good"}\n{broken\n')
    done = workspan(notes.parent, "solve", "?", "--corpus", str(notes))
    assert done.returncode == 2
    assert "b.jsonl:2: not a JSON object" in done.stderr
    missing = workspan(notes.parent, "solve", "?", "--corpus", str(notes / "no"))
    assert "no such folder or file" in missing.stderr


def test_without_a_corpus_retrieve_says_what_it_needs(tmp_path: Path) -> None:
    done = workspan(tmp_path, "solve", "?", "--strategy", "retrieve")
    assert done.returncode == 2
    assert "--corpus FOLDER" in " ".join(done.stderr.split())


def test_a_comparison_with_a_corpus_is_of_the_modes(notes: Path) -> None:
    ask = ["compare", "--task", str(notes.parent / "q.jsonl"), "--corpus", str(notes), "--json"]
    (notes.parent / "q.jsonl").write_text('{"question": "One or two?", "answer": "3"}\n')
    done = workspan(notes.parent, *ask)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["strategy"] for line in done.stdout.splitlines()] == [
        "retrieve(mode='sequential')",
        "retrieve(mode='parallel')",
        "retrieve",
    ]


def test_a_strategy_searches_where_a_part_of_it_does() -> None:
    assert searches(parse_strategy("fallback(single, retrieve)"))
    assert not searches(parse_strategy("self_consistency(n=2)"))


def test_hostile_names_of_files_do_not_steer_the_terminal() -> None:
    assert cited(("a\x1b[2J.md:1", "b.md:2")) == "rests on: a[2J.md:1, b.md:2"


def test_tasks_that_bring_a_corpus_are_compared_without_one(tmp_path: Path) -> None:
    ask = ["compare", "--task", "hops(hops=2, fanout=2)", "--limit", "2", "--json"]
    done = workspan(tmp_path, *ask, "--strategies", "retrieve(rounds=2)")
    assert done.returncode in (0, 1), done.stderr
    assert json.loads(done.stdout)["strategy"] == "retrieve(rounds=2)"
