"""How much of a budget of work can be used, on servers that do nothing wrong.

A reserve that no call may touch is waste: the share is what the server decoded, out of the budget,
when the budget ended the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import anyio

from workspan.data.budget import Budget
from workspan.engines.endpoint import Endpoint
from workspan.runner import run
from workspan.spec import parse_strategy
from workspan.testing.faults import FaultyServer, Habits
from workspan.testing.strategy_suite import PROBLEM

PIECES = (1, 2, 4, 8, 16)
"""Tokens in a piece of the stream."""
PLANS = (
    ("single(max_tokens=8192)", 2048),
    ("self_consistency(n=8, max_tokens=4096)", 4096),
    ("self_consistency(n=16, max_tokens=2048)", 8192),
    ("short_m_at_k(m=2, k=8, max_tokens=4096)", 4096),
    ("confidence_vote(n=8, max_tokens=4096)", 4096),
    ("grid(breadth=4, depth=4096)", 4096),
    ("self_revision(turns=4, max_tokens=2048)", 4096),
)
"""Strategies with budgets that end them: the model writes more than it is ever asked for."""


@dataclass(frozen=True, slots=True)
class Share:
    """One measurement."""

    strategy: str
    work: int
    """The budget."""
    habits: Habits
    served: int
    """By the server's count."""
    overrun: int
    stop: str

    @property
    def usable(self) -> float:
        """Of the budget, at the stop."""
        return self.served / self.work

    def __str__(self) -> str:
        words = f"{self.habits.per_piece} a piece, {self.habits.words}, usage {self.habits.reports}"
        return (
            f"{self.usable:7.1%}  {self.served:6} of {self.work:6}, overrun {self.overrun:4}, "
            f"{self.stop:5} {words:32} {self.strategy}"
        )


def measure(strategy: str, work: int, habits: Habits) -> Share:
    """Run once until the budget ends it."""

    async def main() -> Share:
        server = FaultyServer(habits)
        async with server.serve():
            engine = Endpoint(server.url, "model", api_key="")
            try:
                plan, budget = parse_strategy(strategy), Budget(work=work)
                result = await run(plan, PROBLEM, engine, budget=budget)
            finally:
                await engine.aclose()
                await server.settle()
        overrun = int(result.overruns.get("work", 0))
        return Share(strategy, work, habits, server.tally.work, overrun, result.stop)

    return anyio.run(main)


def table(pieces: Iterable[int] = PIECES, plans: Iterable[tuple[str, int]] = PLANS) -> list[Share]:
    """Measure each plan with each size of pieces, on a server that reports usage at the end."""
    shares = []
    for strategy, work in plans:
        for per_piece in pieces:
            habits = Habits(per_piece=per_piece, length=(20_000, 20_000))
            shares.append(measure(strategy, work, habits))
    return shares
