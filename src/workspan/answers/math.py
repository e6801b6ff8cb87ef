"""Mathematics: the marked formula; compared by value."""

from __future__ import annotations

import re

from workspan.answers import algebra, number
from workspan.answers.marks import marked

_LONGEST = 300
_FORMULA = re.compile(
    r"\$\$([^$]{1,300})\$\$|\$([^$\n]{1,300})\$|\\\[(.{1,300}?)\\\]|\\\((.{1,300}?)\\\)", re.DOTALL
)


def extract(text: str, *, finished: bool) -> str | None:
    """Return the last marked answer, or the last formula or number of a finished text."""
    for found in marked(text, finished=finished):
        return _clean(found)
    if not finished:
        return None
    formulas = [*_FORMULA.finditer(text)]
    tail = text[formulas[-1].end() :] if formulas else text
    if formulas and number.extract(tail, finished=True) is None:
        return _clean(next(group for group in formulas[-1].groups() if group is not None))
    return number.extract(tail, finished=True)


def equivalent(a: str, b: str) -> bool:
    """Compare within the default bound; what could not be compared is different."""
    return compared(a, b) is True


def compared(a: str, b: str, seconds: float | None = None) -> bool | None:
    """Compare numbers as numbers, and formulas by math-verify; the longest as text only.

    None if a comparison by math-verify was cut: see `workspan.answers.algebra.compared`.
    """
    if _plain(a) == _plain(b):
        return True
    if _is_number(a) and _is_number(b):
        return number.equivalent(a, b)
    if max(len(a), len(b)) > _LONGEST:
        return False
    return algebra.compared(a, b, seconds=seconds)


def _clean(found: str) -> str:
    found = found.strip()
    for left, right in (("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if found.startswith(left) and found.endswith(right) and len(found) > len(left + right):
            found = found[len(left) : -len(right)].strip()
    return found.rstrip(". ")[:_LONGEST] or found[:_LONGEST]


def _plain(text: str) -> str:
    return re.sub(r"\s|\\[,;!]|\\left|\\right|\$", "", text).rstrip(".")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[-+]?[\d,]*\.?\d+(?:/\d+)?", text.strip(" $")) is not None
