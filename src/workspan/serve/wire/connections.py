"""Connections with limits on their headers, which the server's library has none for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from workspan.serve.config import Limits
from workspan.serve.wire.errors import Failed

_URL_BYTES = 8 * 1024
_FAREWELL_SECONDS = 1.0


class Way:
    """A connection's way out, as replies are written: a head can wait for what follows it.

    Each write is a call of the system, which takes as long as a tenth of a request.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes] | None = None

    def write(self, data: bytes) -> None:
        """Write, or keep it."""
        if self._held is None:
            self._transport.write(data)
        else:
            self._held.append(data)

    def hold(self) -> None:
        """Keep what is written until `release`."""
        self._held = self._held or []

    def release(self) -> None:
        """Write what is kept, in one piece."""
        held, self._held = self._held, None
        if held and not self._transport.is_closing():
            self._transport.writelines(held)

    def close(self) -> None:
        """Close once all is written."""
        self.release()
        self._transport.close()

    def is_closing(self) -> bool:
        """Nothing more is taken."""
        return self._transport.is_closing()


class Connection(HttpToolsProtocol):
    """One connection; limits are those of `limited`."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._piece_bytes = self._first_bytes = 0
        """Of what came last, and of that in which the head began."""
        self._is_refused = False
        self._watchers: set[Callable[[], None]] = set()
        """Told that the client is gone."""
        self._unread, self._unread_since = 0, 0.0
        self._idle_since: float | None = None
        """Since when nothing is asked; None while something is."""
        self.head_since: float | None = self.loop.time()
        """Since when headers are awaited; None while none are."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(transport)
        self._way = Way(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """End what runs for a client that is gone."""
        super().connection_lost(exc)
        for tell in list(self._watchers):
            tell()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a head that goes on without end is refused."""
        self._piece_bytes, self._idle_since = len(data), None
        if self.head_since is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        is_large = self._head_bytes > self.limits.header_bytes
        if self.head_since is not None and is_large and not self._is_refused:
            self._refuse("the headers are too large")

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        more: dict[str, Any] = self.scope  # type: ignore[assignment]  # a dict like any other
        more["workspan.abort"], more["workspan.watchers"] = self.transport.abort, self._watchers
        more["workspan.way"] = self._way
        self._first_bytes = self._piece_bytes
        self.head_since = self.loop.time()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        super().on_url(url)
        if len(self.url) > _URL_BYTES:
            raise httptools.HttpParserError("the address is too long")

    def on_headers_complete(self) -> None:
        """End a head."""
        self._check_head()
        self.head_since, self._head_bytes = None, 0
        super().on_headers_complete()
        self.cycle.transport = self._way  # type: ignore[assignment]  # all that a cycle asks of it

    def _check_head(self) -> None:
        """Refuse a head beyond the limits that came at once, behind another request or not."""
        limits = self.limits
        if len(self.headers) > limits.headers:
            raise httptools.HttpParserError("there are too many headers")
        if self._first_bytes + self._head_bytes <= limits.header_bytes:
            return  # no header is larger than what came
        if any(len(k) + len(v) > limits.header_bytes for k, v in self.headers):
            raise httptools.HttpParserError("a header is too large")

    def on_body(self, body: bytes) -> None:
        """Take a part of a body; what comes after its reply is read for nobody, up to a limit."""
        super().on_body(body)
        if self.cycle.response_complete:
            self._unread += len(body)
            self._unread_since = self._unread_since or self.loop.time()
            if self._unread > self.limits.body_bytes:
                self.transport.abort()

    def on_message_complete(self) -> None:
        """End a body."""
        super().on_message_complete()
        self._unread, self._unread_since = 0, 0.0

    def on_response_complete(self) -> None:
        """Go on to the next request; who makes none is seen by `look`, without a timer for each."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()

    def look(self, now: float) -> None:
        """Hang up on a client that is too slow to say what it wants, or wants nothing any more."""
        if self._idle_since is not None and now - self._idle_since > self.timeout_keep_alive:
            self._idle_since = None
            self.transport.close()
        if self._unread_since and now - self._unread_since > self.limits.body_seconds:
            self.transport.abort()
        if self.head_since is not None and now - self.head_since > self.limits.header_seconds:
            self.head_since = None
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request."""
        self._refuse(msg)

    def _refuse(self, said: str) -> None:
        """Refuse in the form that clients read, and hang up."""
        if self.transport is None or self.transport.is_closing():
            return
        is_large = self.headers is not None and (
            self._head_bytes > self.limits.header_bytes
            or len(self.headers) > self.limits.headers
            or len(self.url) > _URL_BYTES
        )
        status = 431 if is_large else 400
        words = "the request's head is too large" if is_large else said
        body = Failed(status, words, code="bad_request").body
        size = b"content-length: %d\r\n" % len(body)
        kind = b"content-type: application/json\r\nconnection: close\r\n"
        self._is_refused = True
        self.transport.write(b"".join([STATUS_LINE[status], kind, size, b"\r\n", body]))
        self.transport.pause_reading()
        self.transport.write_eof()  # closed at once, what was not read would reset the reply
        self.loop.call_later(_FAREWELL_SECONDS, self.transport.abort)


def limited(limits: Limits) -> type[Connection]:
    """Return connections with these limits."""
    return type("Limited", (Connection,), {"limits": limits})
