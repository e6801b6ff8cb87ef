"""``-``: what a command reads from its standard input."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workspan.errors import InputError

_NAME = "stdin.jsonl"
"""Problems without an id are called after it and their line."""


def question_text(question: str) -> str:
    """Return the question, read from standard input where it is ``-``.

    Raises:
        InputError: standard input is no UTF-8.
    """
    return _read().strip() if question == "-" else question


@contextmanager
def problems_file(source: Path | None) -> Iterator[Path | None]:
    """Give the file of problems; ``-`` is JSON lines from standard input, kept while it is read.

    Raises:
        InputError: standard input is no UTF-8.
    """
    if source is None or str(source) != "-":
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="workspan-") as folder:
        path = Path(folder) / _NAME
        path.write_text(_read())
        yield path


def _read() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"standard input is no UTF-8: {error.reason} at byte {error.start}"
        ) from None
