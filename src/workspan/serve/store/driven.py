"""A `Store` on a database: each of its methods is one transaction of `statements`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from workspan.lab.map.keeping import Verdicts
from workspan.lab.map.rows import Row as Verdict
from workspan.serve.store import statements, trajectories
from workspan.serve.store.base import Batch, KeyUsage, Row, Standing
from workspan.serve.store.keys import StoredKey
from workspan.serve.store.trajectories import StoredTrajectory
from workspan.store.database import Database


class DrivenStore:
    """Keys and accounts in a database, which workers share."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return self.database.shown

    async def open(self) -> None:
        """Connect, and bring the tables up to this version's."""
        await self.database.open()

    async def aclose(self) -> None:
        """Give the connection back."""
        await self.database.aclose()

    async def add(self, stored: StoredKey) -> None:
        """Keep a new key."""
        await self.database.transact(lambda: statements.add(stored))

    async def find(self, id: str) -> StoredKey | None:
        """Return a key by its id."""
        found = await self.database.transact(lambda: statements.find(id))
        return found[0] if found else None

    async def keys(self) -> list[StoredKey]:
        """Return all keys, the oldest first."""
        return await self.database.transact(lambda: statements.find(None))

    async def revoke(self, id: str, now: int) -> bool:
        """Let a key hold no longer; False where there is none."""
        return await self.database.transact(lambda: statements.revoke(id, now))

    async def begin(
        self, trajectory: StoredTrajectory, *, is_stated: bool = False
    ) -> StoredTrajectory:
        """Begin a turn: keep its trajectory, unless it is there, and return it as it was begun."""
        begun = partial(trajectories.begin, trajectory, is_stated=is_stated)
        return await self.database.transact(begun)

    async def remember(self, prefixes: Sequence[str], trajectory: str, now: float) -> None:
        """Keep what a turn left behind."""
        await self.database.transact(lambda: trajectories.remember(prefixes, trajectory, now))

    async def follow(self, prefixes: Sequence[str], *, in_pairs: bool = False) -> str | None:
        """Return the trajectory of the first of some prefixes that is known."""
        return await self.database.transact(
            lambda: trajectories.follow(prefixes, in_pairs=in_pairs)
        )

    async def exchange(self, batch: Batch) -> list[Standing]:
        """Charge what a worker used, take back and grant leases, keep rows: all or nothing."""
        return await self.database.transact(lambda: statements.exchange(batch))

    async def reap(self, now: float, silent_since: float) -> int:
        """Charge in full what workers hold that gave no sign since; return how many there were."""
        return await self.database.transact(lambda: statements.reap(now, silent_since))

    async def usage(self, now: float, key: str | None = None) -> list[KeyUsage]:
        """Return what each key, or one, has spent."""
        return await self.database.transact(lambda: statements.usage(now, key))

    async def standings(self, now: float) -> list[tuple[StoredKey, statements.Spendings]]:
        """Return how each key's limits stand."""
        return await self.database.transact(lambda: statements.standings(now))

    async def forget(self, now: float, before: float) -> bool:
        """Drop some of what is too old; say if more may be left."""
        return await self.database.transact(lambda: statements.forget(now, before))

    async def rows(self, since: float, most: int) -> list[Row]:
        """Return requests that came after a moment, the latest first, at most so many."""
        return await self.database.transact(lambda: statements.rows(since, most))

    async def verdicts(self) -> list[Verdict]:
        """Return what claims and sweeps found."""
        return await Verdicts(self.database).all()
