"""The store in PostgreSQL, which the workers of many machines share."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import anyio
import psycopg
from psycopg import AsyncConnection, sql

from workspan.boundary.secret import Secret
from workspan.errors import StoreError, StoreGone
from workspan.store.migrating import migrate
from workspan.store.statement import Begun, Rows, Statement, Work

T = TypeVar("T")

_SCHEMA = "workspan"
_MIGRATING = 0x776B7370
"""The lock that only one migrates under."""
_IDLE = psycopg.pq.TransactionStatus.IDLE
_CONNECT_SECONDS = 5
_STATEMENT_MS = 10_000
"""What a statement may take, waiting for locks included."""
_TRIES = 3
"""Of a transaction that the database itself asks to be begun anew."""


class PostgresDatabase:
    """One connection, made again when it is lost; tables in a schema of their own."""

    def __init__(self, conninfo: str, shown: str, secret: Secret) -> None:
        self.shown = shown
        self._conninfo = conninfo
        self._secret = secret
        self._connection: AsyncConnection[tuple[Any, ...]] | None = None
        self._lock = anyio.Lock()
        self._is_closed = False

    @property
    def is_there(self) -> bool:
        """A server is taken to be there: opening says where it is not."""
        return True

    async def open(self) -> None:
        """Connect, and bring the tables up to date; several may do so at once."""
        try:
            await self.transact(self._migrations)
        except BaseException:
            await self._drop()  # whoever could not open it has nothing to close
            raise

    def _migrations(self) -> Work[int]:
        yield Statement("SELECT pg_advisory_xact_lock(?)", (_MIGRATING,))
        yield Statement(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
        [(table,)] = yield Statement("SELECT to_regclass(?)::text", (f"{_SCHEMA}.workspan_schema",))
        return (yield from migrate(self.shown, is_empty=table is None))

    async def aclose(self) -> None:
        """Close the connection."""
        self._is_closed = True
        async with self._lock:
            await self._drop()

    async def transact(self, begun: Begun[T]) -> T:
        """Run statements in one transaction, on a connection that stands."""
        async with self._lock:
            for attempt in range(_TRIES):
                is_old = self._connection is not None
                try:
                    return await self._transact(begun)
                except (psycopg.errors.SerializationFailure, psycopg.errors.DeadlockDetected):
                    if attempt == _TRIES - 1:
                        raise StoreGone(f"the store {self.shown} is too busy") from None
                except (psycopg.OperationalError, psycopg.InterfaceError) as error:
                    await self._drop()
                    if (
                        not is_old or attempt == _TRIES - 1
                    ):  # one that stood idle may have been lost long ago
                        raise StoreGone(self._told(error)) from None
                except psycopg.Error as error:
                    raise StoreError(self._told(error)) from None
                except Exception:
                    if not self._is_idle:
                        await self._drop()
                    raise  # a refusal or a bug of what was asked: it was rolled back
                except BaseException:
                    await self._drop()  # cut in the middle: nobody knows what it is in
                    raise
        raise AssertionError  # pragma: no cover  # the last try returned or raised

    @property
    def _is_idle(self) -> bool:
        """The connection stands, and is in no transaction."""
        connection = self._connection
        return connection is not None and connection.info.transaction_status == _IDLE

    async def _transact(self, begun: Begun[T]) -> T:
        connection = await self._connected()
        async with connection.transaction(), connection.cursor() as cursor:
            work = begun()
            rows: Rows | None = None
            while True:
                try:
                    statement = next(work) if rows is None else work.send(rows)
                except StopIteration as end:
                    return end.value  # type: ignore[no-any-return]
                text = sql.SQL(statement.text.replace("%", "%%").replace("?", "%s"))
                if statement.is_many:
                    await cursor.executemany(text, statement.parameters)
                    rows = []
                else:
                    await cursor.execute(text, statement.parameters)
                    rows = await cursor.fetchall() if cursor.description else []

    async def _connected(self) -> AsyncConnection[tuple[Any, ...]]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._is_closed:
            raise StoreGone(f"the store {self.shown} is closed")
        settings = f"-c search_path={_SCHEMA} -c statement_timeout={_STATEMENT_MS}"
        self._connection = await AsyncConnection.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            application_name="workspan",
            options=settings,
        )
        return self._connection

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with anyio.CancelScope(shield=True), suppress(psycopg.Error, OSError):
                await connection.close()

    def _told(self, error: Exception) -> str:
        said = str(error).strip() or type(error).__name__
        return f"the store {self.shown}: {self._secret.scrub(said.splitlines()[0])}"
