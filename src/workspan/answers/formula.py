r"""Values of formulas: what two ways to write the same thing share.

A formula without variables is computed exactly where it is a fraction, else to 60 digits; one with
variables at three fixed points, of which one is negative. Equal values at 30 digits are the same
formula: so equality is an equivalence by construction, and comparing many formulas costs one
computation each. LaTeX and plain notation are read (``\frac{x}{2}``, ``x**2/2``, ``sqrt(2)``); what
is not understood is no value. Numbers that would not fit raise `TooLarge` before they are made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction
from functools import lru_cache
from hashlib import sha256
from typing import Any, TypeAlias

from workspan.answers.words import listed

LONGEST = 600
_NODES = 800
_DEPTH = 40
_BITS = 20_000
_DIGITS = 60
_SAME = 30

Node: TypeAlias = tuple[Any, ...]


class NotRead(ValueError):
    """The formula is written in a way that is not understood here."""


class TooLarge(NotRead):
    """Its value would have more digits than can be computed with."""


_FUNCTIONS = listed(
    "sin cos tan cot sec csc arcsin arccos arctan asin acos atan sinh cosh tanh ln log exp sqrt abs"
    " lg cbrt"
)
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi"
    " rho"
    " sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell hbar"
)
_GREEK_NAMES = listed(_GREEK)
_GREEK_LETTERS = dict(
    zip(
        "αβγδεζηθικλμνξρστφχψω",
        (name for name in _GREEK.split()[:24] if name not in ("varepsilon", "vartheta", "varphi")),
        strict=True,
    )
)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|\\(?P<command>[A-Za-z]+)|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\*\*|[-+*/^!|(){}\[\]_√·×=<>,:;'&]|[αβγδεζηθικλμνξπρστφχψω]|[⁰¹²³⁴-⁹⁺⁻]+|[₀-₉]+"
    r"|\\.))"
)
_SUPER = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")


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
    mp = _mp()
    points = [mp.mpmathify(_number(value)) for value in values(node)]
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
    mp = _mp()
    with mp.workdps(_DIGITS):
        try:
            return [_value(node, {name: point(name, i) for name in names}) for i in places]
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


def parsed(text: str) -> Node:
    """Read a formula.

    Raises:
        NotRead: it can't be read.
    """
    if len(text) > LONGEST:
        raise NotRead("too long")
    return _Parser(text).whole()


class _Parser:
    """A recursive descent over the tokens of one formula."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0
        self.bars = 0

    def whole(self) -> Node:
        node = self.sum()
        if self.at < len(self.tokens):
            raise NotRead(f"{self.tokens[self.at][1]!r} was not expected")
        return node

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, *signs: str) -> str:
        sort, said = self.peek()
        if sort == "sign" and said in signs:
            self.at += 1
            return said
        return ""

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise NotRead(f"{sign} is missing")

    def sum(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise NotRead("too deep")
        terms = [self.signed()]
        while sign := self.take("+", "-"):
            term = self.product()
            terms.append(("neg", term) if sign == "-" else term)
        self.depth -= 1
        return ("+", *terms) if len(terms) > 1 else terms[0]

    def signed(self) -> Node:
        negative = False
        while sign := self.take("+", "-"):
            negative ^= sign == "-"
        node = self.product()
        return ("neg", node) if negative else node

    def product(self) -> Node:
        factors = [self.power()]
        while True:
            if self.take("*", "·", "×") or self.command("cdot", "times", "ast"):
                factors.append(self.unary())
            elif self.take("/") or self.command("div"):
                factors.append(("inv", self.unary()))
            elif self.starts():
                factors.append(self.beside(factors))
            else:
                return ("*", *factors) if len(factors) > 1 else factors[0]

    def unary(self) -> Node:
        negative = False
        while sign := self.take("+", "-"):
            negative ^= sign == "-"
        node = self.power()
        return ("neg", node) if negative else node

    def beside(self, factors: list[Node]) -> Node:
        """Read a factor that stands beside the last: 2x, not "1 2"; a fraction there is added."""
        last = factors[-1]
        sort, said = self.peek()
        if sort == "number":
            raise NotRead("two numbers side by side")
        is_whole = last[0] == "num" and last[1].denominator == 1
        node = self.power()
        if is_whole and sort == "command" and said.endswith("frac") and node[0] == "/":
            top, bottom = node[1], node[2]
            if top[0] == bottom[0] == "num" and 0 < top[1] < bottom[1]:
                factors.pop()
                return ("+", last, node)
            if top[0] == bottom[0] == "num":
                raise NotRead("a whole number beside a fraction above one")
        return node

    def starts(self) -> bool:
        sort, said = self.peek()
        if sort in ("number", "word"):
            return True
        if sort == "command":
            return said in _FUNCTIONS | _GREEK_NAMES | {
                "pi",
                "frac",
                "sqrt",
                "binom",
                "left",
                "mathrm",
                "operatorname",
            }
        if sort == "sign":
            return (
                said in ("(", "{", "√")
                or said in _GREEK_LETTERS
                or said in ("π", "[")
                or (said == "|" and not self.bars)
            )
        return False

    def command(self, *names: str) -> bool:
        sort, said = self.peek()
        if sort == "command" and said in names:
            self.at += 1
            return True
        return False

    def power(self) -> Node:
        base = self.atom()
        while self.take("!"):
            base = ("!", base)
        sort, said = self.peek()
        if sort == "sign" and said[0] in "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻":
            self.at += 1
            return ("^", base, ("num", Fraction(int(said.translate(_SUPER)))))
        if self.take("^", "**"):
            exponent = self.exponent()
            node: Node = ("^", base, exponent)
            return ("!", node) if self.take("!") else node
        return base

    def exponent(self) -> Node:
        self.depth += 1
        if self.depth > _DEPTH:
            raise NotRead("too deep")
        if sign := self.take("-", "+"):
            node = self.exponent()
            self.depth -= 1
            return ("neg", node) if sign == "-" else node
        node = self.power() if self.peek() != ("sign", "{") else self.group("{", "}")
        if self.take("^", "**"):
            node = ("^", node, self.exponent())
        self.depth -= 1
        return node

    def group(self, opening: str, closing: str) -> Node:
        self.need(opening)
        bars, self.bars = self.bars, 0
        node = self.sum()
        self.bars = bars
        self.need(closing)
        return node

    def argument(self) -> Node:
        """Read what follows a command: a group, one digit, one letter."""
        if self.peek() == ("sign", "{"):
            return self.group("{", "}")
        sort, said = self.peek()
        if sort == "number" and said.isdecimal():
            if len(said) > 1:
                self.tokens[self.at] = (sort, said[1:])
            else:
                self.at += 1
            return ("num", Fraction(int(said[0])))
        return self.atom()

    def atom(self) -> Node:
        sort, said = self.peek()
        self.at += 1
        if sort == "number":
            if len(said) > 400:
                raise NotRead("too long a number")
            return ("num", Fraction(said))
        if sort == "word":
            return self.word(said)
        if sort == "command":
            return self.after(said)
        if sort == "sign":
            return self.marked(said)
        raise NotRead("it ends too early")

    def marked(self, said: str) -> Node:
        if said in ("(", "{", "["):
            self.at -= 1
            return self.group(said, {"(": ")", "{": "}", "[": "]"}[said])
        if said == "|":
            self.bars += 1
            node = self.sum()
            self.need("|")
            self.bars -= 1
            return ("fn", "abs", node)
        if said == "√":
            return ("fn", "sqrt", self.power())
        if said == "π":
            return ("pi",)
        if said in _GREEK_LETTERS:
            return self.named(_GREEK_LETTERS[said])
        raise NotRead(f"{said!r} was not expected")

    def word(self, said: str) -> Node:
        """Read letters: a function, pi, or variables that stand side by side."""
        low = said.lower()
        if low in _FUNCTIONS and (low == said or len(said) > 2):
            return self.function(low)
        if low == "pi":
            return ("pi",)
        if len(said) > 3:
            raise NotRead("a word")
        if len(said) > 1:  # only the last may be raised or have an index
            self.at -= 1
            self.tokens[self.at : self.at + 1] = [("word", letter) for letter in said]
            return self.atom()
        if self.peek() == ("sign", "(") and said in "fghFGHP":
            raise NotRead("a function that is not known")
        if said == "e":
            return ("e",)
        return ("i",) if said == "i" and self.peek() != ("sign", "_") else self.named(said)

    def named(self, name: str) -> Node:
        """Read the index of a variable."""
        sort, said = self.peek()
        if sort == "sign" and said[0] in "₀₁₂₃₄₅₆₇₈₉":
            self.at += 1
            return ("sym", f"{name}_{said.translate(_SUPER)}")
        if self.take("_"):
            braces = bool(self.take("{"))
            sort, said = self.peek()
            if sort not in ("number", "word", "command"):
                raise NotRead("an index")
            self.at += 1
            if braces:
                self.need("}")
            return ("sym", f"{name}_{said}")
        if self.peek() == ("sign", "'"):
            raise NotRead("a derivative")
        return ("sym", name)

    def after(self, said: str) -> Node:
        if said == "frac":
            return ("/", self.argument(), self.argument())
        if said == "binom":
            return ("binom", self.argument(), self.argument())
        if said == "sqrt":
            return self.root()
        if said in _FUNCTIONS:
            return self.function(said)
        if said == "pi":
            return ("pi",)
        if said in ("lfloor", "lceil"):
            node = self.sum()
            if not self.command("rfloor" if said == "lfloor" else "rceil"):
                raise NotRead("not closed")
            return ("fn", said[1:], node)
        if said in _GREEK_NAMES:
            return self.named(said)
        if said in ("mathrm", "operatorname", "text"):
            return self.upright()
        raise NotRead(f"\\{said} is not known")

    def root(self) -> Node:
        if self.take("["):
            degree = self.sum()
            self.need("]")
            return ("root", self.argument(), degree)
        if self.peek()[0] == "number":  # nobody means √1·3 by \sqrt 13
            return ("fn", "sqrt", self.atom())
        return ("fn", "sqrt", self.argument())

    def upright(self) -> Node:
        """Read a name in upright letters: a function, e or i."""
        self.need("{")
        sort, inner = self.peek()
        self.at += 1
        self.need("}")
        if sort == "word" and inner in _FUNCTIONS:
            return self.function(inner)
        if sort == "word" and inner in ("e", "i"):
            return (inner,)
        raise NotRead("a name")

    def function(self, name: str) -> Node:
        base: Node | None = None
        power: Node | None = None
        for _ in range(2):
            if name in ("log",) and base is None and self.take("_"):
                base = self.argument()
            elif power is None and self.take("^", "**"):
                power = self.exponent()
        if power == ("neg", ("num", Fraction(1))):
            raise NotRead("an inverse function")
        if self.peek() == ("sign", "("):
            argument = self.group("(", ")")
        elif self.peek() == ("sign", "{"):
            argument = self.group("{", "}")
        else:
            argument = self.plain_argument()
        node: Node = ("log", argument, base) if base is not None else ("fn", name, argument)
        return ("^", node, power) if power is not None else node

    def plain_argument(self) -> Node:
        """Read the argument of a function without brackets: sin 2x, ln 3."""
        factors = [self.power()]
        while self.starts() and not (self.peek()[0] == "command" and self.peek()[1] in _FUNCTIONS):
            if self.peek()[0] == "word" and self.peek()[1].lower() in _FUNCTIONS:
                break
            if self.peek() in (("sign", "("), ("sign", "|"), ("sign", "{")):
                break
            factors.append(self.beside(factors))
        return ("*", *factors) if len(factors) > 1 else factors[0]


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.end() == at:
            raise NotRead(f"{text[at]!r} was not expected")
        sort = found.lastgroup or ""
        said = found[sort]
        if sort == "sign" and said[0] == "\\" and said not in ("\\{", "\\}"):
            if said not in ("\\,", "\\;", "\\:", "\\!", "\\ "):
                raise NotRead(f"{said!r} was not expected")
        elif sort == "command" and said in (
            "left",
            "right",
            "displaystyle",
            "big",
            "Big",
            "bigl",
            "bigr",
        ):
            pass
        elif sort == "command" and said in ("dfrac", "tfrac", "cfrac"):
            tokens.append((sort, "frac"))
        elif sort == "command" and said in ("lvert", "rvert", "vert"):
            tokens.append(("sign", "|"))
        else:
            tokens.append((sort, said))
        at = found.end()
        if len(tokens) > _NODES:
            raise NotRead("too long")
    return tokens


def _symbols(node: Node) -> list[str]:
    if node[0] == "sym":
        return [node[1]]
    return [name for part in node[1:] if isinstance(part, tuple) for name in _symbols(part)]


def _mp() -> Any:
    import mpmath

    return mpmath.mp


def _number(value: Any) -> Any:
    mp = _mp()
    return mp.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value


def _value(node: Node, at: Mapping[str, Fraction]) -> Any:
    sort = node[0]
    if sort == "num":
        return node[1]
    if sort == "sym":
        return at[node[1]]
    if sort in ("pi", "e", "i"):
        mp = _mp()
        return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[sort]
    parts = [_value(part, at) for part in node[1:] if isinstance(part, tuple)]
    return _bounded(_OPERATIONS[sort](node, parts))


def _bounded(value: Any) -> Any:
    if isinstance(value, Fraction):
        if max(value.numerator.bit_length(), value.denominator.bit_length()) > _BITS:
            raise TooLarge("more digits than can be computed with")
        return value
    mp = _mp()
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
    return a + b if both else _number(a) + _number(b)


def _times(a: Any, b: Any) -> Any:
    both = isinstance(a, Fraction) and isinstance(b, Fraction)
    return a * b if both else _number(a) * _number(b)


def _product(_: Node, parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = _bounded(_times(total, part))
    return total


def _inverse(value: Any) -> Any:
    if value == 0 or (not isinstance(value, Fraction) and abs(value) < _mp().mpf(10) ** -45):
        raise NotRead("a division by zero")
    return 1 / value


def _raise(base: Any, exponent: Any) -> Any:
    mp = _mp()
    if isinstance(exponent, Fraction) and exponent.denominator == 1 and isinstance(base, Fraction):
        power = exponent.numerator
        if base == 0 and power <= 0:
            raise NotRead("zero to the power of zero")
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base in (0, 1, -1) or (bits - 1) * abs(power) <= _BITS:
            return base**power if base not in (1, -1) else (base if power % 2 else Fraction(1))
    big = abs(_number(exponent)) * (abs(mp.log(abs(_number(base)) + mp.mpf(10) ** -300)) + 1)
    if big > 100_000:
        raise TooLarge("more digits than can be computed with")
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and base > 0:
        exact = _exact_root(base, exponent.denominator)
        if exact is not None:
            return _raise(exact, Fraction(exponent.numerator))
    return mp.power(_number(base), _number(exponent))


def _exact_root(base: Fraction, degree: int) -> Fraction | None:
    """Return a root that is a fraction."""
    if degree > 60:
        return None
    mp = _mp()
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
        return _raise(+_mp().e, value)
    if name in ("ln", "log", "lg"):
        return _log(value, 10 if name == "lg" else None)
    if abs(_number(value)) > 10**12:
        raise TooLarge("an angle that large")
    names: Mapping[str, str] = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
    function: Callable[[Any], Any] = getattr(_mp(), names.get(name, name))
    return function(_number(value))


def _log(value: Any, base: Any) -> Any:
    mp = _mp()
    if value == 0:
        raise NotRead("a logarithm of zero")
    if base is None:
        return mp.log(_number(value))
    below = mp.log(_number(base))
    if abs(below) < mp.mpf(10) ** -45:
        raise NotRead("a logarithm to the base one")
    return mp.log(_number(value)) / below


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


def _digits(value: Any) -> str:
    """Write a value to as many digits as are compared."""
    mp = _mp()
    with mp.workdps(_DIGITS):
        number = mp.mpmathify(_number(value))
        size = abs(number)
        tiny = max(size * mp.mpf(10) ** -45, mp.mpf(10) ** -45)
        real = number.real if abs(number.real) > tiny else mp.mpf(0)
        imaginary = number.imag if abs(number.imag) > tiny else mp.mpf(0)
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
    mp = _mp()
    with mp.workdps(_DIGITS):
        if abs(value.imag) > mp.mpf(10) ** -45 or abs(value.real) > mp.mpf(10) ** 30:
            return None
        exact = Fraction(str(mp.nstr(value.real, _DIGITS - 5))).limit_denominator(10**9)
        close = abs(value.real - _number(exact)) < mp.mpf(10) ** -42
        return exact if close else None
