"""``workspan read``: what is read as the answer of a text, from where, and by which rule."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, cast, get_args

import msgspec
import typer
from rich.text import Text

from workspan.answers import Reading
from workspan.answers import read as read_answer
from workspan.boundary.inputs import read_whole
from workspan.cli.exits import Exit
from workspan.cli.terminal import Terminal
from workspan.data.types import AnswerKind
from workspan.errors import InputError, nearest
from workspan.legible import counted

_SUFFIXES = (".txt", ".md", ".json", ".jsonl", ".log", ".out", ".text")
"""What so ends is the name of a file, and a text that is read as itself only by mistake."""
_AROUND = 60
"""Characters shown on either side of an answer."""


def read(
    text: Annotated[str, typer.Argument(help="A file, - for standard input, or the text itself.")],
    *,
    kind: Annotated[str, typer.Option("--kind", "-k", help="How the answer is written.")] = "text",
    cut: Annotated[bool, typer.Option("--cut", help="The text was cut: it may go on.")] = False,
    asked: Annotated[
        str, typer.Option(help="The name that a program is to define: tells which of several.")
    ] = "",
    schema: Annotated[Path | None, typer.Option(help="A JSON schema that the answer fits.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON record.")] = False,
) -> None:
    """Show what is read as a text's answer, where it stands and why; exit 4 if there is none."""
    chosen = _kind(kind)
    given = _given(text)
    if schema is not None and chosen != "json":
        raise InputError(f"--schema is for --kind json, not {kind}")
    held = None if schema is None else _schema(schema)
    found = read_answer(given, chosen, finished=not cut, asked=asked, schema=held)
    if json:
        typer.echo(msgspec.json.encode(_record(found, chosen)).decode())
    else:
        _show(found, given, chosen)
    raise typer.Exit(Exit.OK if found else Exit.NO_ANSWER)


def _kind(text: str) -> AnswerKind:
    known = get_args(AnswerKind)
    if text not in known:
        raise InputError(f"unknown kind {text!r}: {nearest(text, known)}")
    return cast("AnswerKind", text)


def _given(text: str) -> str:
    """Return what a file, standard input or the argument itself says."""
    if text == "-":
        return sys.stdin.read()
    try:
        path = Path(text)
        is_file = path.is_file()
    except (OSError, ValueError):  # too long for a path, or no path at all
        return text
    if not is_file:
        if path.suffix.lower() in _SUFFIXES and not any(map(str.isspace, text)):
            raise InputError(f"{text} does not exist")
        return text
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{text}: byte {error.start + 1} is not UTF-8") from None
    except OSError as error:
        raise InputError(f"{text} can't be read: {error.strerror}") from error


def _schema(path: Path) -> dict[str, Any]:
    try:
        held = msgspec.json.decode(read_whole(path))
    except msgspec.DecodeError as error:
        raise InputError(f"--schema {path} is no JSON: {error}") from None
    if not isinstance(held, dict):
        raise InputError(f"--schema {path} must hold an object")
    return held


def _record(found: Reading | None, kind: AnswerKind) -> dict[str, object]:
    if found is None:
        return {"answer": None, "kind": kind, "span": None, "rule": None}
    return {
        "answer": found.answer,
        "kind": found.kind,
        "span": list(found.span),
        "rule": found.rule,
    }


def _show(found: Reading | None, text: str, kind: AnswerKind) -> None:
    console = Terminal()
    if found is None:
        console.print(Text(f"no answer of kind {kind}"))
        return
    start, end = found.span
    console.print(Text.assemble("answer  ", (found.answer, "bold")))
    console.print(Text(f"kind    {found.kind}"))
    console.print(Text(f"rule    {found.rule}"))
    console.print(Text(f"span    {start}-{end} of {counted(len(text), 'character')}"))
    before, after = text[max(0, start - _AROUND) : start], text[end : end + _AROUND]
    console.print(Text.assemble(before, (text[start:end], "reverse"), after))
