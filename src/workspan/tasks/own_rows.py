"""A reader of the user's own for rows that no form fits: a Python function or a shell command.

It turns a row as it stands in the file into our fields (`rows.FIELDS`). It has no part in a run:
what it gives is checked like any row, and the answer stays with the grader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import anyio
import msgspec

from workspan.boundary.shell import CommandError, ask
from workspan.errors import DataError, SpecError
from workspan.legible import counted, quoted
from workspan.registry.table import written
from workspan.spec import make
from workspan.tasks.tables import Row

SECONDS = 60.0
"""That a command may take for all rows of a file."""
_MOST = 1_000_000_000
"""Bytes that it may write for them."""

RowReader = Callable[[list[Row], str], list[Row]]


def own_reader(given: str | Callable[..., Any], seconds: float = SECONDS) -> RowReader:
    """Open a reader.

    A function is called with each row and gives its fields, or None to pass it over. A command
    gets the rows as JSON lines and writes as many lines.

    Args:
        given: a text that the user wrote: a name of the registry, ``module:Name``,
            ``file.py:Name``, with parameters or without, or ``sh:COMMAND``; or a function.
        seconds: that a command may take.

    Raises:
        SpecError: there is no such name, module, file or function.
        PluginError: a distribution brings it, and it can't be used.
    """
    if isinstance(given, str) and given.startswith("sh:"):
        command = given[3:].strip()
        if not command:
            raise SpecError("write the command after sh:, such as sh:./read.sh", text=given)
        return lambda rows, path: _commanded(command, seconds, rows, path)
    call = make(given, "readers", imports=True) if isinstance(given, str) else given
    name = given if isinstance(given, str) else written(given)
    if not callable(call):
        raise SpecError(f"{quoted(name)} is no reader: it can't be called with a row")
    return lambda rows, path: _called(name, call, rows, path)


def _called(name: str, call: Callable[..., Any], rows: list[Row], path: str) -> list[Row]:
    found: list[Row] = []
    for line, row in rows:
        try:
            fields = call(dict(row))
        except Exception as error:  # the boundary to the user's own code
            raise DataError(f"{name} failed: {error!r}", path=path, line=line) from error
        if fields is not None:
            found.append((line, _fields(fields, name, path, line)))
    return found


def _commanded(command: str, seconds: float, rows: list[Row], path: str) -> list[Row]:
    asked = b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for _, row in rows)
    run = partial(ask, command, asked, seconds=seconds, most=_MOST)
    try:
        with ThreadPoolExecutor(1) as apart:  # an event loop may be running here
            told = apart.submit(anyio.run, run).result()
    except CommandError as error:
        raise DataError(str(error), path=path) from None
    lines = [line for line in told.splitlines() if line.strip()]
    if len(lines) != len(rows):
        wrote = f"{counted(len(lines), 'line')} for {counted(len(rows), 'row')}"
        raise DataError(f"{command} wrote {wrote}", path=path)
    found: list[Row] = []
    for (line, _), said in zip(rows, lines, strict=True):
        try:
            fields = msgspec.json.decode(said)
        except (msgspec.DecodeError, RecursionError) as error:
            raise DataError(f"{command} wrote no JSON: {error}", path=path, line=line) from None
        if fields is not None:
            found.append((line, _fields(fields, command, path, line)))
    return found


def _fields(fields: Any, who: str, path: str, line: int) -> Mapping[str, Any]:
    if not isinstance(fields, Mapping):
        said = f"{who} gave {fields!r:.80}: give an object with question and answer"
        raise DataError(said, path=path, line=line)
    return fields
