"""Requests that a site in somebody's browser makes: refused where no key protects the gateway.

A browser sends a form's POST to any address, this machine's too, without asking anyone, so that
each site that a person visits could spend on a gateway without keys. It says from where, in
``Origin``, which no script can change. A name that a site points at this machine is still its own.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange
from workspan.serve.wire.loopback import is_loopback_name


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
