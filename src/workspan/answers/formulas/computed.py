"""What a formula comes to: a fraction where it can be one, else a number of 60 digits.

Numbers that would not fit raise `TooLarge` before they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from workspan.answers.formulas.grammar import Node
from workspan.answers.formulas.tokens import NotRead

_BITS = 20_000
DIGITS = 60


class TooLarge(NotRead):
    """Its value would have more digits than can be computed with."""


def reckoner() -> Any:
    """Return what computes to many digits; imported late, since few answers need it."""
    import mpmath

    return mpmath.mp


def number(value: Any) -> Any:
    """Return a value as a number of many digits."""
    mp = reckoner()
    return mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def value_of(node: Node, at: Mapping[str, Fraction]) -> Any:
    """Compute a tree, its variables standing for the values `at` gives.

    Raises:
        NotRead: it has no value.
        TooLarge: it would have more digits than can be computed with.
    """
    sort = node[0]
    if sort == "num":
        return node[1]
    if sort == "sym":
        return at[node[1]]
    if sort in ("pi", "e", "i"):
        mp = reckoner()
        return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[sort]
    parts = [value_of(part, at) for part in node[1:] if isinstance(part, tuple)]
    return _bounded(_OPERATIONS[sort](node, parts))


def _bounded(value: Any) -> Any:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
            raise TooLarge("more digits than can be computed with")
        return value
    mp = reckoner()
    if not (mp.isfinite(value.real) and mp.isfinite(value.imag)):
        raise NotRead("not a number")
    return value


def _sum(_: Node, parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = _plus(total, part)
    return total


def _plus(a: Any, b: Any) -> Any:
    both = isinstance(a, Fraction) and isinstance(b, Fraction)
    return a + b if both else number(a) + number(b)


def _times(a: Any, b: Any) -> Any:
    both = isinstance(a, Fraction) and isinstance(b, Fraction)
    return a * b if both else number(a) * number(b)


def _product(_: Node, parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = _bounded(_times(total, part))
    return total


def _inverse(value: Any) -> Any:
    if value == 0 or (not isinstance(value, Fraction) and abs(value) < reckoner().mpf(10) ** -45):
        raise NotRead("a division by zero")
    return 1 / value


def _raise(base: Any, exponent: Any) -> Any:
    mp = reckoner()
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        power = exponent.numerator
        if base == 0 and power <= 0:
            raise NotRead("zero to the power of zero")
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base in (0, 1, -1) or (bits - 1) * abs(power) <= _BITS:
            return base**power if base not in (1, -1) else (base if power % 2 else Fraction(1))
    big = abs(number(exponent)) * (abs(mp.log(abs(number(base)) + mp.mpf(10) ** -300)) + 1)
    if big > 100_000:
        raise TooLarge("more digits than can be computed with")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and base > 0:
        exact = _exact_root(base, exponent.denominator)
        if exact is not None:
            return _raise(exact, Fraction(exponent.numerator))
    return mp.power(number(base), number(exponent))


def _exact_root(base: Fraction, degree: int) -> Fraction | None:
    """Return a root that is a fraction."""
    if degree > 60:
        return None
    mp = reckoner()
    top, bottom = (
        int(mp.nint(mp.root(mp.mpf(part), degree))) if part < 10**50 else 0
        for part in (base.numerator, base.denominator)
    )
    is_exact = top**degree == base.numerator and bottom**degree == base.denominator
    return Fraction(top, bottom) if is_exact and bottom else None


def _factorial(_: Node, parts: list[Any]) -> Any:
    (value,) = parts
    if not isinstance(value, Fraction) or value.denominator != 1 or value < 0:
        raise NotRead("a factorial of no whole number")
    if value > 1_500:
        raise TooLarge("more digits than can be computed with")
    from math import factorial

    return Fraction(factorial(value.numerator))


def _choose(_: Node, parts: list[Any]) -> Any:
    top, bottom = parts
    for part in parts:
        if not isinstance(part, Fraction) or part.denominator != 1 or not 0 <= part <= 10_000:
            raise NotRead("a binomial of no small whole numbers")
    from math import comb

    return Fraction(comb(top.numerator, bottom.numerator))


def _function(node: Node, parts: list[Any]) -> Any:
    name, value = node[1], parts[0]
    if name in ("abs", "floor", "ceil"):
        if not isinstance(value, Fraction):
            if name != "abs":
                raise NotRead("a whole part of no fraction")
            return abs(value)
        return (
            abs(value)
            if name == "abs"
            else Fraction(value // 1 if name == "floor" else -(-value // 1))
        )
    if name in ("sqrt", "cbrt"):
        return _raise(value, Fraction(1, 2 if name == "sqrt" else 3))
    if name == "exp":
        return _raise(+reckoner().e, value)
    if name in ("ln", "log", "lg"):
        return _log(value, 10 if name == "lg" else None)
    if abs(number(value)) > 10**12:
        raise TooLarge("an angle that large")
    names: Mapping[str, str] = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
    function: Callable[[Any], Any] = getattr(reckoner(), names.get(name, name))
    return function(number(value))


def _log(value: Any, base: Any) -> Any:
    mp = reckoner()
    if value == 0:
        raise NotRead("a logarithm of zero")
    if base is None:
        return mp.log(number(value))
    below = mp.log(number(base))
    if abs(below) < mp.mpf(10) ** -45:
        raise NotRead("a logarithm to the base one")
    return mp.log(number(value)) / below


_OPERATIONS: Mapping[str, Callable[[Node, list[Any]], Any]] = {
    "+": _sum,
    "*": _product,
    "neg": lambda _, parts: -parts[0],
    "inv": lambda _, parts: _inverse(parts[0]),
    "/": lambda _, parts: _times(parts[0], _inverse(parts[1])),
    "^": lambda _, parts: _raise(parts[0], parts[1]),
    "root": lambda _, parts: _raise(parts[0], _inverse(parts[1])),
    "!": _factorial,
    "binom": _choose,
    "fn": _function,
    "log": lambda _, parts: _log(parts[0], parts[1]),
}
