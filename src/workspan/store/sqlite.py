"""The store in one SQLite file, which the workers of a machine share."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import anyio

from workspan.errors import InputError, StoreError, StoreGone
from workspan.legible import one_line
from workspan.store.migrating import migrate
from workspan.store.statement import LOCK, Begun, Rows, Statement, Work

T = TypeVar("T")

_BUSY_SECONDS = 5.0
"""For how long a transaction waits for those of other workers."""
_BUSY = ("locked", "busy", "disk i/o error", "full", "unable to open", "readonly", "read-only")
"""What SQLite says of trouble that may pass."""


class SqliteDatabase:
    """One connection in one thread of its own: the only one of the process that reads or writes.

    The file is in write-ahead mode and synchronised at each commit, so that what a worker was told
    stands after a loss of power, too. Only its owner may read it.
    """

    def __init__(self, path: Path, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self.path = path
        self.shown = str(path)
        self._busy_seconds = busy_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="workspan-store")
        self._database: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        """The file that the connection writes, whatever its name stands for by now."""

    @property
    def is_there(self) -> bool:
        """Say whether the file exists."""
        return self.path.exists()

    async def open(self) -> None:
        """Open or make the file, and bring its tables up to date.

        Raises:
            InputError: what is there is no database, or another program's; it is left as it is.
            StoreError: a newer version wrote it.
            StoreGone: it can't be opened or is locked.
        """
        try:
            await self._run(self._open)
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close the file; what is on its way is done first."""
        with suppress(StoreGone), anyio.CancelScope(shield=True):
            await self._run(self._close)
        self._thread.shutdown(wait=True)

    async def transact(self, begun: Begun[T]) -> T:
        """Run statements in one transaction."""
        return await self._run(lambda: self._transact(begun))

    async def _run(self, job: Callable[[], T]) -> T:
        try:
            done = self._thread.submit(job)
        except RuntimeError:  # the thread has ended
            raise StoreGone(f"the store {self.path} is closed") from None
        return await asyncio.wrap_future(done)

    def _open(self) -> None:
        self._make()
        try:
            self._opened = _identity(self.path)
            self._database = sqlite3.connect(
                self.path, timeout=self._busy_seconds, isolation_level=None
            )
            held = self._database.execute("SELECT name FROM sqlite_master").fetchall()
            if held and ("workspan_schema",) not in held:
                raise InputError(
                    f"{self.path} is another program's database, and was left as it is: "
                    "name another file for the store"
                )
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._database.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            raise self._told(error) from None
        self._migrate()

    def _migrate(self) -> None:
        def begun() -> Work[int]:
            [(tables,)] = yield Statement("SELECT COUNT(*) FROM sqlite_master")
            return (yield from migrate(self.shown, is_empty=not tables))

        self._transact(begun)

    def _make(self) -> None:
        """Make the file for its owner alone; refuse what is none."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(self.path, flags, 0o600)
        except IsADirectoryError:
            raise InputError(f"the store {self.path} is a folder: name a file") from None
        except OSError as error:
            raise StoreError(f"{self.path}: {error.strerror}") from None
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        os.close(file)
        if not is_file:
            raise InputError(f"the store {self.path} is no ordinary file: name one, or a new one")

    def _transact(self, begun: Begun[T]) -> T:
        database = self._connected()
        self._check_there()
        try:
            database.execute("BEGIN IMMEDIATE")
            try:
                result = self._through(database, begun)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise self._told(error) from None
        return result

    def _through(self, database: sqlite3.Connection, begun: Begun[T]) -> T:
        work = begun()
        rows: Rows | None = None
        while True:
            try:
                statement = next(work) if rows is None else work.send(rows)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]
            rows = _executed(database, statement)

    def _connected(self) -> sqlite3.Connection:
        if self._database is None:
            raise StoreGone(f"the store {self.path} is closed")
        return self._database

    def _check_there(self) -> None:
        """See that what is written can be found again: SQLite goes on in a file that has no name.

        Raises:
            StoreGone: the file was deleted, or another stands in its place.
        """
        if _identity(self.path) != self._opened:
            raise StoreGone(
                f"the file of the store {self.path} was deleted or replaced while it was open: put "
                "it back, or start the gateway anew to begin with what is there"
            )

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    def _told(self, error: sqlite3.Error) -> StoreError | InputError:
        said = one_line(str(error))
        if "not a database" in said:
            return InputError(
                f"{self.path} is no SQLite database, and was left as it is: "
                "name another file for the store"
            )
        kind = StoreGone if any(word in said.lower() for word in _BUSY) else StoreError
        return kind(f"the store {self.path}: {said}")


def _identity(path: Path) -> tuple[int, int] | None:
    """Return what a file is known by; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _executed(database: sqlite3.Connection, statement: Statement) -> Rows:
    text = statement.text.replace(LOCK, "")  # the transaction is the only one that writes
    if statement.is_many:
        database.executemany(text, statement.parameters)
        return []
    return database.execute(text, statement.parameters).fetchall()
