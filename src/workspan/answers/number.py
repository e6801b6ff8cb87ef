"""Numbers: 12 = 12.0 = 1.2e1 = twelve; 1,200 = 1200; 50% = 50 %; 3/4 = 0.75."""

from __future__ import annotations

import re
from fractions import Fraction

from workspan.answers.marks import marked

_NUMBER = re.compile(
    r"(?<![\w.])[-+−]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,40})(?:\.\d{1,40})?"
    r"(?:[eE][-+]?\d{1,2}(?!\w)|[ \t]?/[ \t]?\d{1,40}(?:\.\d{1,40})?)?|(?<![\w.])[-+−]?\.\d{1,40}"
)
_NAMES = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    "fifteen|sixteen|seventeen|eighteen|nineteen|twenty"
)
_WORDS = {name: value for value, name in enumerate(_NAMES.split("|"))}
_WORD = re.compile(rf"\b(?:{_NAMES})\b", re.IGNORECASE)
_FRACTION = re.compile(r"\\d?frac\{(-?\d{1,40})\}\{(\d{1,40})\}")


def extract(text: str, *, finished: bool) -> str | None:
    """Return the number of the last mark that holds one, or the last number of a finished text.

    A mark's number is the last one on its line: of ``Answer: 2 + 3 = 5`` it is 5.
    """
    for found in marked(text, finished=finished):
        if number := _last(found):
            return number
    return _last(text) if finished else None


def _last(text: str) -> str | None:
    text = _FRACTION.sub(r" \1/\2 ", text.replace("{,}", ",").replace("\\$", " ").replace("$", " "))
    numbers = [match[0] for match in _NUMBER.finditer(text)]
    if numbers:
        return numbers[-1].replace(",", "").replace("−", "-").replace(" ", "")
    words = _WORD.findall(text)
    return str(_WORDS[words[-1].lower()]) if words else None


def equivalent(a: str, b: str) -> bool:
    """Compare values exactly, as fractions; what is no number is compared as text."""
    left, right = value(a), value(b)
    return a.strip() == b.strip() if left is None or right is None else left == right


def value(text: str) -> Fraction | None:
    """Read one number, or None; exponents are small by construction of the pattern."""
    number = _last(text)
    if number is None:
        return None
    top, _, bottom = number.partition("/")
    try:
        return Fraction(top) / Fraction(bottom or 1)
    except (ValueError, ZeroDivisionError):
        return None
