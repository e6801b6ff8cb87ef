"""The columns of recorded runs, held to what they can be: a wrong length is not read on."""

from __future__ import annotations

from typing import Any

from workspan.errors import DataError

LONGEST = 100_000_000
"""Tokens, or characters, of a chain: no model writes as much, and a replay counts its way up."""


def checked(column: Any, name: str, path: str) -> Any:
    """Return a flat Arrow column as its values can be used.

    Args:
        column: of texts, verdicts or lengths, with nulls where nothing is known.
        name: its field: answer, correct, score, tokens or chars.
        path: of the file, for errors.

    Raises:
        DataError: the values are of another type, or out of range.
    """
    from pyarrow import types

    if types.is_null(column.type):
        return column
    if name == "answer":
        if not (types.is_string(column.type) or types.is_large_string(column.type)):
            raise DataError(f"{name} is of {column.type}: it holds texts", path=path)
        return column
    if name == "correct":
        if not types.is_boolean(column.type):
            raise DataError(f"{name} is of {column.type}: it holds true or false", path=path)
        return column
    if not (types.is_integer(column.type) or types.is_floating(column.type)):
        raise DataError(f"{name} is of {column.type}: it holds numbers", path=path)
    return _number(_known(column), name, path)


def _known(column: Any) -> Any:
    """Take NaN as null: so data frames write what is not known."""
    from pyarrow import compute, types

    if not types.is_floating(column.type):
        return column
    return compute.if_else(compute.is_nan(column), None, column)


def _number(column: Any, name: str, path: str) -> Any:
    from pyarrow import ArrowInvalid, compute, int64

    is_share = name == "score"
    most = 1 if is_share else LONGEST
    ends = compute.min_max(column).as_py()
    for end in (ends["min"], ends["max"]):
        if end is not None and not 0 <= end <= most:
            raise DataError(f"{name} is {end:g}: from 0 to {most}", path=path)
    if is_share:
        return column
    try:
        return column.cast(int64())
    except ArrowInvalid:
        raise DataError(f"{name} has fractions: whole numbers are counted", path=path) from None
