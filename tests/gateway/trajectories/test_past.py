"""A trajectory that was dropped from a bounded table goes on where it stood, with what it spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from store_rig import Rig, rig, run
from workspan.data.types import Amount, Usage
from workspan.errors import InputError, Refused
from workspan.serve.accounts import Accounts
from workspan.serve.store.trajectories import PREFIXES_KEPT_SECONDS
from workspan.serve.trajectories import book as rooms
from workspan.serve.trajectories.book import Book
from workspan.serve.trajectories.named import Named
from workspan.serve.trajectories.rules import TrajectoryRules
from workspan.serve.wishes import read_budget

BUDGET = read_budget("90 work")
FOUND = [Named(f"found {place}", is_found=True) for place in range(9)]


async def spend(accounts: Accounts, book: Book, one: Rig, named: Named, work: int) -> None:
    """Take one turn."""
    turn = await book.join(named, one.key, "m", BUDGET)
    try:
        async with accounts.open(one.key, first=Amount(1, work), within=turn.within) as account:
            hold = await account.reserve(Amount(1, work))
            account.settle(hold, Usage(1, output_tokens=work))
    finally:
        turn.end("r", Usage(1, output_tokens=work), 200)


async def spend_at_a_new_worker(one: Rig, named: Named, work: int) -> None:
    async with await one.worker() as accounts:
        await spend(accounts, Book(one.store, TrajectoryRules(), one.utc), one, named, work)


def test_one_that_made_room_in_the_store_has_no_budget_anew(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        monkeypatch.setattr("workspan.serve.store.trajectories.MOST_OF_KEY", 3)
        async with rig(address, "10k work") as one:
            for named in FOUND:
                await spend_at_a_new_worker(one, named, 60)
            for named in FOUND:  # each was dropped at least once since
                with pytest.raises(Refused, match="90 work has 30 work left"):
                    await spend_at_a_new_worker(one, named, 40)
                await spend_at_a_new_worker(one, named, 20)
            for named in FOUND:
                with pytest.raises(Refused, match="has 10 work left"):
                    await spend_at_a_new_worker(one, named, 11)
            assert await one.spent("10000 work/total") == len(FOUND) * 80

    run(main)


def test_one_that_is_dropped_while_a_worker_knows_it_is_charged_on_top(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker asks for a window whose row is gone; it is no client's name, and makes room."""

    async def main() -> None:
        monkeypatch.setattr("workspan.serve.store.trajectories.MOST_OF_KEY", 3)
        async with rig(address, "10k work") as one:
            book = Book(one.store, TrajectoryRules(), one.utc)
            async with await one.worker() as accounts:
                await spend(accounts, book, one, FOUND[0], 60)
                turn = await book.join(FOUND[0], one.key, "m", BUDGET)
            for named in FOUND[1:]:
                await spend_at_a_new_worker(one, named, 1)
            async with (
                await one.worker() as accounts,
                accounts.open(one.key, within=turn.within) as account,
            ):
                with pytest.raises(Refused, match="has 30 work left"):
                    await account.reserve(Amount(1, 31))
                account.settle(await account.reserve(Amount(1, 30)), Usage(1, output_tokens=30))
            for named in FOUND[1:]:  # none is refused for their number
                await spend_at_a_new_worker(one, named, 1)

    run(main)


def test_one_that_was_idle_for_a_day_is_known_while_anything_finds_it(address: str) -> None:
    async def main() -> None:
        async with rig(address, "10k work") as one:
            await spend_at_a_new_worker(one, FOUND[0], 60)
            one.utc.turn(PREFIXES_KEPT_SECONDS + 1)
            while await one.store.forget(one.utc(), 0.0):
                pass
            with pytest.raises(Refused, match="has 30 work left"):
                await spend_at_a_new_worker(one, FOUND[0], 40)
            one.utc.turn(4 * PREFIXES_KEPT_SECONDS)
            for _ in range(2):  # nothing finds it any more
                while await one.store.forget(one.utc(), 0.0):
                    pass
                one.utc.turn(4 * PREFIXES_KEPT_SECONDS)
            await spend_at_a_new_worker(one, FOUND[0], 90)

    run(main)


def test_without_a_store_the_process_knows_what_one_had_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main() -> None:
        monkeypatch.setattr(rooms, "_MOST", 4)
        monkeypatch.setattr(rooms, "_REMEMBERED", 2)
        now = [0.0]
        book = Book(None, TrajectoryRules(), lambda: now[0])
        async with Accounts() as accounts:

            async def take(named: Named, work: int) -> int:
                turn = await book.join(named, None, "m", BUDGET)
                try:
                    async with accounts.open(within=turn.within) as account:
                        hold = await account.reserve(Amount(1, work))
                        account.settle(hold, Usage(1, output_tokens=work))
                finally:
                    turn.end("r", Usage(1, output_tokens=work), 200)
                return turn.number

            for named in FOUND:
                await take(named, 60)
            with pytest.raises(Refused, match="has 30 work left"):
                await take(FOUND[0], 40)
            assert await take(FOUND[0], 30) == 3
            await take(Named("mine"), 90)
            now[0] += 3601.0  # it lies idle, and makes room
            for named in FOUND[1:]:
                await take(named, 1)
            with pytest.raises(Refused, match="has 0 work left"):
                await take(Named("mine"), 1)

    run(main)


def test_turns_are_counted_by_all_workers_together(address: str) -> None:
    async def main() -> None:
        async with rig(address, "10k work") as one:
            books = [Book(one.store, TrajectoryRules(), one.utc, workers=2) for _ in range(2)]
            for budget in (BUDGET, read_budget("unlimited")):  # one that is kept, one that is not
                named = Named(f"of {budget}", budget=budget)
                turns = [
                    await books[place].join(named, one.key, "m", budget)
                    for place in (0, 1, 1, 0, 1)
                ]
                assert [turn.number for turn in turns] == [1, 2, 3, 4, 5]
                assert turns[-1].trajectory.turns == 5
            other = read_budget("5 work")
            with pytest.raises(InputError, match="began with 90 work"):  # and is no turn
                await books[0].join(Named(f"of {BUDGET}", budget=other), one.key, "m", other)
            turn = await books[0].join(Named(f"of {BUDGET}"), one.key, "m", BUDGET)
            assert turn.number == 6
            late = Book(one.store, TrajectoryRules(), one.utc)  # a process that began anew
            assert (await late.join(Named(f"of {BUDGET}"), one.key, "m", BUDGET)).number == 7

    run(main)


def test_a_process_follows_no_prefix_that_its_store_has_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        async with rig(str(tmp_path / "store.db"), "10k work") as one:
            kept = Book(one.store, TrajectoryRules(), one.utc)
            alone = Book(None, TrajectoryRules(), one.utc)
            for book in (kept, alone):
                await book.remember(["p"], "run")
                assert await book.follow(["x", "p"]) == "run"
            one.utc.turn(PREFIXES_KEPT_SECONDS + 1)
            while await one.store.forget(one.utc(), 0.0):
                pass
            assert await kept.follow(["x", "p"]) is None
            assert await alone.follow(["x", "p"]) == "run"  # its spending is kept as long

    run(main)
