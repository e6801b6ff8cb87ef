"""Numbers in English words: twenty-one, three hundred and five, two thirds, one and a half."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

_UNITS = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|"
    "fifteen|sixteen|seventeen|eighteen|nineteen"
)
_TENS = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_SMALL = {
    **{name: value for value, name in enumerate(_UNITS.split("|"))},
    **{name: 10 * value for value, name in enumerate(_TENS.split("|"), 2)},
}


def listed(words: str) -> frozenset[str]:
    """Return words that are written with spaces between them."""
    return frozenset(words.split())


SCALES = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
    "quadrillion": 10**15,
}
"""Words that multiply the number before them."""

PARTS = {
    "half": 2,
    "halves": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "hundredth": 100,
    "thousandth": 1000,
}
"""Words that divide it."""

FIRST = re.compile(
    rf"(?<![a-z])(?:(?:minus|negative)[ -])?(?:an?[ -](?=(?:{'|'.join(SCALES)}|half|third|quarter)"
    rf"(?![a-z]))|half(?![a-z])|(?:{_UNITS}|{_TENS})(?![a-z]))"
)
"""Where such a number may start, in lower case."""

_WORD = re.compile(r"(?:[ \t]+|-)?([a-z]+)")
_DIGIT = "|".join(["oh", *_UNITS.split("|")[:10]])
_POINT = re.compile(rf"[ -]point[ -]((?:{_DIGIT})(?:[ -](?:{_DIGIT}))*)(?![a-z])")
_LONGEST = 40


class Spelt(NamedTuple):
    """A number in words."""

    value: Fraction
    end: int


def spelt(low: str, start: int) -> Spelt | None:
    """Read the number that starts at `start` of a text in lower case."""
    sign, at = 1, start
    for word in ("minus", "negative"):
        if low.startswith(word, at) and low[at + len(word) : at + len(word) + 1] in (" ", "-"):
            sign, at = -1, at + len(word) + 1
    words: list[tuple[str, int]] = []
    while len(words) < _LONGEST:
        found = _WORD.match(low, at)
        if found is None or not _belongs(found[1]):
            break
        words.append((found[1], found.end()))
        at = found.end()
    while words and words[-1][0] in ("and", "a", "an"):
        words.pop()
    for count in range(len(words), 0, -1):
        value = _value([word for word, _ in words[:count]])
        if value is not None:
            return _with_point(low, sign, value, words[count - 1][1])
    return None


def _with_point(low: str, sign: int, value: Fraction, end: int) -> Spelt:
    """Go on with the digits after a point: two point five, zero point oh three."""
    point = _POINT.match(low, end) if low.startswith("point", end + 1) else None
    if point is None or value.denominator != 1:
        return Spelt(sign * value, end)
    digits = [0 if one == "oh" else _SMALL[one] for one in re.split("[ -]", point[1])]
    part = sum((Fraction(one, 10**at) for at, one in enumerate(digits, 1)), Fraction(0))
    return Spelt(sign * (value + part), point.end())


def _belongs(word: str) -> bool:
    return (
        word in _SMALL
        or word in SCALES
        or word in ("and", "a", "an")
        or word in PARTS
        or (word.endswith("s") and word[:-1] in PARTS)
    )


def _value(words: list[str]) -> Fraction | None:
    """Return what the words say together; None if they are not one number."""
    last = words[-1] if words[-1] in PARTS else words[-1].removesuffix("s")
    if last in PARTS:
        return _parts(words[:-1], PARTS[last])
    return _whole(words)


def _parts(before: list[str], parts: int) -> Fraction | None:
    """Read the words before a half, a third: one, a, two, one and a, three and two."""
    if before in ([], ["a"], ["an"], ["one"]):
        return Fraction(1, parts) if before or parts == 2 else None
    if "and" in before:
        at = len(before) - 1 - before[::-1].index("and")
        whole, top = (
            _whole(before[:at]),
            _parts(before[at + 1 :], parts) if before[at + 1 :] else None,
        )
        return None if whole is None or top is None or top >= 1 else whole + top
    top_of = _whole(before)
    return None if top_of is None else top_of / parts


def _whole(words: list[str]) -> Fraction | None:
    """Read tens, hundreds and thousands in falling order."""
    if not words or words[0] == "and":
        return None
    if words[0] in ("a", "an"):
        words = ["one", *words[1:]] if words[1:] and words[1] in SCALES else []
    pairs = zip(words, [*words[1:], "and"], strict=True)
    if not words or any(one == "and" and after == "and" for one, after in pairs):
        return None
    total, group, largest, before = 0, 0, 10**18, ""
    for word in words:
        if word == "and":
            is_next = before in SCALES
        elif word in _SMALL:
            is_next = _fits(group, _SMALL[word], before)
            group += _SMALL[word]
        elif word in ("hundred", "dozen"):
            is_next = 0 < group < 100
            group *= SCALES[word]
        else:
            scale = SCALES.get(word, 0)
            is_next = group > 0 and 0 < scale < largest
            total, group, largest = total + group * scale, 0, scale
        if not is_next:
            return None
        before = word
    return Fraction(total + group)


def _fits(group: int, small: int, before: str) -> bool:
    """Tell whether a small number goes on: twenty-one, a hundred and five, but not five two."""
    if before in ("", "and") or before in SCALES:
        return group % 100 == 0
    return group % 100 in range(20, 100, 10) and 0 < small < 10
