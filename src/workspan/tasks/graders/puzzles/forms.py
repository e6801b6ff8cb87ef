"""Answers read strictly: words, numbers, rows of tokens, JSON and Python lists, lists, durations.

Each reader returns None for a text that is not of its form, so that what is read compares by value.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

Entry: TypeAlias = Mapping[str, Any]
"""What a family made: question, answer, metadata."""
Check: TypeAlias = Callable[[str, Entry], bool]
"""Says whether an answer is right."""

LONGEST = 20_000
"""Characters of an answer that are looked at; a longer one is none of these puzzles'."""

_DRESS = " \t\r\n*_`\"'“”‘’"
_FENCE = re.compile(r"```[\w+-]*\n(.*?)\n?```", re.DOTALL)
_NUMBER = re.compile(
    r"(?P<sign>[-+−]?) ?\$?(?P<whole>[1-9]\d{0,2}(?:,\d{3})+|0|[1-9]\d{0,3999})?"
    r"(?P<part>\.\d{0,400})?(?:[eE](?P<power>[-+]?\d{1,3}))?"
)
_OVER = re.compile(
    r"(?P<sign>[-+−]?) ?(?:(?P<top>\d{1,400}) ?/ ?(?P<bottom>\d{1,400})"
    r"|\\[dt]?frac\{(?P<over>-?\d{1,400})\}\{(?P<under>\d{1,400})\})"
)
_TIME = re.compile(
    r"(?:(?P<days>-?\d{1,6}) days?)?(?:, ?)?"
    r"(?:(?P<hours>\d{1,6}):(?P<minutes>\d\d)(?::(?P<seconds>\d\d(?:\.\d{1,9})?))?)?"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    value: Fraction
    unit: Fraction | None
    """Of its last written digit; None of a fraction, which is exact."""

    @property
    def digits(self) -> int:
        """Significant digits, those of 0.0120 being three; 0 where it is exact."""
        if self.unit is None:
            return 0
        return len(str(abs(self.value / self.unit).numerator)) if self.value else 1

    def rounds(self, exact: Fraction) -> bool:
        """Tell whether `exact` rounds to this, whichever way halves go."""
        return abs(self.value - exact) <= (self.unit or 0) / 2


def number(text: str) -> Number | None:
    """Read a whole number, decimal or fraction; commas may group thousands."""
    text = bare(text).strip("$ ").removesuffix(".")
    if over := _OVER.fullmatch(text):
        top, bottom = int(over["top"] or over["over"]), int(over["bottom"] or over["under"])
        return Number(_signed(over["sign"], Fraction(top, bottom)), None) if bottom else None
    found = _NUMBER.fullmatch(text)
    if found is None or not (found["whole"] or (found["part"] or ".") != "."):
        return None
    whole, part = (found["whole"] or "0").replace(",", ""), (found["part"] or ".")[1:]
    unit = Fraction(10) ** (int(found["power"] or 0) - len(part))
    return Number(_signed(found["sign"], int(whole + part) * unit), unit)


def _signed(sign: str, value: Fraction) -> Fraction:
    return -value if sign in ("-", "−") else value


def bare(text: str) -> str:
    """Drop white space, emphasis and quotation marks around an answer."""
    return text[:LONGEST].strip(_DRESS)


def words(text: str) -> str:
    """Return the text with single spaces between its words, without what dresses it."""
    return " ".join(bare(text).split())


def tokens(text: str) -> list[list[str]]:
    """Return the tokens of each line that has any."""
    return [row for line in _open(text).splitlines() if (row := line.split())]


def numbers(text: str) -> list[list[Fraction]] | None:
    """Return rows of numbers."""
    rows = [[number(token) for token in row] for row in tokens(text)]
    if any(found is None for row in rows for found in row):
        return None
    return [[found.value for found in row if found] for row in rows]


def whole_numbers(text: str) -> list[list[int]] | None:
    """Return rows of whole numbers."""
    rows = tokens(text)
    if not all(re.fullmatch(r"0|-?[1-9]\d{0,399}", token) for row in rows for token in row):
        return None
    return [[int(token) for token in row] for row in rows]


def value(text: str) -> Any:
    """Read a JSON value or a Python literal; None where the text is neither."""
    text = _open(text)
    if len(text) > LONGEST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def same(a: Any, b: Any) -> bool:
    """Compare two such values; unlike in Python, True is not 1, and a list is a tuple."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return isinstance(a, bool) == isinstance(b, bool) and bool(a == b)


def items(text: str) -> list[str] | None:
    """Return what a list holds, each item as text: ``['-13', '4.2']``, ``[-13, 4.2]``."""
    found = value(text)
    if not isinstance(found, list | tuple):
        return None
    if not all(type(item) in (str, int, float) for item in found):
        return None
    return [str(item) for item in found]


def listed(text: str) -> list[str]:
    """Return the parts between commas."""
    return [bare(part) for part in bare(text).split(",")]


def seconds(text: str) -> Fraction | None:
    """Read ``3 days``, ``20:10:30.282`` or ``3 days, 20:10``, in seconds."""
    found = _TIME.fullmatch(words(text).removesuffix("."))
    if found is None or not (found["days"] or found["hours"]):
        return None
    parts = [Fraction(found[name] or 0) for name in ("days", "hours", "minutes", "seconds")]
    if parts[2] >= 60 or parts[3] >= 60:
        return None
    return sum(
        (part * unit for part, unit in zip(parts, (86400, 3600, 60, 1), strict=True)), parts[0] * 0
    )


def _open(text: str) -> str:
    """Take what stands in a fence, if the answer is one, without a full stop; keep the lines."""
    text = text[: LONGEST + 1].strip()
    fence = _FENCE.fullmatch(text)
    return fence[1] if fence else text.strip("`*").removesuffix(".")
