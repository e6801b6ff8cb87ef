"""What an account's row is told of a request, however it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter

from workspan.serve.accounts import Account
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import failed
from workspan.serve.wire.exchange import Exchange


@asynccontextmanager
async def noting(account: Account, exchange: Exchange, record: Record) -> AsyncIterator[None]:
    """Tell an account's row how the block ended."""
    status: int | None = None
    try:
        yield
        status = exchange.status or None
    except Exception as error:
        status = failed(error).status
        raise
    finally:
        if exchange.stopped is not None:
            status = exchange.why_stopped().status
        account.note(
            status=status,
            model=record.model or None,
            strategy=record.strategy,
            span=record.span,
            overhead_ms=exchange.told_overhead_ms,
            seconds=perf_counter() - exchange.began,
        )
