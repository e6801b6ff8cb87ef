"""Statements for any SQL database: written once as a generator, run by each driver.

A generator gives a statement and is sent the rows: `sqlite` runs it in a thread, `postgres` awaits
it. A whole generator is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar


class Statement(NamedTuple):
    """One statement with its parameters, or the same with many rows of them."""

    text: str
    parameters: Sequence[Any] = ()
    is_many: bool = False


Rows: TypeAlias = list[tuple[Any, ...]]
T = TypeVar("T")
Work: TypeAlias = Generator[Statement, Rows, T]
"""Gives statements, is sent their rows, returns what was asked for."""
Begun: TypeAlias = Callable[[], Work[T]]
"""Begins a transaction's statements: anew, where it must be tried again."""

LOCK = " FOR UPDATE"
"""Ends a statement that reads what the transaction is going to write, where rows are locked."""
