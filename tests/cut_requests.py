"""Requests at the same time over two workers of one store, each of which may be cut anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st

from store_rig import Rig, rig
from workspan.data.types import Amount, Usage
from workspan.serve.accounts import Account, Accounts
from workspan.serve.exchanging import Pace

PACE = Pace(patience=0.03, retry=0.001, tick=0.005, linger=0.0, back_off=0.01, close=60.0)


class Cut(Protocol):
    """What every request of such a test says."""

    @property
    def worker(self) -> int: ...
    @property
    def wait(self) -> int:
        """Turns of the event loop before it begins."""
        ...

    @property
    def cut(self) -> int | None:
        """Turns after which it is cancelled."""
        ...


Asked = TypeVar("Asked", bound=Cut)

WHEN: dict[str, Any] = {
    "worker": st.integers(0, 1),
    "wait": st.integers(0, 60),
    "cut": st.none() | st.integers(0, 120),
}
"""What is drawn for those."""


async def spend(
    account: Account,
    slices: Sequence[int],
    unused: int,
    prompt: int,
    price: Decimal,
    bill: Callable[[Usage], None],
) -> None:
    """Hold slice after slice; an upstream bills before the account hears of it, cut or not."""
    hold = await account.reserve(Amount(1, slices[0], prompt, slices[0] * price))
    try:
        for tokens in slices[1:]:
            await asyncio.sleep(0)
            if not await account.extend(hold, Amount(0, tokens, 0, tokens * price)):
                break
    finally:
        decoded = max(0, hold.amount.work - unused)
        used = Usage(1, prompt, output_tokens=decoded, cost=decoded * price)
        bill(used)
        account.settle(hold, used)


Door = Callable[[Asked], Awaitable[None]]
"""Makes one request at the worker that it names."""


async def served(
    address: str,
    limits: str,
    rounds: Sequence[Sequence[Asked]],
    door: Callable[[Rig, Sequence[Accounts]], Door[Asked]],
    check: Callable[[Rig], Awaitable[None]],
) -> None:
    """Serve rounds of requests, each by workers that start anew, and check after each."""
    async with rig(address, limits, pace=PACE) as one:
        for asked in rounds:
            async with _workers(one) as accounts:
                await _all(asked, door(one, accounts))
            await check(one)


@asynccontextmanager
async def _workers(one: Rig) -> AsyncIterator[list[Accounts]]:
    async with await one.worker() as first, await one.worker() as second:
        yield [first, second]


async def _all(asked: Sequence[Asked], make: Door[Asked]) -> None:
    async def late(each: Asked) -> None:
        for _ in range(each.wait):
            await asyncio.sleep(0)
        await make(each)

    tasks = []
    for each in asked:
        task = asyncio.create_task(late(each))
        tasks.append(task)
        if each.cut is not None:
            tasks.append(asyncio.create_task(_cut_after(task, each.cut)))
    done, _ = await asyncio.wait(tasks)
    for task in done:
        if not task.cancelled():
            task.result()


async def _cut_after(task: asyncio.Task[None], turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
