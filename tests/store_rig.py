"""Stores and accounts for tests: a clock that is turned, keys, and what a store's sums say."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from postgres_server import PostgresServer
from workspan.serve.accounts import Accounts
from workspan.serve.exchanging import Pace
from workspan.serve.store import store_at
from workspan.serve.store.base import Spending, Store
from workspan.serve.store.keys import Key, make_key
from workspan.serve.store.limits import parse_limits

T = TypeVar("T")

NOON = 1_764_417_600.0
"""29 November 2025, 12:00 by UTC: no window is near its end."""
QUICK = Pace(patience=0.15, retry=0.005, tick=0.02, back_off=0.05, close=1.0)


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run without a debugger's checks, which take most of the time of many short tasks."""

    async def awaited() -> T:
        return await main()

    return asyncio.run(awaited())


@dataclass
class Utc:
    """A clock that a test turns."""

    at: float = NOON

    def __call__(self) -> float:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += seconds


def fresh_database(server: PostgresServer) -> str:
    """Make an empty database, and return its address."""
    import psycopg

    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(server.address(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.address(name)


@dataclass
class Rig:
    """One store with a key, and workers on it."""

    address: str
    store: Store
    key: Key
    utc: Utc
    pace: Pace = QUICK
    stores: list[Store] = field(default_factory=list)

    async def worker(self) -> Accounts:
        """Return another worker's accounts, not open yet, on a connection of its own."""
        store = store_at(self.address)
        await store.open()
        self.stores.append(store)
        return Accounts(store, utc=self.utc, pace=self.pace)

    async def spendings(self) -> dict[str, Spending]:
        [usage] = await self.store.usage(self.utc(), self.key.id)
        return {str(one.limit): one for one in usage.spendings}

    async def spent(self, limit: str) -> int:
        return (await self.spendings())[limit].spent


@asynccontextmanager
async def rig(address: str, limits: str, *, pace: Pace = QUICK) -> AsyncIterator[Rig]:
    """Open a store with one key of such limits."""
    store, utc = store_at(address), Utc()
    await store.open()
    stored, _ = make_key("test", parse_limits(limits) if limits else (), now=utc())
    await store.add(stored)
    one = Rig(address, store, stored.key, utc, pace)
    try:
        yield one
    finally:
        for each in (store, *one.stores):
            await each.aclose()
