"""One turn of a conversation asked in another dialect than Chat: read, weighed, and answered."""

from __future__ import annotations

from collections.abc import Callable

from workspan.errors import InputError
from workspan.serve.dialects import Dialect, Voiced
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.body import Body
from workspan.serve.routes.completing import answered
from workspan.serve.seeing.content import last_turn
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed
from workspan.serve.wire.exchange import Exchange


async def turn(
    gateway: Gateway,
    exchange: Exchange,
    record: Record,
    dialect: Dialect,
    check: Callable[[Body], None],
) -> None:
    """Answer a request; `check` refuses what this gateway does not do of the dialect.

    Raises:
        WorkspanError: it can't be done, or nobody answers.
    """
    key = await gateway.who(exchange)
    record.by(key)
    body = Body.read(await exchange.body())
    wish = gateway.wished(exchange, body)
    target = gateway.target(body, wish, key, record)
    check(body)
    if dialect.prompt not in body:
        said = f"{dialect.prompt} must be given: what is to be answered"
        raise Failed(400, said, code="invalid_request", param=dialect.prompt)
    plain = gateway.asked(exchange, body, wish, target, key, dialect)
    asked = await gateway.joined(plain, record)
    passed = Passed.read(asked, body, dialect.form)
    record.is_stream = passed.is_streamed
    voice = exchange.voice
    assert isinstance(voice, Voiced)  # the table of addresses says so
    voice.make = lambda: dialect.speaker(asked.id, asked.fields, passed.spaces)
    if gateway.feed.shows:
        record.prompt = _shown(passed)
    await answered(gateway, exchange, target, passed, record)


def _shown(passed: Passed) -> str:
    """Return what is asked, for an operator who lets it be shown."""
    try:
        return last_turn(passed.as_chat.asked.fields)
    except InputError:
        return ""
