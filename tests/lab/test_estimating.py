"""The dry run: its range holds what happens, and it asks the engine for nothing."""

from __future__ import annotations

import random
from decimal import Decimal

import anyio
import pytest

from lab_rig import execute, tasks
from workspan.core.engine import Engine, Price
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request, Usage
from workspan.errors import EngineRejected, InputError
from workspan.lab.estimating import Estimate, Range, Speed, estimate, measure_speed
from workspan.lab.records import records
from workspan.spec import STRATEGIES, parse_strategy
from workspan.strategies.hybrid.grid import Grid
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import TOOLS

BUDGET = Budget(work=2000)


def execute_plan(
    strategies: list[Strategy],
    n: int,
    engine: Engine,
    budget: Budget = BUDGET,
    speed: Speed | None = None,
) -> Estimate:
    problems = [task.problem for task in tasks(n)]

    async def main() -> Estimate:
        return await estimate(strategies, problems, engine, budget=budget, speed=speed, tools=TOOLS)

    return anyio.run(main)


def ramble(request: Request) -> str:
    """Think for 40 to 700 words and answer, as the seed says; rate if asked."""
    rng = random.Random(request.seed)
    return "think " * rng.randint(40, 700) + f"Answer: {rng.randint(3, 5)}"


@pytest.mark.parametrize(
    "name", [name for name, known in STRATEGIES.ours.items() if not known.card.extra]
)
@pytest.mark.parametrize(
    "budget", ["600 work, 300 span", pytest.param("100k work", marks=pytest.mark.heavy)]
)
def test_what_happens_lies_within_the_plan(name: str, budget: str) -> None:
    strategy, limits = parse_strategy(STRATEGIES[name].example), Budget.parse(budget)
    engine = ScriptedEngine(ramble, latency=lambda _: 1)  # chains grow side by side
    need = execute_plan([strategy], 8, engine, limits).needs[0]
    (record,) = records(execute([strategy], tasks(8), engine, limits))
    for planned, happened in (
        (need.calls, record.calls),
        (need.work, record.work),
        (need.span, record.span),
    ):
        assert 0.9 * planned.low <= happened * 8 <= 1.1 * planned.high


def test_a_plan_asks_the_engine_for_nothing() -> None:
    engine = ScriptedEngine(ramble)
    execute_plan([Single(), SelfConsistency(n=4)], 30, engine)
    assert engine.billed == Usage()
    assert not engine.requests


def test_the_figures_of_a_grid_are_those_of_its_cells() -> None:
    made = execute_plan([Grid(breadth=3, depth=100)], 10, ScriptedEngine(ramble))
    need = made.needs[0]
    assert need.calls == Range(30, 30)
    assert need.work == Range(10 * 3 * 32, 10 * 3 * 100)
    assert need.span == Range(10 * 32, 10 * 100)
    assert need.prefill == Range(150, 150)  # three times the five words of each problem
    assert need.seconds is None


def test_money_follows_the_price() -> None:
    engine = ScriptedEngine(ramble, price=Price(Decimal(1), Decimal(10)))
    need = execute_plan([Grid(breadth=1, depth=100)], 10, engine).needs[0]
    assert need.cost is not None
    assert need.cost.low == pytest.approx((50 * 1 + 320 * 10) / 1e6)
    assert need.cost.high == pytest.approx((50 * 1 + 1000 * 10) / 1e6)


def test_money_without_a_price_is_unknown() -> None:
    made = execute_plan([Single()], 3, ScriptedEngine(ramble, price=None))
    assert made.needs[0].cost is None
    assert made.total.cost is None


def test_seconds_follow_the_speed() -> None:
    speed = Speed(together=100.0, alone=10.0)
    need = execute_plan([Grid(breadth=1, depth=200)], 32, ScriptedEngine(ramble), speed=speed)
    seconds = need.needs[0].seconds
    assert seconds is not None
    # all chains together: 32 × 32 and 32 × 200 tokens at 100 a second; 16 runs at a time, so that
    # no chain on its own, at 10 a second, is the bottleneck
    assert (seconds.low, seconds.high) == pytest.approx((10.24, 64.0))


def test_a_time_limit_bounds_the_seconds_of_an_unknown_engine() -> None:
    made = execute_plan([Single()], 4, ScriptedEngine(ramble), Budget(work=500, seconds=3))
    assert made.needs[0].seconds == Range(0, 12)


def test_all_strategies_add_up() -> None:
    made = execute_plan([Single(), Grid(breadth=2, depth=64)], 5, ScriptedEngine(ramble))
    one, two = made.needs
    assert made.total.work == one.work + two.work
    assert made.total.calls == Range(15, 15)


def test_speed_is_measured_only_where_it_is_free() -> None:
    free, priced = ScriptedEngine(ramble), ScriptedEngine(ramble, price=None)
    measured = anyio.run(measure_speed, free)
    assert measured is not None
    assert measured.together > measured.alone > 0
    assert free.billed.calls == 17
    assert anyio.run(measure_speed, priced) is None
    assert priced.billed == Usage()


def test_an_engine_that_reads_no_ordinary_text_is_timed_on_a_problem() -> None:
    """As the evidence's reasoner, whose grammar has no word of the usual probe."""
    problem = Problem.ask("deep 3", kind="text")

    def reads(request: Request) -> str:
        if request.prompt != problem.prompt:
            raise EngineRejected("'Count' is not a symbol of the grammar")
        return ramble(request)

    engine = ScriptedEngine(reads)
    measured = anyio.run(lambda: measure_speed(engine, problem=problem))
    assert measured is not None
    assert measured.together > 0
    with pytest.raises(EngineRejected):
        anyio.run(measure_speed, engine)


def test_a_plan_for_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        execute_plan([Single()], 0, ScriptedEngine(ramble))
