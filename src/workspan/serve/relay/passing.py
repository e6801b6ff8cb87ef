"""One request passed on: from its place in line to a settled account."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from time import perf_counter

from workspan.data.budget import Budget
from workspan.data.types import Usage
from workspan.errors import WorkspanError
from workspan.serve.accounts import Account, Accounts
from workspan.serve.asked import Asked
from workspan.serve.dialects import Voiced
from workspan.serve.prices import price_served
from workspan.serve.relay import trouble
from workspan.serve.relay.agents import begun
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.attempt import Attempt
from workspan.serve.relay.charge import Charge, Limited
from workspan.serve.relay.counts import charged
from workspan.serve.relay.telling import DONE, cut_events, last_events, overrun, span
from workspan.serve.relay.trouble import Missed
from workspan.serve.relay.turns import Turn, turn
from workspan.serve.relay.upstream import Server
from workspan.serve.relay.whole import as_event, as_reply
from workspan.serve.seeing.noting import noting
from workspan.serve.seeing.record import Record
from workspan.serve.seeing.timeline import Bar
from workspan.serve.trajectories.kept import NO_TRAJECTORY
from workspan.serve.wire.errors import NEVER_AGAIN, Failed
from workspan.serve.wire.exchange import Exchange

_FAREWELL_SECONDS = 1.0
"""How long the end of a body may take after its last word; the connection is kept for it."""


async def relay(
    exchange: Exchange,
    passed: Passed,
    servers: Sequence[Server],
    accounts: Accounts,
    record: Record,
) -> None:
    """Pass a request on to the first upstream that answers, and its reply back.

    Raises:
        Failed: none did; or the account refuses.
        Missed: the stream died after its first token.
    """
    asked = passed.asked
    exchange.is_stream = passed.is_streamed
    opened = accounts.open(
        asked.key,
        asked.budget,
        route=record.route,
        model=asked.model,
        id=asked.id,
        is_priced=None not in [passed.price(server) for server in servers],
        within=NO_TRAJECTORY if asked.turn is None else asked.turn.within,
    )
    async with opened as account, _noted(accounts, account, exchange, record):
        passed = begun(exchange, passed, account)
        missed: list[Missed] = []
        for server in servers:
            record.engine, record.model = server.name, server.model
            try:
                here = await passed.at(server)
                with turn(server, passed, record) as mine:
                    await _through(exchange, here, server, account, record, mine)
                return
            except WorkspanError as error:
                is_own = trouble.is_of_one(error)
                if record.has_begun or not (missed or (is_own and len(servers) > 1)):
                    raise
                missed.append(trouble.unfit(server.name, error))
                if not is_own:  # a larger budget, say, would have had the others asked
                    raise trouble.told_of(missed, missed[-1]) from None
            except Missed as one:
                record.failures.append((server.name, one.failed.code or ""))
                missed.append(one)
                if not one.elsewhere or record.has_begun:
                    raise trouble.told_of(missed, one, is_alone=True) from None
        raise trouble.told_of(missed) from None


def _noted(
    accounts: Accounts, account: Account, exchange: Exchange, record: Record
) -> AbstractAsyncContextManager[None]:
    """Tell the account's row how the block ends, where rows are kept."""
    return noting(account, exchange, record) if accounts.keeps_rows else _NOTHING


async def _through(
    exchange: Exchange,
    passed: Passed,
    server: Server,
    account: Account,
    record: Record,
    mine: Turn,
) -> None:
    """Hold an amount and a place, ask one upstream, answer, and settle however that ends."""
    limited = Limited.by(account.ledger)
    cap = passed.allowed(server, limited)
    plan = passed.plan(server, limited, cap)
    charge = Charge(account, plan, limited, lambda: _left(account, passed, server))
    await charge.begin()
    cap = cap if charge.plan is plan else charge.cap
    attempt = Attempt(server, passed, passed.counts(server, plan, cap), cap)
    if isinstance(exchange.voice, Voiced):
        exchange.voice.native = attempt.native
    is_asked, queued = False, perf_counter()
    bar: Bar | None = None
    try:
        async with _in_time(exchange, passed):
            await server.places.enter(_line(passed.asked), is_behind=passed.asked.wish.is_batch)
        bar = _begun(record, attempt, perf_counter() - queued)
        try:
            is_asked = True
            async with _in_time(exchange, passed):
                took = await attempt.ask(exchange)
            mine.begins(took if passed.is_streamed and not attempt.whole else None)
            await _answer(exchange, attempt, charge, record)
            if attempt.counts.odd:
                mine.lies()
        except Missed as missed:
            is_asked = missed.served != "no"
            attempt.has_ended = missed.has_ended
            raise
        finally:
            attempt.close()
            server.places.leave(is_behind=passed.asked.wish.is_batch)
    finally:
        left = _if_cut(attempt, charge) if is_asked and not record.is_settled else Usage()
        usage = record.usage if record.is_settled else left
        record.add(usage)
        if bar is not None:
            record.timeline.end(bar, _outcome(record), usage)
        charge.settle(usage)


