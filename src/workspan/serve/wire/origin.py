"""Requests that a site in somebody's browser makes: refused where no key protects the gateway.

A browser sends a form's POST to any address, this machine's too, without asking anyone, so that
each site that a person visits could spend on a gateway without keys. It says from where, in
``Origin``, which no script can change. A name that a site points at this machine is still its own.

Sites that the operator names may ask, and read what comes (CORS); no other page reads anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from workspan.errors import InputError
from workspan.legible import quoted
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange
from workspan.serve.wire.loopback import is_loopback_name

ANY = "*"
_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:\d+)?"
)
_ASKED = re.compile(r"[A-Za-z0-9, -]{1,1024}")
_TOLD = (
    b"x-request-id, x-workspan-engine, x-workspan-overhead-ms, x-workspan-trajectory-turn, "
    b"x-workspan-trajectory-left, retry-after"
)
_FRESH_SECONDS = b"600"


def checked_origin(text: str) -> str:
    """Return an origin as browsers write it.

    Raises:
        InputError: it is none.
    """
    if text != ANY and not _ORIGIN.fullmatch(text.lower()):
        raise InputError(
            f"{quoted(text)} is no origin: write https://app.example, with a port where it has one"
        )
    return text.lower()


class Origins:
    """The sites whose pages may ask and read."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    def admits(self, exchange: Exchange) -> bool:
        """Say whether a page of one of them asks, and let it read what it is told."""
        told = exchange.header(b"origin").strip().lower() if self._allowed else ""
        if not told or not (told in self._allowed or ANY in self._allowed):
            return False
        exchange.extra += [
            (b"access-control-allow-origin", exchange.headers[b"origin"].strip()),
            (b"access-control-expose-headers", _TOLD),
            (b"vary", b"origin"),
        ]
        return True


async def reply_to_preflight(exchange: Exchange, methods: Iterable[str]) -> None:
    """Tell a browser, before it asks for a page, what that page may ask."""
    asked = exchange.header(b"access-control-request-headers")
    names = asked if _ASKED.fullmatch(asked) else "authorization, content-type"
    told = [
        (b"access-control-allow-methods", ", ".join(methods).encode()),
        (b"access-control-allow-headers", names.encode()),
        (b"access-control-max-age", _FRESH_SECONDS),
    ]
    await exchange.reply(200, b"", told)


def refuse_foreign(exchange: Exchange) -> None:
    """Refuse what a site elsewhere asks; programs name no origin, and pages here a local one.

    Raises:
        Failed: so it is.
    """
    if b"origin" not in exchange.headers:
        return
    told = exchange.header(b"origin").strip()
    parts = _parts(told)
    if parts is None or (parts[0] in ("http", "https") and not is_loopback_name(parts[1])):
        raise Failed(
            403,
            "a page of another site may not ask a gateway without keys: keep keys in a store, "
            "see --store, or ask from a program",
            code="foreign_origin",
        )


def _parts(origin: str) -> tuple[str, str] | None:
    """Return an origin's scheme and host; None where it hides them."""
    try:
        parts = urlsplit(origin)
        host = parts.hostname
    except ValueError:
        return None
    return (parts.scheme, host or "") if parts.scheme else None
