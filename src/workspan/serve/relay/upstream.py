"""A server that requests are passed on to: its connections, its line, what it has taught."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from io import BytesIO

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from workspan.boundary.address import proxy_for
from workspan.core.engine import Price
from workspan.engines.endpoint import Endpoint
from workspan.engines.endpoint.complaints import Complaint
from workspan.engines.endpoint.lessons import CAP_NAMES, is_cap_refused, refused_fields
from workspan.engines.pool import Member, Members
from workspan.serve.config import Limits, Upstream
from workspan.serve.relay.body import Body
from workspan.serve.relay.native.spoken import Spoken
from workspan.serve.relay.places import Places

_GIVEN_UP = frozenset({"stream_options", "temperature"})
"""What is left out once a server has refused it: without it the answer is of the same kind."""
_RETRIES = {"retries__attempts": "3", "retries__seconds": "5"}
"""How a strategy's call is asked again where an upstream refuses, unless the operator says
otherwise: a client waits meanwhile, and can ask again by itself once it is told when."""
_ONCE = {"retries__attempts": "1", "retries__seconds": "5"}
"""The same where others answer in its place."""
_LARGE = 1 << 20
"""Bytes that are better sent in pieces."""


@dataclass(slots=True)
class Posted:
    """How one request was sent."""

    is_first: bool = False
    """On its connection, which was opened for it."""


_POSTED: ContextVar[Posted | None] = ContextVar("posted", default=None)
"""Of the request that is being sent."""


class _Connector(aiohttp.TCPConnector):
    """Says which requests a connection was opened for.

    The library's own traces say it, too, for a tenth of what a request costs.
    """

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        """Open one, where none is open that could be used again."""
        if (posted := _POSTED.get()) is not None:
            posted.is_first = True
        return await super()._create_connection(req, traces, timeout)


@dataclass(slots=True)
class Lessons:
    """How one server wants to be asked, by what it refused."""

    gave_up: set[str] = field(default_factory=set)
    caps_refused: set[str] = field(default_factory=set)

    def cap_name(self, asked: str = "") -> str:
        """Return the name that a cap goes by."""
        names = [asked, *CAP_NAMES] if asked else CAP_NAMES
        return next((name for name in names if name not in self.caps_refused), CAP_NAMES[0])

    def copy(self) -> Lessons:
        """Return what is known now."""
        return Lessons({*self.gave_up}, {*self.caps_refused})

    def unlearn(self, before: Lessons) -> None:
        """Forget what was learnt since: it helped nothing.

        A rejection may repeat what a client wrote. What one teaches stands once the server has
        taken a request by it.
        """
        self.gave_up &= before.gave_up
        self.caps_refused &= before.caps_refused

    def learn(self, complaint: Complaint, sent: Body, model: str) -> bool:
        """Take a refusal in; True if the same request may be asked again in another way."""
        for name in CAP_NAMES:
            is_new = name in sent and name not in self.caps_refused
            if is_new and is_cap_refused(complaint, name, model) and len(self.caps_refused) == 0:
                self.caps_refused.add(name)
                return True
        found = refused_fields(complaint, sent.names, model) & _GIVEN_UP
        new = found - self.gave_up
        self.gave_up |= new
        return bool(new)


class Server:
    """One upstream of a process."""

    def __init__(self, stated: Upstream, limits: Limits, *, stands_alone: bool = True) -> None:
        retries = _RETRIES if stands_alone else _ONCE
        stated = replace(stated, settings=stated.settings.with_defaults(**retries))
        self._stated = stated
        self.name = stated.name
        self.price: Price | None = stated.price
        self.engine = Endpoint(
            stated.engine, stated.model, price=stated.price, **stated.settings.for_completions()
        )
        """The same server as strategies ask it."""
        self.model = stated.model
        self.url = self.engine.url
        self.secret = self.engine.secret
        self.pace = self.engine.pace
        self.sizes = self.engine.sizes
        self.overshoot = self.engine.overshoot
        self.extra = dict(self.engine.extra_body)
        self.lessons = Lessons()
        self.spoken = Spoken(stated.speaks)
        self.limits = limits
        self.first_byte = min(limits.first_byte_seconds, self.engine.timeouts.first_token)
        self.places = Places(self.engine.concurrency, limits.waiting, limits.waiting_per_key)
        self.standing: tuple[Members, Member] | None = None
        """Among those that answer for one another, where it is in a pool."""
        self._proxy = proxy_for(self.url)
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """Make the pool, in the loop that uses it; nothing is asked."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key := self.secret.reveal():
            name = self.engine.key_header
            headers |= {name: key} if name else {"Authorization": f"Bearer {key}"}
        self._session = aiohttp.ClientSession(
            headers=headers | dict(self.engine.headers),
            connector=_Connector(limit=0, keepalive_timeout=30),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=self.engine.timeouts.connect, sock_read=None
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=1 << 16,
        )

    def name_model(self, model: str) -> None:
        """Set the model that was found."""
        self.model = model
        self.engine = Endpoint(
            self.url, model, price=self.price, **self._stated.settings.for_completions()
        )
        self.secret, self.pace, self.sizes = (
            self.engine.secret,
            self.engine.pace,
            self.engine.sizes,
        )

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str], posted: Posted | None = None
    ) -> Awaitable[aiohttp.ClientResponse]:
        """Post a body; `posted` is told how."""
        assert self._session is not None  # opened with the process
        _POSTED.set(posted)  # of the task that waits for it, until it posts again
        return self._session.post(
            f"{self.url}/{path}",
            data=body if len(body) < _LARGE else BytesIO(body),
            headers=headers,
            proxy=self._proxy,
            allow_redirects=False,
        )

    async def get(self, url: str, seconds: float) -> aiohttp.ClientResponse:
        """Get an address of the server's."""
        assert self._session is not None
        timeout = aiohttp.ClientTimeout(total=seconds)
        return await self._session.get(
            url,
            proxy=self._proxy,
            allow_redirects=False,
            timeout=timeout,
        )

    @property
    def root(self) -> str:
        """The server's address without its last ``/v1``."""
        return self.url.removesuffix("/v1")

    async def aclose(self) -> None:
        """Close everything."""
        if self._session is not None:
            await self._session.close()
        await self.engine.aclose()


async def at_most(
    response: aiohttp.ClientResponse, limit: int, parts: list[bytes] | None = None
) -> bytes:
    """Read a body up to the first piece beyond so many bytes; `parts` has it as far as it came."""
    parts, size = [] if parts is None else parts, 0
    while part := await response.content.readany():
        parts.append(part)
        size += len(part)
        if size > limit:
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)
