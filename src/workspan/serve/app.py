"""The ASGI application: one table of addresses, one place where every request ends."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from workspan.data.types import Amount
from workspan.serve.batches.running import LANE_KEY
from workspan.serve.config import Config
from workspan.serve.dialects import MESSAGES, RESPONSES, Voiced
from workspan.serve.gateway import Gateway
from workspan.serve.page import advice
from workspan.serve.page import routes as page
from workspan.serve.routes import about, batching, completing, messaging, responding
from workspan.serve.seeing.log import RequestLog
from workspan.serve.seeing.over import Over
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import NEVER_AGAIN, Failed, failed, no_method, no_route
from workspan.serve.wire.exchange import Exchange, Receive, Scope, Send
from workspan.serve.wire.origin import refuse_foreign, reply_to_preflight

Route: TypeAlias = Callable[[Gateway, Exchange, Record], Awaitable[None]]

_V1: Mapping[str, Mapping[str, Route]] = {
    "/chat/completions": {"POST": completing.chat},
    "/completions": {"POST": completing.completions},
    "/embeddings": {"POST": completing.embeddings},
    "/responses": {"POST": responding.responses},
    "/messages": {"POST": messaging.messages},
    "/messages/count_tokens": {"POST": messaging.count_tokens},
    "/models": {"GET": about.models},
}
ROUTES: Mapping[str, Mapping[str, Route]] = {
    **{f"/v1{path}": methods for path, methods in _V1.items()},
    **_V1,  # for base addresses without /v1
    "/healthz": {"GET": about.health},
    "/readyz": {"GET": about.readiness},
    "/metrics": {"GET": about.metrics},
    "/tokenizer_info": {"GET": about.tokenizer},
    "/openapi.json": {"GET": about.openapi},
    **{path: {"GET": page.asset} for path in page.ASSETS},
    page.EVENTS: {"GET": page.events},
    page.MAP: {"GET": page.evidence},
    advice.PATH: {"GET": advice.advice},
}
"""By address and method. A further dialect is one more row."""
_VOICES: Mapping[str, Callable[[str], Voiced]] = {
    f"{base}/{path}": dialect.voice
    for dialect, paths in (
        (RESPONSES, ("responses",)),
        (MESSAGES, ("messages", "messages/count_tokens")),
    )
    for path in paths
    for base in ("/v1", "")
}
"""How clients of other dialects than Chat are spoken to, errors included."""
_MODEL: Mapping[str, Route] = {"GET": about.model}
_SEEN = frozenset(path for path in ROUTES if "POST" in ROUTES[path])
"""What the page shows: what may be paid for."""
_OWN = frozenset({"/metrics", page.EVENTS, page.MAP, advice.PATH, *page.ASSETS})
"""The operator's: no page of another site reads them, whichever sites may ask for answers."""
_WHILE_DRAINING = frozenset({"/healthz", "/readyz", "/metrics"})


def _voice_else(exchange: Exchange) -> Callable[[str], Voiced] | None:
    """Return how an error is said at an address that all clients ask, or nobody."""
    path = exchange.path
    if path in _SEEN:  # they are Chat's
        return None
    is_below = path.startswith(("/v1/messages/", "/messages/"))
    return MESSAGES.voice if is_below or b"anthropic-version" in exchange.headers else None


