"""What bodies of all dialects are read by: one field at a time, refused by its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workspan.errors import InputError
from workspan.legible import quoted
from workspan.protocol.chat_messages import checked_text


def as_object(told: Any, place: str) -> dict[str, Any]:
    """Return an object's fields, a copy of one's own.

    Raises:
        InputError: it is none.
    """
    if not isinstance(told, Mapping) or not all(isinstance(name, str) for name in told):
        raise InputError(f"{place} must be an object, not {quoted(told)}")
    return dict(told)


def as_list(told: Any, place: str, of: str) -> Sequence[Any]:
    """Return a list.

    Raises:
        InputError: it is none.
    """
    if not isinstance(told, Sequence) or isinstance(told, str | bytes):
        raise InputError(f"{place} must be a list of {of}, not {quoted(told)}")
    return told


def taken(rest: dict[str, Any], name: str, place: str) -> str:
    """Take a text out of an object's fields.

    Raises:
        InputError: it is none.
    """
    return checked_text(rest.pop(name, None), f"{place}.{name}")


def not_carried(place: str, what: str, instead: str = "") -> InputError:
    """Say that something can't be put into Chat Completions.

    Args:
        place: where it stands.
        what: it is.
        instead: what would be right; empty is an upstream of the dialect.
    """
    right = instead or "leave it out, or ask an upstream that speaks this dialect itself"
    return InputError(
        f"{place} is {what}, which an upstream that speaks Chat can't be told: {right}"
    )
