"""A chat that a strategy answers: its account opened, its events written, its client watched."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec

from workspan.app.specs import DEFAULT_BUDGET
from workspan.budget import Budget
from workspan.serve.accounts import Account
from workspan.serve.asked import Asked
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
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
    info = gateway.engines[asked.upstream].info
    record.model = info.model
    opened = gateway.accounts.open(
        asked.key,
        asked.budget,
        route=record.route,
        model=asked.model,
        id=asked.id,
        is_priced=info.price is not None,
    )
    async with opened as account, noting(account, exchange, record):
        try:
            if passed.is_streamed:
                exchange.is_stream = True
                await _streamed(gateway, exchange, asked, account, record)
            else:
                rules = gateway.config.rules
                reply = await answer(asked, gateway.engines, account, rules=rules)
                _note(record, reply.workspan)
                await exchange.reply(reply.status, msgspec.json.encode(reply.body))
        finally:
            record.total = account.ledger.spent


async def _streamed(
    gateway: Gateway, exchange: Exchange, asked: Asked, account: Account, record: Record
) -> None:
    """Write chunks as they come, and the last word once all of them have."""
    rules = gateway.config.rules
    async with aclosing(stream(asked, gateway.engines, account, rules=rules)) as chunks:
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