class App:
    """The application of one process."""

    def __init__(
        self,
        config: Config,
        log: RequestLog | None = None,
        worker: str = "",
        folder: Path | None = None,
    ) -> None:
        """Take what the operator stated; `worker` names this process among several.

        `folder` is what they share beside the store.
        """
        self.gateway = Gateway(config, log, worker, folder)
        self.failure: BaseException | None = None
        """Why it could not start."""
        self._over = Over(self._tell)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Take what the server hands on: requests, and the process's beginning and end."""
        if scope["type"] == "http":
            return self._answer(scope, receive, send)
        return self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start before the first request, end after the last."""
        await receive()
        try:
            await self.gateway.start()
            self.gateway.begin_lane(self._answer)
        except Exception as error:  # noqa: BLE001  # whoever runs the server says it
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._over.tell()
        await self.gateway.aclose()
        self._over.tell()  # requests that ended with it
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        gateway = self.gateway
        limits, id = gateway.config.limits, gateway.request_id()
        exchange = Exchange(scope, receive, send, limits, id, gateway.bodies, gateway.loop)
        record = Record(exchange.id)
        gateway.watch.open.add(exchange)
        try:
            await self._routed(exchange, record)(gateway, exchange, record)
        except asyncio.CancelledError:
            if exchange.stopped is None:
                raise
            task = asyncio.current_task()
            assert task is not None
            task.uncancel()
            await self._stopped(exchange, record)
        except Exception as error:  # noqa: BLE001  # every request ends here
            await self._failed(exchange, record, error)
        finally:
            gateway.watch.open.discard(exchange)
            exchange.close()
            self._remember(exchange, record)

    def _routed(self, exchange: Exchange, record: Record) -> Route:
        """Return what answers a request.

        Raises:
            Failed: nothing does, or not now, or not for whoever asks.
        """
        path, method = exchange.path, exchange.method
        if (voice := _VOICES.get(path) or _voice_else(exchange)) is not None:
            exchange.voice = voice(exchange.id)
        methods = ROUTES.get(path)
        kept = batching.found(path) if methods is None else None
        if kept is not None:
            record.route, methods = kept
        elif methods is None:
            if not path.startswith(f"{about.MODELS}/"):
                record.route = "none"
                raise no_route(path)
            record.route, methods = about.MODELS, _MODEL
        else:
            record.route = path
        record.method = exchange.method
        if path in _SEEN:
            self._see(exchange, record)
        is_admitted = path not in _OWN and self.gateway.origins.admits(exchange)
        if is_admitted and method == "OPTIONS":
            known = methods
            return lambda _, told, __: reply_to_preflight(told, known)
        route = methods.get("GET" if method == "HEAD" else method)
        if route is None:
            raise no_method(method, path, ", ".join(methods))
        if self.gateway.is_draining and path not in _WHILE_DRAINING:
            exchange.extra.append((b"connection", b"close"))
            raise Failed(503, "the server ends", code="draining", headers={"retry-after": "1"})
        if method == "POST" and self.gateway.store is None and not is_admitted:
            refuse_foreign(exchange)
        return route

    async def _stopped(self, exchange: Exchange, record: Record) -> None:
        """End what was stopped: the client is told, unless it is gone."""
        why = exchange.why_stopped()
        record.status, record.code = why.status, why.code or ""
        if why.status == 499:
            exchange.abort()
            return
        await self._told(exchange, why)

    async def _failed(self, exchange: Exchange, record: Record, error: Exception) -> None:
        said = failed(error)
        if said.code == "bug":
            self.gateway.log.bug(exchange.id, error)
        if LANE_KEY in exchange.scope and record.total.amount != Amount():
            said.headers.update(NEVER_AGAIN)  # a line is asked again for a day: each time charged
        record.status, record.code = said.status, said.code or ""
        await self._told(exchange, said)

    async def _told(self, exchange: Exchange, said: Failed) -> None:
        """Say an error; a body that does not come ends the connection."""
        if exchange.stopped == "body":
            exchange.extra.append((b"connection", b"close"))
        try:
            await exchange.fail(said)
        except Exception as error:  # noqa: BLE001  # nobody is there to be told
            self.gateway.log.bug(exchange.id, error)

    def _remember(self, exchange: Exchange, record: Record) -> None:
        record.status = record.status or exchange.status
        record.seconds = perf_counter() - exchange.began
        record.overhead_ms = exchange.told_overhead_ms
        if record.turn is not None:
            record.turn.end(record.id, record.total, record.status)
        self._over.add(record, exchange.loop)

    def _tell(self, records: Sequence[Record]) -> None:
        """Let requests that are over be seen."""
        gateway = self.gateway
        for record in records:
            try:
                gateway.feed.end(record)
                gateway.metrics.add(record)
                if gateway.traces is not None and record.route in _SEEN:
                    gateway.traces.add(record)
            except Exception as error:  # noqa: BLE001  # a bug in the figures of one hides no other
                gateway.log.bug(record.id, error)
        gateway.log.add(*records)

    def _see(self, exchange: Exchange, record: Record) -> None:
        """Let a request be seen from here on."""
        self.gateway.feed.begin(record)
        if self.gateway.traces is not None:
            names = (b"traceparent", b"tracestate")
            record.parent = {
                name.decode(): exchange.header(name) for name in names if name in exchange.headers
            }
