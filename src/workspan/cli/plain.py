"""Lines for programs and plain text: visible characters only, and nothing loaded to draw them."""

from __future__ import annotations

import re

import msgspec
import typer

from workspan.legible import legible

_UNSEEN = re.compile(r"[^ -~]")


def say_json(record: object) -> None:
    """Print one JSON record on a line; characters that can't be seen are written as escapes."""
    typer.echo(json_line(record))


def json_line(record: object) -> str:
    """Write a record as JSON of visible characters that reads back as the same."""
    return _UNSEEN.sub(_escaped, msgspec.json.encode(record).decode())


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if legible(char) == char:
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))


def say(text: str) -> None:
    """Print a line of plain text."""
    typer.echo(legible(text))
