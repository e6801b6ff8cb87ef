"""Further engines and tools reach every run of a comparison, and each engine has its own price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import anyio
import pytest

from lab_rig import tasks
from workspan.batch.compare import Comparison, compare
from workspan.core.engine import Capability, Price
from workspan.core.session import Session, Strategy
from workspan.data.budget import Budget
from workspan.data.entry import Header
from workspan.data.types import Answer, Problem, Request, Usage
from workspan.errors import SpecError
from workspan.lab.estimating import estimate, slowest
from workspan.lab.records import records
from workspan.lab.report.caveats import caveats
from workspan.store.journals import JournalFile
from workspan.strategies.reading import candidate
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import ScriptedEngine

CHEAP, DEAR = Price(Decimal(0), Decimal(1)), Price(Decimal(0), Decimal(100))


@dataclass(frozen=True)
class AskTwice:
    """Draft on the run's own engine, look something up, and decide on another engine."""

    engine: str = "strong"
    requires: ClassVar[frozenset[Capability]] = frozenset()
    tools: ClassVar[frozenset[str]] = frozenset({"search"})

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        await session.sample(Request(problem.prompt, max_tokens=50))
        await session.use("search", "the answer")
        last = await session.sample(Request(problem.prompt, max_tokens=50, engine=self.engine))
        return Answer(candidate(problem, last))


async def search(_: str) -> str:
    return "nothing"


def execute(
    own: ScriptedEngine, strong: ScriptedEngine, journals: JournalFile | None = None
) -> Comparison:
    async def main() -> Comparison:
        return await compare(
            [AskTwice()],
            tasks(4),
            own,
            budget=Budget(work=100),
            journals=journals,
            engines={"strong": strong},
            tools={"search": search},
        )

    return anyio.run(main)


def test_both_engines_are_on_one_account_each_at_its_own_price() -> None:
    own = ScriptedEngine(["a draft of five words"], price=CHEAP)
    strong = ScriptedEngine(["Answer: 4"], price=DEAR)
    done = execute(own, strong)
    assert done.usage.work == own.billed.work + strong.billed.work == 4 * 5 + 4 * 2
    assert done.usage.cost == Decimal(4 * 5 * 1 + 4 * 2 * 100) / 1_000_000
    (record,) = records(done)
    assert (record.accuracy, record.span) == (1.0, 7)
    assert record.engines == {"strong": "scripted simulated (no model)"}
    assert sum("simulated" in caveat for caveat in caveats(done, [record])) == 1


def test_a_finished_comparison_asks_neither_engine_again(tmp_path: Path) -> None:
    for first in (True, False):
        own, strong = ScriptedEngine(["a draft"]), ScriptedEngine(["Answer: 4"])
        with JournalFile(tmp_path / "journal", Header("both", 0)) as journals:
            assert execute(own, strong, journals).usage.calls == 8
        assert (own.billed != Usage()) == (strong.billed != Usage()) == first


@pytest.mark.parametrize(
    ("strategy", "said"),
    [(AskTwice("stronk"), "did you mean 'strong'"), (AskTwice(), "needs the tool 'search'")],
)
def test_what_a_run_lacks_is_found_before_it_starts(strategy: Strategy, said: str) -> None:
    own = ScriptedEngine(["Answer: 4"])

    async def main() -> None:
        await compare(
            [Single(), strategy], tasks(1), own, budget=Budget(work=9), engines={"strong": own}
        )

    with pytest.raises(SpecError, match=said):
        anyio.run(main)
    assert own.billed == Usage()


def test_a_plan_prices_each_engine_and_asks_none() -> None:
    own = ScriptedEngine(["Answer: 4"], price=CHEAP)
    strong = ScriptedEngine(["Answer: 4"], price=DEAR)

    async def main() -> None:
        made = await estimate(
            [AskTwice()],
            [task.problem for task in tasks(2)],
            own,
            budget=Budget(),
            engines={"strong": strong},
            tools={"search": search},
        )
        (need,) = made.needs
        assert need.cost is not None
        assert need.cost.high == pytest.approx(2 * 50 * 101 / 1e6)
        assert await slowest([own, strong]) is None, "measuring a dear engine costs money"

    anyio.run(main)
    assert own.billed == strong.billed == Usage()
