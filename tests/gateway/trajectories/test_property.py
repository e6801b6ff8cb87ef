"""Turns of one trajectory at the same time over two workers: its budget is never passed."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cut_requests import WHEN, Door, served, spend
from postgres_server import PostgresServer
from store_rig import Rig, fresh_database, rig, run
from workspan.data.types import Amount, Usage
from workspan.errors import InputError, Refused
from workspan.serve.accounts import Accounts
from workspan.serve.store.base import Store
from workspan.serve.store.keys import StoredKey
from workspan.serve.store.trajectories import KEPT_SECONDS, forget
from workspan.serve.trajectories.book import Book
from workspan.serve.trajectories.named import Named
from workspan.serve.trajectories.rules import TrajectoryRules
from workspan.serve.wishes import read_budget
from workspan.store.statement import Statement, Work

PRICE = Decimal("0.0001")
KEY = "500 work/minute, 2k work, $0.15, 300 calls"
OWN = read_budget("400 work, $0.05, 6 calls")
OTHER = read_budget("90 work")


@dataclass(frozen=True)
class Asked:
    """One turn: of which trajectory, at which worker, what it holds and uses, where it is cut."""

    name: str
    worker: int
    slices: tuple[int, ...]
    unused: int
    wait: int
    cut: int | None
    turns: bool
    """The clock goes on by a minute before it: the key's window is another."""


ASKED = st.builds(
    Asked,
    name=st.sampled_from(["a", "a", "a", "b"]),
    slices=st.lists(st.integers(1, 150), min_size=1, max_size=4).map(tuple),
    unused=st.integers(0, 100),
    turns=st.booleans() | st.just(False),
    **WHEN,
)


@dataclass
class Bills:
    """What an upstream would charge, by trajectory."""

    of: dict[str, Usage] = field(default_factory=dict)

    def add(self, name: str, used: Usage) -> None:
        self.of[name] = self.of.get(name, Usage()) + used


async def held(address: str, rounds: list[list[Asked]]) -> None:
    bills = Bills()

    def door(one: Rig, workers: Sequence[Accounts]) -> Door[Asked]:
        books = [Book(one.store, TrajectoryRules(), one.utc) for _ in workers]

        async def turn(asked: Asked) -> None:
            if asked.turns:
                one.utc.turn(60)
            allowed = OWN if asked.name == "a" else OTHER
            first = Amount(1, asked.slices[0], 0, asked.slices[0] * PRICE)
            with suppress(Refused):
                joined = await books[asked.worker].join(Named(asked.name), one.key, "m", allowed)
                accounts, within = workers[asked.worker], joined.within
                async with accounts.open(one.key, first=first, within=within) as account:
                    add = partial(bills.add, asked.name)
                    await spend(account, asked.slices, asked.unused, 0, PRICE, add)

        return turn

    await served(address, KEY, rounds, door, lambda one: check(one, bills))


async def check(one: Rig, bills: Bills) -> None:
    """Hold each trajectory's account against what was billed, and its key's against all of it."""
    billed = {
        (name, column): units
        for name, used in bills.of.items()
        for column, units in (
            ("work", used.work),
            ("calls", used.calls),
            ("cost", int(used.amount.cost.scaleb(12))),
        )
    }
    for name, column, spent, leased, most in await standing(one.store):
        assert leased == 0, (name, column)
        assert spent <= most, (name, column)
        assert spent == billed.get((name, column), 0), (name, column)
    spendings = await one.spendings()
    assert spendings["2000 work/total"].spent == sum(used.work for used in bills.of.values())
    rows = await one.store.rows(0, 1000)
    assert sum(row.work for row in rows) == sum(used.work for used in bills.of.values())


async def standing(store: Any) -> list[tuple[Any, ...]]:
    """Read how the windows of trajectories stand."""

    def read() -> Work[list[tuple[Any, ...]]]:
        return (
            yield Statement(
                "SELECT keys.name, windows.quantity, spent, leased, most FROM windows "
                "JOIN keys ON keys.id = windows.key JOIN limits ON limits.key = windows.key "
                "AND limits.quantity = windows.quantity AND limits.period = windows.period "
                "WHERE parent IS NOT NULL"
            )
        )

    found: list[tuple[Any, ...]] = await store.database.transact(read)
    return found


ROUNDS = st.lists(st.lists(ASKED, min_size=1, max_size=8), min_size=1, max_size=2)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(ROUNDS)
def test_no_trajectory_passes_its_budget(rounds: list[list[Asked]]) -> None:
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
def test_no_trajectory_passes_its_budget_in_postgres(
    postgres: PostgresServer, rounds: list[list[Asked]]
) -> None:
    run(lambda: held(fresh_database(postgres), rounds))


