"""What bodies of all dialects are read by: one field at a time, refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

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


Part: TypeAlias = Callable[[dict[str, Any], str], dict[str, Any]]
"""Writes one part of a chat's content in the words of another dialect; told where it stands."""


def untold(dialect: str, place: str, what: str) -> InputError:
    """Make the error of what a chat holds and another dialect has no word for."""
    return InputError(f"{place} is {what}, which an upstream that speaks {dialect} can't be told")


def parts_told(
    told: Any,
    place: str,
    text: str,
    known: Mapping[str, Part],
    cannot: Callable[[str, str], InputError],
) -> list[dict[str, Any]]:
    """Put a chat's content into the words of another dialect, part by part.

    Args:
        told: a text, or parts.
        place: where it stands.
        text: what the dialect calls a part of text.
        known: what writes each of a chat's parts, by its type.
        cannot: makes the error of one that is none of them.

    Raises:
        InputError: a part is none, or can't be told.
    """
    if told is None or isinstance(told, str):
        return [{"type": text, "text": told}] if told else []
    found = []
    for i, one in enumerate(as_list(told, place, "parts")):
        part, at = as_object(one, f"{place}[{i}]"), f"{place}[{i}]"
        write = known.get(str(part.get("type")))
        if write is None:
            raise cannot(f"{at}.type", quoted(part.get("type")))
        found.append(write(part, at))
    return found


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
