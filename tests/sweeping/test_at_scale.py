"""What a sweep holds is bounded, however many cells it has and however slow its store is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import pytest

from sweep_rig import PROBLEMS, Rig
from workspan.batch.compare import PARALLEL
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.lab.sweeping import driving
from workspan.lab.sweeping.driving import Point, Progress, sweep
from workspan.lab.sweeping.here import Here
from workspan.lab.sweeping.results import Finished, Results
from workspan.store.database import Database, database_at
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine

SINGLE = "single(max_tokens=60)"
CELLS = 40


class SlowStore(Results):
    """Keeps nothing before it is let go."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.goes = anyio.Event()
        self.kept: list[str] = []

    async def keep(self, finished: Sequence[Finished]) -> None:
        await self.goes.wait()
        self.kept += [one.row.id for one in finished]
        await super().keep(finished)


def rig(tmp_path: Path, tasks: Sequence[Task] = PROBLEMS) -> Rig:
    engine = ScriptedEngine(["Answer: 4"])
    return Rig(engine, str(tmp_path / "store.db"), tmp_path / "calls", tasks)


def test_a_slow_store_holds_back_runs_and_takes_no_places_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 2 * len(PROBLEMS)
    monkeypatch.setattr(driving, "_UNWRITTEN", most)
    one = rig(tmp_path)
    engine = one.engine
    assert isinstance(engine, ScriptedEngine)

    async def main() -> None:
        database = database_at(one.store)
        await database.open()
        store, is_full = SlowStore(database), anyio.Event()

        def note(progress: Progress) -> None:
            if progress.cells * len(PROBLEMS) > most:
                is_full.set()

        executor = Here({(one.name, ""): one.lane}, None)
        points = one.points([SINGLE], ["2k work"], range(CELLS))
        async with anyio.create_task_group() as group:
            run = partial(sweep, "slow", points, store, executor, on_progress=note)
            group.start_soon(run)
            try:
                await is_full.wait()  # the first cells are being kept, and others went on
                for _ in range(100):
                    await anyio.wait_all_tasks_blocked()  # one that waits for a thread is, too
                begun = len(engine.requests)
            finally:
                store.goes.set()
        assert begun <= most + len(PROBLEMS) * (1 + PARALLEL), "each place has one cell begun"
        assert len(engine.requests) == CELLS * len(PROBLEMS) > begun
        assert sorted(store.kept) == sorted(point.cell.id for point in points)
        await database.aclose()

    anyio.run(main)


class Counting(Here):
    """Notes how many runs' journals are held at a time."""

    most = 0

    def passed(self, family: object, place: int) -> None:
        held = sum(len(cell.kept) for cell in self._open.values())
        self.most = max(self.most, held)
        super().passed(family, place)  # type: ignore[arg-type]


def test_a_run_that_is_through_is_held_no_more(tmp_path: Path) -> None:
    tasks = [
        Task(Problem.ask(f"{i}?", kind="number", id=f"p{i}"), "4", Equivalence()) for i in range(60)
    ]
    one = rig(tmp_path, tasks)

    async def main() -> None:
        executor = Counting({(one.name, ""): one.lane}, one.folder)
        points: list[Point] = one.points(
            ["self_consistency(n=1, max_tokens=60)", "self_consistency(n=2, max_tokens=60)"],
            ["2k work"],
        )
        async with one.results() as results:
            rows = await sweep("long", points, results, executor, total=Budget(work=10**6))
        executor.aclose()
        assert [row.graded for row in rows] == [len(tasks)] * 2
        assert 0 < executor.most <= 2 * PARALLEL

    anyio.run(main)
