"""Cells and trials as Parquet, and asked in SQL."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from workspan.boundary.outputs import Output, check_outputs, replace_file
from workspan.errors import InputError, MissingDependency, OutputError
from workspan.lab.sweeping.outcome import CellRow, TrialRow
from workspan.legible import one_line

Tables = Mapping[str, Any]
"""Arrow tables by name: ``cells`` and ``trials``."""
_LONGEST = 300


def tables(cells: Sequence[CellRow], trials: Mapping[str, Sequence[TrialRow]]) -> Tables:
    """Lay cells and their problems out as Arrow tables; ``trials.cell`` is ``cells.id``.

    Raises:
        MissingDependency: pyarrow is not installed.
    """
    try:
        import pyarrow
    except ImportError:
        raise MissingDependency("a table of Parquet", "tasks") from None
    rows = [{"cell": cell, **asdict(one)} for cell, many in trials.items() for one in many]
    own = pyarrow.schema([("cell", pyarrow.string()), *_columns(TrialRow)])
    return {
        "cells": pyarrow.Table.from_pylist(
            [asdict(cell) for cell in cells], schema=pyarrow.schema(_columns(CellRow))
        ),
        "trials": pyarrow.Table.from_pylist(rows, schema=own),
    }


def export(found: Tables, folder: Path) -> list[Path]:
    """Write ``cells.parquet`` and ``trials.parquet`` into a folder, each whole or not at all.

    Whoever owns them may read them, and nobody else. What was exported before is replaced.

    Raises:
        InputError: the folder is a file, can't be written, or holds such files of somebody else.
    """
    from pyarrow import BufferOutputStream, parquet

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: can't be made: {error.strerror}") from None
    paths = {name: folder / f"{name}.parquet" for name in found}
    check_outputs(
        [
            Output("--to", path, "an export", partial(_is_export, found[name]))
            for name, path in paths.items()
        ]
    )
    for name, path in paths.items():
        written = BufferOutputStream()
        parquet.write_table(found[name], written, compression="zstd")
        try:
            replace_file(path, written.getvalue().to_pybytes())
        except OSError as error:
            raise OutputError(f"{path}: can't be written: {error.strerror}") from None
    return [*paths.values()]


def _is_export(table: Any, path: Path) -> bool:
    """Tell whether a file has the columns of a table that is exported."""
    from pyarrow import ArrowException, parquet

    try:
        names: list[str] = parquet.read_schema(path).names
    except ArrowException:
        return False
    return bool(names == table.schema.names)


def ask(found: Tables, query: str) -> list[dict[str, Any]]:
    """Return the rows of a query in SQL over ``cells`` and ``trials``.

    The database is one of memory alone: it reads and writes no file, whatever the query says.

    Raises:
        InputError: the query is wrong.
        MissingDependency: DuckDB is not installed.
    """
    try:
        import duckdb
    except ImportError:
        raise MissingDependency("a query", "query") from None
    with duckdb.connect(":memory:") as database:
        for name, table in found.items():
            database.register(name, table)
        database.execute("SET enable_external_access = false")
        try:
            asked = database.execute(query)
            if asked is None:  # of a query that says nothing
                raise InputError("the query is empty: such as 'SELECT * FROM cells'")
            names = _told_apart([column[0] for column in asked.description or ()])
            return [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
        except duckdb.Error as error:
            raise InputError(f"the query: {one_line(str(error), _LONGEST)}") from None


def _told_apart(names: Sequence[str]) -> list[str]:
    """Number names that come again, as in a join of both tables: a record holds each name once."""
    found: list[str] = []
    for name in names:
        again = (f"{name}_{count}" for count in itertools.count(2))
        found.append(name if name not in found else next(one for one in again if one not in names))
        names = [*names, found[-1]]
    return found


def _columns(kind: type[CellRow] | type[TrialRow]) -> list[tuple[str, Any]]:
    """Return the columns of a row's fields."""
    import pyarrow

    types = {int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    hints = get_type_hints(kind)
    return [(item.name, _type(hints[item.name], types)) for item in fields(kind)]


def _type(hint: Any, types: Mapping[type, Any]) -> Any:
    import pyarrow

    said = {kind for kind in getattr(hint, "__args__", ()) if kind is not type(None)} or {hint}
    return next((types[kind] for kind in (bool, float, int) if kind in said), pyarrow.string())
