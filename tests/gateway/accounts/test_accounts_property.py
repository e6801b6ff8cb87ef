"""Whatever requests do, and wherever they are cancelled: no limit is passed, and no token lost."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postgres_server import PostgresServer
from store_rig import Rig, fresh_database, rig, run
from workspan.data.types import Amount, Usage
from workspan.errors import Refused
from workspan.serve.accounts import Account, Accounts
from workspan.serve.exchanging import Pace

PRICE = Decimal("0.000125")
PACE = Pace(patience=0.03, retry=0.001, tick=0.005, linger=0.0, back_off=0.01, close=60.0)
LIMITS = "300 work/minute, 700 work/day, $0.08/day, 30 calls/hour, 900 work, 4k prefill/month"


@dataclass(frozen=True)
class Asked:
    """One request: what it holds, how much of it is used, and where it is cut off."""

    worker: int
    prompt: int
    slices: tuple[int, ...]
    unused: int
    """Tokens of its last slice."""
    wait: int
    """Turns of the event loop before it begins."""
    cut: int | None
    """Turns after which it is cancelled."""


ASKED = st.builds(
    Asked,
    worker=st.integers(0, 1),
    prompt=st.integers(0, 300),
    slices=st.lists(st.integers(1, 120), min_size=1, max_size=4).map(tuple),
    unused=st.integers(0, 120),
    wait=st.integers(0, 60),
    cut=st.none() | st.integers(0, 120),
)


class Bill:
    """What an upstream would charge: written before the account hears of it."""

    def __init__(self) -> None:
        self.total = Usage()
        self.answered = 0


async def answer(account: Account, asked: Asked, bill: Bill) -> None:
    first = asked.slices[0]
    hold = await account.reserve(Amount(1, first, asked.prompt, first * PRICE))
    used = Usage()
    try:
        for tokens in asked.slices[1:]:
            await asyncio.sleep(0)
            if not await account.extend(hold, Amount(0, tokens, 0, tokens * PRICE)):
                break
    finally:
        decoded = max(0, hold.amount.work - asked.unused)
        used = Usage(1, asked.prompt, output_tokens=decoded, cost=decoded * PRICE)
        bill.total += used
        await account.settle(hold, used)
    bill.answered += 1


async def request(accounts: Accounts, one: Rig, asked: Asked, bill: Bill) -> None:
    first = Amount(1, asked.slices[0], asked.prompt, asked.slices[0] * PRICE)
    for _ in range(asked.wait):
        await asyncio.sleep(0)
    with suppress(Refused):
        async with accounts.open(one.key, first=first) as account:
            await answer(account, asked, bill)


async def cut_after(task: asyncio.Task[None], turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()


@asynccontextmanager
async def workers(one: Rig) -> AsyncIterator[list[Accounts]]:
    async with await one.worker() as first, await one.worker() as second:
        yield [first, second]


async def serve(one: Rig, asked: list[Asked], bill: Bill) -> None:
    async with workers(one) as accounts:
        tasks = []
        for each in asked:
            task = asyncio.create_task(request(accounts[each.worker], one, each, bill))
            tasks.append(task)
            if each.cut is not None:
                tasks.append(asyncio.create_task(cut_after(task, each.cut)))
        done, _ = await asyncio.wait(tasks)
        for task in done:
            if not task.cancelled():
                task.result()


async def check(one: Rig, bill: Bill) -> None:
    for name, spending in (await one.spendings()).items():
        assert spending.held == 0, name
        assert spending.spent <= spending.limit.most, name
        amount = bill.total.amount
        billed = {
            "work": amount.work,
            "calls": amount.calls,
            "prefill": amount.prefill,
            "cost": int(amount.cost.scaleb(12)),
        }
        assert spending.spent == billed[spending.limit.quantity], name
    rows = await one.store.rows(0, 1000)
    assert sum(row.work for row in rows) == bill.total.work
    assert sum(row.cost or 0 for row in rows) == int(bill.total.amount.cost.scaleb(12))


async def held(address: str, rounds: list[list[Asked]]) -> None:
    """Serve rounds of requests, each by workers that start anew."""
    bill = Bill()
    async with rig(address, LIMITS, pace=PACE) as one:
        for asked in rounds:
            await serve(one, asked, bill)
            await check(one, bill)


ROUNDS = st.lists(st.lists(ASKED, min_size=1, max_size=8), min_size=1, max_size=2)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(ROUNDS)
def test_no_limit_is_passed_and_nothing_lost(rounds: list[list[Asked]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: held(str(Path(folder) / "store.db"), rounds))


@pytest.mark.peers
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(ROUNDS)
def test_no_limit_is_passed_and_nothing_lost_in_postgres(
    postgres: PostgresServer, rounds: list[list[Asked]]
) -> None:
    run(lambda: held(fresh_database(postgres), rounds))


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.lists(st.lists(ASKED, min_size=1, max_size=40), min_size=1, max_size=3))
def test_no_limit_is_passed_by_many_more(rounds: list[list[Asked]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: held(str(Path(folder) / "store.db"), rounds))
