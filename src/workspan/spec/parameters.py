"""What a class or function can be told, and whether a literal fits."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Mapping, MutableMapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from workspan.core.session import Strategy

_HIGHEST = 10**15
"""Numbers beyond it, and what they are multiplied to, would not fit a journal's 64 bits."""
SEVERAL = tuple[Strategy, ...]
MISFIT = object()
_KEYED = (Mapping, MutableMapping)


class Parameter(NamedTuple):
    """One thing that can be told."""

    name: str
    type: Any
    """Its annotation; Any where there is none that can be read."""
    default: Any
    """`dataclasses.MISSING` where it must be told."""


@cache
def parameters(made: Any) -> Mapping[str, Parameter]:
    """Return by name what a class or function takes, in order."""
    hints = _hints(made)
    if isinstance(made, type) and is_dataclass(made):
        return {
            item.name: Parameter(item.name, hints.get(item.name, Any), _default(item))
            for item in fields(made)
            if item.init
        }
    try:
        signature = inspect.signature(made)
    except (TypeError, ValueError):
        return {}
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: Parameter(
            name,
            hints.get(name, Any),
            MISSING if item.default is inspect.Parameter.empty else item.default,
        )
        for name, item in signature.parameters.items()
        if item.kind in named
    }


def _default(item: Any) -> Any:
    return item.default if item.default_factory is MISSING else item.default_factory()


def strategy_fields(cls: type) -> list[str]:
    """Name the parameters that hold strategies, one or several, in order."""
    return [item.name for item in parameters(cls).values() if item.type in (Strategy, SEVERAL)]


def _hints(made: Any) -> Mapping[str, Any]:
    """Read the annotations; those that can't be read, such as names of a checker's only, are Any.

    A class that is no dataclass is told what its constructor takes.
    """
    told = made
    if isinstance(made, type) and not is_dataclass(made):
        told = made.__init__  # type: ignore[misc]  # of this very class
    try:
        return typing.get_type_hints(told)
    except Exception:  # noqa: BLE001  # annotations of others are code of theirs
        return {}


_SURROGATE = re.compile("[\ud800-\udfff]")


def is_bounded(value: object) -> bool:
    """Tell whether a literal's numbers are of a size to reckon with, and its text can be kept."""
    if isinstance(value, str):
        return not _SURROGATE.search(value)
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(is_bounded, value))
    if isinstance(value, dict):
        return all(map(is_bounded, (*value, *value.values())))
    if isinstance(value, int | float):
        return -_HIGHEST <= value <= _HIGHEST  # False of NaN
    return True


def fit(value: object, wanted: Any) -> object:
    """Return `value` as the type `wanted`, or `MISFIT`."""
    origin = typing.get_origin(wanted)
    if wanted is Any or wanted is object:
        return value
    if origin is Literal:
        fits = any(value == one and type(value) is type(one) for one in typing.get_args(wanted))
        return value if fits else MISFIT
    if origin in (types.UnionType, typing.Union):
        options = [fit(value, option) for option in typing.get_args(wanted)]
        return next((fitting for fitting in options if fitting is not MISFIT), MISFIT)
    if origin is tuple and isinstance(value, tuple | list):
        items = [fit(item, typing.get_args(wanted)[0]) for item in value]
        return MISFIT if MISFIT in items else tuple(items)
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is Path and isinstance(value, str):
        return Path(value)
    if origin in _KEYED and isinstance(value, dict):
        return value
    return value if type(value) is (origin or wanted) else MISFIT


def describe(wanted: Any) -> str:
    """Write a type for a person."""
    if typing.get_origin(wanted) is Literal:
        return "one of " + ", ".join(repr(option) for option in typing.get_args(wanted))
    if typing.get_origin(wanted) in (types.UnionType, typing.Union):
        return " or ".join(map(describe, typing.get_args(wanted)))
    return getattr(wanted, "__name__", None) or str(wanted)
