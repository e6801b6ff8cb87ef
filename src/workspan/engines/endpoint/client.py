"""One HTTP connection pool to one server: asks, retries what may pass, reads the stream."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec
import stamina

from workspan.engines.endpoint.refusals import refusal, said, stream_error
from workspan.engines.endpoint.wire import Event, EventStream, decode_event
from workspan.errors import EngineError, EngineProtocolError, EngineUnavailable
from workspan.secret import Secret

_REFUSAL_BYTES = 65_536
_FAREWELL_SECONDS = 1.0
"""How long the end of the body may take after the server said that it is done."""
_LESSONS = 2
"""How many refusals of one request may be answered by asking differently."""

Learn: TypeAlias = Callable[[EngineError], bool]
"""Told of a refusal; True asks again at once."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds of silence after which a server counts as gone."""

    connect: float = 10.0
    first_token: float = 300.0
    """From asking to the first byte: the queue and the prompt."""
    between_chunks: float = 60.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to go on asking a server that refuses before its first token."""

    attempts: int = 6
    seconds: float = 90.0
    wait_initial: float = 0.5
    wait_max: float = 20.0

    def allows(self, error: Exception) -> bool | float:
        """Say whether to ask again, and when, where the server has said it."""
        if not isinstance(error, EngineUnavailable):
            return False
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= self.seconds else False


class Reply:
    """A stream that has begun."""

    def __init__(self, response: aiohttp.ClientResponse, secret: Secret, url: str) -> None:
        self._response = response
        self._secret = secret
        self._url = url
        self._stream = EventStream()
        self._ahead: list[Event] = []
        self._is_over = False
        self._failure: EngineError | None = None
        """Raised when the events before it have been read."""

    async def begin(self, between_chunks: float) -> None:
        """Read up to the first event that says anything; allow less silence from then on."""
        kind = self._response.content_type
        if kind == "text/html":
            raise EngineProtocolError(f"{self._url} answered with a web page, not a completion")
        while not self._is_over and not any(map(_speaks, self._ahead)):
            self._ahead += await self._read()
        if self._failure is not None and not any(map(_speaks, self._ahead)):
            raise self._failure
        self._be_silent_at_most(between_chunks)

    async def read(self) -> list[Event]:
        """Return what arrived, at least one event; an empty list is the end.

        Raises:
            EngineUnavailable: the connection broke or fell silent.
            EngineProtocolError: what came is not a stream of completions.
        """
        try:
            while not self._ahead and not self._is_over:
                self._ahead = await self._read()
        except EngineError as error:
            self._secret.seal(error)
            raise
        events, self._ahead = self._ahead, []
        if not events and self._failure is not None:
            raise self._secret.seal(self._failure)
        return events

    async def _read(self) -> list[Event]:
        content = self._response.content
        try:
            if self._response.content_type == "application/json":
                events = [decode_event(await content.read())]
                self._is_over = True
            elif received := await content.readany():
                events = self._stream.feed(received)
            else:
                events = self._stream.end()
                self._is_over = True
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            if not self._stream.is_done:
                raise lost(error, self._url, self._secret) from None
            self._is_over, events = True, []
        errors = [place for place, event in enumerate(events) if event.error]
        if errors:
            self._failure = stream_error(events[errors[0]].error, self._secret, self._url)
            events = events[: errors[0]]
        elif self._stream.failure is not None:
            self._failure = self._stream.failure
        self._is_over = self._is_over or self._failure is not None
        if self._stream.is_done:
            self._be_silent_at_most(_FAREWELL_SECONDS)
        return events

    def _be_silent_at_most(self, seconds: float) -> None:
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = seconds

    @property
    def is_done(self) -> bool:
        """The server said so itself."""
        return self._stream.is_done

    def close(self) -> None:
        """Hang up if the stream is not over: the server stops decoding."""
        self._response.close()


def _speaks(event: Event) -> bool:
    return event.usage is not None or any(
        choice.finish_reason
        or choice.text
        or choice.message
        or (choice.delta and (choice.delta.content or choice.delta.reasoning_content))
        or (choice.delta and (choice.delta.reasoning or choice.delta.refusal))
        for choice in event.choices
    )


def lost(error: Exception, url: str, secret: Secret) -> EngineUnavailable:
    """Say how a connection failed."""
    why = secret.scrub(str(error)) or type(error).__name__
    if isinstance(error, TimeoutError):
        return EngineUnavailable(f"{url} kept silent for too long: {why}")
    return EngineUnavailable(f"{url} can't be reached or hung up: {why}")


class Client:
    """Asks one server; belongs to the event loop that made it."""

    def __init__(
        self, url: str, secret: Secret, timeouts: Timeouts, retries: Retries, connections: int
    ) -> None:
        self.url = url
        self._secret = secret
        self._timeouts = timeouts
        self._retries = retries
        self._pooled = self._new_session(keeps=True, connections=connections)
        self._fresh = self._new_session(keeps=False, connections=connections)
        self._proxy = proxy_for(url)

    async def aclose(self) -> None:
        """Close the pool."""
        await self._pooled.close()
        await self._fresh.close()

    def _new_session(self, *, keeps: bool, connections: int) -> aiohttp.ClientSession:
        """Make a session that trusts no environment: aiohttp would read keys from ~/.netrc, too."""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if key := self._secret.reveal():
            headers["Authorization"] = f"Bearer {key}"
        times = self._timeouts
        return aiohttp.ClientSession(
            headers=headers,
            connector=aiohttp.TCPConnector(limit=connections, force_close=not keeps),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=times.connect, sock_read=times.first_token
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stream(self, path: str, body: Callable[[], bytes], learn: Learn) -> Reply:
        """Ask for a completion and wait for its first token.

        Args:
            path: below the server's address.
            body: written anew for each attempt, as `learn` may have changed it.
            learn: told of each refusal.

        Raises:
            EngineError: refused, or unavailable for as long as `Retries` allows.
        """
        try:
            return await self._ask(path, body, learn)
        except EngineUnavailable as error:
            failure: EngineUnavailable | None = error  # stamina's set-up costs more than a call
        retries = self._retries
        async for attempt in stamina.retry_context(
            on=retries.allows,
            attempts=retries.attempts,
            timeout=retries.seconds,
            wait_initial=retries.wait_initial,
            wait_max=retries.wait_max,
        ):
            with attempt:
                if failure is not None:
                    first, failure = failure, None
                    raise first
                return await self._ask(path, body, learn)
        raise AssertionError("stamina ends by returning or raising")

    async def _ask(self, path: str, body: Callable[[], bytes], learn: Learn) -> Reply:
        """Ask once, or once more for each lesson."""
        for _ in range(_LESSONS):
            try:
                return await self._open(path, body())
            except EngineError as error:
                if not learn(error):
                    raise
        return await self._open(path, body())

    async def _open(self, path: str, body: bytes) -> Reply:
        try:
            response = await self._post(f"{self.url}/{path}", body)
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            failure = lost(error, self.url, self._secret)
        else:
            reply = Reply(response, self._secret, self.url)
            try:
                await self._check(response)
                await reply.begin(self._timeouts.between_chunks)
            except BaseException as error:
                reply.close()
                if isinstance(error, EngineError):
                    self._secret.seal(error)
                raise
            return reply
        raise failure  # out here it carries nothing of the library's error, whose headers hold keys

    async def _post(self, url: str, body: bytes) -> aiohttp.ClientResponse:
        """Post on a kept connection; at once on a new one if the server had hung up on that.

        llama.cpp's server does so after every stream, its Keep-Alive header notwithstanding.
        """
        arguments: dict[str, Any] = {"data": body, "proxy": self._proxy, "allow_redirects": False}
        try:
            return await self._pooled.post(url, **arguments)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return await self._fresh.post(url, **arguments)

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raise what any status but 200 means."""
        if response.status == 200:
            return
        try:
            body = await response.content.read(_REFUSAL_BYTES)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise lost(error, self.url, self._secret) from None
        words = said(body, self._secret)
        raise refusal(response.status, words, response.headers, self.url)

    async def json(self, url: str, body: object = None, *, seconds: float = 10.0) -> Any:
        """Get, or post `body` to, a path of the server itself and return the decoded answer.

        Raises:
            EngineError: it answered other than 200, or not with JSON.
        """
        try:
            return await self._json(url, body, seconds)
        except EngineError as error:
            self._secret.seal(error)
            raise

    async def _json(self, url: str, body: object, seconds: float) -> Any:
        method, data = ("GET", None) if body is None else ("POST", msgspec.json.encode(body))
        timeout = aiohttp.ClientTimeout(total=seconds)
        try:
            async with self._fresh.request(
                method, url, data=data, allow_redirects=False, proxy=self._proxy, timeout=timeout
            ) as response:
                await self._check(response)
                return msgspec.json.decode(await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise lost(error, self.url, self._secret) from None
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise EngineProtocolError(
                f"{self.url} answered with something else than JSON"
            ) from None


def proxy_for(url: str) -> str | None:
    """Return the environment's proxy for an https address outside this machine.

    A plain http address is never asked through a proxy, which would read the prompts.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get("https")
