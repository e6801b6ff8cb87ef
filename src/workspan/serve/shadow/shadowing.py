"""Which requests are run beside, when, and what becomes of them: dropped before anyone waits.

An answer pays for the draw of a number, and where its request is chosen for keeping its bytes. All
else happens in tasks of its own, on engines of its own and an account of its own, where an upstream
has places to spare. As soon as a client wants one, the shadow is cut.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from anyio import CapacityLimiter

from workspan.core.engine import Engine, give_back
from workspan.errors import EngineError, StoreError
from workspan.lab.advising.kept import ShadowStore
from workspan.serve.accounts import Accounts
from workspan.serve.config import Config
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.places import Places
from workspan.serve.relay.upstream import Server
from workspan.serve.routing import Routing
from workspan.serve.seeing.record import Record
from workspan.serve.shadow.account import enter, shadow_key
from workspan.serve.shadow.advised import Advised
from workspan.serve.shadow.spare import Presence, Spare, asked_once
from workspan.serve.shadow.stated import Shadow
from workspan.store.database import Database, database_at

if TYPE_CHECKING:  # all strategies' world: loaded in a thread, by the first that is run beside
    from workspan.runner import Result
    from workspan.serve.shadow.beside import Given, World

_PAUSE_SECONDS = 30.0
"""For which nothing is run beside after a call failed: an upstream in trouble is not asked more."""
_END_SECONDS = 5.0
"""That what runs may take after a signal to end, before it is cut."""
_CUT_SECONDS = 5.0
"""That what was cut may take to be settled."""
_OF_TOKEN = 4
"""Bytes of text that a token usually comes to."""
_SHARE = 4
"""Of an upstream's places, one in so many may be shadows'."""

Count = Callable[[str], None]
"""Told what became of a chosen request: a word of ours."""


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A request that was answered, and is to be run beside."""

    passed: Passed
    record: Record
    told: tuple[bytes, ...]
    """The reply, where it was passed on."""
    decided: Result | None
    """Of the strategy, where one answered."""
    size: int
    """Bytes that it holds, about."""

    @classmethod
    def of(cls, passed: Passed, record: Record) -> _Chosen:
        """Take what a request was: a body as it came and as it went up, and what was said."""
        told, decided = tuple(record.told or ()), record.decided
        said = 0 if decided is None else _OF_TOKEN * record.total.output_tokens
        size = 2 * len(passed.asked.body) + sum(map(len, told)) + said
        return cls(passed, record, told, decided, size)


@dataclass(slots=True, eq=False)
class _Running:
    """One request that is run beside."""

    why: str = ""
    """It was ended, and why."""
    task: asyncio.Task[None] | None = None

    def end(self, why: str) -> None:
        """Cut it."""
        self.why = self.why or why
        if self.task is not None:
            self.task.cancel()

    def give_way(self) -> None:
        """Cut it: a client wants the place."""
        self.end("busy")


