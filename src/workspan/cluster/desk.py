"""A worker's side: engines that are open, and units that run on them side by side.

A journal's line is kept by the pool, not here. So no engine is asked before the pool has said that
the line which says so is kept: a worker that is killed has spent nothing that the pool's journals
do not bound, and one that the pool has given up goes no further than its calls in flight.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from functools import partial
from typing import Any

import anyio

from workspan.batch.trials import TrialRunner
from workspan.cluster.told import Ended, EngineFactory, Engines, LaneName, Line, Unit
from workspan.core.engine import Bill, Engine, EngineInfo, give_back
from workspan.core.journal import Journal
from workspan.core.session import Strategy
from workspan.data.entry import Entry
from workspan.data.types import Chunk, Request
from workspan.errors import PluginError, WorkspanError
from workspan.registry.table import said
from workspan.spec import parse_strategy

_PATIENCE = 5.0
"""Seconds for which a pool's question waits for news."""
_AT_ONCE = 1_000
"""Lines of one answer."""
_RUNNERS = 64
"""Of so many strategies and budgets what they share is remembered."""
_REMEMBERED = 65_536
"""Units that were begun last. A call that comes twice comes soon: a unit of long ago would be one
that nobody waits for, which the pool stops before it asks anything."""


class Outbox:
    """Lines in their order, each told until the pool has kept it."""

    def __init__(self) -> None:
        self._lines: deque[Line] = deque()
        self._number = self._kept = 0
        self._news = asyncio.Event()
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def put(self, unit: int, what: Entry | Ended) -> None:
        """Tell something of a unit."""
        self._number += 1
        self._lines.append(Line(self._number, unit, what))
        self._news.set()

    async def kept(self) -> None:
        """Wait until the pool has all that was told by now."""
        if self._number > self._kept:
            kept = asyncio.get_running_loop().create_future()
            self._waiting.append((self._number, kept))
            await kept

    async def exchange(self, kept: int) -> tuple[Line, ...]:
        """Take note of what is kept, and give what follows."""
        self._kept = max(self._kept, kept)
        while self._lines and self._lines[0].number <= self._kept:
            self._lines.popleft()
        while self._waiting and self._waiting[0][0] <= self._kept:
            _, ended = self._waiting.popleft()
            if not ended.done():
                ended.set_result(None)
        if not self._lines:
            self._news.clear()
            with anyio.move_on_after(_PATIENCE):
                await self._news.wait()
        return tuple(line for line, _ in zip(self._lines, range(_AT_ONCE), strict=False))


class _Gated:
    """An engine that is asked for nothing before the pool has kept what its call may cost."""

    def __init__(self, engine: Engine, outbox: Outbox) -> None:
        self._engine, self._outbox = engine, outbox

    def __getattr__(self, name: str) -> Any:
        """Have what the engine has beside, such as a model to load."""
        return getattr(self._engine, name)

    @property
    def info(self) -> EngineInfo:
        """Be taken for the engine itself."""
        return self._engine.info

    @property
    def announces(self) -> bool:
        """What a call may cost is told before it is asked: nothing else can be waited for."""
        return False

    async def count(self, request: Request) -> int:
        """Count as it does."""
        return await self._engine.count(request)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Ask when the bound is kept, and read on when each further one is."""
        await self._outbox.kept()
        async with aclosing(self._engine.stream(request, bill)) as chunks:
            async for chunk in chunks:
                yield chunk
                await self._outbox.kept()

    async def aclose(self) -> None:
        """Leave the engine to the desk."""


class _Lane:
    """Engines that are open, with what their runs share."""

    def __init__(self, opened: Engines, outbox: Outbox) -> None:
        self.opened = opened
        self._engine = _Gated(opened.engine, outbox)
        self._engines = {name: _Gated(one, outbox) for name, one in opened.engines.items()}
        self.limiter = anyio.CapacityLimiter(opened.engine.info.concurrency)
        self._runners: dict[object, tuple[Strategy, TrialRunner]] = {}

    def runner(self, unit: Unit) -> tuple[Strategy, TrialRunner]:
        """Return a strategy with what its runs share: how many failed in a row."""
        key = (unit.strategy, str(unit.budget), unit.seed)
        if key not in self._runners:
            if len(self._runners) >= _RUNNERS:
                self._runners.pop(next(iter(self._runners)))
            strategy = parse_strategy(unit.strategy, imports=True)
            shared = (None, self.limiter, unit.planned, self._engines)
            self._runners[key] = (
                strategy,
                TrialRunner(self._engine, unit.budget, unit.seed, *shared),
            )
        return self._runners[key]


class Desk:
    """Runs units, and tells what comes of them; made where it works."""

    def __init__(self, lanes: Mapping[LaneName, EngineFactory]) -> None:
        self._openings = lanes
        self._lanes: dict[LaneName, _Lane] = {}
        self._opens = asyncio.Lock()
        self._outbox = Outbox()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._begun: dict[int, None] = {}
        """The latest, in their order."""

    async def begin(self, unit: Unit) -> None:
        """Begin a unit; one that was begun is left alone."""
        if unit.id not in self._begun:
            self._begun[unit.id] = None
            if len(self._begun) > _REMEMBERED:
                del self._begun[next(iter(self._begun))]
            self._tasks[unit.id] = asyncio.create_task(self._through(unit))

    async def stop(self, unit: int) -> None:
        """Stop a unit that nobody waits for any more, and return when it asks nothing more."""
        if (task := self._tasks.get(unit)) is not None:
            task.cancel()
            await asyncio.wait({task})

    async def exchange(self, kept: int) -> tuple[Line, ...]:
        """See `Worker.exchange`."""
        return await self._outbox.exchange(kept)

    async def aclose(self) -> None:
        """Stop all units and give the engines back."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        for lane in self._lanes.values():
            for engine in (lane.opened.engine, *lane.opened.engines.values()):
                await give_back(engine)
        self._lanes.clear()

    async def _through(self, unit: Unit) -> None:
        try:
            ended = await self._run(unit)
        except WorkspanError as error:
            ended = Ended(raised=error)
        except Exception as error:  # noqa: BLE001  # of code that is not ours: only words may leave
            ended = Ended(
                raised=PluginError(f"a worker could not run {unit.strategy}: {said(error)}")
            )
        finally:
            self._tasks.pop(unit.id, None)
        self._outbox.put(unit.id, ended)

    async def _run(self, unit: Unit) -> Ended:
        lane = await self._lane(unit.lane)
        strategy, shared = lane.runner(unit)
        journal = Journal(unit.entries, partial(self._outbox.put, unit.id))
        return Ended.of(await shared.attempt(strategy, unit.task, journal))

    async def _lane(self, name: LaneName) -> _Lane:
        async with self._opens:
            if name not in self._lanes:
                self._lanes[name] = _Lane(await self._openings[name].open(), self._outbox)
            return self._lanes[name]
