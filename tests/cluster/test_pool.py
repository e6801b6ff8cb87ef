"""A pool keeps what its workers tell, exactly once, and loses nothing with a worker that is lost.

The workers are real desks in this process, on scripted engines: only Ray is not between them.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from sweep_rig import PROBLEMS, Rig, figures
from workspan.batch.compare import Comparison, compare
from workspan.batch.trials import Trial, TrialRunner
from workspan.cluster import desk as desks
from workspan.cluster.desk import Desk
from workspan.cluster.pool import Pool, opened
from workspan.cluster.told import Ended, Engines, Line, Unit
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.data.types import Request
from workspan.errors import (
    EngineRejected,
    EngineUnavailable,
    InputError,
    JournalError,
    WorkerLost,
)
from workspan.lab.sweeping.driving import sweep
from workspan.lab.sweeping.here import Here
from workspan.lab.sweeping.outcome import CellRow
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import chatter

STRATEGIES = (
    "single(max_tokens=60)",
    "self_consistency(n=3, max_tokens=60)",
    "esc(max_tokens=60)",
)
LANE = ("engine", "")


@dataclass
class Near:
    """A worker in this process, which may be killed and tells what it tells twice."""

    desk: Desk
    is_dead: bool = False
    asked: int = 0
    dies: Callable[[Near], bool] = lambda _: False
    gone: anyio.Event = field(default_factory=anyio.Event)

    async def begin(self, unit: Unit) -> None:
        self._check()
        await self.desk.begin(unit)
        await self.desk.begin(unit)  # calls may come twice

    async def stop(self, unit: int) -> None:
        await self.desk.stop(unit)

    async def exchange(self, kept: int) -> tuple[Line, ...]:
        self._check()
        self.asked += 1
        lines = await self.desk.exchange(kept)
        if self.dies(self):
            self.kill()
        self._check()
        return (*lines, *lines)

    async def aclose(self) -> None:
        await self.desk.aclose()

    def kill(self) -> None:
        """Nothing that it says from now on arrives."""
        self.is_dead = True

    def _check(self) -> None:
        if self.is_dead:
            raise WorkerLost("killed")


@dataclass
class Cluster:
    """Workers as they are hired."""

    engines: Sequence[ScriptedEngine]
    """Of each in turn; the last of all that follow."""
    dies: Callable[[Near], bool] = lambda _: False
    """Asked of the first alone, after each of its answers."""
    hired: list[Near] = field(default_factory=list)

    async def hire(self) -> Near:
        engine = self.engines[min(len(self.hired), len(self.engines) - 1)]
        desk = Desk({LANE: EngineFactory(engine)})
        worker = Near(desk) if self.hired else Near(desk, dies=self.dies)
        self.hired.append(worker)
        return worker

    @asynccontextmanager
    async def open(self, workers: int = 2, places: int = 3) -> AsyncIterator[Pool]:
        async with opened(self.hire, workers, places) as pool:
            yield pool

    @property
    def billed(self) -> tuple[int, int, int]:
        bills = [one.billed for one in self.engines]
        return (
            sum(one.calls for one in bills),
            sum(one.output_tokens for one in bills),
            sum(one.prefill for one in bills),
        )


@dataclass(frozen=True)
class EngineFactory:
    engine: ScriptedEngine

    async def open(self) -> Engines:
        return Engines(self.engine)


def engine(script: Callable[[Request], str] = chatter) -> ScriptedEngine:
    return ScriptedEngine(script, lambda request: request.seed % 3)


async def swept(rig: Rig, pool: Pool, total: str = "") -> list[CellRow]:
    """Sweep by the pool's workers, in one process of its own."""
    executor = Here({LANE: rig.lane}, rig.folder, {LANE: pool.away(LANE)}, pool.workers)
    async with rig.results() as results:
        try:
            return await sweep(
                "test",
                rig.points(STRATEGIES, ("400 work",)),
                results,
                executor,
                total=Budget.parse(total) if total else None,
                utc=lambda: 0.0,
            )
        finally:
            executor.aclose()


def told(row: CellRow) -> CellRow:
    """Leave out what only a loss adds."""
    return replace(row, spent_calls=0, spent_work=0, spent_prefill=0, spent_cost=0, lost_work=0)


async def expected(tmp_path: Path) -> tuple[list[CellRow], Mapping[str, list[dict[str, object]]]]:
    rig = Rig(engine(), str(tmp_path / "here.db"), tmp_path / "here")
    rows = await rig.sweep(STRATEGIES, ("400 work",))
    return rows, await shown(rig, rows)


async def shown(rig: Rig, rows: Sequence[CellRow]) -> Mapping[str, list[dict[str, object]]]:
    found = await rig.trials(rows)
    return {cell: [figures(one) for one in many] for cell, many in found.items()}


