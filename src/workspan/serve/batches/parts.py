"""What is large, kept and dropped in parts: whoever waits for the store waits for one of them.

Each part is a transaction of its own. A file or a batch is seen once all of it is there, and gone
before the first part of it is; what a death in between leaves behind is dropped by `purge`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from workspan.errors import InputError, StoreError
from workspan.serve.batches import statements
from workspan.serve.batches.records import Batch, File, Line
from workspan.serve.batches.statements import Held
from workspan.store.database import Database
from workspan.store.statement import Work

_CHARACTERS = 256 * 1024
"""Of a part of a file, and of the lines that are kept at once where these are several."""
_LINES = 200
"""That are kept, or dropped, at once."""
_PARTS = 4
"""Of a file, that are dropped at once."""

Check = Callable[[Held], None]
"""Told what a key has here; raises where there is no room."""


async def keep_file(database: Database, file: File, content: str, check: Check) -> None:
    """Keep a file that a client sent.

    Raises:
        WorkspanError: the check's; nothing is kept.
        StoreError: the store is gone, and nothing is seen of it.
    """

    def begun() -> Work[None]:
        check((yield from statements.held(file.key)))
        yield from statements.add_file(file, is_whole=False)

    await database.transact(begun)
    try:
        for place, start in enumerate(range(0, len(content), _CHARACTERS)):
            part = content[start : start + _CHARACTERS]
            await database.transact(partial(statements.add_part, file.id, place, part))
        await database.transact(partial(statements.finish_file, file.id))
    except BaseException:
        await _undo(drop_file(database, file.id))
        raise


async def keep_batch(database: Database, batch: Batch, lines: Sequence[Line], check: Check) -> None:
    """Keep a new batch that is "validating", and let it begin once its lines are there.

    Raises:
        WorkspanError: the check's; nothing is kept.
        StoreError: the store is gone, and nothing is seen of it.
    """

    def begun() -> Work[None]:
        check((yield from statements.held(batch.key)))
        yield from statements.add_batch(batch)

    await database.transact(begun)
    try:
        for some in _shared_out(lines):
            await database.transact(partial(statements.add_lines, batch.id, some))
        await database.transact(partial(statements.begin_batch, batch.id))
    except BaseException:
        await _undo(drop_batch(database, batch.id))
        raise


def _shared_out(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield lines in parts, none of them empty."""
    some: list[Line] = []
    size = 0
    for line in lines:
        size += len(line.body)
        if some and (size > _CHARACTERS or len(some) == _LINES):
            yield some
            some, size = [], len(line.body)
        some.append(line)
    if some:
        yield some


async def _undo(dropping: Awaitable[None]) -> None:
    """Drop what did not become whole; where that fails, too, `purge` does it later."""
    with suppress(StoreError):
        await dropping


async def content_of(database: Database, file: File) -> AsyncIterator[bytes]:
    """Yield what a client sent, part by part.

    Raises:
        InputError: it was deleted meanwhile: what came is not all.
    """
    place = came = 0
    while (part := await database.transact(partial(statements.part, file.id, place))) is not None:
        told = part.encode()
        yield told
        place, came = place + 1, came + len(told)
    if came != file.bytes:
        raise InputError("the file was deleted while it was read")


async def forget_file(database: Database, key: str, id: str) -> bool:
    """Forget a key's file, of results the lines themselves; False where there is none."""
    if not await database.transact(partial(statements.hide_file, key, id)):
        return False
    await drop_file(database, id)
    return True


async def drop_file(database: Database, id: str) -> None:
    """Drop a file that is not seen any more."""
    while await database.transact(partial(statements.drop_some, id, _PARTS, _LINES)):
        pass
    await database.transact(partial(statements.drop_file, id))


async def drop_batch(database: Database, id: str) -> None:
    """Drop a batch that nobody sees."""
    while await database.transact(partial(statements.drop_lines, id, _LINES)):
        pass
    await database.transact(partial(statements.drop_batch, id))


async def empty_lines(database: Database, batch: str) -> None:
    """Drop what lines asked that were never answered, of a batch that has ended."""
    while await database.transact(partial(statements.empty_some, batch, _LINES)):
        pass


async def purge(database: Database, now: int) -> None:
    """Forget what is too old, or never became whole."""
    while True:
        files, batches = await database.transact(partial(statements.too_old, now))
        for key, id in files:
            await forget_file(database, key, id)
        for id in batches:
            await drop_batch(database, id)
        if not files and not batches:
            return
