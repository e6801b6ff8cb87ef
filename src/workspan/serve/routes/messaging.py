"""Requests in Anthropic's Messages."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from workspan.engines.endpoint.complaints import read_complaint
from workspan.errors import EngineError
from workspan.serve.asked import Wish
from workspan.serve.dialects import MESSAGES
from workspan.serve.gateway import Gateway
from workspan.serve.relay import trouble
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.body import Body
from workspan.serve.relay.upstream import Server, at_most
from workspan.serve.routes.turning import turn
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange

_COUNT_BYTES = 65_536


async def messages(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/messages``."""
    await turn(gateway, exchange, record, MESSAGES, _check)


def _check(body: Body) -> None:
    """Refuse what hangs on a conversation that a server keeps: a turn of one is no prompt.

    Anthropic's own loops of tools then send all of it, by the details that they look for.

    Raises:
        Failed: it is asked for.
    """
    if "thread" not in body or body.raw("thread") == b"null":
        return
    said = "thread is not known here: no conversation is kept; send all messages"
    details = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
    raise Failed(400, said, code="unsupported", param="thread", details=details)


async def count_tokens(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/messages/count_tokens``: nothing is decoded, and nothing charged.

    Raises:
        Failed: the upstream can't tell.
    """
    key = await gateway.who(exchange)
    record.by(key)
    body = Body.read(await exchange.body())
    wish = gateway.wished(exchange, body)
    target = gateway.target(body, Wish(), key, record)
    if MESSAGES.prompt not in body:
        raise Failed(400, "messages must be given", code="invalid_request", param="messages")
    plain = replace(target, strategy=None, written="")
    asked = gateway.asked(exchange, body, wish, plain, key, MESSAGES)
    passed = Passed.read(asked, body, "message")
    failures: list[Failed] = []
    for server in gateway.in_order(target.upstream):
        record.engine, record.model = server.name, server.model
        try:
            content = await _told(server, passed, exchange)
        except Failed as failed:
            failures.append(failed)
            continue
        await exchange.reply(200, content)
        return
    raise min(failures, key=lambda one: one.code == "unsupported")


async def _told(server: Server, passed: Passed, exchange: Exchange) -> bytes:
    """Have one upstream count, in one way or another.

    Raises:
        Failed: it can't.
    """
    if await server.spoken.speaks(MESSAGES, server):
        content = await _counted(server, passed, exchange)
        if content is not None:
            return content
    return msgspec.json.encode({"input_tokens": await _own(server, passed)})


async def _counted(server: Server, passed: Passed, exchange: Exchange) -> bytes | None:
    """Ask an upstream of the dialect; None where it does not count."""
    body = passed.written(server, None)
    path = f"{MESSAGES.path}/count_tokens"
    try:
        reply = await server.post(path, body.written(), passed.asked.headers)
        async with reply:
            content = await at_most(reply, _COUNT_BYTES)
    except trouble.LOST as error:
        why = trouble.words(error, server.secret)
        raise trouble.broke(server.name, why).failed from None
    if reply.status == 404:
        return None
    exchange.touch()
    if reply.status != 200 or len(content) > _COUNT_BYTES:
        told = read_complaint(reply.status, content, server.secret, reply.headers)
        raise trouble.refused(told, server.name, content, reply.headers, server.secret).failed
    return content


async def _own(server: Server, passed: Passed) -> int:
    """Count by the server's own tokenizer, where it has a door for that.

    Raises:
        Failed: it has none: a bound is no count.
    """
    request = passed.as_chat.asked.chat.request
    try:
        await server.engine.count(request)
    except EngineError as error:
        raise Failed(502, str(error), code="upstream_error") from None
    found = server.sizes.known(request)
    if found is None:
        said = f"{server.name} does not count tokens without decoding any"
        raise Failed(404, said, code="unsupported")
    return found
