"""From an object to its written form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

from workspan.registry.table import written
from workspan.spec.parameters import strategy_fields


def write(value: object) -> str:
    """Print a strategy or verifier so that parsing gives an equal one; defaults are left out.

    A class that has no name in the registry is written ``module:Name``.
    """
    if isinstance(value, type):
        return repr(value)
    own: Callable[[], str] | None = getattr(value, "written", None)  # what knows its own form
    if own is not None:
        return own()
    if not is_dataclass(value):
        return repr(value)
    cls = type(value)
    name = written(cls)
    parts = strategy_fields(cls)
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
