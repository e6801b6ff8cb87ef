"""Whose key a request bears."""

from __future__ import annotations

from workspan.serve.asked import Key
from workspan.serve.wire.exchange import Exchange

_BEARER = "bearer "


class Keys:
    """The keys of one process; without a store any key is taken, and nothing is made of it."""

    async def of(self, exchange: Exchange) -> Key | None:  # noqa: ARG002
        """Return the key that a request bears; None where no keys are kept.

        Raises:
            KeyRefused: there is none, or it is not known.
        """
        return None


def presented(exchange: Exchange) -> str:
    """Return the text of a key, from whichever of the two headers a client uses."""
    told = exchange.header(b"authorization").strip()
    if told[: len(_BEARER)].lower() == _BEARER:
        return told[len(_BEARER) :].strip()
    return exchange.header(b"x-api-key").strip()
