"""What one should know of a strategy or verifier before using it, and the formulas of its cost.

A card stands in the class that it describes. Formulas are Python expressions of the class's own
parameters, with `+ - * / // ** %`, comparisons, ``x if c else y``, `min`, `max`, `ceil`, `log2` and
`len`; what else they may name is said at `Card`.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What `workspan strategies NAME` prints of a class, beside its docstring and parameters.

    The cost is of a run that no limit ends early: with `is_most`, at most so much, else exactly so
    much where every call decodes its whole cap, answers, and no two answers agree by chance.
    Beside parameters formulas may name, of a parameter that holds a strategy or verifier, its cost
    as ``verifier.calls``, ``first.work``, ``arms.span`` (of several: a tuple).
    """

    example: str
    """A small written form: runs in seconds on any engine, and its suite runs it."""
    form: str = ""
    """How it is written, where that is more than a name with parameters."""
    source: str = ""
    """Where it was published, or whose it is."""
    family: str = ""
    """parallel, sequential, hybrid, evolutionary, retrieval or adaptive."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What each parameter is, where the class does not say it below its field."""
    calls: str = ""
    """Calls of models, as a formula."""
    work: str = ""
    """Tokens decoded by all calls."""
    span: str = ""
    """Tokens on the longest chain of calls that wait for one another."""
    is_most: bool = False
    """The formulas are upper bounds: it may stop sooner."""
    needs: str = ""
    """What must be there beside the engine's capabilities, which `requires` names."""
    helps: str = ""
    """Where it is worth its cost."""
    hurts: str = ""
    """Where it is not."""
    runs: bool = False
    """It runs a command: it stands only where the user wrote it, never in what a client sent."""
    extra: str = ""
    """The optional extra that it can't run without."""


_Made = TypeVar("_Made", bound=Callable[..., object])


def carded(card: Card) -> Callable[[_Made], _Made]:
    """Give a function its card."""

    def give(made: _Made) -> _Made:
        made.card = card  # type: ignore[attr-defined]  # functions take attributes
        return made

    return give


def evaluate(formula: str, names: Mapping[str, object]) -> float:
    """Compute a cost formula.

    Args:
        formula: an expression; see the module.
        names: values of the names that it holds: numbers, None, booleans, texts, tuples, or
            further mappings for what stands before a dot.

    Raises:
        ValueError: it is no such expression, or names what is not there.
    """
    try:
        value = _value(ast.parse(formula, mode="eval").body, names)
    except (SyntaxError, TypeError, KeyError, ArithmeticError) as error:
        raise ValueError(f"the formula {formula!r} can't be computed: {error}") from None
    if isinstance(value, int | float):
        return value
    raise ValueError(f"the formula {formula!r} is no number")


class Cost(NamedTuple):
    """What a strategy or verifier costs at most, where no limit ends it early."""

    calls: float
    work: float
    """Tokens decoded."""
    span: float
    """Tokens on the longest chain of calls that wait for one another."""


def cost(made: object) -> Cost | None:
    """Compute what a strategy or verifier costs, of its card's formulas and its parameters.

    None where it, or a part of it, has no formulas.
    """
    card = getattr(made, "card", None)
    if not isinstance(card, Card) or not (card.calls and card.work and card.span):
        return None
    names: dict[str, object] = {}
    for name in getattr(made, "__dataclass_fields__", ()):
        held = getattr(made, name)
        if isinstance(getattr(held, "card", None), Card):
            found = cost(held)
            if found is None:
                return None
            names[name] = found._asdict()
        elif isinstance(held, tuple) and any(isinstance(_card(one), Card) for one in held):
            costs = [cost(one) for one in held]
            if None in costs:
                return None
            names[name] = {
                what: tuple(one[i] for one in costs if one is not None)
                for i, what in enumerate(Cost._fields)
            }
        else:
            names[name] = held
    return Cost(*(evaluate(formula, names) for formula in (card.calls, card.work, card.span)))


def _card(made: object) -> object:
    return getattr(made, "card", None)


_OPERATORS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "sum": sum,
    "len": len,
    "ceil": math.ceil,
    "log2": math.log2,
}


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value):
            return value
        case ast.Name(name):
            return names[name]
        case ast.Attribute(owner, name):
            return _value(owner, names)[name]
        case ast.BinOp(left, op, right):
            return _OPERATORS[type(op)](_value(left, names), _value(right, names))
        case ast.Compare(left, [op], [right]):
            return _OPERATORS[type(op)](_value(left, names), _value(right, names))
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, names)
        case ast.IfExp(test, body, orelse):
            return _value(body if _value(test, names) else orelse, names)
        case ast.Call(ast.Name(name), args, []):
            return _FUNCTIONS[name](*(_value(arg, names) for arg in args))
    raise ValueError(f"{ast.unparse(node)} has no place in a formula")
