"""Problems of the user's own, from files of JSON, JSON lines, CSV and Parquet."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from workspan.boundary.inputs import check_ends
from workspan.data.types import AnswerKind
from workspan.errors import DataError, InputError, nearest
from workspan.tasks import formats
from workspan.tasks.base import Task
from workspan.tasks.own_rows import own_reader
from workspan.tasks.tables import Row, tasks_of_rows

_READERS: dict[str, Callable[[Path], list[Row]]] = {
    ".jsonl": formats.json_lines,
    ".ndjson": formats.json_lines,
    ".json": formats.json_file,
    ".csv": formats.table,
    ".tsv": formats.table,
    ".parquet": formats.parquet,
}
ENDINGS = tuple(_READERS)
"""Of the files that can be read."""


def read_tasks(
    path: str | Path, reader: str | None = None, *, kind: AnswerKind | None = None
) -> list[Task]:
    """Read every problem of a file, in its order; its fields are those of `rows.read_row`.

    A JSONL file holds one object a line, UTF-8; empty lines are passed over. A JSON file holds a
    list of objects, or an object with one such list or with a list for each column. A CSV file has
    a header. A Parquet file holds one problem a row. Problems without an id are called after their
    line.

    Args:
        path: the file.
        reader: of the user's own, for rows of another form; see `own_rows.own_reader`.
        kind: of rows that name none.

    Raises:
        SpecError: there is no such reader.
        DataError: the file can't be read or holds no problem; a line is broken, or repeats an id.
        MissingDependency: a Parquet file, and pyarrow is not installed.
    """
    path = Path(path)
    convert = None if reader is None else own_reader(reader)
    rows_of = _READERS.get(path.suffix.lower())
    if rows_of is None:
        hint = nearest(path.suffix, ENDINGS)
        raise DataError(f"unknown kind of file {path.suffix!r}: {hint}", path=str(path))
    try:
        check_ends(path)
        rows = rows_of(path)
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or error}", path=str(path)) from error
    if convert is not None:
        rows = convert(rows, str(path))
    if kind is not None:
        rows = [(line, {"kind": kind, **row}) for line, row in rows]
    if not rows:
        raise DataError("holds no problem: write one JSON object a line", path=str(path))
    return tasks_of_rows(rows, str(path))


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file as a task set."""

    name: str
    """Its path."""
    summary: str = "problems of your own"
    source: str = "a file"

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Read the file and choose by `seed` which of its problems a limit takes.

        Raises:
            InputError: the limit is below 1.
            DataError: as `read_tasks`.
            MissingDependency: as `read_tasks`.
        """
        return sampled(read_tasks(self.name), limit, seed)


def sampled(tasks: list[Task], limit: int | None, seed: int) -> list[Task]:
    """Choose `limit` tasks at random, in the order they stand.

    Raises:
        InputError: the limit is below 1.
    """
    if limit is not None and limit < 1:
        raise InputError(f"limit is {limit}: ask for at least 1 problem")
    if limit is None or limit >= len(tasks):
        return tasks
    chosen = random.Random(seed).sample(range(len(tasks)), limit)
    return [tasks[i] for i in sorted(chosen)]
