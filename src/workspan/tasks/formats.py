"""Rows out of files, each with the number of its line; what breaks a file is said with its line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from workspan.errors import DataError, MissingDependency
from workspan.legible import counted
from workspan.tasks.tables import Row

_EXAMPLE = '{"question": "2 + 3?", "answer": "5"}'


def json_lines(path: Path) -> list[Row]:
    """Read one object a line.

    Raises:
        DataError: a line is broken.
    """
    rows: list[Row] = []
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            content = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if content.strip():
                rows.append((number, _object(content, str(path), number)))
    return rows


def _object(content: bytes, path: str, line: int) -> Mapping[str, Any]:
    try:
        value = _decoded(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        said = f"byte {error.start + 1} of the line is not UTF-8: save the file as UTF-8"
        raise DataError(said, path=path, line=line) from None
    except (ValueError, RecursionError) as error:
        said = f"not a JSON object such as {_EXAMPLE}: {error}"
        raise DataError(said, path=path, line=line) from None
    if not isinstance(value, dict):
        said = f"expected a JSON object, found {type(value).__name__}"
        raise DataError(said, path=path, line=line)
    return value


def _decoded(text: str) -> Any:
    """Decode JSON; pandas writes NaN, which only the standard library reads.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        if "NaN" not in text:
            raise ValueError(str(error)) from None
        return json.loads(text)


def json_file(path: Path) -> list[Row]:
    """Read a list of objects, an object that holds one, or a list for each column.

    Lines of JSON under this ending are read as such.

    Raises:
        DataError: the file is none of these, or a part of it is broken.
    """
    text = _utf8(path)
    if not text.strip():
        return []
    starts: list[int] = []
    try:
        value = _list(text, starts) if text.lstrip().startswith("[") else json.loads(text)
    except json.JSONDecodeError as error:
        first = text.strip().partition("\n")[0]
        if first.startswith("{") and first.rstrip().endswith("}"):
            return json_lines(path)
        said = f"not a JSON list of objects such as [{_EXAMPLE}]: {error.msg}"
        raise DataError(said, path=str(path), line=error.lineno) from None
    except RecursionError:
        raise DataError("nested too deep to be read", path=str(path)) from None
    if isinstance(value, dict):
        value = _within(value, str(path))
    lines = [text.count("\n", 0, start) + 1 for start in starts] or [*range(1, len(value) + 1)]
    for line, item in zip(lines, value, strict=True):
        if not isinstance(item, dict):
            said = f"expected a JSON object, found {type(item).__name__}"
            raise DataError(said, path=str(path), line=line)
    return [*zip(_apart(lines), value, strict=True)]


def _list(text: str, starts: list[int]) -> list[Any]:
    """Decode a list item by item, and note where each begins.

    Raises:
        json.JSONDecodeError: it is broken.
    """
    decoder = json.JSONDecoder()
    at = _space(text, text.index("[") + 1)
    found: list[Any] = []
    while at < len(text) and text[at] != "]":
        starts.append(at)
        item, at = decoder.raw_decode(text, at)
        found.append(item)
        at = _space(text, at)
        if at >= len(text) or text[at] not in ",]":
            raise json.JSONDecodeError("a comma or the end of the list is missing", text, at)
        at = _space(text, at + 1) if text[at] == "," else at
    if at >= len(text) or text[at + 1 :].strip():
        raise json.JSONDecodeError("the list does not end where the file does", text, at)
    return found


def _space(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _apart(lines: list[int]) -> list[int]:
    """Number items by their place where several begin on one line."""
    return lines if len(set(lines)) == len(lines) else [*range(1, len(lines) + 1)]


def _within(value: Mapping[str, Any], path: str) -> list[Any]:
    """Find the rows inside an object.

    Raises:
        DataError: there are none, or more than one list of them.
    """
    lists = {n: v for n, v in value.items() if isinstance(v, list) and v}
    rows = {n: v for n, v in lists.items() if all(isinstance(item, dict) for item in v)}
    if len(rows) == 1:
        return next(iter(rows.values()))
    if len(rows) > 1:
        names = ", ".join(rows)
        raise DataError(f"holds several lists of objects ({names}): keep one", path=path)
    columns = value if len(lists) == len(value) > 1 else {}
    if all(isinstance(v, dict) for v in value.values()) and len(value) > 1:
        columns = {name: [*held.values()] for name, held in value.items()}  # as pandas writes
    if columns and len({len(held) for held in columns.values()}) == 1:
        cells = zip(*columns.values(), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in cells]
    raise DataError(f"not a JSON list of objects such as [{_EXAMPLE}]", path=path)


def table(path: Path) -> list[Row]:
    """Read a CSV or TSV file with a header; an empty cell is absent.

    Raises:
        DataError: there is no header, or a row is longer than it.
    """
    text = _utf8(path)
    head = text.partition("\n")[0]
    delimiter = max("\t,;|" if path.suffix.lower() == ".tsv" else ",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    header: Sequence[str] = ()
    begins = 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = _header(cells, str(path), line)
            elif len(cells) > len(header):
                held = counted(len(cells), "cell")
                said = f"has {held}, and the header {len(header)}: quote the commas"
                raise DataError(said, path=str(path), line=line)
            else:
                named = zip(header, cells, strict=False)
                rows.append((line, {name: cell for name, cell in named if cell.strip()}))
    except csv.Error as error:
        raise DataError(f"not a sound CSV file: {error}", path=str(path), line=begins) from None
    return rows


def _header(cells: Sequence[str], path: str, line: int) -> Sequence[str]:
    names = [cell.strip() for cell in cells]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(f"the header names {twice!r} twice", path=path, line=line)
    return names


def parquet(path: Path) -> list[Row]:
    """Read each row of a Parquet file.

    Raises:
        DataError: it is not one.
        MissingDependency: pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import parquet as files
    except ImportError:
        raise MissingDependency("a Parquet file", "tasks") from None
    rows: list[Row] = []
    try:
        with files.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1024):
                rows += enumerate(batch.to_pylist(), len(rows) + 1)
    except (pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"not a sound Parquet file: {error}", path=str(path)) from error
    return rows


def _utf8(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        said = f"byte {error.start + 1} of the file is not UTF-8: save the file as UTF-8"
        raise DataError(said, path=str(path)) from None
