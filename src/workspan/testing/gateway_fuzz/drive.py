"""Runs one case on loopback, in this process, and brings back what the judge needs."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from workspan.core.engine import Price
from workspan.engines.pool.file import PoolFile, Stated
from workspan.engines.pool.health import Health
from workspan.engines.settings import Settings
from workspan.serve.config import Config, Grouped, Limits, Upstream
from workspan.serve.rules import Rules
from workspan.serve.running import serving
from workspan.serve.seeing.log import RequestLog
from workspan.serve.store import store_at
from workspan.serve.store.base import KeyUsage, Row, Store
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits
from workspan.testing.faults import FaultyServer, Habits, Served, Tally, Tariff
from workspan.testing.gateway_fuzz.case import OVERSHOOT, Ask, Case
from workspan.testing.gateway_fuzz.client import MODEL, PATIENT, Got, leave, send

TARIFF = Tariff()
_PRICE = Price(TARIFF.prompt, TARIFF.completion, TARIFF.cached)
_PATIENT, _SHORT = 600.0, 0.2
"""Seconds for which the gateway waits for an upstream: short where only a clock ends a request, and
else longer than the busiest machine takes to write all that a probe asks for."""
_TICK, _TICKS = 0.25, 240
"""Ticks without a token, a request or a piece read after which the clients hang."""
_MOST = 1000
"""Requests to the servers of which no run needs half as many: more are a loop."""
_LONG = (6_000, 6_000)
"""Tokens that the probe could have: more than any budget drawn."""
_GONE = 40
"""Tokens that the others decode while a killed server is gone, at least."""
_HELD_SECONDS = 0.3
"""For which another process holds the store: what it costs is only time."""


@dataclass(slots=True)
class KeyEvidence:
    """What came of one key."""

    id: str
    usage: KeyUsage
    rows: list[Row]
    """All that the store holds of its requests."""
    left: int = 0
    """Tokens of its budget of work before the probe."""
    probes: list[Got] = field(default_factory=list)
    """Requests for all that was left, to honest servers: the last is the one that counts."""

    @property
    def probe(self) -> Got | None:
        """The last of them; None where nothing was left."""
        return self.probes[-1] if self.left > 0 else None

    def spent(self, quantity: str) -> int | None:
        """Return what the store says of a limit; None where there is none."""
        found = [one.spent for one in self.usage.spendings if one.limit.quantity == quantity]
        return found[0] if found else None

    def most(self, quantity: str) -> int | None:
        """Return the limit."""
        found = [one.limit.most for one in self.usage.spendings if one.limit.quantity == quantity]
        return found[0] if found else None


@dataclass(slots=True)
class Evidence:
    """All that is known of a run."""

    case: Case
    tallies: tuple[Tally, ...]
    got: list[Got]
    keys: list[KeyEvidence]
    before_probe: tuple[int, ...] = ()
    """Rows of each server by then."""
    bugs: list[str] = field(default_factory=list)
    """Errors that the gateway logged as its own."""


@asynccontextmanager
async def killing(case: Case, servers: Sequence[FaultyServer]) -> AsyncIterator[None]:
    """Kill servers while the block runs, once they have decoded so much; then all are there."""
    tasks = [
        asyncio.create_task(_kill(server, side.killed_after, servers))
        for server, side in zip(servers, case.sides, strict=True)
        if side.killed_after is not None
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for server in servers:
            await server.revive()


async def _kill(server: FaultyServer, after: int, servers: Sequence[FaultyServer]) -> None:
    """Kill one; it comes back once the others have decoded as much again."""
    while server.tally.work < after:  # noqa: ASYNC110  # servers tell of no event
        await asyncio.sleep(0.001)
    server.kill()
    others = [one for one in servers if one is not server]
    enough = sum(one.tally.work for one in others) + after + _GONE
    while sum(one.tally.work for one in others) < enough:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    await server.revive()


@dataclass(slots=True)
class Stage:
    """A gateway that runs before its servers."""

    case: Case
    servers: Sequence[FaultyServer]
    url: str
    texts: list[str]
    """The keys."""
    session: aiohttp.ClientSession
    read: int = 0

    def note(self) -> None:
        """Count what clients read."""
        self.read += 1

    @property
    def progress(self) -> tuple[int, int, int]:
        """What grows as long as anything goes on."""
        tallies = [server.tally for server in self.servers]
        return sum(t.work for t in tallies), sum(t.requests for t in tallies), self.read


async def drive(case: Case, address: str = "") -> Evidence:
    """Run a case; with an `address` its store is there, else in a file of its own."""
    with tempfile.TemporaryDirectory(prefix="gateway-fuzz-") as folder:
        where = address or str(Path(folder) / "store.db")
        servers = [
            FaultyServer(side.habits, side.faults, side.share, seed=case.number * 7 + place)
            for place, side in enumerate(case.sides)
        ]
        async with AsyncExitStack() as stack:
            for server in servers:
                await stack.enter_async_context(server.serve())
            return await _gated(case, servers, where)


async def _gated(case: Case, servers: Sequence[FaultyServer], address: str) -> Evidence:
    store = store_at(address)
    await store.open()
    try:
        made = [make_key("fuzz", parse_limits(one), now=time.time()) for one in case.keys]
        for stored, _ in made:
            await store.add(stored)
        keys = [stored.key.id for stored, _ in made]
        texts = [text for _, text in made]
        config = _config(case, servers, address)
        async with (
            serving(config, RequestLog()) as running,
            aiohttp.ClientSession(timeout=PATIENT) as session,
        ):
            stage = Stage(case, servers, running.url, texts, session)
            async with killing(case, servers):
                got = await _asked(stage, address)
            await _settled(servers)
            before = tuple(len(server.tally.rows) for server in servers)
            for one in running.gateway.servers.values():
                if one.standing is not None:  # what failed is sound from here on
                    one.standing[1].health = Health()
                    one.standing[1].apart.clear()
                    one.standing[1].doubted.clear()
            probes = await _probed(stage, store, keys)
        kept = [await found(store, id, *probe) for id, probe in zip(keys, probes, strict=True)]
        return Evidence(case, tuple(s.tally for s in servers), got, kept, before)
    finally:
        await store.aclose()


def _config(case: Case, servers: Sequence[FaultyServer], address: str) -> Config:
    seconds = _SHORT if case.stalls else _PATIENT
    stated = {
        "timeout.first_token": f"{seconds}",
        "timeout.between_chunks": f"{seconds}",
        "retries.attempts": "2",
        "retries.seconds": "0.2",
        "overshoot": f"{OVERSHOOT}",
    }
    upstreams = tuple(
        Upstream(f"up{place}", server.url, MODEL, _PRICE, Settings(stated, "sk-fuzz-upstream-key"))
        for place, server in enumerate(servers)
    )
    limits = Limits(
        first_byte_seconds=seconds,
        idle_seconds=seconds,
        total_seconds=5 * _SHORT if case.stalls else 3600.0,
        drain_seconds=2.0,
    )
    return Config(
        upstreams,
        port=0,
        failover=len(upstreams) > 1 and case.pool is None,
        pools=_pools(case, upstreams),
        store=address,
        limits=limits,
        rules=Rules(judge="up0" if case.has_judge else None, max_tokens=64),
    )


def _pools(case: Case, upstreams: Sequence[Upstream]) -> tuple[Grouped, ...]:
    """State the pool, as its file would."""
    pool = case.pool
    if pool is None:
        return ()
    limits = (pool.requests_per_minute, pool.tokens_per_minute)
    stated = tuple(
        Stated(one.name, one.engine, MODEL, "", weight, *limits)
        for one, weight in zip(upstreams, pool.weights, strict=True)
    )
    names = {one.name: one.name for one in upstreams}
    return (Grouped("pool", names, PoolFile(stated, MODEL, pool.sticky, pool.in_turn)),)


async def _asked(stage: Stage, address: str) -> list[Got]:
    """Let all clients ask, side by side."""
    got = [Got(ask) for ask in stage.case.asks]
    alone = 1 if stage.case.warms else 0
    await until_done(stage, [asyncio.create_task(client(stage, one)) for one in got[:alone]])
    tasks = [asyncio.create_task(client(stage, one)) for one in got[alone:]]
    if stage.case.trouble == "locked" and "://" not in address:
        tasks.append(asyncio.create_task(_hold(stage, address)))
    await until_done(stage, tasks)
    return got


async def client(stage: Stage, got: Got) -> None:
    """Let one client ask."""
    ask = got.ask
    text = stage.texts[ask.key]
    if ask.leaves_after is None:
        await send(stage.session, stage.url, text, ask, got, stage.note)
        return
    enough = asyncio.Event()
    async with _watching(stage.servers, ask, enough):
        await leave(stage.session, stage.url, text, ask, got, stage.note, enough)


@asynccontextmanager
async def _watching(
    servers: Sequence[FaultyServer], ask: Ask, enough: asyncio.Event
) -> AsyncIterator[None]:
    """Set `enough` once so many tokens were decoded for a request."""

    def look() -> None:
        decoded = sum(
            row.work for server in servers for row in server.tally.rows if is_of(row, ask)
        )
        if decoded > (ask.leaves_after or 0):
            enough.set()

    for server in servers:
        server.tally.watchers.append(look)
    try:
        yield
    finally:
        for server in servers:
            server.tally.watchers.remove(look)


def is_of(row: Served, ask: Ask) -> bool:
    """Tell whether a server's row is of a request."""
    return any(ask.tag in text for text in row.asked.texts)


