"""Cells and trials as Parquet, and asked in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_type_hints

from workspan.errors import InputError, MissingDependency
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

    Raises:
        InputError: the folder is a file.
    """
    from pyarrow import parquet

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file: name a folder")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in found.items():
        path, part = folder / f"{name}.parquet", folder / f".{name}.parquet.part"
        parquet.write_table(table, part, compression="zstd")
        part.replace(path)
        written.append(path)
    return written


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
            names = [column[0] for column in asked.description or ()]
            return [dict(zip(names, row, strict=True)) for row in asked.fetchall()]
        except duckdb.Error as error:
            raise InputError(f"the query: {one_line(str(error), _LONGEST)}") from None


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
