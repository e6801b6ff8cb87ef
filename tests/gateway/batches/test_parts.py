"""What is large is kept and dropped in parts: nobody waits for all of it, and nothing is seen half.

Over a database that tells how much each transaction writes, and lets one of them fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

from workspan.errors import InputError, StoreGone, WorkspanError
from workspan.serve.batches import parts, statements
from workspan.serve.batches.records import Batch, File, Line
from workspan.serve.batches.statements import Held
from workspan.store.database import Database, database_at
from workspan.store.statement import Begun, Statement, Work

T = TypeVar("T")
DAY = 86_400


@dataclass
class Watched:
    """A database whose transactions are counted, and seen between."""

    database: Database
    rows: list[int] = field(default_factory=list)
    """Of each transaction: rows that it was given to write, or dropped."""
    fails_at: int | None = None
    """The transaction that the store is gone in, by its number."""
    between: Callable[[], Any] | None = None

    async def transact(self, begun: Begun[T]) -> T:
        if self.between is not None:
            await self.between()
        self.rows.append(0)
        if self.fails_at is not None and len(self.rows) > self.fails_at:
            raise StoreGone("gone")
        return await self.database.transact(lambda: self._counted(begun()))

    def _counted(self, work: Work[T]) -> Work[T]:
        statement = next(work)
        while True:
            rows = yield statement
            many = statement.parameters if statement.is_many else rows
            self.rows[-1] += len(many)
            try:
                statement = work.send(rows)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]


async def watched(address: str) -> tuple[Any, Database]:
    database = database_at(address)
    await database.open()
    return Watched(database), database


def some_batch(id: str, lines: int) -> tuple[Batch, list[Line]]:
    told = [Line(at, f"c{at}", f'{{"n": {at}}}') for at in range(lines)]
    asked = ("k", "f", "/v1/chat/completions", "24h")
    return Batch(id, *asked, {}, "validating", [], lines, 1_000, 1_000 + DAY), told


def some_file(id: str, content: str) -> File:
    return File(id, "k", "n", "batch", "", 1_000, 1_000 + DAY, len(content.encode()))


def room(_: Held) -> None:
    """There is room."""


def full(_: Held) -> None:
    raise InputError("there is no room")


async def left(database: Database) -> dict[str, int]:
    """Return how many rows there are of anything."""
    found = {}
    for table in ("files", "file_parts", "batches", "batch_lines"):

        def count(table: str = table) -> Work[int]:
            [(many,)] = yield Statement(f"SELECT COUNT(*) FROM {table}")
            return int(many)

        if many := await database.transact(count):
            found[table] = many
    return found


async def seen(database: Database) -> tuple[int, int, int]:
    """Return what a client, and a worker that takes batches up, sees: nothing is changed."""
    files = await database.transact(lambda: statements.files("k", "", "", 99))
    batches = await database.transact(lambda: statements.batches("k", "", 99))

    def look() -> Work[int]:
        mine = yield from statements.look("w", 1_000.0, 0.0, 99)
        yield Statement("UPDATE batches SET worker = ''")
        return len(mine)

    return len(files), len(batches), await database.transact(look)


def test_a_batch_is_kept_in_parts_and_seen_once_it_is_whole(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_LINES", 10)

    async def main() -> None:
        store, database = await watched(address)
        states: list[tuple[int, int, int]] = []

        async def between() -> None:
            states.append(await seen(database))

        store.between = between
        batch, lines = some_batch("b", 95)
        await parts.keep_batch(store, batch, lines, room)
        assert max(store.rows) == 10
        assert set(states) == {(0, 0, 0)}
        assert len(states) == 12  # others' turn comes before each of them
        assert await seen(database) == (0, 1, 1)
        kept = await database.transact(lambda: statements.lines("b", -1, 999))
        assert kept == lines
        store.between, store.rows = None, []
        await parts.drop_batch(store, "b")
        assert max(store.rows) == 10
        assert await left(database) == {}
        await database.aclose()

    asyncio.run(main())


def test_long_lines_are_parts_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_CHARACTERS", 100)
    lines = [Line(at, f"c{at}", "x" * size) for at, size in enumerate([60, 40, 1, 500, 99, 1, 1])]
    shared = [[len(line.body) for line in some] for some in parts._shared_out(lines)]
    assert shared == [[60, 40], [1], [500], [99, 1], [1]]
    assert list(parts._shared_out([])) == []


def test_a_file_is_kept_in_parts_and_gone_before_the_first_of_them_is(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_CHARACTERS", 7)

    async def main() -> None:
        store, database = await watched(address)
        content = "aé中🙂\n" * 40
        file = some_file("f", content)
        states: list[tuple[int, int, int]] = []

        async def between() -> None:
            states.append(await seen(database))

        store.between = between
        await parts.keep_file(store, file, content, room)
        assert set(states) == {(0, 0, 0)}
        assert await seen(database) == (1, 0, 0)
        told = [part async for part in parts.content_of(database, file)]
        assert b"".join(told).decode() == content
        assert len(told) > 20
        reading = parts.content_of(database, file)
        await anext(reading)
        assert not await parts.forget_file(store, "other", "f")
        states.clear()
        assert await parts.forget_file(store, "k", "f")
        assert states[0] == (1, 0, 0)
        assert set(states[1:]) == {(0, 0, 0)}
        assert await left(database) == {}
        with pytest.raises(InputError, match="deleted while it was read"):  # and is no short file
            async for _ in reading:
                pass
        empty = some_file("e", "")
        await parts.keep_file(store, empty, "", room)
        assert [part async for part in parts.content_of(database, empty)] == []
        await database.aclose()

    asyncio.run(main())


@pytest.mark.parametrize("what", ["file", "batch"])
def test_a_death_at_any_moment_leaves_nothing_that_is_seen_and_that_is_dropped(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each number of transactions: the store is gone for what would undo it, too."""
    monkeypatch.setattr(parts, "_LINES", 10)
    monkeypatch.setattr(parts, "_CHARACTERS", 10)

    async def main() -> None:
        database = database_at(str(tmp_path / "store.db"))
        await database.open()
        for at in range(6):
            store: Any = Watched(database, fails_at=at)
            batch, lines = some_batch("b", 40)
            keeping = (
                parts.keep_file(store, some_file("f", "x" * 40), "x" * 40, room)
                if what == "file"
                else parts.keep_batch(store, batch, lines, room)
            )
            with pytest.raises(StoreGone):
                await keeping
            assert await seen(database) == (0, 0, 0)
            held = await database.transact(lambda: statements.held("k"))
            assert (held.files, held.open) == ((at > 0, 0) if what == "file" else (0, at > 0))
            await parts.purge(database, 1_000 + 3_000)  # others may be at it yet
            assert bool(await left(database)) == (at > 0)
            await parts.purge(database, 1_000 + 4_000)
            assert await left(database) == {}
        await database.aclose()

    asyncio.run(main())


