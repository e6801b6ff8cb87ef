"""What a reader is given, and what it gives back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

CUT = "cut"
"""Begins the key of a formula that there was no time to compute."""

COURTESY = re.compile(
    r"[\s*_>]*(?:(?:please )?let me know|(?:i )?hope (?:this|that|it|these|you|my)"
    r"|(?:please )?feel free|if you (?:have|need|want|would|'d)|would you like"
    r"|do you (?:want|need|have)|(?:i'm |i am )?happy to|thanks? (?:you|for)"
    r"|is there anything)(?![a-z])"
)
"""How a line starts that is said to the reader after the answer, in lower case."""


class Said(NamedTuple):
    """The visible part of what a model wrote: thinking and its own next questions are cut."""

    text: str
    plain: str
    """The text with plain signs, as long as it was."""
    low: str
    """The plain text in lower case, as long as it was."""
    finished: bool
    """The model ended by itself; else a last line may go on where it was cut."""
    asked: str = ""
    """The name that a program must define, where the task says it."""
    schema: Mapping[str, Any] | None = None
    """What a JSON answer must be like."""


class Found(NamedTuple):
    """An answer in `Said.text`."""

    answer: str
    start: int
    end: int
    rule: str
    """What made it the answer, in a few words."""


def json_value(said: Said, at: int) -> tuple[int, int, object] | None:
    """Read the JSON value that starts at a place: its span and what it is, if there is one."""
    start = at + len(said.text[at:]) - len(said.text[at:].lstrip())
    try:
        inner, end = json.JSONDecoder().raw_decode(said.text, start)
    except (ValueError, RecursionError):
        return None
    if isinstance(inner, str):
        return start + 1, end - 1, inner
    return start, end, inner
