"""A reply as it arrives: read event by event, ended by a clock of progress, bounded in size."""

from __future__ import annotations

import asyncio
import math
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from workspan.boundary.secret import Secret
from workspan.data.types import Notice
from workspan.engines.endpoint.complaints import Complaint, is_complaint, read_complaint
from workspan.engines.endpoint.events import EventStream
from workspan.engines.endpoint.rejections import rejection
from workspan.engines.endpoint.wire import Choice, Event, decode_event, decode_usual
from workspan.errors import EngineError, EngineProtocolError, EngineUnavailable

_FAREWELL_SECONDS = 1.0
"""How long the end of the body may take after the server said that it is done."""
_TAIL_SECONDS = 10.0
"""How long the usage and that word may take after every choice has ended."""
_BYTES_A_TOKEN = 8_192
"""Of a reply: twenty alternatives with their bytes take a quarter of it."""
_BYTES_A_REPLY = 1024 * 1024
"""Beside the tokens: frames, comments, signs of life."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much a reply may hold."""

    choices: int
    tokens: int
    """Of one choice."""
    is_whole: bool = False
    """It is asked for in one body, which is sent when all of it is decoded."""

    @property
    def bytes(self) -> int:
        """The most that an honest server sends for it."""
        return _BYTES_A_REPLY + self.choices * self.tokens * _BYTES_A_TOKEN


_HOW: dict[type[Exception], str] = {
    TimeoutError: "kept silent for too long",
    aiohttp.ClientHttpProxyError: "can't be reached through the proxy",
    aiohttp.ClientResponseError: "answered with something else than an HTTP reply",
}
_NOBODY_THERE = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)


