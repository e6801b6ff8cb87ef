"""What the store holds of shadowed requests, in either database."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import pytest

from store_rig import rig, run
from workspan.errors import StoreError
from workspan.lab.advising.kept import Arm, Label, Said, Shadowed, ShadowStore, drop_old
from workspan.serve.shadow.account import ID, enter, shadow_key
from workspan.serve.store import store_at
from workspan.serve.store.limits import parse_limits
from workspan.store.database import Database, database_at
from workspan.store.statement import Begun

T = TypeVar("T")
DAY = 86_400.0
NOW = Arm("straight", True, 0, None, "done", 5, 5, 1, 9, 10**12, 0.5)
THEN = Arm("auto", False, None, 0.5, "work", 2**70, 10, 3, 27, None, 1.5)
ONE = Shadowed(
    *("b" * 32, 100.0, "/v1/messages", "m", "number", "p1"),
    (NOW, THEN),
    (Said(0, "4", 0.5), Said(1)),
    "user: 2 + 2?",
)


def test_a_request_comes_back_as_it_was_kept(address: str) -> None:
    async def main() -> None:
        database = database_at(address)
        await database.open()
        store = ShadowStore(database)
        await store.keep(ONE)
        later = replace(ONE, id="a" * 32, at=200.0, question=None)
        await store.keep(later)
        first, second = await store.since(100.0)
        billed = replace(THEN, work=2**63 - 1)  # what a column takes
        assert second == replace(ONE, arms=(NOW, billed))
        assert (first.id, first.now, first.beside) == ("a" * 32, NOW, (billed,))
        assert [one.id for one in await store.since(150.0)] == ["a" * 32]
        with pytest.raises(StoreError):
            await store.keep(ONE)  # once
        assert not await store.label("gone", Label(0, "ann", "wrong", 1.0))
        assert await store.label(ONE.id, Label(0, "ann", "wrong", 1.0))
        await store.label(ONE.id, Label(0, "ann", "right", 2.0))
        await store.label(ONE.id, Label(0, "bob", "unsure", 2.0))
        _, second = await store.since(0)
        assert second.labels == (Label(0, "ann", "right", 2.0), Label(0, "bob", "unsure", 2.0))
        assert await store.salt() == await store.salt() != ""
        assert not await database.transact(lambda: drop_old(1e12))  # for how long nobody said
        assert len(await store.since(0)) == 2
        for days in (9, 2):
            await store.keep_for(days)
        assert not await database.transact(lambda: drop_old(150.0 + 2 * DAY))
        async with rig(address, "") as other:  # a gateway that runs nothing beside
            await other.store.forget(150.0 + 2 * DAY, 0.0)
        assert [one.id for one in await store.since(0)] == ["a" * 32]
        await database.aclose()

    run(main)


def test_many_are_read_and_dropped_some_at_a_time(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gateway's accounts are in the same store, and wait for no more than that."""
    monkeypatch.setattr("workspan.lab.advising.kept._AT_ONCE", 3)

    async def main() -> None:
        database = database_at(address)
        await database.open()
        counted = Counted(database)
        store = ShadowStore(counted)
        kept = [replace(ONE, id=f"{place:02}" * 16, at=100.0 + place) for place in range(10)]
        for one in kept:
            await store.keep(one)
            await store.label(one.id, Label(0, "ann", "right", 1.0))
        counted.transactions = 0
        found = await store.since(0)
        assert [one.id for one in found] == [one.id for one in kept]
        assert all(len(one.arms) == 2 and len(one.answers) == 2 for one in found)
        assert all(one.labels == (Label(0, "ann", "right", 1.0),) for one in found)
        assert counted.transactions == 1 + 4
        assert [one.at for one in await store.since(0, 4)] == [106.0, 107.0, 108.0, 109.0]
        await store.keep_for(1)
        parts = [await database.transact(lambda: drop_old(107.5 + DAY)) for _ in range(4)]
        assert parts == [True, True, False, False]
        assert [one.at for one in await store.since(0)] == [108.0, 109.0]
        await database.aclose()

    run(main)


class Counted:
    """A database that counts its transactions."""

    def __init__(self, database: Database) -> None:
        self.database, self.transactions = database, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)

    async def transact(self, begun: Begun[T]) -> T:
        self.transactions += 1
        return await self.database.transact(begun)


def test_the_accounts_limits_follow_what_is_stated(address: str) -> None:
    async def main() -> None:
        store = store_at(address)
        await store.open()
        for said in ("5 work/day, 10 calls/total", "7 work/day, $1/day", "7 work/day"):
            key = shadow_key(parse_limits(said))
            await store.database.transact(partial(enter, key))
            [usage] = await store.usage(time.time(), ID)
            assert usage.stored.key.limits == parse_limits(said)
            assert usage.stored.hash == ""
        await store.aclose()

    run(main)