async def until_done(stage: Stage, tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the clients as long as anything goes on; whoever is left hangs."""
    still, seen = 0, stage.progress
    while tasks and still < _TICKS and seen[1] < _MOST:
        _, waiting = await asyncio.wait(tasks, timeout=_TICK)
        if not waiting:
            break
        now = stage.progress
        still, seen = (still + 1, seen) if now == seen else (0, now)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def _hold(stage: Stage, address: str) -> None:
    """Hold the store as another program may, once the first token was decoded."""
    while not stage.progress[0] and not stage.read:  # noqa: ASYNC110  # servers tell of no event
        await asyncio.sleep(0.001)
    database = sqlite3.connect(address, isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(_HELD_SECONDS)
        database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        pass  # the gateway is writing just now
    finally:
        database.close()


async def _settled(servers: Sequence[FaultyServer]) -> None:
    """Wait until no server decodes for anyone."""
    for server in servers:
        while server.tally.answering:  # noqa: ASYNC110  # servers tell of no event
            await asyncio.sleep(0.002)


async def _probed(stage: Stage, store: Store, keys: Sequence[str]) -> list[tuple[int, list[Got]]]:
    """Ask with each key for all that is left of it: what is still held for others is missed.

    Not where requests end by the clock: a whole reply takes its time.
    """
    if stage.case.stalls or (stage.case.pool is not None and stage.case.pool.is_limited):
        return [(0, []) for _ in keys]
    for server in stage.servers:
        server.faults, server.habits = (), Habits(length=_LONG)
    return [
        await _probe(stage, store, key, text) for key, text in zip(keys, stage.texts, strict=True)
    ]


async def _probe(stage: Stage, store: Store, key: str, text: str) -> tuple[int, list[Got]]:
    """Ask for all that is left; again where what was spent was told to the store meanwhile."""
    left, probes = await _left(store, key), list[Got]()
    place = len(stage.case.asks) + stage.texts.index(text)
    while left > 0:
        ask = Ask(place, 0, "chat/completions", False, False, left, 1, "", None, None)
        probes.append(got := Got(ask))
        asking = send(stage.session, stage.url, text, ask, got, stage.note)
        await until_done(stage, [asyncio.create_task(asking)])
        now = await _left(store, key)
        if got.ending == "answered" or now == left:
            break
        left = now
    return left, probes


async def _left(store: Store, key: str) -> int:
    """Return the tokens that a key has left; 0 where something else is limited, too."""
    [used] = await store.usage(time.time(), key)
    if len(used.spendings) > 1:  # of which the request may take too much
        return 0
    return used.spendings[0].limit.most - used.spendings[0].spent


async def found(store: Store, key: str, left: int, probes: list[Got]) -> KeyEvidence:
    """Read what a store has of a key."""
    [usage] = await store.usage(time.time(), key)
    rows = [row for row in await store.rows(0, 100_000) if row.key == key]
    return KeyEvidence(key, usage, rows, left, probes)
