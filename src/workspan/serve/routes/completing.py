"""Requests for completions, texts and embeddings: read, weighed, and passed on or scaled."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from workspan.errors import InputError
from workspan.serve.asked import Asked, Wish
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Form, Passed
from workspan.serve.relay.body import Body
from workspan.serve.relay.passing import relay
from workspan.serve.routes.following import NAMELESS, followed
from workspan.serve.routes.worth import worth
from workspan.serve.routing import Target, housekeeping
from workspan.serve.seeing.content import last_turn
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange


async def chat(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Answer ``POST /v1/chat/completions``."""
    key = await gateway.who(exchange)
    record.by(key)
    body = Body.read(await exchange.body())
    wish = gateway.wished(exchange, body)
    target = gateway.target(body, wish, key, record)
    if "messages" not in body:
        raise Failed(
            400, "messages must be a list of turns", code="invalid_request", param="messages"
        )
    asked = gateway.asked(exchange, body, wish, target, key)
    _show(gateway, asked, record)
    passed = Passed.read(await gateway.joined(asked, record), body, "chat")
    record.is_stream = passed.is_streamed
    await answered(gateway, exchange, target, passed, record)


async def answered(
    gateway: Gateway, exchange: Exchange, target: Target, passed: Passed, record: Record
) -> None:
    """Pass a turn of a conversation on, or scale it; where it is chosen, run it beside later.

    Raises:
        WorkspanError: it can't be done, or nobody answers.
    """
    passed = await followed(gateway, exchange, passed, record)
    shadow = gateway.shadow
    if shadow is None:
        await _answered(gateway, exchange, target, passed, record)
        return
    record.told = [] if shadow.chosen() else None
    try:
        with shadow.present(target.upstream):
            await _answered(gateway, exchange, target, passed, record)
        if record.told is not None and exchange.status == 200:
            shadow.take(_alone(passed), record)
    finally:
        record.told = record.decided = None  # a record is kept for long


def _alone(passed: Passed) -> Passed:
    """Return a request that is of no trajectory: what runs beside it is not on that account."""
    return structs.replace(passed, asked=structs.replace(passed.asked, turn=None))


async def _answered(
    gateway: Gateway, exchange: Exchange, target: Target, passed: Passed, record: Record
) -> None:
    target = await worth(gateway, _weighed(target, passed, record), passed, record)
    if target.strategy is None:
        await relay(
            exchange, passed, gateway.in_order(target.upstream, passed), gateway.accounts, record
        )
        return
    from workspan.serve.routes.scaling import scale

    record.strategy, record.engine = target.written, target.upstream
    await scale(gateway, exchange, passed.as_chat, record)


def _weighed(target: Target, passed: Passed, record: Record) -> Target:
    """Pass a client's housekeeping on, where nobody asked for a strategy by its name."""
    if not target.is_default or passed.asked.wish.strategy is not None:
        return target
    try:
        why = housekeeping(passed.as_chat.body, passed.cap)
    except InputError:
        why = "dialect"  # a strategy asks by Chat, which has no words for this
    if not why:
        return target
    record.why_straight = why
    return replace(target, strategy=None, written="")


async def completions(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Pass ``POST /v1/completions`` on: prompts as text or tokens, echo and log-probabilities."""
    await _passed_on(gateway, exchange, record, "completion")


async def embeddings(gateway: Gateway, exchange: Exchange, record: Record) -> None:
    """Pass ``POST /v1/embeddings`` on."""
    await _passed_on(gateway, exchange, record, "embedding")


async def _passed_on(gateway: Gateway, exchange: Exchange, record: Record, form: Form) -> None:
    key = await gateway.who(exchange)
    record.by(key)
    body = Body.read(await exchange.body())
    wish = gateway.wished(exchange, body)
    target = gateway.target(body, Wish(wish.budget, None, wish.explain), key, record)
    if wish.strategy is not None:
        said = "strategies answer chats alone: leave workspan.strategy out, or ask for a chat"
        raise Failed(400, said, code="unsupported", param="workspan.strategy")
    plain = replace(target, strategy=None, written="")
    asked = gateway.asked(exchange, body, wish, plain, key)
    _show(gateway, asked, record)
    if wish.trajectory is not None and not wish.trajectory.name:
        raise InputError(NAMELESS)
    passed = Passed.read(await gateway.joined(asked, record), body, form)
    record.is_stream = passed.is_streamed
    await relay(
        exchange, passed, gateway.in_order(target.upstream, passed), gateway.accounts, record
    )


def _show(gateway: Gateway, asked: Asked, record: Record) -> None:
    """Keep what is asked, for an operator who lets it be shown."""
    if gateway.feed.shows:
        record.prompt = last_turn(asked.fields)
