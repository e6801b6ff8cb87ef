"""Both stores: keys, exchanges, migrations; what is wrong with an address or a file is said."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from importlib.resources import files
from pathlib import Path

import pytest

from store_rig import NOON, rig, run
from workspan.errors import InputError, StoreError, StoreGone
from workspan.serve.batches import statements
from workspan.serve.batches.parts import content_of
from workspan.serve.store import store_at
from workspan.serve.store.base import Ask, Batch, Row, Standing, Store, Window
from workspan.serve.store.driven import DrivenStore
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits, per_minute, window_start
from workspan.serve.store.totals import totals
from workspan.serve.store.trajectories import StoredTrajectory
from workspan.store.database import shown_address
from workspan.store.migrating import migrations
from workspan.store.sqlite import SqliteDatabase

LIMITS = (*parse_limits("1000 work/day, $2/month"), per_minute(60))


def day(key: str) -> Window:
    return Window(key, "work", "day", window_start("day", NOON))


async def opened(address: str) -> Store:
    store = store_at(address)
    await store.open()
    return store


async def exchange(store: Store, worker: str, number: int, ask: Ask, now: float = NOON) -> Standing:
    [standing] = await store.exchange(Batch(worker, number, now, [ask]))
    return standing


def test_a_key_comes_back_as_it_was_kept(address: str) -> None:
    async def main() -> None:
        store = await opened(address)
        stored, _ = make_key("ü", LIMITS, models=("a*", "b"), expires=int(NOON) + 9, now=NOON)
        await store.add(stored)
        assert await store.find(stored.key.id) == stored
        assert await store.find("nobody") is None
        assert await store.keys() == [stored]
        assert not await store.revoke("nobody", 1)
        assert await store.revoke(stored.key.id, 70)
        assert await store.revoke(stored.key.id, 90)
        found = await store.find(stored.key.id)
        assert found is not None
        assert found.key.revoked == 70
        await store.aclose()

    run(main)


def test_a_lease_is_granted_charged_and_given_back(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1000 work/day") as one:
            window = day(one.key.id)
            got = await exchange(one.store, "a", 1, Ask(window, need=100, least=100, ahead=8000))
            assert (got.granted, got.spent, got.leased, got.most) == (100 + 112, 0, 212, 1000)
            got = await exchange(one.store, "a", 2, Ask(window, used=50, returned=62))
            assert (got.granted, got.spent, got.leased) == (100, 50, 100)
            got = await exchange(one.store, "b", 1, Ask(window, need=850, least=850))
            assert (got.granted, got.leased) == (850, 950)
            got = await exchange(one.store, "b", 2, Ask(window, need=1, least=1))
            assert (got.granted, got.is_wanted) == (850, False)
            got = await exchange(one.store, "a", 3, Ask(window))
            assert got.is_wanted
            got = await exchange(one.store, "a", 4, Ask(window, returned=90))
            got = await exchange(one.store, "b", 3, Ask(window, need=200, least=50))
            assert (got.granted, got.leased, got.spent) == (850 + 90, 950, 50)

    run(main)


def test_a_batch_that_comes_again_changes_nothing(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1000 work/day") as one:
            window, row = day(one.key.id), Row("r1", NOON, one.key.id, work=50)
            await exchange(one.store, "a", 1, Ask(window, need=100, least=100))
            batch = Batch("a", 2, NOON, [Ask(window, used=50, returned=10)], [row])
            first = await one.store.exchange(batch)
            assert await one.store.exchange(batch) == first
            assert (first[0].granted, first[0].spent, first[0].leased) == (40, 50, 40)
            assert await one.store.rows(0, 10) == [row]

    run(main)


def test_what_a_dead_worker_held_is_spent_and_comes_back_with_it(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1000 work/day") as one:
            window = day(one.key.id)
            await exchange(one.store, "a", 1, Ask(window, need=300, least=300))
            assert await one.store.reap(NOON + 9, NOON) == 0
            assert await one.store.reap(NOON + 9, NOON + 1) == 1
            assert await one.store.reap(NOON + 9, NOON + 1) == 0
            spending = (await one.spendings())["1000 work/day"]
            assert (spending.spent, spending.held) == (300, 0)
            [lost] = await one.store.rows(0, 9)
            assert (lost.route, lost.work, lost.status) == ("lost", 300, 500)
            got = await exchange(one.store, "a", 2, Ask(window, used=120, returned=180), NOON + 10)
            assert (got.granted, got.spent, got.leased) == (0, 120, 0)
            assert await one.store.rows(0, 9) == []

    run(main)


def test_what_is_over_and_holds_nothing_is_dropped(address: str) -> None:
    async def main() -> None:
        async with rig(address, "9 work/minute, 9 work/day") as one:
            minutes = [
                Window(one.key.id, "work", "minute", int(NOON) + 60 * place) for place in range(3)
            ]
            asks = [Ask(window, need=5, least=5) for window in minutes]
            await one.store.exchange(Batch("a", 1, NOON, [*asks, Ask(day(one.key.id))]))
            back = [Ask(minutes[0], used=5), Ask(minutes[1], returned=5)]
            await one.store.exchange(Batch("a", 2, NOON, back))
            later = NOON + 86_400 + 61
            await one.store.reap(later, NOON - 1)
            got = await exchange(one.store, "b", 1, Ask(minutes[0], need=9, least=9), later)
            assert (got.spent, got.granted) == (0, 9)  # as new
            got = await exchange(one.store, "b", 2, Ask(minutes[2], need=9, least=9), later)
            assert (got.leased, got.granted) == (5, 0)  # still leased
            await one.store.reap(later + 1, later)
            assert (await one.store.rows(0, 9))[0].work == 5

    run(main)


def test_each_window_has_an_account_of_its_own(address: str) -> None:
    async def main() -> None:
        async with rig(address, "1000 work/day") as one:
            today = day(one.key.id)
            tomorrow = Window(one.key.id, "work", "day", window_start("day", NOON + 86400))
            asks = [Ask(today, need=1000, least=1000), Ask(tomorrow, need=1000, least=1000)]
            granted = await one.store.exchange(Batch("a", 1, NOON, asks))
            assert [one.granted for one in granted] == [1000, 1000]

    run(main)


def test_totals_of_money_go_beyond_64_bits(address: str) -> None:
    async def main() -> None:
        async with rig(address, "") as one:
            rows = [Row(f"r{i}", NOON, one.key.id, cost=9 * 10**18, status=499) for i in range(3)]
            await one.store.exchange(Batch("a", 1, NOON, rows=[*rows, Row("x", NOON, one.key.id)]))
            [usage] = await one.store.usage(NOON)
            assert usage.totals.cost == 27 * 10**18
            assert (usage.totals.requests, usage.totals.failed, usage.totals.unpriced) == (4, 3, 1)

    run(main)


def test_several_may_open_a_new_store_at_once(address: str) -> None:
    async def main() -> None:
        stores = [store_at(address) for _ in range(6)]
        async with asyncio.TaskGroup() as group:
            for store in stores:
                group.create_task(store.open())
        for store in stores:
            assert await store.keys() == []
            await store.aclose()
            await store.aclose()

    run(main)


def test_a_store_of_a_newer_version_is_refused(address: str) -> None:
    async def main() -> None:
        store = await opened(address)
        await _execute(store, "UPDATE workspan_schema SET version = 999")
        await store.aclose()
        with pytest.raises(
            StoreError, match=rf"newer workspan \(tables 999, .* up to {max(migrations())}\)"
        ):
            await opened(address)

    run(main)


async def _execute(store: Store, text: str) -> None:
    from workspan.store.statement import Statement, Work

    def begun() -> Work[None]:
        yield Statement(text)

    assert isinstance(store, DrivenStore)
    await store.database.transact(begun)


def test_migrations_are_numbered_without_gaps() -> None:
    named = [one.name for one in (files("workspan.store") / "migrations").iterdir()]
    numbers = sorted(int(name[:4]) for name in named if name.endswith(".sql"))
    assert [*migrations()] == numbers == [*range(1, len(numbers) + 1)], "each number once"


def test_what_an_older_version_kept_is_there_after_it_is_brought_up_to_date(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files sent, turns of runs and totals, as version 8 had them."""
    old = {number: text for number, text in migrations().items() if number <= 8}
    text = "\n".join(["é" * 9] * 9)

    async def main() -> None:
        with monkeypatch.context() as patched:
            patched.setattr("workspan.store.migrating.migrations", lambda: old)
            store = await opened(address)
            size = len(text.encode())
            for told in (
                f"INSERT INTO files VALUES ('f', 'k', 'n', 'batch', '', 1, 99, {size})",
                f"INSERT INTO file_contents VALUES ('f', '{text}')",
                "INSERT INTO keys (id, name, hash, models, created, parent, is_found) "
                "VALUES ('trj-a', 'a', '', '[]', 1, 'k', 1)",
            ):
                await _execute(store, told)
            rows = [Row(f"r{i}", NOON + i, "k", work=7, trajectory="trj-a") for i in range(3)]
            await store.exchange(Batch("w", 1, NOON, rows=[*rows, Row("x", NOON, "k", work=2)]))
            await store.aclose()
        store = await opened(address)
        assert isinstance(store, DrivenStore)
        database = store.database
        file = await database.transact(lambda: statements.file("k", "f"))
        assert file is not None
        parts = [part async for part in content_of(database, file)]
        assert b"".join(parts).decode() == text
        found = StoredTrajectory("trj-a", "k", "a", (), int(NOON) + 9, is_found=True)
        assert (await store.begin(found)).turns == 4
        assert (await database.transact(lambda: totals("k"))).work == 23
        await store.aclose()

    run(main)


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    async def main() -> None:
        store = await opened(str(tmp_path / "deep" / "store.db"))
        await store.aclose()

    run(main)
    assert stat.S_IMODE((tmp_path / "deep" / "store.db").stat().st_mode) == 0o600


