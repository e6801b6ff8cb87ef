"""A reader of the user's own for rows that no form fits: a Python function or a shell command.

It turns a row as it stands in the file into our fields (`rows.FIELDS`). It has no part in a run:
what it gives is checked like any row, and the answer stays with the grader.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from workspan.errors import DataError
from workspan.graders.own import own_function
from workspan.tasks.tables import Row

SECONDS = 60.0
"""That a command may take for all rows of a file."""

RowReader = Callable[[list[Row], str], list[Row]]


def own_reader(text: str, seconds: float = SECONDS) -> RowReader:
    """Open ``module:function``, ``file.py:function`` or ``sh:COMMAND``.

    The function is called with each row and gives its fields, or None to pass it over. The command
    gets the rows as JSON lines and writes as many lines.

    Raises:
        SpecError: there is no such module, file or function.
    """
    if text.startswith("sh:"):
        return lambda rows, path: _commanded(text[3:].strip(), seconds, rows, path)
    call = own_function(text)
    return lambda rows, path: _called(text, call, rows, path)


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
    try:
        done = subprocess.run(
            command, shell=True, input=asked, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"{command} took more than {seconds:g} seconds", path=path) from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise DataError(f"{command} ended with {done.returncode}: {last}", path=path)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if len(lines) != len(rows):
        raise DataError(f"{command} wrote {len(lines)} lines for {len(rows)} rows", path=path)
    found: list[Row] = []
    for (line, _), said in zip(rows, lines, strict=True):
        try:
            fields = msgspec.json.decode(said)
        except msgspec.DecodeError as error:
            raise DataError(f"{command} wrote no JSON: {error}", path=path, line=line) from None
        if fields is not None:
            found.append((line, _fields(fields, command, path, line)))
    return found


def _fields(fields: Any, who: str, path: str, line: int) -> Mapping[str, Any]:
    if not isinstance(fields, Mapping):
        said = f"{who} gave {fields!r:.80}: give an object with question and answer"
        raise DataError(said, path=path, line=line)
    return fields