class Shadowing:
    """All shadows of one worker; `start` before the first request."""

    def __init__(
        self,
        config: Config,
        stated: Shadow,
        accounts: Accounts,
        count: Count,
        bug: Callable[[str, BaseException], None],
    ) -> None:
        self.stated = stated
        self._config, self._accounts, self._count, self._bug = config, accounts, count, bug
        self._random = random.Random()  # of which request: nobody is to foresee it
        self._queue: asyncio.Queue[_Chosen] = asyncio.Queue(stated.waiting)
        self._held = 0
        """Bytes of what waits and runs."""
        self._database: Database = database_at(config.store)
        self.kept = ShadowStore(self._database)
        self.advised = Advised(self.kept)
        self._engines: dict[str, Engine] = {}
        self._own: list[Engine] = []
        self._places: dict[str, Places | Presence] = {}
        self._limiters: dict[str, CapacityLimiter] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._running: set[_Running] = set()
        self._is_ending = False
        self._paused_until = 0.0
        self._routing: Routing | None = None
        self._world: World | None = None

    async def start(
        self, routing: Routing, servers: Mapping[str, Server], engines: Mapping[str, Engine]
    ) -> None:
        """Make engines and the account, and begin to wait for requests; nothing is asked yet.

        Raises:
            InputError: a strategy is none.
            StoreError: the store can't be used.
        """
        self._routing = routing
        for name, engine in engines.items():
            server = servers.get(name)
            if server is None:
                self._engines[name], self._places[name] = engine, Presence()
                most = engine.info.concurrency
            else:
                stated = next(one for one in self._config.upstreams if one.name == name)
                self._engines[name] = asked_once(stated, server.model)
                self._own.append(self._engines[name])
                self._places[name] = server.places
                most = server.engine.concurrency
            self._limiters[name] = CapacityLimiter(max(1, most // _SHARE))
        for text in self.stated.strategies:
            routing.operators(text)
        await self._database.open()
        key = shadow_key(self.stated.budget)
        await self._database.transact(lambda: enter(key))
        await self.kept.keep_for(self.stated.days)
        self._workers = [asyncio.create_task(self._work()) for _ in range(self.stated.width)]

    def seed(self, seed: int) -> None:
        """Let the draws be the same again, for whoever checks them."""
        self._random.seed(seed)

    def chosen(self) -> bool:
        """Draw whether a request is to be run beside."""
        return not self._is_ending and self._random.random() < self.stated.share

    def present(self, upstream: str) -> AbstractContextManager[None]:
        """Be a client of an engine while the block runs."""
        places = self._places.get(upstream)
        return places.here() if isinstance(places, Presence) else nullcontext()

    def take(self, passed: Passed, record: Record) -> None:
        """Take a request that was answered; where there is no room it is dropped."""
        chosen = _Chosen.of(passed, record)
        if self._queue.full() or self._held + chosen.size > self.stated.waiting_bytes:
            self._count("busy")
            return
        self._held += chosen.size
        self._queue.put_nowait(chosen)

    async def aclose(self) -> None:
        """Let what runs end for a moment, cut the rest, and settle it."""
        self._is_ending = True
        while not self._queue.empty():
            self._queue.get_nowait()
            self._count("ending")
        tasks = [one.task for one in self._running if one.task is not None]
        if tasks:
            seconds = min(_END_SECONDS, self._config.limits.drain_seconds)
            await asyncio.wait(tasks, timeout=seconds)
        for one in [*self._running]:
            one.end("ending")
        if left := [task for task in tasks if not task.done()]:
            await asyncio.wait(left, timeout=_CUT_SECONDS)
        for worker in self._workers:
            worker.cancel()
        if self._workers:
            await asyncio.wait(self._workers, timeout=_CUT_SECONDS)
        for engine in self._own:
            await give_back(engine)
        await self._database.aclose()

    async def _work(self) -> None:
        while True:
            chosen = await self._queue.get()
            running = _Running()
            running.task = asyncio.create_task(self._one(chosen, running))
            self._running.add(running)
            try:
                await asyncio.wait([running.task])
            finally:
                self._running.discard(running)
                self._held -= chosen.size

    async def _one(self, chosen: _Chosen, running: _Running) -> None:
        """Run one request beside; whatever goes wrong ends here, and is counted."""
        if asyncio.get_running_loop().time() < self._paused_until:
            self._count("paused")
            return
        try:
            async with asyncio.timeout(self.stated.seconds):
                why = await self._tried(chosen, running)
        except asyncio.CancelledError:
            why = running.why or "ending"
        except TimeoutError:
            why = "slow"
        except StoreError:
            why = "store"
        except Exception as error:  # noqa: BLE001  # no client is told of any
            self._bug(chosen.record.id, error)
            why = "bug"
        self._count(running.why or why)

    async def _tried(self, chosen: _Chosen, running: _Running) -> str:
        """Return what became of it."""
        module = await asyncio.to_thread(import_module, "workspan.serve.shadow.beside")
        if self._world is None:
            self._world = await self._made()
        engines = {
            name: Spare(engine, self._places[name], running.give_way)
            for name, engine in self._engines.items()
        }
        try:
            given = _given(module.Given, chosen)
            limiter = self._limiters[given.upstream]
            kept = await module.beside(given, self._world, engines, limiter)
        except module.Skipped as skipped:
            if skipped.why == "failed":
                self._pause()
            return str(skipped.why)
        except EngineError:
            if not running.why:
                self._pause()
            return "failed"
        if running.why:  # some of it was cut: what is left would be no fair sample
            return running.why
        await self.kept.keep(kept)
        return "kept"

    async def _made(self) -> World:
        """Put together what all runs go by."""
        from workspan.serve.shadow.beside import World

        assert self._routing is not None
        verifier = None
        if self.stated.verifier:
            from workspan.spec import parse_verifier

            verifier = parse_verifier(self.stated.verifier, imports=True)
        return World(
            {text: self._routing.operators(text) for text in self.stated.strategies},
            self._accounts,
            shadow_key(self.stated.budget),
            self._config.rules,
            await self.kept.salt(),
            self.stated.keeps == "texts",
            verifier,
        )

    def _pause(self) -> None:
        self._paused_until = asyncio.get_running_loop().time() + _PAUSE_SECONDS


def _given(made: type[Given], chosen: _Chosen) -> Given:
    record = chosen.record
    return made(
        chosen.passed,
        record.at,
        record.route,
        record.engine,
        record.model,
        record.strategy,
        chosen.decided,
        b"".join(chosen.told),
        record.stop,
        record.total,
        record.span or record.total.output_tokens,
        record.seconds,
    )
