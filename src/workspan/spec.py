"""The written form of strategies and verifiers: ``best_of_n(n=8, verifier=judge())``.

The same text is read by the command line and printed by `write`; names map to frozen dataclasses
through the tables here and nothing else. Values are literals or other specs, never code.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from typing import Any, Literal, cast

from workspan.errors import SpecError, nearest
from workspan.session import Strategy, Verifier

Family = Literal["parallel", "sequential", "hybrid", "evolutionary", "retrieval", "adaptive"]


@dataclass(frozen=True, slots=True)
class Named:
    """One line of a table: where a name's class lives and what it is."""

    name: str
    path: str
    """``module:Class``, imported when first used."""
    family: Family
    source: str
    """Where it was published."""

    def load(self) -> type:
        """Import the class."""
        module, _, name = self.path.partition(":")
        return cast("type", getattr(importlib.import_module(module), name))

    @property
    def summary(self) -> str:
        """First line of the class's docstring."""
        return (inspect.getdoc(self.load()) or "").split("\n\n")[0].replace("\n", " ")


_S = "workspan.strategies."

STRATEGIES: Mapping[str, Named] = {
    named.name: named
    for named in (
        Named("single", _S + "single:Single", "sequential", "arXiv:2201.11903"),
        Named(
            "self_consistency",
            _S + "self_consistency:SelfConsistency",
            "parallel",
            "arXiv:2203.11171",
        ),
        Named("best_of_n", _S + "best_of_n:BestOfN", "parallel", "arXiv:2110.14168"),
        Named(
            "weighted_best_of_n",
            _S + "weighted_best_of_n:WeightedBestOfN",
            "parallel",
            "arXiv:2206.02336",
        ),
        Named("grid", _S + "grid:Grid", "hybrid", "arXiv:2505.21825"),
        Named(
            "budget_forcing", _S + "budget_forcing:BudgetForcing", "sequential", "arXiv:2501.19393"
        ),
        Named("self_revision", _S + "self_revision:SelfRevision", "sequential", "arXiv:2408.03314"),
    )
}
VERIFIERS: Mapping[str, Named] = {
    "judge": Named("judge", "workspan.verifiers.judge:Judge", "parallel", "arXiv:2306.05685"),
    "public_tests": Named(
        "public_tests", "workspan.verifiers.tests:PublicTests", "parallel", "arXiv:2203.07814"
    ),
}

_NAMES = {named.path: named.name for named in (*STRATEGIES.values(), *VERIFIERS.values())}


def parse_strategy(text: str) -> Strategy:
    """Read one strategy.

    Raises:
        SpecError: not a strategy, an unknown name or parameter, or a value out of range.
    """
    return cast("Strategy", _build(_expression(text), STRATEGIES, "strategy", text))


def split_list(text: str) -> list[str]:
    """Split ``a(n=1, m=2),b`` at the commas that are outside brackets and quotes."""
    parts, depth, quote = [""], 0, ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "([":
            depth += 1
        elif char in ")]":
            depth -= 1
        if char == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def write(value: object) -> str:
    """Print a strategy or verifier so that parsing gives an equal one; defaults are left out."""
    if not is_dataclass(value) or isinstance(value, type):
        return repr(value)
    cls = type(value)
    name = _NAMES.get(f"{cls.__module__}:{cls.__qualname__}", cls.__name__)
    changed = [
        f"{item.name}={write(getattr(value, item.name))}"
        for item in fields(value)
        if getattr(value, item.name) != _default(item)
    ]
    return f"{name}({', '.join(changed)})" if changed else name


def _default(item: Field[Any]) -> object:
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default


def _expression(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        column = getattr(error, "offset", None)
        raise SpecError(
            "not understood: write it like self_consistency(n=8)",
            text=text,
            column=None if column is None else column - 1,
        ) from None


def _build(node: ast.expr, table: Mapping[str, Named], kind: str, text: str) -> object:
    """Make the object that ``name`` or ``name(key=value, …)`` stands for."""
    call = node if isinstance(node, ast.Call) else None
    head = call.func if call else node
    if not isinstance(head, ast.Name):
        raise SpecError(
            f"expected a {kind} such as {next(iter(table))}()", text=text, column=node.col_offset
        )
    named = table.get(head.id)
    if named is None:
        raise SpecError(
            f"unknown {kind} {head.id!r}: {nearest(head.id, table)}",
            text=text,
            column=head.col_offset,
        )
    if call and call.args:
        raise SpecError(
            f"give {head.id} its parameters by name", text=text, column=call.args[0].col_offset
        )
    cls = named.load()
    arguments = {}
    for keyword in call.keywords if call else ():
        arguments[keyword.arg or ""] = _argument(cls, keyword, head.id, text)
    try:
        return cls(**arguments)
    except ValueError as error:
        raise SpecError(f"{head.id}: {error}", text=text, column=node.col_offset) from None


def _argument(cls: type, keyword: ast.keyword, owner: str, text: str) -> object:
    types = typing.get_type_hints(cls)
    known = [item.name for item in fields(cls)]
    name, column = keyword.arg or "", keyword.col_offset
    if name not in known:
        hint = nearest(name, known)
        raise SpecError(f"{owner} has no parameter {name!r}: {hint}", text=text, column=column)
    wanted = types[name]
    for protocol, table, kind in (
        (Verifier, VERIFIERS, "verifier"),
        (Strategy, STRATEGIES, "strategy"),
    ):
        if wanted is protocol:
            return _build(keyword.value, table, kind, text)
    try:
        value: object = ast.literal_eval(keyword.value)
    except ValueError:
        raise SpecError(f"{name} must be a plain value", text=text, column=column) from None
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not (typing.get_origin(wanted) or wanted):
        expected = getattr(wanted, "__name__", str(wanted))
        raise SpecError(f"{name} must be {expected}, not {value!r}", text=text, column=column)
    return value
