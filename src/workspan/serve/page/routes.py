"""The page, its assets and its feed: for the operator alone, and nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from functools import cache
from importlib.resources import files

from workspan.serve.gateway import Gateway
from workspan.serve.seeing.record import Record
from workspan.serve.wire.exchange import Exchange, Header

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""No inline script or style, no foreign origin, no frame, and no text that becomes markup."""
HEADERS: tuple[Header, ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
)
_KINDS: Mapping[str, bytes] = {
    "html": b"text/html; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
}
ASSETS: Mapping[str, str] = {
    "/": "index.html",
    "/_/page.css": "page.css",
    "/_/page.js": "page.js",
    "/_/drawing.js": "drawing.js",
    "/_/advice.js": "advice.js",
    "/_/advice.css": "advice.css",
    "/_/icon.svg": "icon.svg",
}
"""By address: a request chooses among these, and never writes a file's name."""
EVENTS = "/_/events"


@cache
def _read(name: str) -> bytes:
    return files("workspan.serve.page").joinpath("assets", name).read_bytes()


async def asset(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /`` and what the page is made of.

    Raises:
        Failed: it is not for whoever asks.
    """
    gateway.access.check(exchange)
    name = ASSETS[exchange.path]
    await exchange.reply(200, _read(name), HEADERS, kind=_KINDS[name.rpartition(".")[2]])


async def events(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /_/events``: a snapshot, then what changes, until the reader leaves.

    Raises:
        Failed: it is not for whoever asks, or too many watch.
    """
    gateway.access.check(exchange)
    exchange.extra += HEADERS[:-1]
    if exchange.method == "HEAD":
        await exchange.reply(200, b"", kind=b"text/event-stream; charset=utf-8")
        return
    async with gateway.feed.watching() as watcher:
        await exchange.body()
        exchange.is_stream = True
        await exchange.begin()
        async with aclosing(watcher.events()) as told:
            async for event in told:
                await exchange.write(event)
    await exchange.end()
