"""The written form of strategies and verifiers: ``then(best_of_n(n=8), self_revision(turns=2))``.

The same text is read by the command line and printed by `write`; names map to frozen dataclasses
through the tables of their packages and nothing else. Values are literals or other specs, never
code. Parts that are strategies may stand without their parameter's name, in order.
"""

from __future__ import annotations

import ast
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, cast

from workspan.errors import SpecError, nearest
from workspan.named import Named
from workspan.session import Strategy, Verifier
from workspan.strategies import (
    adaptive,
    combined,
    evolutionary,
    hybrid,
    parallel,
    retrieval,
    sequential,
)
from workspan.verifiers import VERIFIERS as _VERIFIERS

_FAMILIES = (parallel, sequential, hybrid, evolutionary, retrieval, adaptive, combined)

STRATEGIES: Mapping[str, Named] = {
    named.name: named for family in _FAMILIES for named in family.STRATEGIES
}
VERIFIERS: Mapping[str, Named] = {named.name: named for named in _VERIFIERS}

_NAMES = {
    f"workspan.{named.path}": named.name for named in (*STRATEGIES.values(), *VERIFIERS.values())
}
_PARTS: Mapping[object, tuple[Mapping[str, Named], str]] = {
    Strategy: (STRATEGIES, "strategy"),
    Verifier: (VERIFIERS, "verifier"),
}


def parse_strategy(text: str) -> Strategy:
    """Read one strategy.

    Raises:
        SpecError: not a strategy, an unknown name or parameter, or a value out of range.
    """
    return cast("Strategy", _build(_expression(text), Strategy, text))


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
    parts = _strategy_fields(cls)
    arguments = []
    for item in fields(value):
        held = getattr(value, item.name)
        if item.name in parts:
            arguments += [write(one) for one in (held if isinstance(held, tuple) else (held,))]
        elif item.repr and held != _default(item):  # without repr: what has no written form
            arguments.append(f"{item.name}={write(held)}")
    return f"{name}({', '.join(arguments)})" if arguments else name


def _default(item: Field[Any]) -> object:
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default


def _strategy_fields(cls: type) -> list[str]:
    """Name the fields that hold strategies, one or several, in order."""
    hints = typing.get_type_hints(cls)
    return [item.name for item in fields(cls) if hints[item.name] in (Strategy, _SEVERAL)]


_SEVERAL = tuple[Strategy, ...]


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


def _build(node: ast.expr, part: object, text: str) -> object:
    """Make the strategy or verifier that ``name`` or ``name(key=value, …)`` stands for."""
    table, kind = _PARTS[part]
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
    cls = named.load()
    arguments = _unnamed(cls, call.args if call else (), head.id, text)
    for keyword in call.keywords if call else ():
        arguments[keyword.arg or ""] = _argument(cls, keyword, head.id, text)
    missing = [
        item.name
        for item in fields(cls)
        if item.name not in arguments and _default(item) is MISSING
    ]
    if missing:
        raise SpecError(f"{head.id} needs {', '.join(missing)}", text=text, column=node.col_offset)
    try:
        return cls(**arguments)
    except ValueError as error:
        raise SpecError(f"{head.id}: {error}", text=text, column=node.col_offset) from None


def _unnamed(cls: type, args: Sequence[ast.expr], owner: str, text: str) -> dict[str, object]:
    """Give the strategies that stand without a name to the fields for them."""
    if not args:
        return {}
    names, hints = _strategy_fields(cls), typing.get_type_hints(cls)
    if names and hints[names[0]] == _SEVERAL:
        return {names[0]: tuple(_build(arg, Strategy, text) for arg in args)}
    if len(args) > len(names):
        raise SpecError(
            f"give {owner} its parameters by name", text=text, column=args[len(names)].col_offset
        )
    return {name: _build(arg, Strategy, text) for name, arg in zip(names, args, strict=False)}


def _argument(cls: type, keyword: ast.keyword, owner: str, text: str) -> object:
    hints = typing.get_type_hints(cls)
    known = [item.name for item in fields(cls)]
    name, column = keyword.arg or "", keyword.col_offset
    if name not in known:
        hint = nearest(name, known)
        raise SpecError(f"{owner} has no parameter {name!r}: {hint}", text=text, column=column)
    wanted = hints[name]
    part = next((one for one in (wanted, *typing.get_args(wanted)) if one in _PARTS), None)
    if part is not None and wanted != _SEVERAL:
        return _build(keyword.value, part, text)
    if wanted == _SEVERAL:
        several = keyword.value
        items = several.elts if isinstance(several, ast.Tuple | ast.List) else [several]
        return tuple(_build(item, Strategy, text) for item in items)
    try:
        value: object = ast.literal_eval(keyword.value)
    except ValueError:
        raise SpecError(f"{name} must be a plain value", text=text, column=column) from None
    fitting = _fit(value, wanted)
    if fitting is _MISFIT:
        raise SpecError(
            f"{name} must be {_describe(wanted)}, not {value!r}", text=text, column=column
        )
    return fitting


_MISFIT = object()


def _fit(value: object, wanted: Any) -> object:
    """Return `value` as the type `wanted`, or `_MISFIT`."""
    origin = typing.get_origin(wanted)
    if origin is Literal:
        return value if value in typing.get_args(wanted) else _MISFIT
    if origin in (types.UnionType, typing.Union):
        fits = [_fit(value, option) for option in typing.get_args(wanted)]
        return next((fit for fit in fits if fit is not _MISFIT), _MISFIT)
    if origin is tuple and isinstance(value, tuple | list):
        items = [_fit(item, typing.get_args(wanted)[0]) for item in value]
        return _MISFIT if _MISFIT in items else tuple(items)
    if wanted is float and type(value) is int:
        return float(value)
    return value if type(value) is (origin or wanted) else _MISFIT


def _describe(wanted: Any) -> str:
    if typing.get_origin(wanted) is Literal:
        return "one of " + ", ".join(repr(option) for option in typing.get_args(wanted))
    return getattr(wanted, "__name__", None) or str(wanted)