@pytest.mark.heavy
@pytest.mark.timeout(3600)
@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.lists(st.lists(ASKED, min_size=1, max_size=30), min_size=1, max_size=3))
def test_no_trajectory_passes_its_budget_in_many_more(rounds: list[list[Asked]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(lambda: held(str(Path(folder) / "store.db"), rounds))


def test_a_key_has_a_bounded_number_and_idle_ones_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        monkeypatch.setattr("workspan.serve.store.trajectories.MOST_OF_KEY", 3)
        async with rig(str(tmp_path / "store.db"), "10k work") as one:
            book = Book(one.store, TrajectoryRules(), one.utc)
            for name in ("a", "b", "c"):
                await book.join(Named(name), one.key, "m", OTHER)
            with pytest.raises(Refused, match="3 trajectories") as refused:
                await book.join(Named("d"), one.key, "m", OTHER)
            assert refused.value.code == "too_many_trajectories"
            await book.join(Named("a"), one.key, "m", OTHER)
            await forgotten(one.store, one.utc() + KEPT_SECONDS + 1)
            await book.join(Named("d"), one.key, "m", OTHER)

    run(main)


def test_runs_that_nobody_named_make_room_and_are_forgotten_with_what_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chat begins one: ordinary traffic is never refused for their number."""

    async def main() -> None:
        monkeypatch.setattr("workspan.serve.store.trajectories.MOST_OF_KEY", 3)
        async with rig(str(tmp_path / "store.db"), "10k work") as one:
            book = Book(one.store, TrajectoryRules(), one.utc)
            await book.join(Named("mine"), one.key, "m", OTHER)

            async def spend(named: Named, work: int) -> None:
                within = (await book.join(named, one.key, "m", OTHER)).within
                async with (
                    await one.worker() as accounts,
                    accounts.open(one.key, within=within) as account,
                ):
                    hold = await account.reserve(Amount(1, work))
                    account.settle(hold, Usage(1, output_tokens=work))

            for place in range(9):
                await spend(Named(f"found {place}", is_found=True), 5)
            # one that was dropped goes on where it stood
            await spend(Named("found 0", is_found=True), 7)
            assert 12 in {row[2] for row in await standing(one.store)}
            assert (await one.store.usage(one.utc()))[0].spendings[0].spent == 52
            await forgotten(one.store, one.utc() + 86_401)
            assert {row[0] for row in await standing(one.store)} <= {"mine", ""}

    run(main)


def test_a_limit_that_is_gone_from_the_store_stops_no_other(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(str(tmp_path / "store.db"), "10k work") as one:

            def removed() -> Work[None]:
                yield Statement("DELETE FROM limits WHERE key = 'gone'")
                yield Statement("DELETE FROM keys WHERE id = 'gone'")

            gone = StoredKey(replace(one.key, id="gone"), "")
            store: Any = one.store
            await store.add(gone)
            await store.database.transact(removed)
            async with await one.worker() as accounts:
                with pytest.raises(Refused, match="0 work left"):
                    async with accounts.open(gone.key) as account:
                        await account.reserve(Amount(1, 5))
                async with accounts.open(one.key) as account:
                    hold = await account.reserve(Amount(1, 5))
                    account.settle(hold, Usage(1, output_tokens=5))
            assert (await one.store.usage(one.utc()))[0].spendings[0].spent == 5

    run(main)


async def forgotten(store: Any, now: float) -> None:
    await store.database.transact(lambda: forget(now))


def test_a_worker_that_did_not_hear_of_a_budget_asks_the_store(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(str(tmp_path / "store.db"), "10k work") as one:
            store: Store = one.store
            first, second = (Book(store, TrajectoryRules(), one.utc) for _ in range(2))
            free = read_budget("unlimited")
            assert (await second.join(Named("a"), one.key, "m", free)).within.limits == ()
            limits = (await first.join(Named("a", OTHER), one.key, "m", OTHER)).within.limits
            assert (await second.join(Named("a"), one.key, "m", free)).within.limits == limits
            with pytest.raises(InputError, match="began with 90 work"):
                await second.join(Named("a", OWN), one.key, "m", OWN)

    run(main)


def test_a_turn_that_began_a_minute_ago_still_holds_its_part(tmp_path: Path) -> None:
    """The key's window is another by then, and the trajectory's the same."""

    async def main() -> None:
        async with rig(str(tmp_path / "store.db"), KEY) as one:
            book = Book(one.store, TrajectoryRules(), one.utc)
            async with await one.worker() as accounts:
                within = (await book.join(Named("a"), one.key, "m", OTHER)).within
                async with accounts.open(one.key, within=within) as early:
                    hold = await early.reserve(Amount(1, 60))
                    one.utc.turn(60)
                    async with accounts.open(one.key, within=within) as late:
                        second = await late.reserve(Amount(1, 20))
                        with pytest.raises(Refused, match="is held by calls in flight") as busy:
                            await late.reserve(Amount(1, 40))
                        assert busy.value.code == "budget_busy"
                        early.settle(hold, Usage(1, output_tokens=5))
                        third = await late.reserve(Amount(1, 60))
                        late.settle(third, Usage(1, output_tokens=60))
                        late.settle(second, Usage(1, output_tokens=20))
            assert {row[1:3] for row in await standing(one.store)} == {("work", 85)}

    run(main)
