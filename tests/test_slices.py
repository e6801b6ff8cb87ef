"""Long caps do not block width, and cuts never pass the budget."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.attempt import SLICE
from workspan.core.ledger import Ledger
from workspan.core.session import Session
from workspan.data.budget import Budget
from workspan.data.types import Amount, Problem, Request, Usage
from workspan.errors import BudgetExceeded
from workspan.runner import Result, run
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.turned import TurnedTime

PROBLEM = Problem.ask("go", kind="number")


def vote(
    budget: Budget, words: int, n: int = 8, overshoot: int = 0
) -> tuple[Result, ScriptedEngine]:
    engine = ScriptedEngine(
        lambda r: "w " * words + "Answer: 4", latency=lambda r: 1, overshoot=overshoot
    )
    strategy = SelfConsistency(n=n, max_tokens=100_000)
    return anyio.run(lambda: run(strategy, PROBLEM, engine, budget=budget)), engine


def test_caps_far_above_the_budget_still_run_side_by_side() -> None:
    result, engine = vote(Budget(work=8 * SLICE), words=20)
    assert engine.widest == 8
    assert result.stop == "done"
    assert result.answer.votes[0].weight == 8


def test_chains_that_outgrow_the_budget_are_cut_in_flight() -> None:
    result, engine = vote(Budget(work=8 * SLICE), words=5000)
    assert engine.widest == 8
    assert result.stop == "work"
    assert result.answer.best is None
    assert result.work == engine.billed.output_tokens == 8 * SLICE


def test_a_single_chain_may_use_the_whole_budget() -> None:
    result, engine = vote(Budget(work=1000), words=5000, n=1, overshoot=64)
    assert result.work == engine.billed.output_tokens == 1000
    assert engine.requests[0].max_tokens == 1000


def test_what_a_cut_left_unseen_fits_the_budget_too() -> None:
    result, engine = vote(Budget(work=2000), words=5000, overshoot=40)
    assert result.usage.unseen_tokens > 0
    assert result.usage.source == "estimated"
    assert engine.billed.output_tokens <= 2000


def test_span_caps_the_request() -> None:
    result, engine = vote(Budget(span=30), words=100, n=3)
    assert {r.max_tokens for r in engine.requests} == {30}
    assert result.span == 30
    assert result.stop == "span"


def test_the_end_of_time_cuts_streams_and_keeps_what_arrived() -> None:
    time = TurnedTime()

    def second(_: Request) -> int:
        """Let a second pass before each word."""
        time.turn(1)
        return 1

    engine = ScriptedEngine(lambda r: "w " * 10**3, latency=second)
    strategy = SelfConsistency(n=2, max_tokens=10**7)
    budget = Budget(seconds=100)
    result = anyio.run(lambda: run(strategy, PROBLEM, engine, budget=budget, time=time))
    assert result.stop == "seconds"
    assert result.seconds == 100
    assert 90 <= result.work == engine.billed.output_tokens <= 100


def test_a_call_waits_while_others_may_give_back_then_refuses() -> None:
    async def main() -> None:
        ledger = Ledger(Budget(work=100))
        hold = await ledger.reserve(lambda: Amount(1, 80))
        admitted: list[bool] = []

        async def second() -> None:
            await ledger.reserve(lambda: Amount(1, 60))
            admitted.append(True)

        async with anyio.create_task_group() as group:
            group.start_soon(second)
            await anyio.wait_all_tasks_blocked()
            assert not admitted
            ledger.settle(hold, Usage(1, output_tokens=40))
        assert admitted
        full = Ledger(Budget(work=100), owed=Usage(output_tokens=100))
        with pytest.raises(BudgetExceeded, match="0 work left of 100 work") as refused:
            await Ledger(Budget(), parent=full).reserve(lambda: Amount(1, 1))
        assert refused.value.limit == "work"

    anyio.run(main)


@settings(max_examples=60, deadline=None)
@given(
    work=st.integers(1, 3000),
    sizes=st.lists(st.integers(1, 900), min_size=1, max_size=12),
    overshoot=st.sampled_from([0, 7, 64]),
)
def test_no_mix_of_lengths_passes_the_budget(work: int, sizes: list[int], overshoot: int) -> None:
    engine = ScriptedEngine(
        lambda r: "w " * sizes[r.seed % len(sizes)],
        latency=lambda r: r.seed % 3,
        overshoot=overshoot,
    )
    strategy = SelfConsistency(n=len(sizes), max_tokens=4000)
    result = anyio.run(lambda: run(strategy, PROBLEM, engine, budget=Budget(work=work)))
    assert result.overrun == 0
    assert engine.billed.output_tokens <= work
    assert result.work <= engine.billed.output_tokens <= result.work + result.usage.unseen_tokens


def test_one_session_belongs_to_one_task() -> None:
    class Careless:
        requires: frozenset[str] = frozenset()

        async def __call__(self, problem: Problem, session: Session) -> object:
            async def one(part: Session, _: int) -> object:
                return await session.sample(Request(problem.prompt))  # the outer one: a mistake

            return await session.map(one, [1, 2])

    engine = ScriptedEngine(["x y z"], latency=lambda r: 2)
    with pytest.raises(anyio.BusyResourceError):
        anyio.run(lambda: run(Careless(), PROBLEM, engine))  # type: ignore[arg-type]
