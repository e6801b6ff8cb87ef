"""Explicit marks of an answer: what a model was asked to write, or writes by habit."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPENING = re.compile(
    r"\\f?boxed\s{0,4}\{"
    r"|<answer>"
    r"|^[ \t]{0,8}####[ \t]{0,8}(?!#)"
    r"|\banswer[*_`\"]{0,4}[ \t]{0,4}(?:is(?![A-Za-z])[ \t]{0,4}:?|:|=)[*_`]{0,4}",
    re.IGNORECASE | re.MULTILINE,
)
_MARKS = 32
_LONGEST = 4_000
"""Bounds on what is looked at, so that hostile text is read in linear time."""

_DRESS = '*_`"“” \t'


def marked(text: str, *, finished: bool) -> Iterator[str]:
    """Yield what is marked as an answer, the last mark first, empty ones left out.

    A mark inside another stands before it: of ``the answer is \\boxed{3}`` comes ``3`` first.

    Args:
        text: what a model wrote.
        finished: False leaves out what may go on where the text was cut.
    """
    ends = _closing_braces(text)
    lower = text.lower()
    for opening in reversed([*_OPENING.finditer(text)][-_MARKS:]):
        sign = opening[0].lower()
        if sign.endswith("{"):
            end = ends.get(opening.end() - 1, -1)
        elif sign == "<answer>":
            end = lower.find("</answer>", opening.end())
        else:
            end = _line_end(text, opening.end(), finished=finished)
        found = text[opening.end() : end][:_LONGEST].strip(_DRESS + "\r\n") if end >= 0 else ""
        if found:
            yield found


def _line_end(text: str, start: int, *, finished: bool) -> int:
    """Return where the line of the answer ends; -1 if the text may go on there.

    A mark at the end of its line has its answer on the next line that is not empty.
    """
    while start < len(text) and text[start] in _DRESS + "\r\n$":
        start += 1
    end = text.find("\n", start)
    if end < 0:
        return len(text) if finished else -1
    return end


def _closing_braces(text: str) -> dict[int, int]:
    """Map the place of each opening brace to its closing one, in one pass."""
    open_braces: list[int] = []
    pairs: dict[int, int] = {}
    for i, char in enumerate(text):
        if char == "{":
            open_braces.append(i)
        elif char == "}" and open_braces:
            pairs[open_braces.pop()] = i
    return pairs
