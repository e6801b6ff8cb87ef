"""Units handed to workers, their journals kept here; what is lost with a worker is begun anew.

The pool knows workers by `told.Worker` alone: actors of Ray, or a benchmark's simulated ones. What
it does for a unit costs the same however many there are of units and of workers.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio
from anyio.abc import TaskGroup

from workspan.batch.trials import Away, Trial, TrialRunner
from workspan.cluster.told import Ended, LaneName, Line, Unit, Worker
from workspan.core.journal import Journal
from workspan.core.session import Strategy
from workspan.errors import EngineUnavailable, WorkerLost, WorkspanError, ungrouped
from workspan.spec import write
from workspan.tasks.base import Task

Hire: TypeAlias = Callable[[], Awaitable[Worker]]
"""Starts a worker, or raises `WorkerLost`."""

_TRIES = 3
"""Of a unit whose worker was lost before it told anything of it."""
_OBJECTS = 100
"""That a run on its way holds, about."""
_VAIN = 3
"""So many workers in a row that are lost before they told anything: no more are started."""


@dataclass(slots=True)
class _Waiting:
    """A unit that a worker has."""

    journal: Journal
    ended: asyncio.Future[Ended]


@dataclass(eq=False, slots=True)
class _Seat:
    """A worker with the units that it has."""

    worker: Worker
    units: dict[int, _Waiting] = field(default_factory=dict)
    is_lost: bool = False


class Pool:
    """Workers that are at work; see `opened`."""

    def __init__(self, hire: Hire, group: TaskGroup, places: int) -> None:
        self._hire, self._group, self._places = hire, group, places
        self._seats: set[_Seat] = set()
        self._free: deque[_Seat] = deque()
        """A worker as often as it has places left; lost ones are passed over."""
        self._line: deque[asyncio.Future[_Seat]] = deque()
        """Who waits for a place."""
        self._units = self._in_vain = 0
        self._is_gone = False

    @property
    def workers(self) -> int:
        """How many are at work."""
        return len(self._seats)

    def away(self, lane: LaneName) -> Away:
        """Return what runs units on a lane's engines."""
        written: tuple[Strategy, str] | None = None
        """The latest strategy: thousands of runs in a row have one."""

        async def run(
            runner: TrialRunner, strategy: Strategy, task: Task, journal: Journal
        ) -> Trial:
            nonlocal written
            if written is None or written[0] is not strategy:
                written = strategy, write(strategy)
            text, entries, lost = written[1], tuple(journal.entries), ""
            for _ in range(_TRIES):
                self._units += 1
                told = (text, task, runner.budget, runner.seed, runner.planned, entries)
                unit = Unit(self._units, lane, *told)
                try:
                    return (await self._ended(unit, journal)).trial(unit)
                except WorkerLost as error:
                    if len(journal.entries) > len(entries):
                        raise
                    lost = str(error)  # nothing was told, so nothing was asked
            raise WorkerLost(lost)

        return run

    async def _ended(self, unit: Unit, journal: Journal) -> Ended:
        """Have a unit run by whichever worker has a place.

        Raises:
            WorkerLost: it was lost in mid-run.
            EngineUnavailable: no worker is left.
        """
        seat = await self._seat()
        waiting = _Waiting(journal, asyncio.get_running_loop().create_future())
        seat.units[unit.id] = waiting
        try:
            await seat.worker.begin(unit)
            return await waiting.ended
        except WorkerLost:
            seat.is_lost = True  # whoever listens to it has yet to hear of it
            raise
        finally:
            if seat.units.pop(unit.id, None) is not None and not seat.is_lost:
                self._group.start_soon(self._stop, seat, unit.id)
            self._give_back(seat)

    async def _seat(self) -> _Seat:
        """Wait for a place."""
        while self._free:
            seat = self._free.popleft()
            if not seat.is_lost:
                return seat
        if self._is_gone:
            raise EngineUnavailable(_GONE)
        given: asyncio.Future[_Seat] = asyncio.get_running_loop().create_future()
        self._line.append(given)
        try:
            return await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled() and given.exception() is None:
                self._give_back(given.result())
            raise

    def _give_back(self, seat: _Seat) -> None:
        """Hand a place on to whoever waits longest."""
        if seat.is_lost:
            return
        while self._line:
            given = self._line.popleft()
            if not given.done():
                given.set_result(seat)
                return
        self._free.append(seat)

    async def _stop(self, seat: _Seat, unit: int) -> None:
        with suppress(WorkerLost):
            await seat.worker.stop(unit)

    async def start(self, workers: int) -> None:
        """Start so many workers, each with as many places."""
        seats = []
        for _ in range(workers):
            seats.append(_Seat(await self._hire()))
            self._seats.add(seats[-1])
        for _ in range(self._places):  # one place of each before the second of any
            for seat in seats:
                self._give_back(seat)
        for seat in seats:
            self._group.start_soon(self._listen, seat)

    async def _listen(self, seat: _Seat) -> None:
        """Take what a worker tells until it is lost, and put another in its place."""
        kept = 0
        with suppress(WorkerLost):
            while True:
                lines = await seat.worker.exchange(kept)
                for line in lines:
                    if line.number > kept:
                        if not self._heard(seat, line):
                            await seat.worker.stop(line.unit)  # before it takes it to be kept
                        kept = line.number
                if lines:
                    self._in_vain = 0
        if seat in self._seats:  # else all are being ended
            await self._lost(seat)

    def _heard(self, seat: _Seat, line: Line) -> bool:
        """Keep an entry, or wake whoever waits for the unit; say whether it may go on."""
        waiting = seat.units.get(line.unit)
        if waiting is None or waiting.ended.done():
            return isinstance(line.what, Ended)
        if isinstance(line.what, Ended):
            del seat.units[line.unit]
            waiting.ended.set_result(line.what)
            return True
        try:
            waiting.journal.append(line.what)
        except WorkspanError as error:  # the disk is full
            waiting.ended.set_exception(error)
            return False
        return True

    async def _lost(self, seat: _Seat) -> None:
        """Give up a worker: what it was at is told so, and another begins."""
        seat.is_lost = True
        self._seats.discard(seat)
        for waiting in seat.units.values():
            if not waiting.ended.done():
                waiting.ended.set_exception(WorkerLost("the worker that ran it is gone"))
        seat.units.clear()
        await seat.worker.aclose()
        self._in_vain += 1
        if self._in_vain <= _VAIN:
            with suppress(WorkerLost):
                await self.start(1)
                return
        if not self._seats:
            self._is_gone = True
            while self._line:
                given = self._line.popleft()
                if not given.done():
                    given.set_exception(EngineUnavailable(_GONE))

    async def aclose(self) -> None:
        """End all workers."""
        seats = [*self._seats]
        self._seats.clear()
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for seat in seats:
                    seat.is_lost = True
                    group.start_soon(seat.worker.aclose)


_GONE = "no worker is left: they were lost one after another, before they told anything"


@contextmanager
def _seldom_collected(places: int) -> Iterator[None]:
    """Have this process look for garbage in cycles as seldom as so many runs need it.

    A run on its way is a hundred objects, and all are gone when it ends, without any search. By
    default each new quarter of them would begin a search through all: with 16,000 runs on their way
    that was three fifths of what a problem costs. What is not found meanwhile is no more than they.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], _OBJECTS * places) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@asynccontextmanager
async def opened(hire: Hire, workers: int, places: int) -> AsyncIterator[Pool]:
    """Start workers, each with so many places, for as long as the block runs.

    Raises:
        WorkerLost: one can't be started.
    """
    try:
        with _seldom_collected(workers * places):
            async with anyio.create_task_group() as group:
                pool = Pool(hire, group, places)
                try:
                    await pool.start(workers)
                    yield pool
                finally:
                    group.cancel_scope.cancel()
                    await pool.aclose()
    except BaseExceptionGroup as errors:
        raise ungrouped(errors) from errors
