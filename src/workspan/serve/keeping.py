"""What an operator does with keys: makes them, lists them, ends them, sees what they spent."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workspan.errors import InputError, nearest
from workspan.legible import quoted
from workspan.serve.exchanging import Utc
from workspan.serve.store.base import KeyUsage, Store
from workspan.serve.store.driven import DrivenStore
from workspan.serve.store.keys import Key, StoredKey, make_key, parse_expiry
from workspan.serve.store.limits import parse_limits, per_minute
from workspan.store.database import opened_database


@dataclass(frozen=True)
class Added:
    """A new key, with its text, which nothing keeps."""

    key: Key
    text: str

    def __repr__(self) -> str:
        return f"Added({self.key!r})"


@asynccontextmanager
async def opened(address: str, *, is_made: bool = False) -> AsyncIterator[Store]:
    """Open the store at an address for as long as the block lasts; with `is_made` a new one.

    Raises:
        InputError: there is no such file, and it is not to be made.
    """
    made_by = "workspan keys add"
    async with opened_database(address, made_by=made_by, is_made=is_made) as database:
        yield DrivenStore(database)


async def add_key(
    address: str,
    name: str,
    *,
    budget: str | None = None,
    rpm: int | None = None,
    models: Iterable[str] = (),
    expires: str | None = None,
    utc: Utc = time.time,
) -> Added:
    """Make a key and keep it, without its text, in a store.

    Raises:
        InputError: a name, a budget, a model or a time is not understood; nothing was kept.
        StoreError: the store can't be used.
    """
    now = utc()
    limits = [] if budget is None else list(parse_limits(budget))
    if rpm is not None:
        limits.append(per_minute(rpm))
    until = None if expires is None else parse_expiry(expires, now)
    stored, text = make_key(name, limits, models=models, expires=until, now=now)
    async with opened(address, is_made=True) as store:
        await store.add(stored)
    return Added(stored.key, text)


async def list_keys(address: str) -> list[StoredKey]:
    """Return all keys of a store, the oldest first."""
    async with opened(address) as store:
        return await store.keys()


async def revoke_key(address: str, id: str, *, utc: Utc = time.time) -> None:
    """End a key: no worker takes it a second later.

    Raises:
        InputError: the store has no key of this id.
    """
    async with opened(address) as store:
        if not await store.revoke(id, int(utc())):
            known = [one.key.id for one in await store.keys()]
            raise _unknown(id, known)


async def key_usage(address: str, id: str | None = None, *, utc: Utc = time.time) -> list[KeyUsage]:
    """Return what each key of a store has spent, or one.

    Raises:
        InputError: the store has no key of this id.
    """
    async with opened(address) as store:
        found = await store.usage(utc(), id)
        if id is not None and not found:
            raise _unknown(id, [one.key.id for one in await store.keys()])
        return found


def _unknown(id: str, known: list[str]) -> InputError:
    hint = nearest(id, known) if known else "the store has no keys"
    return InputError(f"no key has the id {quoted(id)} (not its name): {hint}")