def test_what_is_no_store_is_left_as_it_is(tmp_path: Path) -> None:
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("my notes, which are no database at all\n" * 9)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE theirs (x)")
    database.close()
    before = other.read_bytes()
    for path, said in ((text, "no SQLite"), (other, "another program's"), (tmp_path, "a folder")):
        with pytest.raises(InputError, match=said):
            run(lambda path=path: opened(str(path)))  # type: ignore[misc]
    assert text.read_text().startswith("my notes")
    assert other.read_bytes() == before


def test_a_file_that_another_program_locks_is_gone_for_a_while(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        store = DrivenStore(SqliteDatabase(path, busy_seconds=0.01))
        await store.open()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreGone, match="locked"):
            await store.keys()
        other.execute("ROLLBACK")
        other.close()
        assert await store.keys() == []
        await store.aclose()
        with pytest.raises((StoreGone, RuntimeError)):
            await store.keys()

    run(main)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("", "a store is a file"),
        ("mysql://host/db", "mysql:// is neither"),
        ("postgresql://u:p/w@host/db", "host or port"),
        ("postgresql://u:1/w@host/db", "%2F"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        store_at(address)
    assert "p/w" not in str(caught.value)


def test_a_password_is_never_shown() -> None:
    shown, secret = shown_address("postgresql://u:hunter2hunter@h:5433/db?password=otherone")
    assert shown == "postgresql://u@h:5433/db"
    assert "hunter2" not in secret.scrub("could not log in with hunter2hunter")
    assert "hunter2" not in repr(secret)


@pytest.mark.peers
def test_a_server_that_is_not_there_is_gone_without_its_password() -> None:
    pytest.importorskip("psycopg")
    store = store_at("postgresql://u:hunter2hunter@127.0.0.1:1/db")
    with pytest.raises(StoreGone) as caught:
        run(store.open)
    assert "127.0.0.1:1/db" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value.__cause__)
