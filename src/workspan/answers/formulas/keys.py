"""What two ways to write the same thing share.

A formula without variables is computed exactly where it is a fraction, else to 60 digits; one with
variables at three fixed points, of which one is negative. Equal values at 30 digits are the same
formula: so equality is an equivalence by construction, and comparing many formulas costs one
computation each.
"""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from typing import Any

from workspan.answers.formulas.computed import DIGITS, number, reckoner, value_of
from workspan.answers.formulas.grammar import Node, parsed
from workspan.answers.formulas.tokens import NotRead

_SAME = 30


@lru_cache(maxsize=4096)
def formula_key(text: str) -> Hashable:
    """Return what formulas of the same value share.

    Raises:
        NotRead: it can't be read.
        TooLarge: its value can't be computed.
    """
    return value_key(parsed(text))


def value_key(node: Node) -> Hashable:
    """Return the key of a parsed formula."""
    return key_of(values(node))


def key_of(points: list[Any]) -> Hashable:
    """Return the key of a formula by its values: a fraction, or digits."""
    if all(isinstance(value, Fraction) for value in points) and len(set(points)) == 1:
        return ("n", points[0])
    said = tuple(_digits(value) for value in points)
    if len(set(said)) == 1:
        exact = _fraction_of(points[0])
        return ("n", exact) if exact is not None else ("v", said[0])
    return ("v", *said)


def ratios(node: Node, *, signed: bool) -> Hashable:
    """Return what the multiples of a formula share, the positive ones alone if signed."""
    mp = reckoner()
    points = [mp.mpmathify(number(value)) for value in values(node)]
    if all(abs(point) < mp.mpf(10) ** -45 for point in points):
        return "0"
    first = points[0]
    if len(points) == 1 or abs(first) < mp.mpf(10) ** -45:
        raise NotRead("no variable, or a root at the first point")
    scale = abs(first) if signed else first
    return tuple(_digits(point / scale) for point in points)


def values(node: Node) -> list[Any]:
    """Return the value at each point; once where there is no variable."""
    names = set(_symbols(node))
    places = range(3) if names else range(1)
    mp = reckoner()
    with mp.workdps(DIGITS):
        try:
            return [value_of(node, {name: point(name, i) for name in names}) for i in places]
        except (ZeroDivisionError, OverflowError, ValueError, RecursionError) as error:
            if isinstance(error, NotRead):
                raise
            raise NotRead(str(error)) from None


def point(name: str, i: int) -> Fraction:
    """Return where a variable is put at each of three points: small, negative, large."""
    part = Fraction(int.from_bytes(sha256(f"{name} {i}".encode()).digest()[:5], "big"), 1 << 40)
    return (Fraction(1, 4) + part, -Fraction(1, 3) - part, Fraction(2) + 3 * part)[i]


def names_of(node: Node) -> frozenset[str]:
    """Return the variables of a formula."""
    return frozenset(_symbols(node))


def _symbols(node: Node) -> list[str]:
    if node[0] == "sym":
        return [node[1]]
    return [name for part in node[1:] if isinstance(part, tuple) for name in _symbols(part)]


def _digits(value: Any) -> str:
    """Write a value to as many digits as are compared."""
    mp = reckoner()
    with mp.workdps(DIGITS):
        found = mp.mpmathify(number(value))
        size = abs(found)
        tiny = max(size * mp.mpf(10) ** -45, mp.mpf(10) ** -45)
        real = found.real if abs(found.real) > tiny else mp.mpf(0)
        imaginary = found.imag if abs(found.imag) > tiny else mp.mpf(0)
        said = str(mp.nstr(real, _SAME, min_fixed=0, max_fixed=0))
        return (
            said
            if imaginary == 0
            else f"{said} {mp.nstr(imaginary, _SAME, min_fixed=0, max_fixed=0)}i"
        )


def _fraction_of(value: Any) -> Fraction | None:
    """Return the simple fraction that a computed value is, as of (√2)²."""
    if isinstance(value, Fraction):
        return value
    mp = reckoner()
    with mp.workdps(DIGITS):
        if abs(value.imag) > mp.mpf(10) ** -45 or abs(value.real) > mp.mpf(10) ** 30:
            return None
        exact = Fraction(str(mp.nstr(value.real, DIGITS - 5))).limit_denominator(10**9)
        close = abs(value.real - number(exact)) < mp.mpf(10) ** -42
        return exact if close else None
