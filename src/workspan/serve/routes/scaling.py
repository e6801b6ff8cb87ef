"""A chat that a strategy answers: its account opened, its events written, its client watched."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec

from workspan.app.specs import DEFAULT_BUDGET
from workspan.budget import Budget
from workspan.engines.base import Engine
from workspan.errors import EngineUnavailable
from workspan.serve.accounts import Account
from workspan.serve.asked import Asked
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.in_line import InLine
from workspan.serve.scaled import answer, stream
from workspan.serve.seeing.noting import noting
from workspan.serve.seeing.record import Record
from workspan.serve.wire import sse
from workspan.serve.wire.exchange import Exchange

_USUAL = Budget.parse(DEFAULT_BUDGET)
"""Of a request that a strategy answers, where neither client nor operator limits it."""


async def scale(gateway: Gateway, exchange: Exchange, passed: Passed, record: Record) -> None:
    """Answer a chat by its strategy.

    Raises:
        WorkspanError: see `workspan.serve.scaled`; nothing was sent, or the stream has begun.
    """
    asked = passed.asked
    if asked.budget == Budget():
        asked = replace(asked, budget=_USUAL)
    order = gateway.routing.order(asked.upstream)
    opened = gateway.accounts.open(
        asked.key,
        asked.budget,
        route=record.route,
        model=asked.model,
        id=asked.id,
        is_priced=all(gateway.engines[name].info.price is not None for name in order),
    )
    async with opened as account, noting(account, exchange, record):
        try:
            for name in order:
                try:
                    await _by(gateway, exchange, replace(asked, upstream=name), account, record)
                    return
                except EngineUnavailable:
                    has_cost = record.has_begun or account.ledger.spent.calls > 0
                    if has_cost or name == order[-1]:
                        raise
        finally:
            record.total = account.ledger.spent


async def _by(
    gateway: Gateway, exchange: Exchange, asked: Asked, account: Account, record: Record
) -> None:
    """Answer by one upstream."""
    record.engine, record.model = asked.upstream, gateway.engines[asked.upstream].info.model
    line = asked.key.id if asked.key is not None else ""
    engines: dict[str, Engine] = {
        name: InLine(one, gateway.servers[name].places, line) if name in gateway.servers else one
        for name, one in gateway.engines.items()
    }
    if asked.chat.is_streamed:
        exchange.is_stream = True
        await _streamed(gateway, exchange, asked, engines, account, record)
        return
    reply = await answer(asked, engines, account, rules=gateway.config.rules)
    _note(record, reply.workspan)
    await exchange.reply(reply.status, msgspec.json.encode(reply.body))


async def _streamed(
    gateway: Gateway,
    exchange: Exchange,
    asked: Asked,
    engines: Mapping[str, Engine],
    account: Account,
    record: Record,
) -> None:
    """Write chunks as they come, and the last word once all of them have."""
    rules = gateway.config.rules
    async with aclosing(stream(asked, engines, account, rules=rules)) as chunks:
        async for chunk in chunks:
            _note(record, chunk.get("workspan") or {})
            record.has_begun = True
            await exchange.begin()
            await exchange.write(sse.event(chunk))
    await exchange.end(sse.DONE)


def _note(record: Record, told: Mapping[str, Any]) -> None:
    """Remember what a reply says of itself."""
    if not told:
        return
    record.stop = str(told.get("stop") or "")
    record.strategy = str(told.get("strategy") or record.strategy)
    record.span = int(told.get("span") or 0)
