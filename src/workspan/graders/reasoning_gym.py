"""The own scorers of reasoning-gym's data sets, kept from running what a model wrote."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio

from workspan.answers import equivalent
from workspan.errors import GraderError
from workspan.graders.base import NO_ANSWER, Grade, Task

RIGHT = 0.99
"""Scores from here on are right, as in reasoning-gym's own evaluations; less is partial credit,
which an answer may get for containing the right one."""

LITERALS = frozenset({"binary_matrix", "n_queens", "spiral_matrix", "string_insertion"})
"""Data sets whose scorer hands the answer to `eval`."""

FORMULAS = frozenset(
    {
        "countdown",
        "intermediate_integration",
        "polynomial_multiplication",
        "puzzle24",
        "simple_integration",
    }
)
"""Data sets whose scorer hands the answer to `sympy.parse_expr`, which evaluates it too."""

_FUNCTIONS = frozenset(
    {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "sqrt"}
)
_LONGEST = 500
_LARGEST = 10**9
_STEEPEST = 20


@dataclass(frozen=True, slots=True)
class ReasoningGym:
    """Ask the data set that made the task; its entry is in ``task.data["entry"]``."""

    dataset: str
    score: Callable[[str, Mapping[str, Any]], float] = field(repr=False)
    """The data set's `score_answer`."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer.

        Raises:
            GraderError: the scorer fails even on the reference.
        """
        if answer is None:
            return NO_ANSWER
        if task.problem.kind == "number" and equivalent(answer, task.reference, "number"):
            return Grade(1.0, "says the same as the reference")  # votes count 12.0 as 12, too
        if not is_harmless(answer, self.dataset):
            return Grade(0.0, "not a plain answer: it would have to be run to be read")
        # Foreign code that may think for seconds: other runs go on meanwhile.
        score = await anyio.to_thread.run_sync(self._score, answer, task)
        right = float(score >= RIGHT)
        return Grade(right, f"{self.dataset} scores it {score:.2f}, reference {task.reference!r}")

    def _score(self, answer: str, task: Task) -> float:
        entry = task.data["entry"]
        assert isinstance(entry, Mapping)
        try:
            return float(self.score(answer, entry))
        # The boundary to a hundred foreign scorers: many raise on malformed answers.
        except Exception as error:
            if not self._can_read(task.reference, entry):
                raise GraderError(f"the scorer of {self.dataset} failed: {error!r}") from error
            return 0.0

    def _can_read(self, reference: str, entry: Mapping[str, Any]) -> bool:
        try:
            return self.score(reference, entry) >= RIGHT
        except Exception:  # noqa: BLE001  # the same boundary
            return False


def is_harmless(answer: str, dataset: str) -> bool:
    """Tell whether the scorer of `dataset` can be given an answer that a model wrote.

    Scorers that evaluate it get literals, or formulas that are small in every respect. What Python
    can't parse is harmless to `eval`, but not to sympy, which rewrites it first.
    """
    if dataset not in LITERALS | FORMULAS:
        return True
    if len(answer) > _LONGEST:
        return False
    try:
        tree = ast.parse(answer.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return dataset in LITERALS
    return _is_literal(tree) if dataset in LITERALS else _is_formula(tree)


def _is_literal(node: ast.expr) -> bool:
    match node:
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return all(_is_literal(item) for item in items)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _is_literal(operand)
    return isinstance(node, ast.Constant | ast.Name)


def _is_formula(node: ast.expr, inside: frozenset[str] = frozenset()) -> bool:
    """Accept + - * / of small numbers and letters, powers of no powers, functions of no functions.

    Either alone, nested, makes numbers with more digits than there is memory.
    """
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
