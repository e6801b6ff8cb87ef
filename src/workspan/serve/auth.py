"""Whose key a request bears."""

from __future__ import annotations

from workspan.errors import KeyRefused
from workspan.serve.keyring import Keyring
from workspan.serve.store.base import Store
from workspan.serve.store.keys import Key
from workspan.serve.wire.exchange import Exchange

_BEARER = "bearer "
_LONGEST = 200
"""Characters of a key; what is longer is none."""


class Keys:
    """The keys of one process; without a store any key is taken, and nothing is made of it."""

    def __init__(self, store: Store | None) -> None:
        self._ring = Keyring(store) if store is not None else None

    async def of(self, exchange: Exchange) -> Key | None:
        """Return the key that a request bears; None where no keys are kept.

        Raises:
            KeyRefused: there is none, it is not known, or it is out of time.
            StoreGone: nobody can tell.
        """
        if self._ring is None:
            return None
        text = presented(exchange)
        if not text:
            said = "no key was given: send it as Authorization: Bearer KEY, or as x-api-key"
            raise KeyRefused(said, code="invalid_api_key")
        return await self._ring.find(text[:_LONGEST])


def presented(exchange: Exchange) -> str:
    """Return the text of a key, from whichever of the two headers a client uses."""
    told = exchange.header(b"authorization").strip()
    if told[: len(_BEARER)].lower() == _BEARER:
        return told[len(_BEARER) :].strip()
    return exchange.header(b"x-api-key").strip()
