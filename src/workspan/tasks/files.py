"""Problems of the user's own, from JSONL and Parquet files."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from workspan.errors import DataError, InputError, MissingDependency, nearest
from workspan.tasks.base import Task
from workspan.tasks.rows import read_row


def read_tasks(path: str | Path) -> list[Task]:
    """Read every problem of a file, in its order; its fields are those of `rows.read_row`.

    A JSONL file holds one object a line, UTF-8; empty lines are passed over. A Parquet file holds
    one problem a row. Problems without an id are called after their line.

    Raises:
        DataError: the file can't be read or holds no problem; a line is broken, or repeats an id.
        MissingDependency: a Parquet file, and pyarrow is not installed.
    """
    path = Path(path)
    rows = _reader(path)
    tasks: dict[str, Task] = {}
    lines: dict[str, int] = {}
    try:
        for line, row in rows(path):
            try:
                task = read_row(row, f"{path.stem}/{line}")
            except ValueError as error:
                raise DataError(str(error), path=str(path), line=line) from None
            name = task.problem.id
            if name in tasks:
                said = f"the id {name!r} is also on line {lines[name]}: give each its own"
                raise DataError(said, path=str(path), line=line)
            tasks[name], lines[name] = task, line
    except OSError as error:
        raise DataError(f"can't be read: {error.strerror or error}", path=str(path)) from error
    if not tasks:
        raise DataError("holds no problem: write one JSON object a line", path=str(path))
    return [*tasks.values()]


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
        return some(read_tasks(self.name), limit, seed)


def some(tasks: list[Task], limit: int | None, seed: int) -> list[Task]:
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


_Rows = Iterator[tuple[int, Mapping[str, Any]]]


def _reader(path: Path) -> Callable[[Path], _Rows]:
    readers = {".jsonl": _json_lines, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        hint = nearest(path.suffix, readers)
        raise DataError(f"unknown kind of file {path.suffix!r}: {hint}", path=str(path))
    return reader


def _json_lines(path: Path) -> _Rows:
    """Yield each line's number, from 1, and its object."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            content = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if content.strip():
                yield number, _object(content, str(path), number)


def _object(content: bytes, path: str, line: int) -> Mapping[str, Any]:
    try:
        value = msgspec.json.decode(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        said = f"byte {error.start + 1} of the line is not UTF-8: save the file as UTF-8"
        raise DataError(said, path=path, line=line) from None
    except (msgspec.DecodeError, RecursionError) as error:
        said = f'not a JSON object such as {{"question": "2 + 3?", "answer": "5"}}: {error}'
        raise DataError(said, path=path, line=line) from None
    if not isinstance(value, dict):
        said = f"expected a JSON object, found {type(value).__name__}"
        raise DataError(said, path=path, line=line)
    return value


def _parquet(path: Path) -> _Rows:
    """Yield each row's number, from 1, and its fields; a batch is in memory at a time."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingDependency("a Parquet file", "tasks") from None
    number = 0
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"not a sound Parquet file: {error}", path=str(path)) from error