class Refused(Exception):
    """A signal to whoever asks: the server refused, and said this."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(complaint.words)
        self.complaint = complaint
        self.is_reply = False
        """It was said in a reply that had begun well."""


class Reply:
    """A stream that has begun, or the whole reply of a server that does not stream."""

    def __init__(
        self, response: aiohttp.ClientResponse, secret: Secret, url: str, size: Size
    ) -> None:
        self._response = response
        self._secret = secret
        self._url = url
        self._size = size
        self._stream = EventStream()
        self._whole: list[bytes] | None = None
        """The pieces of a reply that is one JSON text."""
        self._is_first = True
        self._received = 0
        self._ahead: list[Event] = []
        self._is_over = False
        self._complaint: Complaint | None = None
        self._failure: EngineError | None = None
        """Raised when the events before it have been read."""
        self._patience = math.inf
        self._waited = 0.0
        """Seconds of waiting since something new came."""
        self._ended: set[int] = set()
        """Choices that have a finish reason."""
        self._counted = 0
        """Tokens in the last usage: one that grows is progress."""
        self.notices: list[Notice] = []
        """What of the request was given up for this server."""

    async def begin(self, first_token: float, between_chunks: float) -> None:
        """Read up to the first event that says anything; allow less silence from then on.

        Raises:
            Refused: the server says in the reply itself that it refuses.
            EngineUnavailable: nothing came in time.
            EngineProtocolError: what came is no completion.
        """
        if self._response.content_type == "text/html":
            raise EngineProtocolError(f"{self._url} answered with a web page, not a completion")
        self._patience = first_token
        speaks = False
        while not self._is_over and not speaks:
            events = await self._read()
            speaks = any(map(_speaks, events))
            self._ahead += events
        if not speaks:
            if self._complaint is not None:
                raise Refused(self._complaint)
            if self._failure is not None:
                raise self._failure
        self._patience = between_chunks
        self._waited = 0.0
        if not self._has_ended:
            self._be_silent_at_most(between_chunks)

    async def read(self) -> list[Event]:
        """Return what arrived, at least one event; an empty list is the end.

        Raises:
            EngineUnavailable: the connection broke, or nothing new came for too long.
            EngineProtocolError: what came is not a stream of completions.
        """
        try:
            while not self._ahead and not self._is_over:
                self._ahead = await self._read()
            events, self._ahead = self._ahead, []
            if not events and self._failure is not None and not self._has_ended:
                raise self._failure
        except EngineError as error:
            self._secret.seal(error)
            raise
        return events

    def unread(self) -> list[Event]:
        """Return what has arrived and nobody has read: the server decoded it all the same."""
        events, self._ahead = self._ahead, []
        if not self._is_over and self._whole is None:
            with suppress(aiohttp.ClientError, ConnectionError, TimeoutError, RuntimeError):
                if received := self._response.content.read_nowait():
                    events += self._events(received)
        return events

    async def _read(self) -> list[Event]:
        """Return the events of the next bytes; end the reply where it ends or fails."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            received = await self._response.content.readany()
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if not (self._stream.is_done or self._has_ended):
                raise lost(error, self._url, self._secret) from None
            self._is_over = True
            return []
        self._waited += loop.time() - began
        self._received += len(received)
        events = self._events(received)
        self._follow(events)
        self._judge()
        return events

    def _events(self, received: bytes) -> list[Event]:
        if self._is_first and received.strip():
            self._is_first = False
            if received.lstrip()[:1] in (b"{", b"["):
                self._whole = []
        if self._whole is not None:
            return self._events_of_whole(received)
        if received:
            events = self._stream.feed(received)
        else:
            events = self._stream.end()
            self._is_over = True
        if self._stream.failure is not None:
            self._failure = self._stream.failure
        errors = [place for place, event in enumerate(events) if event.error]
        if errors:
            self._complaint = read_complaint(200, events[errors[0]].error, self._secret)
            self._failure = rejection(self._complaint, self._url)
            events = events[: errors[0]]
        return events

    def _events_of_whole(self, received: bytes) -> list[Event]:
        """Gather one JSON text; servers that may not or do not stream send it."""
        assert self._whole is not None
        if received:
            self._whole.append(received)
            return []
        self._is_over = True
        body = b"".join(self._whole)
        try:
            event = usual[0] if (usual := decode_usual([body])) else decode_event(body)
        except EngineProtocolError as error:
            self._failure = error
            return []
        if event.choices and not event.error:
            return [event]
        if event.error:
            told = event.error if is_complaint(event.error) else {"error": event.error}
            self._complaint = read_complaint(200, told, self._secret)
            self._failure = rejection(self._complaint, self._url)
        else:
            self._failure = EngineProtocolError(f"{self._url} answered without a choice")
        return []

    def _follow(self, events: list[Event]) -> None:
        """Note what is new: text or thinking of a choice asked for, its end, a usage that grows."""
        is_new = False
        for event in events:
            for choice in event.choices:
                if choice.finish_reason:
                    is_new |= self._end(choice)
                elif not is_new and self._is_awaited(choice):
                    is_new = _is_new(choice)
            report = event.usage
            if report is not None and report.completion_tokens > self._counted:
                self._counted = report.completion_tokens
                is_new = True
        if is_new:
            self._waited = 0.0

    def _is_awaited(self, choice: Choice) -> bool:
        return choice.index < self._size.choices and choice.index not in self._ended

    def _end(self, choice: Choice) -> bool:
        """Note that a choice has ended; False where it had, or nobody asked for it."""
        if not self._is_awaited(choice):
            return False
        self._ended.add(choice.index)
        if self._has_ended:
            self._patience = min(self._patience, _TAIL_SECONDS)
            self._be_silent_at_most(self._patience)
        return True

    def _judge(self) -> None:
        """End a reply that is done, that failed, or that goes on without end."""
        if self._stream.is_done:
            self._be_silent_at_most(_FAREWELL_SECONDS)
        if self._failure is None and self._received > self._size.bytes:
            self._failure = EngineProtocolError(
                f"{self._url} sent {self._received} bytes for {self._size.tokens} tokens"
            )
        if self._failure is None and self._waited > self._patience:
            self._failure = EngineUnavailable(
                f"{self._url} sent nothing new for {self._patience:g} seconds"
            )
        self._is_over = self._is_over or self._failure is not None

    @property
    def _has_ended(self) -> bool:
        """Every choice asked for has ended: whatever comes now, the answers are there."""
        return len(self._ended) >= self._size.choices

    def _be_silent_at_most(self, seconds: float) -> None:
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = seconds

    @property
    def is_done(self) -> bool:
        """The server said so itself, or sent its reply whole."""
        is_whole = self._whole is not None and self._is_over and self._failure is None
        return self._stream.is_done or is_whole

    def close(self) -> None:
        """Hang up if the stream is not over: the server stops decoding."""
        self._response.close()


def _speaks(event: Event) -> bool:
    return event.usage is not None or any(
        choice.finish_reason or choice.message or _is_new(choice) for choice in event.choices
    )


def _is_new(choice: Choice) -> bool:
    """Tell a piece that holds something from an empty one."""
    delta = choice.delta or choice.message
    if delta is None:
        return bool(choice.text)
    told = delta.content or delta.thought or delta.refusal
    return bool(told or delta.tool_calls or delta.function_call)


def _why(error: Exception) -> str:
    """Return the system's own words, without those of the library's settings around them."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    if isinstance(error, aiohttp.ClientResponseError):
        return error.message  # without address and status, which it makes up
    if not isinstance(error, aiohttp.ClientConnectorError):
        return str(error)
    cause = error.os_error
    if isinstance(cause, ssl.SSLError | socket.gaierror) or not (cause.errno or 0) > 0:
        return str(cause.strerror or cause)
    return os.strerror(cause.errno or 0)


def lost(error: Exception, url: str, secret: Secret) -> EngineUnavailable:
    """Say how a connection failed."""
    why = secret.scrub(_why(error)) or type(error).__name__
    known = (words for kind, words in _HOW.items() if isinstance(error, kind))
    how = next(known, "can't be reached or hung up")
    failure = EngineUnavailable(f"{url} {how}: {why}")
    failure.is_reached = not isinstance(error, _NOBODY_THERE)
    return failure
