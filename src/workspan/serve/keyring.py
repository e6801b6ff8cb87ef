"""Who asks: a key's text turned into a key, from the store or as it was read a moment ago."""

from __future__ import annotations

import time

from workspan.errors import KeyRefused
from workspan.serve.exchanging import Utc
from workspan.serve.store.base import Store
from workspan.serve.store.keys import Key, StoredKey, id_of, proved
from workspan.stopwatch import WALL, Time

FRESH_SECONDS = 1.0
"""For which a key counts as it was read: one that is revoked holds no longer than that."""
_MOST = 10_000
"""Keys kept in memory."""


class Keyring:
    """The keys of a store, for one worker of the gateway."""

    def __init__(
        self,
        store: Store,
        *,
        utc: Utc = time.time,
        clock: Time = WALL,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._store, self._utc, self._clock = store, utc, clock
        self._fresh_seconds = fresh_seconds
        self._read: dict[str, tuple[StoredKey, float]] = {}

    async def find(self, text: str, model: str | None = None) -> Key:
        """Return the key of a text that may ask for a model, or for anything.

        Raises:
            KeyRefused: it is unknown, expired, revoked or out of scope; `code` says which. What is
                told of a key is told only to who has it.
            StoreGone: the store can't be asked.
        """
        id = id_of(text)
        key = proved(text, await self._stored(id))
        try:
            key.check(self._utc(), model)
        except KeyRefused as refused:
            if refused.code == "key_revoked":
                self._read.pop(id, None)
            raise
        return key

    async def _stored(self, id: str) -> StoredKey | None:
        known = self._read.get(id)
        now = self._clock.now()
        if known is not None and now - known[1] < self._fresh_seconds:
            return known[0]
        stored = await self._store.find(id)
        if stored is None:
            self._read.pop(id, None)
            return None
        if len(self._read) >= _MOST and id not in self._read:
            self._read.pop(next(iter(self._read)))
        self._read[id] = stored, now
        return stored
