"""A problem is told from others by what it is, whatever its id: nothing is read out of names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab_rig import Same, execute
from workspan.batch.compare import Comparison
from workspan.batch.pooling import pool
from workspan.core.journal import digest, seed_for
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.entry import FORMAT, Header, RunId
from workspan.data.types import Problem, Request
from workspan.errors import DataError, InputError, ReplayMismatch
from workspan.lab.calibrating import calibrate_runs
from workspan.lab.report.explanations import read_explanations
from workspan.recordings.journals import read_journal
from workspan.runner import identify
from workspan.spec import parse_strategy, write
from workspan.store.journals import JournalFile
from workspan.store.lines import read_lines, sealed
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import Case
from workspan.strategies.auto.policies.exhaustive import Exhaustive
from workspan.tasks.base import Task
from workspan.testing.scripted import ScriptedEngine

HEADER = Header("scripted", 5)
ODD = [
    "", " ", "ticket #12", "#", "a @ b", "a @ b #c within 9 work", " within ", "x\ny", "\r\n", '"',
    "'", "\\", "a/b/c", "/", "x" * 20_000, "\0", "\x1b[31m", "\u202e", "é", "𝔘", "{}", '{"run":"',
    ',"sum":"00000000"}', "auto(n=2)",
]  # fmt: skip
ids = st.sampled_from(ODD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def said(request: Request) -> str:
    """Answer the number that the prompt ends with, or another for odd seeds."""
    right = request.prompt[0].text.split()[-1].rstrip("?")
    return f"so Answer: {right if request.seed % 3 else 7}"


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name) / "run.jsonl"


def compared(strategies: list[Strategy], tasks: list[Task], path: Path) -> tuple[Comparison, int]:
    """Compare on a journal; return how many calls were asked, too."""
    engine = ScriptedEngine(said)
    with JournalFile(path, HEADER) as journals:
        budget = Budget(work=90)
        done = execute(strategies, tasks, engine, budget, seed=5, journals=journals)
    return done, len(engine.requests)


@settings(max_examples=40, deadline=None)
@given(names=st.lists(ids, min_size=2, max_size=4))
@example(names=ODD)
@example(names=["same", "same", "same"])
def test_any_id_is_compared_explained_calibrated_and_resumed(names: list[str]) -> None:
    tasks = [
        Task(Problem.ask(f"What is {i}?", kind="number", id=name), str(i), Same())
        for i, name in enumerate(names)
    ]
    plain, auto = parse_strategy("self_consistency(n=3)"), Auto(n=2, fitted=Exhaustive(2, 8))
    with folder() as path:
        done, asked = compared([plain, auto], tasks, path)
        assert asked
        again, more = compared([plain, auto], tasks, path)
        assert more == 0
        assert [one.result and one.result.answer for one in again.trials] == [
            one.result and one.result.answer for one in done.trials
        ]
        runs = {line.run for line in read_lines(path)[1]}
        assert runs == {
            identify(plan, t.problem, done.budget, seed_for(5, digest(t.problem)))
            for plan in (plain, auto)
            for t in tasks
        }
        told = read_explanations(path)
        assert {(one.problem, one.strategy, one.budget) for one in told} == {
            (name, write(auto), "90 work") for name in names
        }
        assert len(told) == len(tasks)
        held = {task.problem.id: task for task in tasks}
        recording = anyio.run(read_journal, path, [*held.values()])
        assert {*recording.chains} == set(names)

    async def profile() -> tuple[Case, ...]:
        found = await calibrate_runs(done.of(write(auto)), "m", {"plain": done.of(write(plain))})
        return found.problems

    cases = anyio.run(profile)
    assert len(cases) == len(tasks)
    for case, trial in zip(cases, done.of(write(plain)), strict=True):
        assert trial.result is not None
        (once,) = case.arms
        assert once is not None
        assert once.work == trial.result.work  # of this very problem, not of its namesake


def test_problems_of_one_id_share_nothing_in_a_pool() -> None:
    tasks = [
        Task(Problem.ask(f"What is {i}?", kind="number", id="same"), str(i), Same()) for i in (3, 4)
    ]

    async def main() -> Comparison:
        engine = ScriptedEngine(lambda r: f"Answer: {r.prompt[0].text[-2]}")
        return await pool([Auto(n=2)], tasks, engine, budget=Budget(work=200))

    done = anyio.run(main)
    assert [trial.grade and trial.grade.correct for trial in done.trials] == [1.0, 1.0]
    assert [trial.task for trial in done.trials] == tasks


def test_long_answers_that_begin_alike_are_different_answers() -> None:
    """Each is graded whole: neither is taken for the other because of its first words."""
    start = "the same words again " * 30
    right, wrong = start + "north", start + "south"

    def text(request: Request) -> str:
        return f"Answer: {right if request.seed % 2 else wrong}"

    task = Task(Problem.ask("Where?", id="p"), right, Same())
    done = execute([Auto(n=6, fitted=Exhaustive(6, 400))], [task], ScriptedEngine(text), Budget())
    (trial,) = done.trials
    assert trial.result is not None
    assert trial.result.answer.why is not None
    answers = trial.result.answer.why.answers
    assert sorted(answers) == [right, wrong]

    async def main() -> tuple[int, ...] | None:
        return (await calibrate_runs(done.trials, "m")).problems[0].right

    assert anyio.run(main) == (answers.index(right),)


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
def test_half_a_character_is_refused_before_anything_is_run(text: str) -> None:
    with pytest.raises(InputError, match="lone surrogate"):
        Problem.ask("What?", id=text)
    with pytest.raises(InputError, match="lone surrogate"):
        Problem.ask(text)
    with pytest.raises(InputError, match="lone surrogate"):
        Problem("p", (), metadata={"x": text})


def test_two_problems_of_one_id_in_a_journal_are_not_mixed(tmp_path: Path) -> None:
    plan = parse_strategy("single")
    first, second, third = (
        Task(Problem.ask(f"What is {i}?", kind="number", id="p"), str(i), Same()) for i in (1, 2, 3)
    )
    compared([plan], [first, second], tmp_path / "j")
    recording = anyio.run(read_journal, tmp_path / "j", [second])
    assert recording.grade(second.problem, recording.chains["p"][0].answers[0]) in (0.0, 1.0)
    assert len(recording.chains["p"]) == 1
    with pytest.raises(DataError, match="2 problems of the id 'p', none as it was given"):
        anyio.run(read_journal, tmp_path / "j", [third])


def test_a_journal_of_the_version_before_is_refused_with_a_word(tmp_path: Path) -> None:
    header, check = sealed(b'{"journal":"workspan","engine":"scripted","seed":5,"format":2}', 0)
    line, _ = sealed(b'{"run":"single @ p #3f0c57b2a1de within 90 work","entry":{}}', check)
    (tmp_path / "j").write_bytes(header + line)
    said = f"format 2, and this version has {FORMAT}: name a new one, or go on with the version"
    with pytest.raises(ReplayMismatch, match=said):
        JournalFile(tmp_path / "j", HEADER)
    for read in (read_lines, read_explanations):
        with pytest.raises(DataError, match=said):
            read(tmp_path / "j")
    with pytest.raises(DataError, match=said):
        anyio.run(read_journal, tmp_path / "j", [])
    assert (tmp_path / "j").read_bytes() == header + line


def test_a_journal_is_of_a_run_and_of_no_text(tmp_path: Path) -> None:
    with JournalFile(tmp_path / "j", HEADER) as journals:
        with pytest.raises(InputError, match="RunId"):
            journals.journal("my run")  # type: ignore[arg-type]
        assert journals.journal(RunId("single", "my run")).entries == []


def test_equal_budgets_are_written_the_same() -> None:
    from decimal import Decimal

    assert str(Budget(cost=Decimal("0.050"))) == str(Budget(cost=Decimal("0.05"))) == "$0.05"
    assert str(Budget(seconds=30)) == str(Budget(seconds=30.0)) == "30s"
    assert str(Budget(cost=Decimal("1E+2"))) == "$100"
