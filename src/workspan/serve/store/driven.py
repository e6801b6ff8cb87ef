"""What both stores share: each of their methods is one transaction of `statements`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from workspan.serve.store import statements
from workspan.serve.store.base import Batch, KeyUsage, Row, Standing
from workspan.serve.store.keys import StoredKey
from workspan.serve.store.statements import Work

T = TypeVar("T")
Begun = Callable[[], Work[T]]
"""Begins a transaction's statements: anew, where it must be tried again."""


class DrivenStore:
    """The methods of a `Store` over one that runs a transaction."""

    shown: str
    """The address as it may be shown."""

    def transact(self, begun: Begun[T]) -> Awaitable[T]:
        """Run statements whole or not at all, and return what they came to.

        Raises:
            StoreGone: the database can't be reached, or is too busy.
            StoreError: it can't be used.
        """
        raise NotImplementedError

    async def add(self, stored: StoredKey) -> None:
        """Keep a new key."""
        await self.transact(lambda: statements.add(stored))

    async def find(self, id: str) -> StoredKey | None:
        """Return a key by its id."""
        found = await self.transact(lambda: statements.find(id))
        return found[0] if found else None

    async def keys(self) -> list[StoredKey]:
        """Return all keys, the oldest first."""
        return await self.transact(lambda: statements.find(None))

    async def revoke(self, id: str, now: int) -> bool:
        """Let a key hold no longer; False where there is none."""
        return await self.transact(lambda: statements.revoke(id, now))

    async def exchange(self, batch: Batch) -> list[Standing]:
        """Charge what a worker used, take back and grant leases, keep rows: all or nothing."""
        return await self.transact(lambda: statements.exchange(batch))

    async def reap(self, now: float, silent_since: float) -> int:
        """Charge in full what workers hold that gave no sign since; return how many there were."""
        return await self.transact(lambda: statements.reap(now, silent_since))

    async def usage(self, now: float, key: str | None = None) -> list[KeyUsage]:
        """Return what each key, or one, has spent."""
        return await self.transact(lambda: statements.usage(now, key))

    async def rows(self, since: float, most: int) -> list[Row]:
        """Return requests that came after a moment, the latest first, at most so many."""
        return await self.transact(lambda: statements.rows(since, most))
