"""Journals of one's own as recordings: what of them becomes chains, and what is refused."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from workspan.batch.compare import compare
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Problem
from workspan.errors import DataError
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.journals import read_journal
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine

TASKS = [
    Task(Problem.ask(f"{i} + 2?", kind="number", id=f"p{i}"), "4", Equivalence()) for i in range(2)
]
TEXTS = ["so Answer: 4", "well now Answer: 5", "Answer: 4.0", "hm"]


def drawn(path: Path, *strategies: str) -> None:
    async def main(journals: JournalFile) -> None:
        plans = [parse_strategy(text) for text in strategies]
        engine = ScriptedEngine(TEXTS)
        await compare(plans, TASKS, engine, budget=Budget(work=90), journals=journals, parallel=1)

    with JournalFile(path, Header("scripted", 0)) as journals:
        anyio.run(main, journals)


def test_votes_of_a_journal_become_chains(tmp_path: Path) -> None:
    drawn(tmp_path / "run.jsonl", "self_consistency(n=4)")
    found = anyio.run(read_journal, tmp_path / "run.jsonl", TASKS)
    assert [problem.id for problem in found.problems] == ["p0", "p1"]
    assert [chain.tokens for chain in found.chains["p0"]] == [3, 4, 2, 1]
    assert [chain.answers[-1] for chain in found.chains["p0"]] == ["4", "5", "4.0", None]
    assert found.grade(TASKS[0].problem, "4") == 1
    assert found.grade(TASKS[0].problem, "5") == 0
    assert not found.is_probed


def test_a_replay_of_a_journal_charges_what_was_charged(tmp_path: Path) -> None:
    drawn(tmp_path / "run.jsonl", "self_consistency(n=4)")
    found = anyio.run(read_journal, tmp_path / "run.jsonl", TASKS)
    plan, engine = parse_strategy("self_consistency(n=4)"), ReplayEngine(found, once=True)
    result = anyio.run(lambda: run(plan, TASKS[0].problem, engine))
    assert result.work == 10
    assert found.grade(TASKS[0].problem, result.answer.text) == 1


def test_a_call_that_two_strategies_shared_counts_once(tmp_path: Path) -> None:
    drawn(tmp_path / "run.jsonl", "self_consistency(n=2)", "self_consistency(n=3)")
    found = anyio.run(read_journal, tmp_path / "run.jsonl", TASKS)
    assert len(found.chains["p0"]) == 3


def test_revisions_are_no_chains(tmp_path: Path) -> None:
    drawn(tmp_path / "run.jsonl", "self_revision(turns=2)")
    with pytest.raises(DataError, match="no sample of"):
        anyio.run(read_journal, tmp_path / "run.jsonl", TASKS)


def test_a_line_that_a_kill_cut_short_is_passed_over_and_a_broken_one_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "run.jsonl"
    drawn(path, "self_consistency(n=4)")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert len(anyio.run(read_journal, path, TASKS).problems) == 2
    first, second, *rest = whole.splitlines(keepends=True)
    path.write_bytes(first + second[:9] + b"\n" + b"".join(rest))
    with pytest.raises(DataError, match=":2: not a journal line"):
        anyio.run(read_journal, path, TASKS)


@pytest.mark.parametrize("content", [b"", b"words", b"\xff\xfe", b"[]"])
def test_what_is_no_journal_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "run.jsonl").write_bytes(content)
    with pytest.raises(DataError, match="not a journal"):
        anyio.run(read_journal, tmp_path / "run.jsonl", TASKS)
