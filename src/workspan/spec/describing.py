"""All that can be said of a row of the registry without running it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from typing import Any

from workspan.core.session import Strategy, Verifier
from workspan.registry.card import Card
from workspan.registry.table import Row, first_line, load_written
from workspan.spec.parameters import SEVERAL, describe, parameters
from workspan.spec.writing import write

_USUAL: Mapping[str, str] = {
    "max_tokens": "Tokens of one call, at most.",
    "temperature": "Of the sampling; 0 takes the likeliest token each time.",
    "step_tokens": "Tokens of one step, at most.",
    "max_steps": "Steps of one path, at most.",
    "answer_tokens": "Tokens of the answer that is asked for, at most.",
    "verifier": "Judges without the reference; its calls are on the same account.",
    "engine": "The run's engine of that name; its own where empty.",
    "model": "The model's name; picks one where there are several.",
    "url": "The server's address.",
    "memory_mb": "Megabytes that a program may use.",
    "engines": "Names of the run's engines, in turn; its own where empty.",
}
"""What parameters of these names mean wherever nothing else is said."""


@dataclass(frozen=True, slots=True)
class Told:
    """One parameter."""

    name: str
    type: str
    default: str | None
    """As it is written; None where it must be told."""
    doc: str


@dataclass(frozen=True, slots=True)
class Described:
    """One row, for a person or as a record."""

    name: str
    summary: str
    """First sentence of its docstring."""
    doc: str
    """The rest of it."""
    parameters: tuple[Told, ...]
    needs: tuple[str, ...]
    """Capabilities of the engine, and what else must be there."""
    card: Card
    path: str
    """``module:Name``."""
    distribution: str
    """Who brings it; empty where the user wrote the path."""


def described(row: Row) -> Described:
    """Import a row and say all of it.

    Raises:
        PluginError: it can't be imported.
    """
    return _described(row.name, row.load(), row.card, row.path, row.distribution)


def described_path(text: str) -> Described:
    """Import ``module:Name``, which the user wrote, and say all of it.

    Raises:
        SpecError: it can't be imported, or is not there.
    """
    made = load_written(text)
    card = getattr(made, "card", None)
    return _described(text, made, card if isinstance(card, Card) else Card(example=text), text, "")


def _described(name: str, made: Any, card: Card, path: str, distribution: str) -> Described:
    doc = inspect.cleandoc(getattr(made, "__doc__", None) or "")
    requires: object = getattr(made, "requires", None)
    tools = [f"the tool {tool}" for tool in sorted(getattr(made, "tools", ()))]
    needs = [*sorted(requires), *tools] if isinstance(requires, frozenset) else []
    return Described(
        name,
        first_line(made),
        _without_arguments(doc.partition("\n\n")[2]) if first_line(made) else "",
        _told(made),
        (*needs, *([card.needs] if card.needs else [])),
        card,
        path,
        distribution,
    )


def _told(made: Any) -> tuple[Told, ...]:
    given = getattr(made, "parameters", None)
    if isinstance(given, dict) and not isinstance(made, type):  # a set that reads its own text
        return tuple(
            Told(name, type(value).__name__, write(value), "") for name, value in given.items()
        )
    if not callable(made):
        return ()
    card = getattr(made, "card", None)
    said = card.parameters if isinstance(card, Card) else {}
    docs = {**_argument_docs(made), **_field_docs(made), **said}
    return tuple(
        Told(
            item.name,
            _type(made, item.name, item.type),
            None if item.default is MISSING else write(item.default),
            docs.get(item.name) or _USUAL.get(item.name, ""),
        )
        for item in parameters(made).values()
        if item.name not in ("settings", "price")
    )


def _type(made: Any, name: str, known: Any) -> str:
    if known is Any:  # as written, where it can't be read
        annotated = getattr(made, "__annotations__", {}).get(name, "")
        return annotated if isinstance(annotated, str) else describe(annotated)
    names = {Strategy: "a strategy", Verifier: "a verifier", SEVERAL: "strategies"}
    for part, said in names.items():
        if known == part:
            return said
        if part in typing.get_args(known):
            return f"{said}, or None"
    return describe(known)


def _argument_docs(made: Any) -> dict[str, str]:
    """Read the ``Args:`` of a docstring."""
    doc = inspect.cleandoc(getattr(made, "__doc__", None) or "")
    _, mark, rest = doc.partition("\nArgs:\n")
    if not mark:
        return {}
    found: dict[str, str] = {}
    name = ""
    for line in rest.splitlines():
        if line and not line.startswith(" "):
            break
        begins = re.match(r" {4}(\w+)(?: \([^)]*\))?: (.*)", line)
        if begins:
            name = begins[1]
            found[name] = begins[2]
        elif name and line.strip():
            found[name] += " " + line.strip()
    return found


def _without_arguments(doc: str) -> str:
    """Return the paragraphs before the sections, each on one line."""
    prose = re.split(r"(?:^|\n)(?:Args|Raises|Returns):\n", doc)[0]
    return "\n\n".join(" ".join(part.split()) for part in prose.split("\n\n")).strip()


def _field_docs(made: Any) -> dict[str, str]:
    """Read the texts below a class's fields, those of its bases first."""
    if not isinstance(made, type):
        return {}
    found: dict[str, str] = {}
    for cls in reversed(made.__mro__[:-1]):
        try:
            source = textwrap.dedent(inspect.getsource(cls))
        except (OSError, TypeError):
            continue
        node = ast.parse(source).body[0]
        if isinstance(node, ast.ClassDef):
            found |= _texts(node.body)
    return found


def _texts(body: Iterable[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    field = ""
    for item in body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            field = item.target.id
        elif (
            field
            and isinstance(item, ast.Expr)
            and isinstance(item.value, ast.Constant)
            and isinstance(item.value.value, str)
        ):
            found[field] = " ".join(item.value.value.split())
            field = ""
        else:
            field = ""
    return found
