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
    **{"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6},
    **{"seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "hundredth": 100, "thousandth": 1000},
}
"""Words that divide it."""

FIRST = re.compile(
    rf"(?<![a-z])(?:(?:minus|negative)[ -])?(?:an?[ -](?=(?:{'|'.join(SCALES)}|half|third|quarter)"
    rf"(?![a-z]))|half(?![a-z])|(?:{_UNITS}|{_TENS})(?![a-z]))"
)
"""Where such a number may start, in lower case."""

_WORD = re.compile(r"(?:[ \t]+|-)?([a-z]+)")
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
            return Spelt(sign * value, words[count - 1][1])
    return None


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
    total, group, scale_before = 0, None, 10**18
    for i, word in enumerate(words):
        if word == "and":
            if i == len(words) - 1 or words[i - 1] not in SCALES:
                return None
        elif word in ("a", "an"):
            if i or words[1:2] == [] or words[1] not in SCALES:
                return None
            group = 1
        elif word in _SMALL:
            small = _SMALL[word]
            if group is None:
                group = small
            elif group % 100 == 0 and group >= 100:
                group += small
            elif group % 100 in range(20, 100, 10) and 0 < small < 10:
                group += small
            else:
                return None
        elif word in ("hundred", "dozen"):
            if group is None or not 0 < group < 100:
                return None
            group *= SCALES[word]
        else:
            scale = SCALES.get(word, 0)
            if group is None or not 0 < scale < scale_before:
                return None
            total, group, scale_before = total + group * scale, None, scale
    return Fraction(total + (group or 0))
