"""What a stream holds of its account: it is cut while there is room for what that leaves unseen."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.engine import Price
from workspan.data.budget import Budget
from workspan.data.types import Usage
from workspan.errors import BudgetExceeded
from workspan.serve.accounts import Account, Accounts
from workspan.serve.relay.charge import Charge, Limited, Plan

OVERSHOOT = 64
PRICE = Price(Decimal(0), Decimal(2))


def plan(work: int | None = None, choices: int = 1, *, streams: bool = True) -> Plan:
    shrinks = not streams
    return Plan(work, 0, streams, OVERSHOOT * choices, PRICE, choices, may_shrink=shrinks)


def charge(account: Account, told: Plan) -> Charge:
    above = account.ledger.parent
    assert above is not None
    return Charge(account, told, Limited.by(account.ledger), above.work_left)


async def streamed(
    accounts: Accounts, rng: random.Random, piece: int, wanted: int, *, is_patient: bool
) -> int:
    """Decode as a server does; return what it decoded, its last tokens for nobody included."""
    async with accounts.open() as account:
        one = charge(account, plan())
        try:
            await one.begin()
        except BudgetExceeded:
            return 0
        cap, seen = one.cap or wanted, 0
        wanted = min(cap, wanted)
        while seen < wanted:
            seen = min(wanted, seen + rng.randint(1, piece))
            if is_patient:
                await asyncio.sleep(0)
            if not await one.covers(seen):
                break
        after = min(wanted - seen, rng.randint(0, OVERSHOOT))
        unseen = one.unseen(seen, min(OVERSHOOT, wanted - seen))
        one.settle(Usage(1, output_tokens=seen, unseen_tokens=unseen))
        return seen + after


@settings(max_examples=60, deadline=None)
@given(
    budget=st.integers(1, 20_000),
    streams=st.integers(1, 12),
    piece=st.sampled_from([1, 2, 4, 16, 64]),
    seed=st.integers(0, 1000),
)
def test_no_budget_is_passed_however_streams_come(
    budget: int, streams: int, piece: int, seed: int
) -> None:
    """But for a piece that is larger than any before it: nobody can know of that one."""

    async def main() -> None:
        async with Accounts(budget=Budget(work=budget)) as accounts:
            rng = random.Random(seed)
            tasks = [
                asyncio.create_task(
                    streamed(accounts, rng, piece, rng.randint(1, 4_000), is_patient=True)
                )
                for _ in range(streams)
            ]
            decoded = sum([await task for task in tasks])
            top = accounts._top
            assert top is not None
            assert decoded <= budget + streams * piece
            assert top.spent.amount.work <= budget + streams * piece
            assert top.held.work == 0

    asyncio.run(main())


@settings(max_examples=60, deadline=None)
@given(budget=st.integers(1, 20_000), streams=st.integers(1, 12), piece=st.integers(1, 64))
def test_an_even_pace_passes_no_budget_by_a_token(budget: int, streams: int, piece: int) -> None:
    class Even(random.Random):
        def randint(self, a: int, b: int) -> int:  # the worst there is
            return b

    async def main() -> None:
        async with Accounts(budget=Budget(work=budget)) as accounts:
            tasks = [
                asyncio.create_task(
                    streamed(accounts, Even(), piece, 3_000, is_patient=place % 2 == 0)
                )
                for place in range(streams)
            ]
            decoded = sum([await task for task in tasks])
            assert decoded <= budget
            assert accounts._top is not None
            assert decoded <= accounts._top.spent.amount.work <= budget

    asyncio.run(main())


def test_the_last_tokens_are_told_to_the_upstream_as_a_cap_and_shared() -> None:
    async def main() -> None:
        async with Accounts(budget=Budget(work=600)) as accounts:
            for spent in (100, 250, 125, 80, 45):
                async with accounts.open() as account:
                    one = charge(account, plan())
                    await one.begin()
                    assert one.cap is not None
                    assert one.cap >= spent
                    assert await one.covers(one.cap)  # all of it is held: nothing is cut
                    one.settle(Usage(1, output_tokens=spent))
            async with accounts.open() as account:
                with pytest.raises(BudgetExceeded):
                    await charge(account, plan()).begin()

    asyncio.run(main())


def test_several_choices_are_capped_alike() -> None:
    async def main() -> None:
        async with Accounts(budget=Budget(work=50)) as accounts, accounts.open() as account:
            one = charge(account, plan(choices=4))
            await one.begin()
            assert one.cap == 12

    asyncio.run(main())


def test_a_whole_reply_that_nobody_capped_leaves_some_to_others() -> None:
    async def main() -> None:
        async with Accounts(budget=Budget(work=10_000)) as accounts, accounts.open() as first:
            one = charge(first, plan(16_384, streams=False))
            await one.begin()
            assert one.cap == 5_000
            async with accounts.open() as second:
                other = charge(second, plan(16_384, streams=False))
                await other.begin()
                assert other.cap == 5_000

    asyncio.run(main())
