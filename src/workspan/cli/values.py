"""Values of options that are what they should be as they stand, without typer's converter.

Typer converts every value by pydantic, defaults too, and its import is a fifth of what a short
command costs. A text for a text, digits for a whole number or a path to a path need none of it.
Whatever else comes (another type, what is out of range, what is missing) goes to typer, which
converts it or says what is wrong.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

_WHOLE = re.compile(r"-?[0-9]{1,15}")
_REAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,15})?")
_ASK = object()
"""Stands for a value that typer is to convert."""


def as_they_stand(command: Any) -> Any:
    """Let a command and those below it take such values directly; return the command."""
    listed = command.get_params

    def params(context: Any) -> list[Any]:
        found: list[Any] = listed(context)
        for one in found:
            if hasattr(one, "type_descriptor") and not isinstance(one.process_value, _Process):
                one.process_value = _Process(one, one.process_value)
        return found

    command.get_params = params  # where typer's own option for help appears, too
    for below in getattr(command, "commands", {}).values():
        as_they_stand(below)
    return command


@dataclass(frozen=True, slots=True)
class _Process:
    """How a parameter processes a value; one of a typer before 0.29 does without pydantic."""

    param: Any
    converted: Callable[[Any, Any], Any]
    """Typer's own way."""

    def __call__(self, context: Any, value: Any) -> Any:
        param, told = self.param, self.param.type_descriptor
        is_many = param.multiple or param.nargs == -1
        found = _taken(value, told.annotation, told.parameter_info, is_many=is_many)
        if found is _ASK or (param.required and (found is None or found == ())):
            return self.converted(context, value)
        return found if param.callback is None else param.callback(context, param, found)


def _taken(value: Any, annotation: Any, info: Any, *, is_many: bool) -> Any:
    """Return what a parameter takes for a value; `_ASK` where that is not plain to see."""
    if value is None:
        return () if is_many else None
    if info.parser is not None or info.clamp:
        return _ASK
    if get_origin(annotation) is not list:
        return _ASK if is_many else _one(value, annotation, info)
    if not is_many or not value or not isinstance(value, list | tuple):
        return _ASK
    [each] = get_args(annotation)
    found = [_one(one, each, info) for one in value]
    return _ASK if _ASK in found else found


def _one(value: Any, annotation: Any, info: Any) -> Any:
    known = _KNOWN.get(annotation)
    return _ASK if known is None else known(value, info)


def _text(value: Any, info: Any) -> Any:  # noqa: ARG001
    return value if type(value) is str else _ASK


def _number(value: Any, info: Any, kind: type[int] | type[float], form: re.Pattern[str]) -> Any:
    if type(value) is str and form.fullmatch(value):
        value = kind(value)
    if type(value) is not kind or not math.isfinite(value):
        return _ASK
    low = -math.inf if info.min is None else info.min
    return value if low <= value <= (math.inf if info.max is None else info.max) else _ASK


def _whole(value: Any, info: Any) -> Any:
    return _number(value, info, int, _WHOLE)


def _real(value: Any, info: Any) -> Any:
    return _number(value, info, float, _REAL)


def _path(value: Any, info: Any) -> Any:
    """Take a path that nobody wants checked, or that is there and can be read."""
    if type(value) is not str and not isinstance(value, Path):
        return _ASK
    if info.path_type is not None or info.resolve_path or info.allow_dash or info.writable:
        return _ASK
    is_any = info.file_okay and info.dir_okay
    try:
        is_there = os.access(value, os.F_OK)
    except ValueError:  # no name of a file
        return _ASK
    if is_there and is_any and (not info.readable or os.access(value, os.R_OK)):
        return Path(value)
    return _ASK if is_there or info.exists else Path(value)


_KNOWN: Mapping[Any, Callable[[Any, Any], Any]] = {
    str: _text,
    int: _whole,
    float: _real,
    Path: _path,
}
