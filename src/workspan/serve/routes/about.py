"""What the gateway says of itself: its models, its health, its figures, its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from workspan.errors import StoreError
from workspan.serve.gateway import Gateway
from workspan.serve.relay import trouble
from workspan.serve.relay.upstream import at_most
from workspan.serve.routes.openapi import DOCUMENT
from workspan.serve.seeing.metrics import KIND
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed, no_model
from workspan.serve.wire.exchange import Exchange

MODELS = "/v1/models"
_TOKENIZER_SECONDS = 10.0
_TOKENIZER_BYTES = 4 * 1024 * 1024


async def models(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /v1/models``: each model, alone and with each strategy that has a name."""
    key = await gateway.who(exchange)
    names = gateway.routing.names()
    data = [_model(gateway, name) for name in names if gateway.may_ask(key, name)]
    await exchange.reply(200, msgspec.json.encode({"object": "list", "data": data}))


async def model(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``GET /v1/models/NAME``.

    Raises:
        Failed: there is none.
    """
    key = await gateway.who(exchange)
    name = unquote(exchange.path[len(MODELS) + 1 :])
    record.route = f"{MODELS}/{{model}}"
    if name not in gateway.routing.names() or not gateway.may_ask(key, name):
        raise no_model(name, f"see {MODELS}")
    await exchange.reply(200, msgspec.json.encode(_model(gateway, name)))


def _model(gateway: Gateway, name: str) -> Mapping[str, Any]:
    return {"id": name, "object": "model", "created": gateway.since, "owned_by": "workspan"}


async def health(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /healthz``: the process runs."""
    await exchange.reply(200, b'{"status":"ok"}')


async def readiness(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /readyz``: requests are taken, and the store can be reached.

    Raises:
        Failed: they are not, or it can't.
    """
    if gateway.is_draining:
        raise Failed(503, "the server ends", code="draining")
    if gateway.accounts.gone:
        raise _no_store()
    if gateway.store is not None:
        try:  # one that nobody asked for a while may be gone, too
            await gateway.store.find("")
        except StoreError:
            raise _no_store() from None
    await exchange.reply(200, b'{"status":"ready"}')


def _no_store() -> Failed:
    return Failed(503, "the store can't be reached", code="store_unreachable")


async def metrics(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /metrics`` with what this process has done, and the other workers.

    Raises:
        Failed: it is not for whoever asks.
    """
    gateway.access.check(exchange)
    gateway.look()
    await exchange.reply(200, gateway.metrics.written(), kind=KIND)


async def openapi(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Answer ``GET /openapi.json``."""
    await exchange.reply(200, DOCUMENT)


async def tokenizer(gateway: Gateway, exchange: Exchange, record: Record) -> None:  # noqa: ARG001
    """Pass ``GET /tokenizer_info`` on, which lm-eval asks of vLLM.

    Raises:
        Failed: the upstream has none.
    """
    await gateway.who(exchange)
    server = next(iter(gateway.servers.values()), None)
    content = b""
    if server is not None:
        try:
            reply = await server.get(f"{server.root}/tokenizer_info", _TOKENIZER_SECONDS)
            async with reply:
                if reply.status == 200 and reply.content_type == "application/json":
                    content = await at_most(reply, _TOKENIZER_BYTES)
        except trouble.LOST:
            content = b""
    if not content or len(content) > _TOKENIZER_BYTES:
        raise Failed(404, "the upstream says nothing of its tokenizer", code="unknown_url")
    await exchange.reply(200, content)
