"""Thinking in parts that a server wants back: pieces of a stream put together, each part whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_GROWS = ("text", "summary", "data")
"""Fields of a part that come in pieces."""


def merged(pieces: Iterable[object]) -> list[dict[str, Any]]:
    """Return parts whole: pieces of one kind and place that follow one another are one part.

    What has no place is a part by itself. Of other fields, such as a signature, the last that was
    said stands (OpenRouter, Reasoning Tokens: chunks of one ``index``).
    """
    found: list[dict[str, Any]] = []
    for one in pieces:
        if not isinstance(one, dict):
            continue
        if found and _is_same(found[-1], one):
            found[-1] = _grown(found[-1], one)
        else:
            found.append(dict(one))
    return found


def _is_same(part: dict[str, Any], piece: dict[str, Any]) -> bool:
    place = piece.get("index")
    is_placed = place is not None and place == part.get("index")
    return is_placed and piece.get("type") == part.get("type")


def _grown(part: dict[str, Any], piece: dict[str, Any]) -> dict[str, Any]:
    told = dict(part)
    for name, value in piece.items():
        before = told.get(name)
        if name in _GROWS and isinstance(before, str) and isinstance(value, str):
            told[name] = before + value
        elif value is not None:
            told[name] = value
    return told
