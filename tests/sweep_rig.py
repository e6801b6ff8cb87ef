"""Sweeps for tests: cells on engines that are open here, in a store of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.lab.sweeping.cell import Cell, problems_digest
from workspan.lab.sweeping.driving import Point, Progress, sweep
from workspan.lab.sweeping.here import Here, Lane
from workspan.lab.sweeping.outcome import CellRow, TrialRow
from workspan.lab.sweeping.results import Results
from workspan.spec import parse_strategy, write
from workspan.store.database import database_at
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence

PROBLEMS = tuple(
    Task(
        Problem.ask(f"What is {i} + 2? End with 'Answer: <number>'.", kind="number", id=f"sum {i}"),
        str(3 + i % 3),
        Equivalence(),
    )
    for i in range(6)
)
"""The scripted engine answers 3, 4 or 5, so each is sometimes right."""


@dataclass(frozen=True)
class Rig:
    """One engine on some tasks, and a store."""

    engine: Engine
    store: str
    folder: Path
    tasks: Sequence[Task] = PROBLEMS
    name: str = "engine"

    @property
    def lane(self) -> Lane:
        info = self.engine.info
        return Lane(self.engine, {}, f"{info.name} {info.model}", {"sums": self.tasks})

    def points(
        self, strategies: Sequence[str], budgets: Sequence[str], seeds: Sequence[int] = (0,)
    ) -> list[Point]:
        digest, lane = problems_digest(self.tasks), self.lane
        return [
            Point(
                Cell(
                    *(self.name, lane.identity, self.engine.info.model, "sums", digest),
                    *(write(parse_strategy(strategy, imports=True)), _plain(budget), "", seed),
                ),
                len(self.tasks),
                (self.engine.info.price,),
            )
            for budget in budgets
            for strategy in strategies
            for seed in seeds
        ]

    async def sweep(
        self,
        strategies: Sequence[str],
        budgets: Sequence[str] = ("2k work",),
        seeds: Sequence[int] = (0,),
        *,
        total: str = "",
        name: str = "test",
        on_progress: Callable[[Progress], None] | None = None,
    ) -> list[CellRow]:
        """Run a sweep with this rig's journals, as a process of its own would."""
        executor = Here({(self.name, ""): self.lane}, self.folder)
        async with self.results() as results:
            try:
                return await sweep(
                    name,
                    self.points(strategies, budgets, seeds),
                    results,
                    executor,
                    total=Budget.parse(total) if total else None,
                    on_progress=on_progress,
                    utc=lambda: 0.0,
                )
            finally:
                executor.aclose()

    @asynccontextmanager
    async def results(self) -> AsyncIterator[Results]:
        database = database_at(self.store)
        await database.open()
        try:
            yield Results(database)
        finally:
            await database.aclose()

    async def trials(self, rows: Sequence[CellRow]) -> Mapping[str, list[TrialRow]]:
        async with self.results() as results:
            return await results.trials([row.id for row in rows])


def figures(row: TrialRow) -> dict[str, object]:
    """Return what a run came to, whoever drew its calls."""
    left_out = {"is_shared", "lost_calls", "lost_work", "lost_prefill", "lost_cost"}
    return {f.name: getattr(row, f.name) for f in fields(row) if f.name not in left_out}


def _plain(budget: str) -> str:
    return budget if budget == "unlimited" else str(Budget.parse(budget))