def test_workers_find_what_one_process_finds(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster([engine(), engine()])
        rig = Rig(engine(), str(tmp_path / "s.db"), tmp_path / "calls")
        async with cluster.open() as pool:
            rows = await swept(rig, pool)
        theirs, trials = await expected(tmp_path)
        assert rows == theirs
        assert await shown(rig, rows) == trials
        assert not rig.engine.requests  # type: ignore[attr-defined]  # nothing was asked here
        assert all(one.requests for one in cluster.engines)
        account = (
            sum(row.spent_calls for row in rows),
            sum(row.spent_work for row in rows),
            sum(row.spent_prefill for row in rows),
        )
        assert account == cluster.billed

    anyio.run(main)


@pytest.mark.parametrize("after", [1, 2, 3, 5, 8, 13, 21])
def test_a_lost_worker_changes_no_figure_and_what_it_spent_is_charged(
    tmp_path: Path, after: int
) -> None:
    async def main() -> None:
        cluster = Cluster([engine(), engine(), engine()], lambda one: one.asked == after)
        rig = Rig(engine(), str(tmp_path / "s.db"), tmp_path / "calls")
        async with cluster.open() as pool:
            rows = await swept(rig, pool, "90k work")
            assert pool.workers == 2
        assert len(cluster.hired) == 3
        assert cluster.hired[0].is_dead
        theirs, trials = await expected(tmp_path)
        assert [told(row) for row in rows] == [told(row) for row in theirs]
        assert await shown(rig, rows) == trials
        for mine, alone in zip(rows, theirs, strict=True):
            assert mine.spent_work - alone.spent_work == mine.lost_work
        billed, account = cluster.billed, sum(row.spent_work for row in rows)
        assert billed[1] <= account <= 90_000
        assert billed[0] <= sum(row.spent_calls for row in rows)
        async with rig.results() as results:
            [one] = await results.sweeps()
            assert one.spent_work == account

    anyio.run(main)


def test_a_total_holds_what_is_lost_with_workers(tmp_path: Path) -> None:
    """A run that is begun anew needs room of its own: what was lost with its worker is spent."""

    async def main() -> None:
        cluster = Cluster([engine()] * 9, lambda one: one.asked == 4)
        rig = Rig(engine(), str(tmp_path / "s.db"), tmp_path / "calls")
        async with cluster.open() as pool:
            rows = await swept(rig, pool, "1300 work")
        assert cluster.engines[0].billed.output_tokens <= 1300
        assert sum(row.spent_work for row in rows) <= 1300

    anyio.run(main)


def test_no_engine_is_asked_before_its_bound_is_kept() -> None:
    async def main() -> None:
        model = engine()
        desk = Desk({LANE: EngineFactory(model)})
        strategy, task = "single(max_tokens=60)", PROBLEMS[0]
        await desk.begin(Unit(1, LANE, strategy, task, Budget(work=90), 0, 1))
        lines = await desk.exchange(0)
        entries = [line.what for line in lines if isinstance(line.what, Entry)]
        assert [one.outcome for one in entries] == ["open"]
        again = await desk.exchange(0)  # as where the answer was lost on its way
        assert again == lines
        assert not model.requests
        told_since = await desk.exchange(lines[-1].number)
        assert model.requests
        assert next(line.number for line in told_since) == lines[-1].number + 1
        await desk.aclose()

    anyio.run(main)


def test_a_problem_that_takes_its_workers_along_fails_alone(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster([])

        def deadly(request: Request) -> str:
            if "1 + 2" in request.prompt[-1].text:
                cluster.hired[-1].kill()
                for one in cluster.hired:
                    one.kill()
            return chatter(request)

        cluster.engines = [engine(deadly)]
        rig = Rig(engine(), str(tmp_path / "s.db"), tmp_path / "calls", PROBLEMS[:4])
        async with cluster.open(workers=1, places=1) as pool:
            executor = Here({LANE: rig.lane}, rig.folder, {LANE: pool.away(LANE)}, 1)
            async with rig.results() as results:
                points = rig.points(STRATEGIES[:1], ("400 work",))
                [row] = await sweep("test", points, results, executor, utc=lambda: 0.0)
            executor.aclose()
        assert (row.status, row.graded) == ("partial", 3)
        assert "WorkerLost" in row.error
        assert row.lost_work > 0

    anyio.run(main)


def test_without_any_worker_it_ends_and_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster([engine()])
        rig = Rig(engine(), str(tmp_path / "s.db"), tmp_path / "calls")
        async with opened(cluster.hire, 1, 1) as pool:

            async def refused() -> Near:
                raise WorkerLost("the cluster is gone")

            pool._hire = refused
            cluster.hired[0].kill()
            rows = await swept(rig, pool)
        assert {row.status for row in rows} == {"failed"}
        assert any("no worker is left" in row.error for row in rows)

    anyio.run(main)


def test_a_batch_is_charged_for_a_lost_worker_within_each_runs_budget(tmp_path: Path) -> None:
    async def main() -> None:
        cluster = Cluster([engine(), engine()], lambda one: one.asked == 3)
        async with cluster.open(workers=1) as pool:
            done = await batch(tmp_path / "far.jsonl", pool)
        near = await batch(tmp_path / "near.jsonl", None)
        texts = [one.result.answer.text for one in done.trials if one.result]
        assert texts == [one.result.answer.text for one in near.trials if one.result]
        assert cluster.billed[1] <= done.usage.work + done.usage.unseen_tokens
        assert all(one.usage.amount.work <= 400 for one in done.trials)

    anyio.run(main)


async def batch(path: Path, pool: Pool | None) -> Comparison:
    model = engine()
    info = model.info
    from workspan.data.entry import Header

    with JournalFile(path, Header(f"{info.name} {info.model}", 0, info.model)) as journals:
        return await compare(
            [parse_strategy(STRATEGIES[1])],
            PROBLEMS,
            model,
            budget=Budget(work=400),
            journals=journals,
            parallel=3,
            away=pool.away(LANE) if pool else None,
        )


@pytest.mark.parametrize("error", [EngineRejected("no", status=401), InputError("never")])
def test_what_a_worker_raises_is_raised_here(error: Exception) -> None:
    def said(_: Request) -> str:
        raise error

    async def main() -> None:
        async with Cluster([engine(said)]).open() as pool:
            model = engine()
            await compare(
                [parse_strategy("single")],
                PROBLEMS[:1],
                model,
                budget=Budget(),
                parallel=1,
                away=pool.away(LANE),
            )

    with pytest.raises(type(error)):
        anyio.run(main)


def test_a_disk_that_is_full_ends_the_unit_and_is_said(tmp_path: Path) -> None:
    def full(_: Entry) -> None:
        raise JournalError("the disk is full")

    async def main() -> None:
        model = engine()
        async with Cluster([model]).open() as pool:
            runner = TrialRunner(engine(), Budget(work=90), 0, None, anyio.CapacityLimiter(1), 1)
            strategy = parse_strategy("single(max_tokens=60)")
            with pytest.raises(JournalError, match="full"):
                await pool.away(LANE)(runner, strategy, PROBLEMS[0], Journal((), full))
            await again(runner, pool)
        assert len(model.requests) == 1

    async def again(runner: TrialRunner, pool: Pool) -> None:
        """The worker goes on with other units; the one that can't be kept was never asked."""
        strategy = parse_strategy("single(max_tokens=60)")
        trial = await pool.away(LANE)(runner, strategy, PROBLEMS[1], Journal())
        assert trial.result is not None

    anyio.run(main)


async def begun(pool: Pool, runner: TrialRunner, journal: Journal, place: int = 0) -> Trial:
    strategy = parse_strategy("self_refine(turns=3, max_tokens=20)")
    return await pool.away(LANE)(runner, strategy, PROBLEMS[place], journal)


def test_a_unit_that_nobody_waits_for_spends_nothing_more(tmp_path: Path) -> None:
    async def main() -> None:
        model, heard = engine(), anyio.Event()
        async with Cluster([model]).open(workers=1) as pool:
            runner = TrialRunner(engine(), Budget(work=90), 0, None, anyio.CapacityLimiter(1), 1)
            one: list[Entry] = []

            def kept(entry: Entry) -> None:
                one.append(entry)
                if entry.outcome == "sample":
                    heard.set()

            async with anyio.create_task_group() as group:
                group.start_soon(begun, pool, runner, Journal((), kept))
                await heard.wait()
                group.cancel_scope.cancel()
            trial = await begun(pool, runner, Journal(), 1)
            assert trial.result is not None
            others = [r for r in model.requests if "0 + 2" in r.prompt[0].text]
            assert len(others) <= len([e for e in one if e.outcome == "open"])

    anyio.run(main)


def test_an_engine_that_can_not_be_opened_there_is_said(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Shut:
        async def open(self) -> Engines:
            raise EngineUnavailable("nobody is there")

    async def hire() -> Near:
        return Near(Desk({LANE: Shut()}))

    async def main() -> None:
        rig = Rig(engine(), str(tmp_path / "s.db"), tmp_path / "calls")
        async with opened(hire, 1, 2) as pool:
            rows = await swept(rig, pool)
        assert {row.status for row in rows} == {"failed"}
        assert all("nobody is there" in row.error for row in rows)

    anyio.run(main)


def test_garbage_is_sought_as_seldom_as_runs_on_their_way_need_it() -> None:
    before = gc.get_threshold()

    async def main() -> None:
        async with Cluster([engine()]).open(workers=2, places=1_000):
            assert gc.get_threshold() == (200_000, *before[1:])
        assert gc.get_threshold() == before

    anyio.run(main)


def test_a_desk_remembers_the_latest_units_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "_REMEMBERED", 3)
    asked = engine()

    async def main() -> None:
        desk = Desk({LANE: EngineFactory(asked)})
        kept = 0
        for number in range(1, 9):
            unit = Unit(number, LANE, "single(max_tokens=60)", PROBLEMS[0], Budget(work=60), 0, 8)
            await desk.begin(unit)
            await desk.begin(unit)  # comes twice, and soon
            lines: tuple[Line, ...] = ()
            while not any(isinstance(line.what, Ended) for line in lines):
                lines = await desk.exchange(kept)
                kept = max((line.number for line in lines), default=kept)
        assert len(asked.requests) == 8
        assert len(desk._begun) == 3
        await desk.aclose()

    anyio.run(main)
