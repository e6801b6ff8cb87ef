"""The store's database: where it is, how it is opened, and the seam that both drivers fill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit, urlunsplit

from workspan.boundary.secret import Secret
from workspan.errors import InputError, MissingDependency
from workspan.store.sqlite import SqliteDatabase
from workspan.store.statement import Begun

T = TypeVar("T")

_SCHEMES = ("postgresql", "postgres")
_EXAMPLE = "a store is a file, or an address such as postgresql://HOST/DATABASE"


class Database(Protocol):
    """A database that holds this program's tables and runs transactions."""

    @property
    def shown(self) -> str:
        """The address as it may be shown: without a password."""
        ...

    @property
    def is_there(self) -> bool:
        """Say whether there is anything to open yet; a server is taken to be there."""
        ...

    async def open(self) -> None:
        """Connect, and bring the tables up to this version's; several may do so at once.

        Raises:
            StoreError: a newer version wrote it, or it holds something else.
        """
        ...

    async def aclose(self) -> None:
        """Give everything back; idempotent."""
        ...

    def transact(self, begun: Begun[T]) -> Awaitable[T]:
        """Run statements whole or not at all, and return what they came to.

        Raises:
            StoreGone: the database can't be reached, or is too busy.
            StoreError: it can't be used.
        """
        ...


def database_at(address: str) -> Database:
    """Return the database at a path or at ``postgresql://…``, not opened yet.

    Raises:
        InputError: it is neither.
        MissingDependency: PostgreSQL's driver is not installed.
    """
    scheme, mark, _ = address.partition("://")
    if not mark:
        if not address.strip() or "\0" in address:
            raise InputError(_EXAMPLE)
        return SqliteDatabase(Path(address))
    if scheme not in _SCHEMES:
        raise InputError(f"{_EXAMPLE}: {scheme[:20]}:// is neither")
    shown, secret = shown_address(address)
    try:
        from workspan.store.postgres import PostgresDatabase
    except ImportError:
        raise MissingDependency("a store in PostgreSQL", "postgres") from None
    return PostgresDatabase(address, shown, secret)


@asynccontextmanager
async def opened_database(
    address: str, *, made_by: str, is_made: bool = True
) -> AsyncIterator[Database]:
    """Open a database for as long as the block runs.

    Args:
        address: a path or ``postgresql://…``.
        made_by: the command that makes a store, told where there is none.
        is_made: one that is not there is made.

    Raises:
        InputError: there is no such file, and it is not to be made.
        StoreError: it can't be used.
    """
    database = database_at(address)
    if not is_made and not database.is_there:
        raise InputError(f"there is no store {address}: `{made_by}` makes one")
    await database.open()
    try:
        yield database
    finally:
        await database.aclose()


def shown_address(address: str) -> tuple[str, Secret]:
    """Return an address of PostgreSQL as it may be shown, and the password that it holds.

    Raises:
        InputError: its parts can't be told.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError(f"{_EXAMPLE}: its host or port is none") from None
    if "@" in parts.path or parts.fragment:
        raise InputError(f"{_EXAMPLE}: write signs such as / and # in a password as %2F and %23")
    place = f"{host}:{port}" if port else host
    if parts.username:
        place = f"{parts.username}@{place}"
    # of the query, which may hold a password too, nothing is shown
    return urlunsplit((parts.scheme, place, parts.path, "", "")), Secret(
        unquote(parts.password or ""), tuple(parts.query.split("&"))
    )
