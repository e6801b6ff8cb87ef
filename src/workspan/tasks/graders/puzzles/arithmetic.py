"""Expressions and formulas with many right forms: targets, cryptarithms, antiderivatives."""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from workspan.tasks.graders.puzzles.forms import Entry, bare, listed

_LONGEST = 500
_LARGEST = 10**9
_STEEPEST = 20
_FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "sqrt"}
)
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-"})
_CONSTANTS = ("C", "c", "K", "k")
"""What may be added to an antiderivative."""
_POINTS = 6
"""Places at which an antiderivative is tried; all that are defined must agree, three at least."""


def makes_target(answer: str, entry: Entry) -> bool:
    """Tell whether an expression uses each number once and comes to the target."""
    return _comes_to(answer, entry["metadata"]["numbers"], entry["metadata"]["target"])


def makes_24(answer: str, entry: Entry) -> bool:
    """Tell whether an expression uses each number once and comes to 24."""
    return _comes_to(answer, entry["metadata"]["numbers"], 24)


def _comes_to(answer: str, numbers: list[int], target: int) -> bool:
    tree = _tree(bare(answer).removesuffix(".").strip("$").translate(_SIGNS))
    used: Counter[int] = Counter()
    try:
        return tree is not None and _exact(tree, used) == target and used == Counter(numbers)
    except (ValueError, ZeroDivisionError):
        return False


def _exact(node: ast.expr, used: Counter[int]) -> Fraction:
    """Evaluate + - * / of whole numbers, and count the numbers.

    Raises:
        ValueError: there is something else.
        ZeroDivisionError: as it says.
    """
    match node:
        case ast.Constant(value=int(number)) if not isinstance(number, bool):
            used[number] += 1
            return Fraction(number)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_exact(operand, used)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _exact(left, used), _exact(right, used)
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.Div():
                    return a / b
    raise ValueError("not an expression of the puzzle")


def _tree(text: str) -> ast.expr | None:
    if len(text) > _LONGEST:
        return None
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def solves_cryptarithm(answer: str, entry: Entry) -> bool:
    """Tell whether each letter has a digit of its own and the sum holds."""
    meta = entry["metadata"]
    digits: dict[str, int] = {}
    for pair in listed(bare(answer).removesuffix(".")):
        letter, sign, digit = (part.strip() for part in pair.partition("="))
        if not sign or letter in digits or not (digit.isdecimal() and len(digit) == 1):
            return False
        digits[letter] = int(digit)
    terms: list[str] = [*meta["words_letters"]]
    result: str = meta["result_letters"]
    if digits.keys() != set("".join([*terms, result])):
        return False
    if len(set(digits.values())) < len(digits):
        return False
    if not meta.get("allow_leading_zero") and any(digits[w[0]] == 0 for w in (*terms, result)):
        return False
    values = [int("".join(str(digits[c]) for c in word)) for word in (*terms, result)]
    return sum(values[:-1]) == values[-1]


def is_expanded_product(answer: str, entry: Entry) -> bool:
    """Tell whether a polynomial is the entry's, written out."""
    import sympy

    text = _formula(answer)
    if text is None or not is_small(text):
        return False
    try:
        names = _symbols(text, entry["answer"])
        return bool(_parsed(text, names) == _parsed(entry["answer"], names))
    except (TypeError, ValueError, ArithmeticError, AttributeError, sympy.SympifyError):
        return False


def is_antiderivative(answer: str, entry: Entry) -> bool:
    """Tell whether the derivative of a formula is the integrand, at places drawn at random.

    Simplifying the difference may take for ever and may fail; where two formulas differ, they do
    so at all but a few places.
    """
    import sympy

    meta = entry["metadata"]
    text = _formula(answer)
    if text is None or not is_small(text):
        return False
    try:
        names = _symbols(text, meta["integrand"], meta["variable"])
        variable = names[meta["variable"]]
        said = _parsed(text, names)
        if {symbol.name for symbol in said.free_symbols} - {meta["variable"], *_CONSTANTS}:
            return False
        found = said.diff(variable)
        integrand = _parsed(meta["integrand"], names)
        return _agree(found, integrand, variable)
    except (TypeError, ValueError, ArithmeticError, AttributeError, sympy.SympifyError):
        return False


def _agree(found: Any, wanted: Any, variable: Any) -> bool:
    """Compare two formulas at points of which at least half are likely defined."""
    import sympy

    draw = random.Random(24)
    agreed = 0
    for _ in range(_POINTS):
        place = {variable: sympy.Rational(draw.randint(1, 10**6), 1_234_567)}
        a, b = (formula.subs(place).evalf(40, maxn=200) for formula in (found, wanted))
        if not (a.is_number and b.is_number) or not (a.is_finite and b.is_finite):
            continue
        if abs(a - b) > abs(b) * 1e-25 + 1e-25:
            return False
        agreed += 1
    return agreed >= _POINTS // 2


def _formula(answer: str) -> str | None:
    text = bare(answer).removesuffix(".").strip("$ ")
    return text if len(text) <= _LONGEST and "\n" not in text else None


def _symbols(*formulas: str) -> Mapping[str, Any]:
    """Make every single letter a symbol: else I, E, S or N mean something to sympy.

    E stays Euler's number, as the prompts say.
    """
    import sympy

    letters = {c for text in formulas for c in text if c.isalpha() and c != "E"}
    return {letter: sympy.Symbol(letter) for letter in letters}


def _parsed(text: str, names: Mapping[str, Any]) -> Any:
    import sympy

    return sympy.parse_expr(text, local_dict=dict(names))


def is_small(text: str) -> bool:
    """Tell whether a text is a formula that sympy can be given: it evaluates what it parses.

    Formulas are + - * / of small numbers and letters, powers of no powers, functions of no
    functions. Either alone, nested, makes numbers with more digits than there is memory.
    """
    tree = _tree(text)
    return tree is not None and _is_formula(tree)


def _is_formula(node: ast.expr, inside: frozenset[str] = frozenset()) -> bool:
    match node:
        case ast.Constant(value=value):
            return _is_at_most(value, _LARGEST)
        case ast.Name(id=name):
            return len(name) == 1
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            return _is_formula(operand, inside)
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            return _is_formula(left, inside) and _is_formula(right, inside)
        case ast.BinOp(left=base, op=ast.Pow(), right=exponent) if "power" not in inside:
            return _is_gentle(exponent) and _is_formula(base, inside | {"power"})
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]):
            is_new = name in _FUNCTIONS and "function" not in inside
            return is_new and _is_formula(argument, inside | {"function"})
    return False


def _is_gentle(exponent: ast.expr) -> bool:
    match exponent:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_gentle(operand)
        case ast.BinOp(left=ast.Constant() as top, op=ast.Div(), right=ast.Constant() as bottom):
            return _is_gentle(top) and _is_gentle(bottom)
        case ast.Constant(value=value):
            return _is_at_most(value, _STEEPEST)
        case ast.Name(id=name):
            return len(name) == 1
    return False


def _is_at_most(value: object, largest: float) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= largest
