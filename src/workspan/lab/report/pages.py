"""Pages on disk: private, replaced whole, and told from what else a user may keep there."""

from __future__ import annotations

from pathlib import Path

from workspan.boundary.outputs import replace_file
from workspan.errors import InputError, OutputError

GENERATOR = "workspan"
"""What every page of ours names as its generator."""

_MARK = f'<meta name="generator" content="{GENERATOR}">'.encode()
_HEAD = 4096
"""Bytes in which the mark stands."""


def is_page(path: Path) -> bool:
    """Tell whether the file is a page of ours.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head.startswith(b"<!doctype html>") and _MARK in head


def write_page(text: str, path: Path) -> None:
    """Write a page, readable by its owner only where there was none; replace one of ours.

    Raises:
        InputError: another file is there; it is left as it is.
        OutputError: the page can't be written.
    """
    page = text.encode("utf-8", "replace")  # a model may cut a character in two
    try:
        if path.exists() and (not path.is_file() or (path.stat().st_size and not is_page(path))):
            raise InputError(f"the report {path} is no page of ours, and is left as it is")
        replace_file(path, page)
    except OSError as error:
        raise OutputError(f"the report {path} can't be written: {error.strerror}") from error
