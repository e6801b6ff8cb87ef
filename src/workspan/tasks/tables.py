"""Many rows at once: what only the file as a whole can tell, and what is wrong with which line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from workspan.errors import DataError, InputError
from workspan.tasks.base import Task
from workspan.tasks.choices import as_index, is_place
from workspan.tasks.rows import read_row
from workspan.tasks.shapes import shaped

Row = tuple[int, Mapping[str, Any]]
"""The number of a line, from 1, and its fields."""


def tasks_of_rows(rows: Iterable[Row], path: str, stem: str = "") -> list[Task]:
    """Make a task of every row.

    Numbers that name choices count from 0 or from 1: the file tells, by a 0 or by a number that is
    as high as there are choices.

    Raises:
        DataError: a row does not fit, repeats an id or has an answer of another type than those
            before it; the line is named.
    """
    rows = [*rows]
    base = _base(rows, path)
    stem = stem or PurePath(path).stem
    tasks: dict[str, Task] = {}
    lines: dict[str, int] = {}
    form: tuple[str, int] | None = None
    for line, row in rows:
        try:
            task = read_row(row, f"{stem}/{line}", base)
        except (ValueError, InputError) as error:
            raise DataError(str(error), path=path, line=line) from None
        name = task.problem.id
        if name in tasks:
            said = f"the id {name!r} is also on line {lines[name]}: give each its own"
            raise DataError(said, path=path, line=line)
        form = _same_form(form, row, line, path)
        tasks[name], lines[name] = task, line
    return [*tasks.values()]


def _base(rows: list[Row], path: str) -> int | None:
    """Tell where the numbers of choices count from; None where nothing tells.

    Raises:
        DataError: one row counts from 0 and another from 1.
    """
    zero = last = None
    for line, row in rows:
        try:
            fields = shaped(row, "")
        except ValueError:
            continue  # said when the row is read
        choices, key = fields.get("choices"), fields.get("answer")
        if choices is None or isinstance(key, bool) or not is_place(key, choices):
            continue
        place = as_index(key)
        zero = line if place == 0 and zero is None else zero
        last = line if place == len(choices.texts) and last is None else last
        if zero is not None and last is not None:
            said = f"the answer counts choices from 1, and line {zero} from 0"
            if line == zero:
                said = f"the answer counts choices from 0, and line {last} from 1"
            raise DataError(said, path=path, line=line)
    return 0 if zero is not None else 1 if last is not None else None


def _same_form(
    before: tuple[str, int] | None, row: Mapping[str, Any], line: int, path: str
) -> tuple[str, int] | None:
    """Hold an answer's type against that of the rows before.

    Raises:
        DataError: it is another.
    """
    value = shaped(row, "").get("answer")
    if value is None or value == "":
        return before
    kinds = {bool: "true or false", list: "a list", tuple: "a list", dict: "an object"}
    form = kinds.get(type(value), "a text or number")
    if before is not None and before[0] != form:
        said = f"the answer is {form}, and on line {before[1]} it is {before[0]}: write all alike"
        raise DataError(said, path=path, line=line)
    return before or (form, line)
