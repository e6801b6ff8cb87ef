"""A chat that a strategy answers: its account opened, its events written, its client watched."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import structs

from workspan.app.specs import DEFAULT_BUDGET
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.errors import EngineError
from workspan.serve.accounts import Account
from workspan.serve.asked import Asked
from workspan.serve.gateway import Gateway
from workspan.serve.relay.agents import begun
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.trouble import of_engine
from workspan.serve.scaled import answer, stream
from workspan.serve.scaled.deciding import differ, names_of
from workspan.serve.scaled.watching import Decided
from workspan.serve.seeing.noting import noting
from workspan.serve.seeing.record import Record
from workspan.serve.seeing.strategy_run import Run
from workspan.serve.trajectories.kept import NO_TRAJECTORY
from workspan.serve.wire import sse
from workspan.serve.wire.exchange import Exchange

_USUAL = Budget.parse(DEFAULT_BUDGET)
"""Of a request that a strategy answers, where neither client nor operator limits what it takes."""

_FAILED = ("failed", "lost")


async def scale(gateway: Gateway, exchange: Exchange, passed: Passed, record: Record) -> None:
    """Answer a chat by its strategy.

    Raises:
        WorkspanError: see `workspan.serve.scaled`; nothing was sent, or the stream has begun.
    """
    asked = passed.asked
    budget = asked.budget
    if budget.work is None and budget.calls is None and budget.cost is None:
        asked = structs.replace(asked, budget=replace(budget, work=_USUAL.work))
    line = asked.key.id if asked.key is not None else ""
    engines = gateway.pools.engines(
        gateway.engines,
        line,
        exchange.calling,
        client=asked.client,
        is_behind=asked.wish.is_batch,
    )
    opened = gateway.accounts.open(
        asked.key,
        asked.budget,
        route=record.route,
        model=asked.model,
        id=asked.id,
        is_priced=engines[asked.upstream].info.price is not None,
        within=NO_TRAJECTORY if asked.turn is None else asked.turn.within,
    )
    async with opened as account, noting(account, exchange, record):
        asked = structs.replace(asked, body=begun(exchange, passed, account).asked.body)
        try:
            await _by(gateway, exchange, asked, engines, account, record)
        except EngineError as error:
            own = gateway.pools.order(asked.upstream)  # two pools may share an address
            urls = {server.url: server.name for server in (*gateway.servers.values(), *own)}
            raise of_engine(error, urls) from None
        finally:
            record.total = account.ledger.spent
            record.failures += [
                (bar.engine, bar.outcome) for bar in record.timeline.bars if bar.outcome in _FAILED
            ]


async def _by(
    gateway: Gateway,
    exchange: Exchange,
    asked: Asked,
    engines: Mapping[str, Engine],
    account: Account,
    record: Record,
) -> None:
    """Answer by one upstream."""
    record.engine, record.model = asked.upstream, gateway.engines[asked.upstream].info.model
    record.timeline.engine = asked.upstream
    if asked.chat.is_streamed:
        exchange.is_stream = True
        await _streamed(gateway, exchange, asked, engines, account, record)
        return
    rules, run = gateway.config.rules, Run(record.timeline)
    decide = _deciding(run, asked, record)
    reply = await answer(asked, engines, account, run.take, rules=rules, on_decided=decide)
    record.begin()
    _note(record, reply.workspan)
    record.model = gateway.engines[record.engine].info.model
    shown = gateway.models.get(record.engine) or record.model
    await exchange.answer(msgspec.json.encode({**reply.body, "model": shown}))


async def _streamed(
    gateway: Gateway,
    exchange: Exchange,
    asked: Asked,
    engines: Mapping[str, Engine],
    account: Account,
    record: Record,
) -> None:
    """Write chunks as they come, and the last word once all of them have."""
    run = Run(record.timeline)
    told = stream(
        asked,
        engines,
        account,
        run.take,
        rules=gateway.config.rules,
        on_decided=_deciding(run, asked, record),
    )
    async with aclosing(told) as chunks:
        async for chunk in chunks:
            _note(record, chunk.get("workspan") or {})
            record.begin()
            await exchange.begin()
            await exchange.write(sse.event(chunk))
    await exchange.end(sse.DONE)


def _deciding(run: Run, asked: Asked, record: Record) -> Callable[[Decided], None]:
    """Show how a run was decided, keep it where the request is to be run beside, and learn of it.

    What is learnt is whether drafts of a step with tools differed.
    """

    def decide(told: Decided) -> None:
        run.decide(told)
        if record.told is not None:
            record.decided = told.result
        drafts = told.result.answer.candidates
        if asked.turn is not None and drafts and asked.chat.request.may_call:
            is_pair = len(drafts) > 1
            asked.turn.learn(names_of(drafts[0]), differs=differ(*drafts[:2]) if is_pair else None)

    return decide


def _note(record: Record, told: Mapping[str, Any]) -> None:
    """Remember what a reply says of itself."""
    if not told:
        return
    record.stop = str(told.get("stop") or "")
    record.strategy = str(told.get("strategy") or record.strategy)
    record.engine = str(told.get("engine") or record.engine)
    record.span = int(told.get("span") or 0)
    record.over = int(told.get("overrun") or 0)
