"""Whose key a request bears."""

from __future__ import annotations

import time
from collections.abc import Callable

from workspan.errors import KeyRefused
from workspan.serve.store.base import Store
from workspan.serve.store.keys import Key, hashed, id_of, proved
from workspan.serve.wire.exchange import Exchange

_BEARER = "bearer "
_LONGEST = 200
"""Characters of a key; what is longer is none."""
_REMEMBERED_SECONDS = 5.0
"""A key that was proved is not looked up again for so long: as long a revoked one may be taken."""
_REMEMBERED = 1_000


class Keys:
    """The keys of one process; without a store any key is taken, and nothing is made of it."""

    def __init__(self, store: Store | None, utc: Callable[[], float] = time.time) -> None:
        self._store = store
        self._utc = utc
        self._known: dict[str, tuple[Key, float]] = {}
        """By the hash of their text, with the time until which each is remembered."""

    async def of(self, exchange: Exchange) -> Key | None:
        """Return the key that a request bears; None where no keys are kept.

        Raises:
            KeyRefused: there is none, it is not known, or it is out of time.
            StoreGone: nobody can tell.
        """
        if self._store is None:
            return None
        text = presented(exchange)
        if not text:
            said = "no key was given: send it as Authorization: Bearer KEY, or as x-api-key"
            raise KeyRefused(said, code="invalid_api_key")
        now = self._utc()
        key = await self._proved(self._store, text[:_LONGEST], now)
        key.check(now)
        return key

    async def _proved(self, store: Store, text: str, now: float) -> Key:
        mark = hashed(text)
        known = self._known.get(mark)
        if known is not None and now < known[1]:
            return known[0]
        self._known.pop(mark, None)
        key = proved(text, await store.find(id_of(text)))
        while len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[mark] = (key, now + _REMEMBERED_SECONDS)
        return key


def presented(exchange: Exchange) -> str:
    """Return the text of a key, from whichever of the two headers a client uses."""
    told = exchange.header(b"authorization").strip()
    if told[: len(_BEARER)].lower() == _BEARER:
        return told[len(_BEARER) :].strip()
    return exchange.header(b"x-api-key").strip()
