"""Families with one right answer, which the entry holds: compared by what it says."""

from __future__ import annotations

import re
from fractions import Fraction

from workspan.tasks.graders.puzzles.forms import (
    Entry,
    Number,
    bare,
    items,
    listed,
    number,
    numbers,
    same,
    seconds,
    tokens,
    value,
    whole_numbers,
    words,
)

_SCALE = re.compile(r"(?i)(?:dozen|hundred|thousand|[mbtz]illion|percent|half|halves)s?")
_PAIR = re.compile(r"\b([A-Z][\w-]*) is an? ([a-z]+)\b")
_COMPLEX = re.compile(r"\(?(?P<real>[-+]?[\d.]+)?(?P<imag>(?:^|[-+])[\d.]*[ij])?\)?")


def exactly(answer: str, entry: Entry) -> bool:
    """Compare words, but for the space between them and what dresses the whole."""
    return _said(answer, entry) == words(entry["answer"])


def whatever_case(answer: str, entry: Entry) -> bool:
    """Compare words without their case, where case says nothing."""
    return _said(answer, entry).casefold() == words(entry["answer"]).casefold()


def spaced(answer: str, entry: Entry) -> bool:
    """Compare words without case and without the space between letters."""
    return _said(answer, entry).casefold().replace(" ", "") == words(entry["answer"]).casefold()


def _said(answer: str, entry: Entry) -> str:
    """Drop the full stop of a sentence around the answer, unless the answer has one."""
    said = words(answer)
    return said if words(entry["answer"]).endswith(".") else bare(said.removesuffix("."))


def as_number(answer: str, entry: Entry) -> bool:
    """Compare values exactly; the question's own unit may follow."""
    said = _said(answer, entry)
    figures, _, unit = said.partition(" ")
    if said == "-0":
        return False  # no way to write 0, but one to write it wrong
    found, right = number(figures if _is_unit(unit, entry) else said), number(entry["answer"])
    return found is not None and right is not None and found.value == right.value


def _is_unit(unit: str, entry: Entry) -> bool:
    """Tell whether what follows a number is what the question counts: of legs, ``12 legs``."""
    asked = entry["question"].casefold()
    is_word = re.fullmatch(r"[a-z]{3,20}", unit) is not None and not _SCALE.fullmatch(unit)
    return is_word and re.search(rf"\b{unit}\b", asked) is not None


def as_probability(answer: str, entry: Entry) -> bool:
    """Compare with the fraction, or with the decimal that the entry rounds it to."""
    fraction, found = entry["metadata"]["rational"], number(answer)
    exact = Fraction(fraction["numerator"], fraction["denominator"])
    written = number(entry["answer"])
    return found is not None and found.value in (exact, written.value if written else exact)


def to_three_figures(answer: str, entry: Entry) -> bool:
    """Compare with the power, rounded to the figures of the answer, which must be three."""
    found, right = number(answer), number(entry["answer"])
    if found is None or right is None:
        return False
    return found.value == right.value or (found.digits >= 3 and found.rounds(right.value))


def as_rows(answer: str, entry: Entry) -> bool:
    """Compare token by token, row by row."""
    return tokens(answer) == tokens(entry["answer"])


def as_picture(answer: str, entry: Entry) -> bool:
    """Compare rows of signs that need no space between them."""
    rows = [["".join(row) for row in tokens(text)] for text in (answer, entry["answer"])]
    return rows[0] == rows[1]


def as_numbers(answer: str, entry: Entry) -> bool:
    """Compare rows of numbers by value."""
    found = numbers(answer)
    return found is not None and found == numbers(entry["answer"])


def as_value(answer: str, entry: Entry) -> bool:
    """Compare JSON values or Python literals."""
    found = value(answer)
    return found is not None and same(found, value(entry["answer"]))


def as_listed_numbers(answer: str, entry: Entry) -> bool:
    """Compare lists of numbers, which may be written as texts, in their order."""
    found, right = items(answer), items(entry["answer"])
    if found is None or right is None:
        return False
    values = [[each and each.value for each in map(number, some)] for some in (found, right)]
    return None not in values[0] and values[0] == values[1]


def as_list(answer: str, entry: Entry) -> bool:
    """Compare what stands between commas, in its order."""
    return listed(answer) == listed(entry["answer"])


def as_groups(answer: str, entry: Entry) -> bool:
    """Compare lists of groups of words, in any order of groups and within them."""
    found, right = value(answer), value(entry["answer"])
    return _groups(found) is not None and _groups(found) == _groups(right)


def _groups(found: object) -> list[list[str]] | None:
    if not isinstance(found, list | tuple) or not all(isinstance(g, list | tuple) for g in found):
        return None
    if not all(isinstance(word, str) for group in found for word in group):
        return None
    return sorted(sorted(group) for group in found)


def as_partitions(answer: str, entry: Entry) -> bool:
    """Compare lists of partitions, in any order, each once."""
    found, right = value(answer), value(entry["answer"])
    if _groups(found) is None or not isinstance(found, list):
        return False
    return sorted(map(tuple, found)) == sorted(map(tuple, right))


def as_duration(answer: str, entry: Entry) -> bool:
    """Compare lengths of time to the part of a second that is written."""
    found = seconds(answer)
    return found is not None and found == seconds(entry["answer"])


def as_date_fact(answer: str, entry: Entry) -> bool:
    """Compare a count as a number, a weekday or yes and no as a word."""
    is_count = number(entry["answer"]) is not None
    return (as_number if is_count else whatever_case)(answer, entry)