def test_what_is_cut_in_the_middle_is_undone_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client has left, say."""
    monkeypatch.setattr(parts, "_LINES", 10)

    async def main() -> None:
        store, database = await watched(address)
        batch, lines = some_batch("b", 95)
        task = asyncio.create_task(parts.keep_batch(store, batch, lines, room))

        async def between() -> None:
            if len(store.rows) == 4:
                task.cancel()

        store.between = between
        await asyncio.wait([task])
        assert task.cancelled()
        assert await left(database) == {}
        await database.aclose()

    asyncio.run(main())


def test_what_has_no_room_is_refused_within_the_transaction_and_the_store_goes_on(
    address: str,
) -> None:
    """Our own refusals roll back, and the connection stands: no client makes it connect anew."""

    async def main() -> None:
        store, database = await watched(address)
        batch, lines = some_batch("b", 5)
        await database.transact(lambda: statements.held("k"))
        before = getattr(database, "_connection", None)
        for _ in range(3):
            with pytest.raises(InputError, match="no room"):
                await parts.keep_batch(store, batch, lines, full)
            with pytest.raises(InputError, match="no room"):
                await parts.keep_file(store, some_file("f", "x"), "x", full)

            def late() -> Work[None]:
                yield from statements.add_file(some_file("f", "x"), is_whole=True)
                raise WorkspanError("refused after it was written")

            with pytest.raises(WorkspanError, match="after it was written"):
                await database.transact(late)

            def buggy() -> Work[None]:
                yield from statements.add_file(some_file("f", "x"), is_whole=True)
                raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await database.transact(buggy)
        assert getattr(database, "_connection", None) is before
        assert await left(database) == {}
        await parts.keep_batch(store, batch, lines, room)
        assert await seen(database) == (0, 1, 1)
        await database.aclose()

    asyncio.run(main())


def test_lists_are_read_page_by_page(address: str) -> None:
    async def main() -> None:
        _, database = await watched(address)
        for at in range(7):
            batch, _ = some_batch(f"b{at}", 0)
            await parts.keep_batch(database, batch, [], room)
            await parts.keep_file(database, some_file(f"f{at}", "x"), "x", room)
        for read in (
            lambda after: statements.batches("k", after, 3),
            lambda after: statements.files("k", "batch", after, 3),
        ):
            told: list[str] = []
            while page := await database.transact(
                lambda read=read, told=told: read(told[-1] if told else "")  # type: ignore[misc]
            ):
                assert len(page) <= 3
                told += [one.id for one in page]
            assert [id[1:] for id in told] == list("6543210")
            with pytest.raises(InputError, match="is not there"):
                await database.transact(lambda read=read: read("nobody's"))  # type: ignore[misc]
        assert await database.transact(lambda: statements.files("k", "batch_output", "", 9)) == []
        with pytest.raises(InputError, match="is not there"):
            await database.transact(lambda: statements.batches("other", "b3", 9))
        await database.aclose()

    asyncio.run(main())
