r"""The grammar of formulas: LaTeX and plain notation (``\frac{x}{2}``, ``x**2/2``, ``sqrt(2)``).

A node is a tuple of its sort and its parts. What is not understood raises `NotRead`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, TypeAlias

from workspan.answers.formulas.tokens import (
    FUNCTIONS,
    GREEK_LETTERS,
    GREEK_NAMES,
    RAISED,
    NotRead,
    words,
)

LONGEST = 600
_DEPTH = 40

Node: TypeAlias = tuple[Any, ...]


_STARTING = (
    FUNCTIONS | GREEK_NAMES | {"pi", "frac", "sqrt", "binom", "left", "mathrm", "operatorname"}
)
"""Commands that begin a factor."""
_BEGINNING = frozenset("({√π[") | frozenset(GREEK_LETTERS)
"""Signs that do."""


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
        self.tokens = words(text)
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
            return said in _STARTING
        if sort == "sign":
            return said in _BEGINNING or (said == "|" and not self.bars)
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
            return ("^", base, ("num", Fraction(int(said.translate(RAISED)))))
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
        if said in GREEK_LETTERS:
            return self.named(GREEK_LETTERS[said])
        raise NotRead(f"{said!r} was not expected")

    def word(self, said: str) -> Node:
        """Read letters: a function, pi, or variables that stand side by side."""
        low = said.lower()
        if low in FUNCTIONS and (low == said or len(said) > 2):
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
            return ("sym", f"{name}_{said.translate(RAISED)}")
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
        if said in FUNCTIONS:
            return self.function(said)
        if said == "pi":
            return ("pi",)
        if said in ("lfloor", "lceil"):
            node = self.sum()
            if not self.command("rfloor" if said == "lfloor" else "rceil"):
                raise NotRead("not closed")
            return ("fn", said[1:], node)
        if said in GREEK_NAMES:
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
        if sort == "word" and inner in FUNCTIONS:
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
        while self.starts() and not (self.peek()[0] == "command" and self.peek()[1] in FUNCTIONS):
            if self.peek()[0] == "word" and self.peek()[1].lower() in FUNCTIONS:
                break
            if self.peek() in (("sign", "("), ("sign", "|"), ("sign", "{")):
                break
            factors.append(self.beside(factors))
        return ("*", *factors) if len(factors) > 1 else factors[0]