def _left(account: Account, passed: Passed, server: Server) -> int | None:
    """Return the tokens that a key has left; None where it has no limit, or there is none."""
    above = account.ledger.parent
    return None if above is None else passed.left(server, Limited.by(above))


def _begun(record: Record, attempt: Attempt, waited: float) -> Bar:
    """Note that an upstream is asked."""
    record.waited += waited
    place = len(record.timeline.bars)
    bar = record.timeline.begin(f"/{place}", attempt.server.name, record.total.output_tokens)
    bar.counter = attempt.counts
    return bar


def _outcome(record: Record) -> str:
    if record.is_settled:
        return "sample" if record.stop == DONE else "cut"
    return "failed" if isinstance(sys.exception(), Missed) else "cut"


def _line(asked: Asked) -> str:
    return asked.key.id if asked.key is not None else ""


def _if_cut(attempt: Attempt, charge: Charge) -> Usage:
    """Return the bill of an attempt that is left where it is."""
    counts = attempt.counts
    if attempt.is_unread or not (attempt.passed.is_streamed or attempt.has_ended):
        for meter in counts.meters:
            meter.is_asked_whole = True
    usage = counts.if_cut()
    unseen = usage.unseen_tokens + attempt.unread_tokens
    if charge.plan.work is not None:
        unseen = min(unseen, max(charge.plan.work - usage.output_tokens, usage.unseen_tokens))
    usage = replace(usage, unseen_tokens=charge.unseen(usage.output_tokens, unseen))
    return charged(usage, attempt.passed.price(attempt.server))


async def _answer(exchange: Exchange, attempt: Attempt, charge: Charge, record: Record) -> None:
    record.begin()
    head = (b"x-workspan-engine", attempt.server.name.encode())
    exchange.extra.append(head)
    if not attempt.passed.is_streamed:
        usage = _settle(attempt, record)
        body = as_reply(attempt, usage, record.stop)
        record.keep(body)
        await exchange.answer(body)
    elif attempt.whole:
        usage = _settle(attempt, record)
        record.keep(attempt.whole)
        await exchange.begin(goes_on=True)
        await exchange.end(as_event(attempt) + last_events(attempt, usage, record.stop))
    else:
        await _stream(exchange, attempt, charge, record)


def _settle(attempt: Attempt, record: Record) -> Usage:
    """Close the account of a reply that ended."""
    counts, server = attempt.counts, attempt.server
    is_read_only = attempt.passed.form == "embedding"
    usage = counts.read_only() if is_read_only else counts.settled(server.name)
    held_to = attempt.passed.price(server)
    tier = counts.tier or attempt.passed.tier_asked(server)
    usage = charged(usage, price_served(server.price, held_to, tier))
    attempt.notices += [f"{server.name}: {one}" for one in counts.odd]
    asked_cap, cap = attempt.passed.cap, attempt.cap
    is_lowered = cap is not None and (asked_cap is None or cap < asked_cap)
    is_full = is_lowered and any(meter.finish == "length" for meter in counts.meters)
    record.settle(usage, "budget: work" if is_full else DONE)
    _note(attempt, usage, record)
    return usage


def _note(attempt: Attempt, usage: Usage, record: Record) -> None:
    record.span, record.over = span(attempt, usage), overrun(attempt, usage)