def as_hexadecimal(answer: str, entry: Entry) -> bool:
    """Compare values of hexadecimal numbers with their prefix."""
    found, right = (_hexadecimal(text) for text in (answer, entry["answer"]))
    return found is not None and found == right


def _hexadecimal(text: str) -> int | None:
    found = re.fullmatch(r"([-+−]?)0x([0-9a-f]{1,4000})", words(text).removesuffix(".").lower())
    return None if found is None else int(found[2], 16) * (-1 if found[1] in ("-", "−") else 1)


def as_complex(answer: str, entry: Entry) -> bool:
    """Compare real and imaginary part."""
    found = _complex(answer)
    return found is not None and found == _complex(entry["answer"])


def _complex(text: str) -> tuple[Fraction, Fraction] | None:
    found = _COMPLEX.fullmatch(words(text).replace(" ", "").replace("−", "-").removesuffix("."))
    if found is None or not (found["real"] or found["imag"]):
        return None
    imag = (found["imag"] or "0").rstrip("ij")
    parts = [number(found["real"] or "0"), number(imag + "1" if imag in ("", "+", "-") else imag)]
    if parts[0] is None or parts[1] is None:
        return None
    return parts[0].value, parts[1].value


def as_simplest(answer: str, entry: Entry) -> bool:
    """Compare numerator and denominator: a fraction that can be reduced is not the answer."""
    meta = entry["metadata"]
    found = re.fullmatch(
        r"(-?)(?:(\d{1,40})/(\d{1,40})|\\[dt]?frac\{(-?\d{1,40})\}\{(\d{1,40})\})",
        words(answer).removesuffix(".").strip("$").replace(" ", "").removeprefix("\\("),
    )
    if found is None:
        return False
    top, bottom = int(found[2] or found[4]), int(found[3] or found[5])
    signed = -top if found[1] else top
    return (signed, bottom) == (meta["simplified_numerator"], meta["simplified_denominator"])


def as_roots(answer: str, entry: Entry) -> bool:
    """Compare decimals between commas, each root as often as there is one, in any order."""
    found, right = ([number(part) for part in listed(t)] for t in (answer, entry["answer"]))
    if None in found or None in right:
        return words(answer) == words(entry["answer"])
    return sorted(f.value for f in found if f) == sorted(r.value for r in right if r)


def as_factors(answer: str, entry: Entry) -> bool:
    """Compare factors between signs of multiplication, in any order."""
    found, right = (_factors(text) for text in (answer, entry["answer"]))
    return found is not None and found == right


def _factors(text: str) -> list[int] | None:
    parts = re.split(r" ?(?:×|x|\*|⋅|·|\\times) ?", words(text).removesuffix(".").strip("$ "))
    if not all(re.fullmatch(r"\d{1,40}", part) for part in parts):
        return None
    return sorted(map(int, parts))


def as_who_is_what(answer: str, entry: Entry) -> bool:
    """Compare who is said to be what; nothing else may be said, and of nobody twice."""
    found, right = (_roles(text) for text in (answer, entry["answer"]))
    return found is not None and found == right


def _roles(text: str) -> dict[str, str] | None:
    said = words(text)
    pairs = _PAIR.findall(said)
    rest = re.sub(r"\band\b|[,.;]", "", _PAIR.sub("", said)).strip()
    roles = dict(pairs)
    return roles if pairs and not rest and len(roles) == len(pairs) else None


def as_geometry(answer: str, entry: Entry) -> bool:
    """Compare an angle, a radius or a point with the exact one, rounded as the answer is.

    The prompt asks for three decimals; the entry writes angles with two.
    """
    meta = entry["metadata"]
    if meta["task_type"] == "orthocenter":
        exact = [Fraction(part) for part in meta["ortho"]]
        parts = re.fullmatch(r"\(?([^(),]+),([^(),]+)\)?", words(answer).removesuffix("."))
        said = [number(part) for part in parts.groups()] if parts else []
        return len(said) == 2 and all(_rounded(s, e, 3) for s, e in zip(said, exact, strict=True))
    is_angle = meta["task_type"] == "angle_measure"
    true = meta["angle_ABC_degrees"] if is_angle else meta["incircle_radius_approx"]
    said_one = words(answer).removesuffix(".")
    if is_angle:
        said_one = re.sub(r" ?(?:°|\^?\\circ|degrees)$", "", said_one)
    return _rounded(number(said_one), Fraction(true), 2 if is_angle else 3)


def _rounded(said: Number | None, exact: Fraction, places: int) -> bool:
    if said is None:
        return False
    if abs(said.value - exact) < Fraction(1, 10**9):
        return True
    return said.unit is not None and said.unit <= Fraction(1, 10**places) and said.rounds(exact)


def as_board(answer: str, entry: Entry) -> bool:
    """Compare boards of whole numbers."""
    found = whole_numbers(answer)
    return found is not None and found == [list(row) for row in entry["metadata"]["solution"]]


def as_signed_board(answer: str, entry: Entry) -> bool:
    """Compare boards whose rows may show the signs that bind their cells."""
    text = re.sub(r"[<>∧∨^v]", " ", answer)
    found = whole_numbers(text)
    return found is not None and found == [list(row) for row in entry["metadata"]["solution"]]


def unsigned(entry: Entry) -> str:
    """Write the board without its signs: rows that hold one sign alone are easily read away."""
    return "\n".join(" ".join(map(str, row)) for row in entry["metadata"]["solution"])
