"""The written form of strategies and verifiers: ``then(best_of_n(n=8), self_revision(turns=2))``.

The same text is read by the command line and printed by `write`; names map to frozen dataclasses
through the tables of their packages and nothing else. Values are literals or other specs, never
code. Parts that are strategies may stand without their parameter's name, in order.
"""

from __future__ import annotations

import ast
import re
import types
import typing
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal, cast

from workspan.errors import SpecError, nearest
from workspan.legible import quoted
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


_LONGEST = 65_536
"""Characters of a written form: Python's parser takes seconds for a million."""
_DEEPEST = 64
"""Brackets inside brackets; Python's own parser ends at 200."""
_TOO_DEEP = f"nested too deep: a strategy has at most {_DEEPEST} brackets inside each other"
_HIGHEST = 10**15
"""Numbers beyond it, and what they are multiplied to, would not fit a journal's 64 bits."""


def parse_strategy(text: str) -> Strategy:
    """Read one strategy.

    Raises:
        SpecError: not a strategy, too long or too deep, an unknown name or parameter, or a value
            out of range.
    """
    text = text.strip()
    try:
        return cast("Strategy", _Reading(text).build(_expression(text), Strategy))
    except RecursionError:
        raise SpecError(_TOO_DEEP) from None


def split_list(text: str) -> list[str]:
    """Split ``a(n=1, m=2),b`` at the commas that are outside brackets and quotes."""
    parts, start = [], 0
    for place, char, depth in _outside_quotes(text):
        if char == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
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
    hints = _hints(cls)
    return [item.name for item in fields(cls) if hints[item.name] in (Strategy, _SEVERAL)]


_SEVERAL = tuple[Strategy, ...]


def _expression(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        raise SpecError(f"of {len(text):,} characters: a strategy has at most {_LONGEST:,}")
    _check_depth(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of escapes that it does not know
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line, place = getattr(error, "lineno", None), getattr(error, "offset", None)
        column = None if not (line and place) else _beginning(text, line) + place - 1
        said = "not understood: write it like self_consistency(n=8)"
        raise SpecError(said, text=text, column=column) from None


def _check_depth(text: str) -> None:
    """Refuse what the recursion of all that reads a strategy would not survive."""
    for place, _, depth in _outside_quotes(text):
        if depth > _DEEPEST:
            raise SpecError(_TOO_DEEP, text=text, column=place)


def _outside_quotes(text: str) -> Iterator[tuple[int, str, int]]:
    """Give each character that is in no quotes, with its place and the brackets around it."""
    depth, quote = 0, ""
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
            continue
        if char in "'\"":
            quote = char
        depth += (char in "([{") - (char in ")]}")
        yield place, char, depth


def _beginning(text: str, line: int) -> int:
    """Return where a line begins, counted from 1 as Python's parser does."""
    ends = [found.end() for found in _LINE_END.finditer(text)]
    return ends[line - 2] if 2 <= line < len(ends) + 2 else 0


_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class _Reading:
    """Makes strategies and verifiers of one text's syntax tree."""

    text: str

    def error(self, said: str, node: ast.expr | ast.keyword) -> SpecError:
        """Point at a part of the text."""
        start = _beginning(self.text, node.lineno)
        line = self.text[start:].encode("utf-8", "replace")  # Python counts bytes
        column = start + len(line[: node.col_offset].decode("utf-8", "replace"))
        return SpecError(said, text=self.text, column=column)

    def build(self, node: ast.expr, part: object) -> object:
        """Make the strategy or verifier that ``name`` or ``name(key=value, …)`` stands for."""
        table, kind = _PARTS[part]
        call = node if isinstance(node, ast.Call) else None
        head = call.func if call else node
        if not isinstance(head, ast.Name):
            raise self.error(f"expected a {kind} such as {next(iter(table))}()", node)
        named = table.get(head.id)
        if named is None:
            raise self.error(f"unknown {kind} {quoted(head.id)}: {nearest(head.id, table)}", head)
        cls = named.load()
        arguments = self._unnamed(cls, call.args if call else (), head.id)
        for keyword in call.keywords if call else ():
            value = self._argument(cls, keyword, head.id)
            if keyword.arg in arguments:
                raise self.error(f"{head.id} is given {keyword.arg} twice", keyword)
            arguments[keyword.arg or ""] = value
        missing = [
            item.name
            for item in fields(cls)
            if item.name not in arguments and _default(item) is MISSING
        ]
        if missing:
            raise self.error(f"{head.id} needs {', '.join(missing)}", node)
        try:
            return cls(**arguments)
        except (ValueError, ArithmeticError) as error:
            raise self.error(f"{head.id}: {error}", node) from None

    def _unnamed(self, cls: type, args: Sequence[ast.expr], owner: str) -> dict[str, object]:
        """Give the strategies that stand without a name to the fields for them."""
        if not args:
            return {}
        names = _strategy_fields(cls)
        if names and _hints(cls)[names[0]] == _SEVERAL:
            return {names[0]: tuple(self.build(arg, Strategy) for arg in args)}
        if len(args) > len(names):
            raise self.error(f"give {owner} its parameters by name", args[len(names)])
        return {name: self.build(arg, Strategy) for name, arg in zip(names, args, strict=False)}

    def _argument(self, cls: type, keyword: ast.keyword, owner: str) -> object:
        known = [item.name for item in fields(cls)]
        name = keyword.arg or "**"
        if name not in known:
            hint = nearest(name, known)
            raise self.error(f"{owner} has no parameter {quoted(name)}: {hint}", keyword)
        wanted = _hints(cls)[name]
        part = next((one for one in (wanted, *typing.get_args(wanted)) if one in _PARTS), None)
        if part is not None and wanted != _SEVERAL:
            return self.build(keyword.value, part)
        if wanted == _SEVERAL:
            several = keyword.value
            items = several.elts if isinstance(several, ast.Tuple | ast.List) else [several]
            return tuple(self.build(item, Strategy) for item in items)
        try:
            value: object = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise self.error(f"{name} must be a plain value", keyword) from None
        if not _is_bounded(value):
            said = f"{name} must hold numbers up to 10^15 in size, and text that is whole Unicode"
            raise self.error(said, keyword)
        fitting = _fit(value, wanted)
        if fitting is _MISFIT:
            said = f"{name} must be {_describe(wanted)}, not {quoted(value)}"
            raise self.error(said, keyword)
        return fitting


_SURROGATE = re.compile("[\ud800-\udfff]")


@cache
def _hints(cls: type) -> Mapping[str, Any]:
    return typing.get_type_hints(cls)


def _is_bounded(value: object) -> bool:
    """Tell whether a literal's numbers are of a size to reckon with, and its text can be kept."""
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    if isinstance(value, tuple | list | set):
        return all(map(_is_bounded, value))
    if isinstance(value, int | float):
        return -_HIGHEST <= value <= _HIGHEST  # False of NaN
    return True


_MISFIT = object()


def _fit(value: object, wanted: Any) -> object:
    """Return `value` as the type `wanted`, or `_MISFIT`."""
    origin = typing.get_origin(wanted)
    if origin is Literal:
        fits = any(value == one and type(value) is type(one) for one in typing.get_args(wanted))
        return value if fits else _MISFIT
    if origin in (types.UnionType, typing.Union):
        options = [_fit(value, option) for option in typing.get_args(wanted)]
        return next((fit for fit in options if fit is not _MISFIT), _MISFIT)
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
