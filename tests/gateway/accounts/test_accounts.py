"""The account of a request: never over any limit, refused by kind, settled whatever happens."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from postgres_server import PostgresServer
from store_rig import QUICK, Rig, fresh_database, rig, run
from workspan.data.budget import Budget
from workspan.data.types import Amount, Problem, Usage
from workspan.errors import BudgetExceeded, Refused, StoreGone, UnpricedModel
from workspan.runner import run as run_strategy
from workspan.serve.accounts import Account, Accounts
from workspan.serve.store import store_at
from workspan.serve.store.driven import DrivenStore
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import per_minute
from workspan.store.sqlite import SqliteDatabase
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.testing.scripted import ScriptedEngine


def usage(tokens: int, cost: str = "0", prompt: int = 0) -> Usage:
    return Usage(1, prompt, output_tokens=tokens, cost=Decimal(cost))


async def spend(account: Account, tokens: int, cost: str = "0") -> None:
    hold = await account.reserve(Amount(1, tokens, 0, Decimal(cost)))
    account.settle(hold, usage(tokens, cost))


def test_without_a_store_the_requests_own_budget_holds() -> None:
    async def main() -> None:
        async with Accounts() as accounts, accounts.open(budget=Budget(work=100)) as account:
            hold = await account.reserve(Amount(1, 60))
            assert await account.extend(hold, Amount(0, 30))
            assert await account.extend(hold, Amount(0, 30))
            assert hold.amount.work == 100
            assert not await account.extend(hold, Amount(0, 30))
            account.settle(hold, usage(95))
            account.settle(hold, usage(95))
            assert account.spent.work == 95
            with pytest.raises(BudgetExceeded):
                await account.reserve(Amount(1, 6))

    run(main)


def test_without_a_store_one_budget_may_hold_for_the_process() -> None:
    async def main() -> None:
        async with Accounts(budget=Budget(work=100)) as accounts:
            for _ in range(2):
                async with accounts.open(budget=Budget(work=60)) as account:
                    await spend(account, 50)
            async with accounts.open() as account:
                with pytest.raises(BudgetExceeded):
                    await spend(account, 1)

    run(main)


def test_what_was_spent_is_charged_to_every_limit_and_recorded(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1k work/minute, 5k work/day, $1/month, 9 calls") as one:
            async with (
                await one.worker() as accounts,
                accounts.open(one.key, Budget(work=500), route="chat", model="m") as account,
            ):
                await spend(account, 30, "0.25")
                await spend(account, 12, "0.000000000001")
                account.note(strategy="single", span=42, overhead_ms=1.5, seconds=2.0)
            spent = {limit: (x.spent, x.held) for limit, x in (await one.spendings()).items()}
            assert spent == {
                "1000 work/minute": (42, 0),
                "5000 work/day": (42, 0),
                "$1/month": (250_000_000_001, 0),
                "9 calls/total": (2, 0),
            }
            [row] = await one.store.rows(0, 9)
            assert (row.work, row.calls, row.cost, row.status) == (42, 2, 250_000_000_001, 200)
            assert (row.route, row.model, row.strategy, row.span) == ("chat", "m", "single", 42)
            assert (row.key, row.overhead_ms, row.seconds) == (one.key.id, 1.5, 2.0)

    run(main)


async def refused(accounts: Accounts, one: Rig, tokens: int = 1) -> Refused:
    with pytest.raises(Refused) as caught:
        async with accounts.open(one.key, first=Amount(1, tokens)) as account:
            await spend(account, tokens)
    return caught.value


def test_kinds_of_refusal_and_when_to_come_back(address: str) -> None:
    async def main() -> None:
        async with rig(address, "100 work/day") as one, await one.worker() as accounts:
            async with accounts.open(one.key) as account:
                hold = await account.reserve(Amount(1, 90))
                busy = await refused(accounts, one, 20)
                assert (busy.code, busy.retry_after) == ("budget_busy", 1.0)
                account.settle(hold, usage(90))
            exceeded = await refused(accounts, one, 11)
            assert exceeded.code == "budget_exceeded"
            assert exceeded.retry_after == 12 * 3600
            assert "100 work/day" in str(exceeded)
            assert "10 work left" in str(exceeded)
            async with accounts.open(one.key) as account:
                await spend(account, 10)
            assert (await refused(accounts, one)).code == "budget_exceeded"
            one.utc.turn(12 * 3600)
            async with accounts.open(one.key) as account:
                await spend(account, 100)

    run(main)


def test_a_budget_in_all_never_frees(address: str) -> None:
    async def main() -> None:
        async with rig(address, "$0.5") as one, await one.worker() as accounts:
            async with accounts.open(one.key) as account:
                await spend(account, 5, "0.5")
            no = await refused(accounts, one)
            assert (no.code, no.retry_after, no.limit) == ("budget_exceeded", None, "$0.5/total")

    run(main)


def test_requests_a_minute(address: str) -> None:
    async def main() -> None:
        async with rig(address, "") as base, await base.worker() as accounts:
            stored, _text = make_key("rpm", [per_minute(3)], now=base.utc())
            await base.store.add(stored)
            base.utc.turn(15)
            for _ in range(3):
                async with accounts.open(stored.key):
                    pass
            with pytest.raises(Refused) as caught:
                async with accounts.open(stored.key):
                    pass
            assert caught.value.code == "rate_limit_exceeded"
            assert caught.value.retry_after == 45
            base.utc.turn(45)
            async with accounts.open(stored.key):
                pass

    run(main)


def test_a_request_is_charged_to_the_windows_in_which_it_began(address: str) -> None:
    async def main() -> None:
        async with rig(address, "100 work/minute, 150 work/day") as one:
            async with await one.worker() as accounts, accounts.open(one.key) as long:
                hold = await long.reserve(Amount(1, 40))
                one.utc.turn(60)
                async with accounts.open(one.key) as account:
                    await spend(account, 100)
                assert await long.extend(hold, Amount(0, 40))
                assert hold.amount.work == 50  # the day has no more
                long.settle(hold, usage(50))
            assert await one.spent("150 work/day") == 150
            assert await one.spent("100 work/minute") == 100

    run(main)


def test_near_the_end_an_extension_gets_what_is_left(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1k work, $0.01") as one:
            async with await one.worker() as accounts, accounts.open(one.key) as account:
                hold = await account.reserve(Amount(1, 100, 0, Decimal("0.001")))
                assert await account.extend(hold, Amount(0, 5000, 0, Decimal("0.05")))
                assert hold.amount == Amount(1, 1000, 0, Decimal("0.01"))
                assert not await account.extend(hold, Amount(0, 1, 0, Decimal("0.00001")))
                account.settle(hold, usage(1000, "0.01"))
            assert await one.spent("1000 work/total") == 1000

    run(main)


def test_what_one_worker_holds_idle_another_gets(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1k work/day") as one:
            async with await one.worker() as first, await one.worker() as second:
                async with first.open(one.key, first=Amount(1, 400)) as account:
                    await spend(account, 200)
                async with second.open(one.key, first=Amount(1, 800)) as account:
                    await spend(account, 800)  # the rest, what the first had leased ahead included
            assert await one.spent("1000 work/day") == 1000

    run(main)


def test_holds_that_nobody_settled_are_charged_in_full(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1k work") as one:
            async with await one.worker() as accounts:
                with suppress(ZeroDivisionError):
                    async with accounts.open(one.key) as account:
                        await account.reserve(Amount(1, 70, 5))
                        raise ZeroDivisionError
            assert await one.spent("1000 work/total") == 70
            [row] = await one.store.rows(0, 9)
            assert (row.status, row.work, row.source) == (500, 70, "estimated")

    run(main)


def test_a_cancelled_request_is_settled_and_recorded(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1k work") as one:
            async with await one.worker() as accounts:
                started = asyncio.Event()

                async def request() -> None:
                    async with accounts.open(one.key) as account:
                        hold = await account.reserve(Amount(1, 70))
                        try:
                            started.set()
                            await asyncio.Event().wait()
                        finally:
                            account.settle(hold, usage(33))

                task = asyncio.create_task(request())
                await started.wait()
                task.cancel()
                await asyncio.wait([task])
            assert await one.spent("1000 work/total") == 33
            [row] = await one.store.rows(0, 9)
            assert (row.status, row.work) == (499, 33)

    run(main)


def test_an_engine_that_bills_more_than_was_held_is_charged(address: str) -> None:
    async def main() -> None:
        async with rig(address, "100 work") as one:
            async with await one.worker() as accounts:
                async with accounts.open(one.key) as account:
                    hold = await account.reserve(Amount(1, 90))
                    account.settle(hold, usage(130))
                assert (await refused(accounts, one)).code == "budget_exceeded"
            assert await one.spent("100 work/total") == 130

    run(main)


def test_a_model_without_a_price_is_refused_where_money_is_limited(address: str) -> None:
    async def main() -> None:
        async with rig(address, "$1/day") as one, await one.worker() as accounts:
            for key, budget in ((one.key, None), (None, Budget(cost=Decimal(1)))):
                with pytest.raises(UnpricedModel, match="'m'"):
                    async with accounts.open(key, budget, model="m", is_priced=False):
                        pass
            async with accounts.open(None, Budget(work=1), model="m", is_priced=False):
                pass

    run(main)


def test_a_run_of_a_strategy_draws_on_the_key(address: str) -> None:
    problem = Problem.ask("go", kind="number")

    async def main() -> None:
        engine = ScriptedEngine(lambda r: "w " * 300 + "Answer: 4", latency=lambda r: 1)
        async with rig(address, "20k work/day") as one, await one.worker() as accounts:
            async with accounts.open(one.key, Budget(work=9000)) as account:
                strategy = SelfConsistency(n=8, max_tokens=100_000)
                result = await run_strategy(strategy, problem, engine, account=account.ledger)
            assert result.stop == "done"
            assert result.answer.votes[0].weight == 8
            assert account.spent.work == result.work == engine.billed.output_tokens
            with pytest.raises(Refused):  # nothing of what is left over is lost either
                async with accounts.open(one.key, first=Amount(1, 20_001 - result.work)) as account:
                    await spend(account, 20_001 - result.work)
            async with accounts.open(one.key, first=Amount(1, 20_000 - result.work)) as account:
                await spend(account, 20_000 - result.work)

    run(main)


def test_a_run_ends_with_what_it_has_when_the_key_is_used_up(address: str) -> None:
    async def main() -> None:
        engine = ScriptedEngine(lambda r: "w " * 400 + "Answer: 4", latency=lambda r: 1)
        async with rig(address, "1k work/day") as one:
            async with await one.worker() as accounts, accounts.open(one.key) as account:
                strategy = SelfConsistency(n=8, max_tokens=100_000)
                problem = Problem.ask("go", kind="number")
                result = await run_strategy(strategy, problem, engine, account=account.ledger)
            assert result.stop == "work"
            assert engine.billed.output_tokens == await one.spent("1000 work/day") <= 1000

    run(main)


async def _until_gone(accounts: Accounts, *, is_gone: bool = True) -> None:
    while bool(accounts.gone) is not is_gone:  # noqa: ASYNC110  # nobody tells a test
        await asyncio.sleep(0.01)


def test_a_locked_file_refuses_new_requests_and_settles_old_ones_later(address: str) -> None:
    if "://" in address:
        pytest.skip("of files")

    async def main() -> None:
        async with rig(address, "1k work/day") as one:
            store = DrivenStore(SqliteDatabase(Path(address), busy_seconds=0.01))
            await store.open()
            async with Accounts(store, utc=one.utc, pace=QUICK) as accounts:
                async with accounts.open(one.key) as account:
                    hold = await account.reserve(Amount(1, 50))
                    other = sqlite3.connect(address, isolation_level=None)
                    other.execute("BEGIN EXCLUSIVE")
                    account.settle(hold, usage(44))
                    await _until_gone(accounts)
                    with pytest.raises(StoreGone, match="nothing was spent"):
                        async with accounts.open(one.key):
                            pass
                other.execute("ROLLBACK")
                other.close()
                await _until_gone(accounts, is_gone=False)
                async with accounts.open(one.key) as account:
                    await spend(account, 6)
            await store.aclose()
            assert await one.spent("1000 work/day") == 50

    run(main)


@pytest.mark.peers
def test_a_server_that_crashes_refuses_new_requests_and_loses_no_account(
    postgres: PostgresServer,
) -> None:
    async def main() -> None:
        async with rig(fresh_database(postgres), "1k work/day") as one:
            async with await one.worker() as accounts:
                async with accounts.open(one.key) as account:
                    hold = await account.reserve(Amount(1, 50))
                    await asyncio.to_thread(postgres.stop)
                    try:
                        account.settle(hold, usage(44))
                        await _until_gone(accounts)
                        with pytest.raises(StoreGone, match="nothing was spent"):
                            async with accounts.open(one.key):
                                pass
                    finally:
                        await asyncio.to_thread(postgres.start)
                await _until_gone(accounts, is_gone=False)
                async with accounts.open(one.key) as account:
                    await spend(account, 6)
            assert await one.spent("1000 work/day") == 50
            rows = await one.store.rows(0, 9)
            assert sorted(row.work for row in rows) == [6, 44]

    run(main)


def test_a_store_can_be_closed_while_its_worker_lives(address: str) -> None:
    """As at a shutdown in the wrong order: it ends, and what it could not tell is leased still."""

    async def main() -> None:
        async with rig(address, "1k work/day") as one:
            store = store_at(address)
            await store.open()
            accounts = Accounts(store, utc=one.utc, pace=replace(QUICK, close=0.1))
            async with accounts, accounts.open(one.key) as account:
                hold = await account.reserve(Amount(1, 50))
                await store.aclose()
                account.settle(hold, usage(44))
            spending = (await one.spendings())["1000 work/day"]
            assert spending.held >= 50
            await one.store.reap(one.utc() + 1, one.utc() + 1)
            assert await one.spent("1000 work/day") >= 44

    run(main)


def test_a_worker_that_was_only_cut_off_pays_what_it_used(address: str) -> None:
    """Others charged its lease in full; back again, it is exact."""

    async def main() -> None:
        async with rig(address, "1k work/day") as one:
            async with await one.worker() as accounts:
                async with accounts.open(one.key) as account:
                    hold = await account.reserve(Amount(1, 400))
                    assert await one.store.reap(one.utc() + 100, one.utc() + 100) == 1
                    assert await account.extend(hold, Amount(0, 200))
                    account.settle(hold, usage(555))
                async with accounts.open(one.key) as account:
                    await spend(account, 5)
            spending = (await one.spendings())["1000 work/day"]
            assert (spending.spent, spending.held) == (560, 0)
            assert [row.route for row in await one.store.rows(0, 9)].count("lost") == 0

    run(main)


async def _until_free(one: Rig) -> None:
    while any(spending.held for spending in (await one.spendings()).values()):  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_idle_leases_go_back_and_are_forgotten(address: str) -> None:
    async def main() -> None:
        async with rig(address, "5k work/day, 9k calls/minute") as one:
            async with await one.worker() as accounts:
                async with accounts.open(one.key) as account:
                    await spend(account, 100)
                one.utc.turn(60)
                await _until_free(one)
                async with accounts.open(one.key) as account:
                    await spend(account, 100)
                one.utc.turn(2)
                await _until_free(one)
            assert await one.spent("5000 work/day") == 200

    run(main)


def test_long_caps_do_not_keep_others_out(address: str) -> None:
    """Calls that may go far hold a slice each, not the whole of what they may take."""

    async def main() -> None:
        async with rig(address, "100k work/day") as one:
            async with await one.worker() as accounts:
                inside = asyncio.Event()
                count = 0

                async def request() -> None:
                    nonlocal count
                    async with accounts.open(one.key) as account:
                        hold = await account.reserve(Amount(1, 256))
                        count += 1
                        if count == 300:
                            inside.set()
                        await inside.wait()
                        account.settle(hold, usage(200))

                async with asyncio.TaskGroup() as group:
                    for _ in range(300):
                        group.create_task(request())
            assert await one.spent("100000 work/day") == 60_000

    run(main)


def test_a_flood_over_the_rate_does_not_starve_calls_in_flight(address: str) -> None:
    async def main() -> None:
        async with rig(address, "50k work/day") as one, await one.worker() as accounts:
            stored, _ = make_key("rate", (*one.key.limits, per_minute(1)), now=one.utc())
            await one.store.add(stored)
            async with accounts.open(stored.key) as account:
                hold = await account.reserve(Amount(1, 100))
                for _ in range(50):
                    with pytest.raises(Refused) as caught:
                        async with accounts.open(stored.key):
                            pass
                    assert caught.value.code == "rate_limit_exceeded"
                    assert await account.extend(hold, Amount(0, 900))
                assert hold.amount.work == 45_100
                account.settle(hold, usage(45_100))

    run(main)
