"""Whatever requests do, and wherever they are cancelled: no limit is passed, and no token lost."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cut_requests import WHEN, Door, served, spend
from postgres_server import PostgresServer
from store_rig import Rig, fresh_database, run
from workspan.data.types import Amount, Usage
from workspan.errors import Refused
from workspan.serve.accounts import Accounts

PRICE = Decimal("0.000125")
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
    prompt=st.integers(0, 300),
    slices=st.lists(st.integers(1, 120), min_size=1, max_size=4).map(tuple),
    unused=st.integers(0, 120),
    **WHEN,
)


class Bill:
    """What an upstream would charge."""

    def __init__(self) -> None:
        self.total = Usage()

    def add(self, used: Usage) -> None:
        self.total += used


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
    bill = Bill()

    def door(one: Rig, workers: Sequence[Accounts]) -> Door[Asked]:
        async def request(asked: Asked) -> None:
            first = Amount(1, asked.slices[0], asked.prompt, asked.slices[0] * PRICE)
            with suppress(Refused):
                async with workers[asked.worker].open(one.key, first=first) as account:
                    told = (asked.slices, asked.unused, asked.prompt)
                    await spend(account, *told, PRICE, bill.add)

        return request

    await served(address, LIMITS, rounds, door, lambda one: check(one, bill))


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