async def _stream(exchange: Exchange, attempt: Attempt, charge: Charge, record: Record) -> None:
    """Hand a stream on event by event; cut it where the account or the time ends.

    Raises:
        Missed: it died.
    """
    cutter, deadline = attempt.cutter, _deadline(exchange, attempt.passed)
    out, received = b"".join(attempt.ahead), b"?"
    await exchange.begin(goes_on=bool(out))
    exchange.waits_for = "idle"
    while True:
        if charge.is_limited and not await _is_covered(attempt, charge):
            await _cut(exchange, attempt, charge, record, out, "budget: work")
            return
        if cutter.is_done or not received or attempt.failure is not None:
            break
        if out:
            record.keep(out)
            await exchange.write(out, attempt.pieces())
        try:
            async with _until(deadline):
                received = await attempt.read()
        except TimeoutError:
            await _cut(exchange, attempt, charge, record, b"", "budget: seconds")
            return
        exchange.progress = exchange.now()
        out = attempt.events(received)
    await _end(exchange, attempt, record, out)
    if received:
        await _farewell(attempt)


def _deadline(exchange: Exchange, passed: Passed) -> float | None:
    seconds = passed.asked.budget.seconds
    return None if seconds is None else exchange.asked_at + seconds


class _Nothing:
    """A block like any other: costs nothing."""

    async def __aenter__(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


_NOTHING = _Nothing()


def _in_time(exchange: Exchange, passed: Passed) -> AbstractAsyncContextManager[object]:
    """Let an answer begin, or come whole, within the request's seconds."""
    deadline = _deadline(exchange, passed)
    return _NOTHING if deadline is None else _by(deadline, passed.asked.budget)


@asynccontextmanager
async def _by(deadline: float, budget: Budget) -> AsyncIterator[None]:
    """Have a block end by then.

    Raises:
        Failed: it did not.
    """
    try:
        async with asyncio.timeout_at(deadline):
            yield
    except TimeoutError:
        said = f"the budget of {budget.seconds:g} seconds ended before there was an answer"
        raise Failed(429, said, code="budget_exceeded", headers=NEVER_AGAIN) from None


def _until(deadline: float | None) -> AbstractAsyncContextManager[object]:
    return _NOTHING if deadline is None else asyncio.timeout_at(deadline)


async def _end(exchange: Exchange, attempt: Attempt, record: Record, out: bytes) -> None:
    """Send the last events of a stream.

    Raises:
        Missed: it broke off before its answer did end.
    """
    record.keep(out)
    failure = attempt.failure
    if failure is None and not attempt.cutter.is_done and _is_unfinished(attempt):
        failure = trouble.broke(attempt.server.name, "the stream ended before its answer")
    if failure is not None:
        if out:
            await exchange.write(out)
        raise failure
    usage = _settle(attempt, record)
    last = last_events(attempt, usage, record.stop)
    record.tell(last)
    pieces = attempt.pieces()
    await exchange.end(out + last, None if pieces is None else [*pieces, last])


async def _farewell(attempt: Attempt) -> None:
    """Read to the end of the body, so that the connection can be used again."""
    with suppress(TimeoutError, Missed):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            while await attempt.read():
                pass


async def _is_covered(attempt: Attempt, charge: Charge) -> bool:
    counts = attempt.counts
    if any(meter.has_overrun for meter in counts.meters):
        for meter in counts.meters:
            if meter.has_overrun:
                meter.cut_off()
                meter.finish = None  # the client is told here why it ended
        return False
    return await charge.covers(counts.seen)


def _is_unfinished(attempt: Attempt) -> bool:
    """Tell a stream that broke off from one that lacks only its last word."""
    meters = attempt.counts.meters
    begun = [meter for meter in meters if meter.was_served] or meters[:1]
    return any(meter.finish is None for meter in begun)


async def _cut(
    exchange: Exchange, attempt: Attempt, charge: Charge, record: Record, out: bytes, stop: str
) -> None:
    """End a stream at its budget: hang up, then say so."""
    unfinished = attempt.counts.unfinished
    await attempt.catch_up()  # to count it: it is not handed on
    attempt.close()
    record.keep(out)
    if not unfinished:  # its last words had come
        usage = _settle(attempt, record)
        last = last_events(attempt, usage, record.stop)
        record.tell(last)
        await exchange.end(out + last)
        return
    if attempt.counts.unfinished or attempt.counts.report is None:
        usage = replace(_if_cut(attempt, charge), source="estimated")
    else:  # they came while it waited for its account, and are not handed on
        usage = charged(
            attempt.counts.settled(attempt.server.name), attempt.passed.price(attempt.server)
        )
    record.settle(usage, stop)
    _note(attempt, usage, record)
    last = cut_events(attempt, usage, record.stop, unfinished)
    record.tell(last)
    await exchange.end(out + last)
