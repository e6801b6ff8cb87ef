"""What a comparison promises: fair, within budget, resumable, honest about failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab_rig import execute, task, tasks
from workspan.batch.compare import take_turns
from workspan.core.engine import Bill
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Usage
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineRejected,
    EngineUnavailable,
    InputError,
    UnpricedModel,
)
from workspan.lab.records import records
from workspan.store.journals import JournalFile
from workspan.strategies.hybrid.grid import Grid
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import FaultyEngine, ScriptedEngine
from workspan.testing.strategy_suite import chatter

STRATEGIES: list[Strategy] = [Single(), SelfConsistency(n=4), Grid(breadth=3, depth=64)]
HEADER = Header("scripted", 0)


def test_every_strategy_meets_every_problem_within_the_budget() -> None:
    engine = ScriptedEngine(chatter)
    done = execute(STRATEGIES, tasks(6), engine, Budget(work=300, span=120))
    assert [len(done.of(strategy)) for strategy in done.strategies] == [6, 6, 6]
    assert [t.task.problem.id for t in done.of("single")] == [f"p{i}" for i in range(6)]
    for record in records(done):
        assert record.over_budget == 0
        assert record.work <= 300
        assert record.span <= 120
    assert done.usage == engine.billed


def test_numbers_of_a_record_add_up_by_hand() -> None:
    done = execute([Single()], [task(0), task(1, "5")], ScriptedEngine(["so Answer: 4"]))
    (record,) = records(done)
    assert (record.problems, record.accuracy, record.answered) == (2, 0.5, 1.0)
    assert (record.work, record.span, record.parallelism, record.calls) == (3, 3, 1.0, 1)
    assert record.prefill == 5  # the words of "Problem 0: what is it?"
    assert (record.stops, record.source, record.cost) == ({"done": 2}, "measured", 0.0)
    assert record.difference is None
    assert record.low == pytest.approx(0.0945, abs=1e-4)  # Wilson of 1 in 2


def test_answers_do_not_depend_on_the_order_or_on_what_runs_beside() -> None:
    one = execute(STRATEGIES, tasks(5), ScriptedEngine(chatter), parallel=1)
    other = execute(STRATEGIES[::-1], tasks(5)[::-1], ScriptedEngine(chatter), parallel=10**15)

    def answers(done: object) -> dict[tuple[str, str], object]:
        return {
            (t.strategy, t.task.problem.id): t.result and t.result.answer
            for t in done.trials  # type: ignore[attr-defined]
        }

    assert answers(one) == answers(other)


def test_strategies_draw_from_the_same_randomness_on_a_problem() -> None:
    engine = ScriptedEngine(chatter)
    execute([SelfConsistency(n=2), SelfConsistency(n=4)], tasks(1), engine, parallel=1)
    two, four = engine.requests[:2], engine.requests[2:]
    assert [r.seed for r in two] == [r.seed for r in four][:2]


def test_problems_have_randomness_of_their_own() -> None:
    engine = ScriptedEngine(chatter)
    execute([Single()], tasks(8), engine)
    assert len({request.seed for request in engine.requests}) == 8


def test_strategies_take_turns_at_going_first() -> None:
    turns = take_turns(STRATEGIES, tasks(3))
    assert [s for s, _ in turns[::3]] == STRATEGIES
    assert [t.problem.id for _, t in turns] == ["p0"] * 3 + ["p1"] * 3 + ["p2"] * 3


def test_a_second_comparison_on_the_same_journal_asks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, HEADER) as journals:
        first = execute(STRATEGIES, tasks(4), ScriptedEngine(chatter), journals=journals)
    engine = ScriptedEngine(chatter)
    with JournalFile(path, HEADER) as journals:
        second = execute(STRATEGIES, tasks(4), engine, journals=journals)
    assert engine.billed == Usage()
    assert records(second) == records(first)


def test_another_budget_on_the_same_journal_is_asked_afresh(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with JournalFile(path, HEADER) as journals:
        execute(STRATEGIES, tasks(3), ScriptedEngine(chatter), journals=journals)
    engine = ScriptedEngine(chatter)
    with JournalFile(path, HEADER) as journals:
        small = execute(STRATEGIES, tasks(3), engine, Budget(work=50), journals=journals)
    assert small.usage == engine.billed
    assert all(record.over_budget == 0 for record in records(small))


def test_a_failed_run_is_neither_right_nor_wrong_and_is_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    too_long = ContextExceeded("the prompt is too long")
    broken = FaultyEngine(["Answer: 4"], faults={1: (0, too_long)})
    with JournalFile(path, HEADER) as journals:
        done = execute([Single()], tasks(4), broken, journals=journals, parallel=1)
    (record,) = records(done)
    assert (record.problems, record.accuracy, record.failed_runs) == (3, 1.0, 1)
    assert [trial.error for trial in done.ungraded] == ["ContextExceeded: the prompt is too long"]
    sound = ScriptedEngine(["Answer: 4"])
    with JournalFile(path, HEADER) as journals:
        again = execute([Single()], tasks(4), sound, journals=journals)
    assert sound.billed.calls == 1
    assert not again.ungraded


def test_a_grader_that_can_not_judge_leaves_no_grade() -> None:
    done = execute([Single()], [task(0), task(1, "unjudged")], ScriptedEngine(["Answer: 4"]))
    (record,) = records(done)
    assert (record.problems, record.accuracy, record.failed_runs) == (1, 1.0, 1)
    assert done.ungraded[0].error == "GraderError: no judgement today"
    assert done.ungraded[0].result is not None


@pytest.mark.parametrize(
    ("error", "asked"),
    [(EngineUnavailable("connection refused"), 3), (EngineRejected("wrong key", status=401), 1)],
)
def test_a_comparison_ends_when_the_engine_is_gone(error: EngineError, asked: int) -> None:
    engine = FaultyEngine(["Answer: 4"], faults=dict.fromkeys(range(2, 99), (0, error)))
    with pytest.raises(type(error), match=r"gone after 2 of 20 runs: ") as caught:
        execute([Single()], tasks(20), engine, parallel=1)
    assert caught.value.status == error.status
    assert len(engine.requests) == 2 + asked


def test_failures_with_successes_between_them_end_nothing() -> None:
    faults = {i: (0, EngineUnavailable("busy")) for i in range(0, 20, 2)}
    done = execute([Single()], tasks(20), FaultyEngine(["Answer: 4"], faults=faults), parallel=1)
    assert len(done.ungraded) == 10


def test_no_more_calls_are_in_flight_than_the_engine_takes() -> None:
    class Narrow(ScriptedEngine):
        @property
        def info(self):  # type: ignore[no-untyped-def]  # noqa: ANN202
            from dataclasses import replace

            return replace(super().info, concurrency=3)

    engine = Narrow(chatter, latency=lambda _: 1)
    execute([SelfConsistency(n=8), Grid(breadth=8, depth=64)], tasks(4), engine)
    assert engine.widest == 3


def test_a_time_limit_makes_runs_go_one_by_one() -> None:
    engine = ScriptedEngine(chatter, latency=lambda _: 1)
    execute([Single()], tasks(5), engine, Budget(seconds=60))
    assert engine.widest == 1


@pytest.mark.parametrize(
    ("strategies", "n", "said"),
    [([], 2, "at least one"), ([Single()], 0, "at least one"), ([Single(), Single()], 2, "twice")],
)
def test_nothing_or_something_twice_is_refused(
    strategies: list[Strategy], n: int, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        execute(strategies, tasks(n), ScriptedEngine(chatter))


def test_a_problem_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="problem 'p0' is given twice"):
        execute([Single()], [task(0), task(0)], ScriptedEngine(chatter))


def test_a_money_limit_without_a_price_is_refused_before_any_call() -> None:
    engine = ScriptedEngine(chatter, price=None)
    with pytest.raises(UnpricedModel):
        execute([Single()], tasks(2), engine, Budget.parse("$1"))
    assert engine.billed == Usage()
    assert Bill().usage == Usage()
