"""One HTTP connection pool to one server: asks, retries what may pass, reads the stream."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import aiohttp
import msgspec

from workspan.boundary.address import proxy_for
from workspan.boundary.secret import Secret
from workspan.core.engine import Post
from workspan.engines.endpoint.complaints import Complaint, read_complaint
from workspan.engines.endpoint.rejections import rejection
from workspan.engines.endpoint.reply import Refused, Reply, Size, lost
from workspan.errors import EngineError, EngineProtocolError, EngineUnavailable, InputError

if TYPE_CHECKING:
    import stamina

logging.getLogger("stamina").addHandler(logging.NullHandler())
"""Retries are told in results; whoever wants its log lines configures logging."""

_REFUSAL_BYTES = 65_536
_ANSWER_BYTES = 32 * 1024 * 1024
"""Of a list of models or a count; the longest list of a gateway takes a few."""
_LESSONS = 32
"""How many rejections of one request may be answered by asking differently: one for each field."""

_MAY_HAVE_SERVED = frozenset({500, 502, 504})
"""What a server says inside a reply of status 200 when it fails while it decodes."""

Learn: TypeAlias = Callable[[Complaint], bool]
"""Told of a refusal; True asks again at once."""
Tell: TypeAlias = Callable[[Post], None]
"""Told of each request."""
_BODILESS = frozenset({204, 205, 304})
"""Replies that have no body by definition: what a server sends behind one all the same would be
read as the beginning of the next reply on that connection."""
_LARGE = 1 << 20
"""Bytes from which aiohttp warns of a body that is no file: written at once it holds up others."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds of silence after which a server counts as gone."""

    connect: float = 10.0
    first_token: float = 300.0
    """From asking to the first token: the queue and the prompt. Signs of life do not count."""
    between_chunks: float = 60.0
    """Without anything new, whether the server keeps silent or sends pings and empty pieces."""

    def __post_init__(self) -> None:
        """Check the arguments."""
        for name in ("connect", "first_token", "between_chunks"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(f"{name} is {value}: a time-out is a number of seconds above 0")


@dataclass(frozen=True, slots=True)
class Retries:
    """How long to go on asking a server that refuses before its first token."""

    attempts: int = 6
    seconds: float = 90.0
    wait_initial: float = 0.5
    wait_max: float = 20.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.attempts < 1:
            raise InputError(f"attempts is {self.attempts}: at least 1")
        for name in ("seconds", "wait_initial", "wait_max"):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise InputError(f"{name} is {value}: a number of seconds, 0 or more")

    def allows(self, error: Exception) -> bool | float:
        """Say whether to ask again, and when, where the server has said it."""
        if not isinstance(error, EngineUnavailable) or error.served != "no":
            return False  # what may be charged for is asked again on the account, not here
        if error.retry_after is None:
            return True
        return error.retry_after if error.retry_after <= self.seconds else False

    def again(self) -> AsyncIterator[stamina.Attempt]:
        """Give attempts as long as they fail with what `allows` lets be asked again."""
        import stamina  # for the first call that fails: few do, and it takes long to load

        return stamina.retry_context(
            on=self.allows,
            attempts=self.attempts,
            timeout=self.seconds,
            wait_initial=self.wait_initial,
            wait_max=self.wait_max,
        )


class _Died(aiohttp.ServerDisconnectedError):
    """A server hung up on a request before its first byte, and nobody is at its address."""


_WAS_TAKEN = (aiohttp.SocketTimeoutError, aiohttp.ClientResponseError, _Died)
"""How a request fails that a server has taken, and may have been at work on: it kept silent, sent
what is no HTTP reply (such as a body behind a reply before that had to have none), or died."""


def _payload(body: bytes) -> bytes | BytesIO:
    """Hand over a large body, such as one with pictures, as a file: written piece by piece."""
    return body if len(body) < _LARGE else BytesIO(body)


class Client:
    """Asks one server; belongs to the event loop that made it."""

    def __init__(
        self,
        url: str,
        secret: Secret,
        timeouts: Timeouts,
        retries: Retries,
        connections: int,
        *,
        headers: Mapping[str, str] | None = None,
        key_header: str = "",
    ) -> None:
        """`headers` go with every request; `key_header` holds the key in Authorization's place."""
        self.url = url
        self._headers = dict(headers or {})
        self._key_header = key_header
        self._secret = secret
        self._timeouts = timeouts
        self._retries = retries
        self._pooled = self._new_session(keeps=True, connections=connections)
        self._fresh = self._new_session(keeps=False, connections=connections)
        self._can_keep = True
        self._proxy = proxy_for(url)

    async def aclose(self) -> None:
        """Close the pool."""
        await self._pooled.close()
        await self._fresh.close()

    def _new_session(self, *, keeps: bool, connections: int) -> aiohttp.ClientSession:
        """Make a session that trusts no environment: aiohttp would read keys from ~/.netrc, too."""
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if key := self._secret.reveal():
            scheme = {} if self._key_header else {"Authorization": f"Bearer {key}"}
            headers |= scheme or {self._key_header: key}
        headers |= self._headers
        times = self._timeouts
        return aiohttp.ClientSession(
            headers=headers,
            trace_configs=[_tracing()],
            connector=aiohttp.TCPConnector(limit=connections, force_close=not keeps),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=times.connect, sock_read=times.first_token
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stream(
        self,
        path: str,
        body: Callable[[], bytes],
        learn: Learn,
        size: Size,
        failures: list[EngineUnavailable],
        tell: Tell,
    ) -> Reply:
        """Ask for a completion and wait for its first token.

        Args:
            path: below the server's address.
            body: written anew for each attempt, as `learn` may have changed it.
            learn: told of each refusal.
            size: how much the reply may hold.
            failures: takes those that are answered by asking again.
            tell: told when a request leaves, and when one was refused without a charge.

        Raises:
            EngineError: refused, or unavailable for as long as `Retries` allows.
        """
        try:
            return await self._ask(path, body, learn, size, tell)
        except EngineUnavailable as error:
            if error.served != "no":
                raise
            tell("refused")
            failure: EngineUnavailable | None = error  # stamina's set-up costs more than a call
            failures.append(error)
        async for attempt in self._retries.again():
            with attempt:
                if failure is not None:
                    first, failure = failure, None
                    raise first
                try:
                    return await self._ask(path, body, learn, size, tell)
                except EngineUnavailable as error:
                    if error.served == "no":
                        tell("refused")
                    failures.append(error)
                    raise
        raise AssertionError("stamina ends by returning or raising")

    async def _ask(
        self, path: str, body: Callable[[], bytes], learn: Learn, size: Size, tell: Tell
    ) -> Reply:
        """Ask once, or once more for each lesson."""
        for lesson in range(_LESSONS + 1):
            try:
                return await self._open(path, body(), size, tell)
            except Refused as refused:
                complaint = refused.complaint
                if lesson == _LESSONS or not learn(complaint):
                    error = self._secret.seal(rejection(complaint, self.url))
                    is_failure = isinstance(error, EngineUnavailable) and refused.is_reply
                    if is_failure and (error.status or 500) in _MAY_HAVE_SERVED:
                        error.served = "part"
                    raise error from None
        raise AssertionError("the last lesson raises")

    async def _open(self, path: str, body: bytes, size: Size, tell: Tell) -> Reply:
        try:
            response = await self._post(f"{self.url}/{path}", body, tell)
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            failure = lost(error, self.url, self._secret)
            is_proxy = isinstance(error, aiohttp.ClientHttpProxyError)
            if isinstance(error, _WAS_TAKEN) and not is_proxy:
                failure.served = "whole" if size.is_whole else "part"
        else:
            reply = Reply(response, self._secret, self.url, size)
            try:
                await self._check(response)
                await self._begin(reply, response, size)
            except BaseException as error:
                reply.close()
                if isinstance(error, EngineError):
                    self._secret.seal(error)
                raise
            return reply
        raise failure  # out here it carries nothing of the library's error, whose headers hold keys

    async def _begin(self, reply: Reply, response: aiohttp.ClientResponse, size: Size) -> None:
        """Wait for the first token; from here on the server may charge for what it decodes."""
        try:
            await reply.begin(self._timeouts.first_token, self._timeouts.between_chunks)
        except Refused as refused:
            refused.is_reply = True
            raise
        except EngineError as error:
            is_whole = size.is_whole or response.content_type == "application/json"
            if response.content_type != "text/html":
                error.served = "whole" if is_whole else "part"
            raise

    async def _post(self, url: str, body: bytes, tell: Tell) -> aiohttp.ClientResponse:
        """Post on a kept connection; at once on a new one if the server had hung up on that.

        llama.cpp's server does so after every stream, its Keep-Alive header notwithstanding.
        """
        arguments: dict[str, Any] = {"proxy": self._proxy, "allow_redirects": False}
        arguments["trace_request_ctx"] = tell
        if not self._can_keep:
            return await self._fresh.post(url, data=_payload(body), **arguments)
        try:
            return await self._pooled.post(url, data=_payload(body), **arguments)
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            try:
                return await self._fresh.post(url, data=_payload(body), **arguments)
            except aiohttp.ClientConnectorError:
                raise _Died("the server hung up, and is not there any more") from None

    async def _check(self, response: aiohttp.ClientResponse) -> None:
        """Raise `Refused` for any status but 200."""
        if response.status == 200:
            return
        self._can_keep = self._can_keep and response.status not in _BODILESS
        try:
            body = await _at_most(response, _REFUSAL_BYTES)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise lost(error, self.url, self._secret) from None
        raise Refused(read_complaint(response.status, body, self._secret, response.headers))

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
                method,
                url,
                data=_payload(data) if data else None,
                allow_redirects=False,
                proxy=self._proxy,
                timeout=timeout,
            ) as response:
                await self._check(response)
                body = await _at_most(response, _ANSWER_BYTES)
                if len(body) > _ANSWER_BYTES:
                    raise EngineProtocolError(f"{self.url} answered without end")
                return msgspec.json.decode(body)
        except Refused as refused:
            raise rejection(refused.complaint, self.url) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise lost(error, self.url, self._secret) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise EngineProtocolError(
                f"{self.url} answered with something else than JSON"
            ) from None


def _tracing() -> aiohttp.TraceConfig:
    """Tell whoever asks, once there is a connection and before the first byte goes over it."""

    async def leaves(_: aiohttp.ClientSession, context: Any, __: object) -> None:
        if context.trace_request_ctx is not None:
            context.trace_request_ctx("leaves")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(leaves)
    return tracing


async def _at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Read a body up to the first piece beyond so many bytes."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > limit:
            break
    return bytes(body)
