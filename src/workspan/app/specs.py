"""From what a caller writes to what a run takes: strings stand wherever a spec is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, get_args

from workspan.answers import MARKED
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.efforts import thinking_tokens
from workspan.data.types import AnswerKind, Problem
from workspan.errors import InputError, SpecError, nearest
from workspan.legible import quoted
from workspan.runner import parts
from workspan.spec import parse_strategy, split_list

DEFAULT_BUDGET = "8k work"
"""Of a run, unless told otherwise: what eight chains of a thousand tokens take."""
_NONE = ("unlimited", "none")
EFFORTS = "low,medium,high"
"""Of a model, unless told otherwise."""

BudgetLike: TypeAlias = Budget | str | None
"""A budget, its written form such as '8k work, 30s', 'unlimited', or None for the default."""
StrategyLike: TypeAlias = Strategy | str
"""A strategy, or its written form such as 'self_consistency(n=8)'."""


def as_budget(budget: BudgetLike) -> Budget:
    """Return the budget that is meant.

    Raises:
        SpecError: a written form is not understood.
        InputError: it is neither a budget nor a text.
    """
    if budget is None:
        return Budget.parse(DEFAULT_BUDGET)
    if isinstance(budget, Budget):
        return budget
    if not isinstance(budget, str):
        raise InputError(f"a budget is a text such as '2k work, 30s', not {_kind(budget)}")
    return Budget() if budget.strip().lower() in _NONE else Budget.parse(budget)


def as_strategy(strategy: StrategyLike) -> Strategy:
    """Return the strategy that is meant; ``module:Name(…)`` is imported, as the caller wrote it.

    Raises:
        SpecError: a written form is not understood.
        PluginError: a distribution brings it, and it can't be used.
        InputError: it is neither a strategy nor a text.
    """
    if isinstance(strategy, str):
        return parse_strategy(strategy, imports=True)
    if isinstance(strategy, type) or not callable(strategy) or not hasattr(strategy, "requires"):
        raise InputError(
            "a strategy is a text such as 'self_consistency(n=8)', or one made in Python, such as "
            f"SelfConsistency(n=8): not {_kind(strategy)}"
        )
    return strategy


def as_strategies(strategies: StrategyLike | Sequence[StrategyLike]) -> list[Strategy]:
    """Return several: a list of them, or a text with commas between them.

    Raises:
        SpecError: see `as_strategy`; or none is named.
        InputError: likewise.
    """
    if isinstance(strategies, str):
        named: Sequence[StrategyLike] = split_list(strategies)
    else:
        named = strategies if isinstance(strategies, Sequence) else [strategies]
    if not named:
        raise SpecError("no strategy is named: such as single,self_consistency(n=8)")
    return [as_strategy(one) for one in named]


def as_kind(kind: str) -> AnswerKind:
    """Return the kind of answer of this name.

    Raises:
        SpecError: there is none.
    """
    known: tuple[AnswerKind, ...] = get_args(AnswerKind)
    for one in known:
        if one == kind:
            return one
    raise SpecError(f"unknown kind {kind!r}: {nearest(str(kind), known)}")


def as_problem(
    question: Problem | str, kind: str, strategy: Strategy, *, raw: bool = False
) -> Problem:
    """Return the problem of a question, which asks for the mark that its answer is read by.

    Nothing is asked for beside an open question, a `raw` one, or where the strategy searches: that
    says itself how to answer.

    Raises:
        SpecError: there is no such kind.
        InputError: it is neither a problem nor a text, or is empty.
    """
    if isinstance(question, Problem):
        return question
    if not isinstance(question, str):
        raise InputError(f"a question is a text or a Problem, not {_kind(question)}")
    if not question.strip():
        raise InputError("the question is empty")
    found = as_kind(kind)
    is_bare = raw or found == "open" or searches(strategy)
    return Problem.ask(question if is_bare else f"{question}\n\n{MARKED}", kind=found)


def searches(strategy: Strategy) -> bool:
    """Tell whether a strategy or a part of it searches, and so says itself how to answer."""
    return any("search" in getattr(part, "tools", ()) for part in parts(strategy))


def check_count(name: str, value: int | None, most: int | None = None) -> None:
    """Refuse what is no number of things.

    Raises:
        InputError: it is neither None nor a whole number of at least 1, and at most `most`.
    """
    if value is not None and (type(value) is not int or value < 1):
        raise InputError(f"{name} is {value!r}: a whole number, at least 1")
    if value is not None and most is not None and value > most:
        raise InputError(f"{name} is {quoted(str(value))}: at most {most}")


def check_unasked(what: str, **given: object) -> None:
    """Refuse what bears on nothing where no engine is asked.

    Args:
        what: is read in its place.
        given: by the names of parameters; None is not given.

    Raises:
        InputError: something was given.
    """
    if idle := [name for name, value in given.items() if value is not None]:
        raise InputError(f"{what} need no engine: leave {' and '.join(idle)} out")


def check_seed(seed: int) -> None:
    """Refuse a seed that no journal could be found by again.

    Raises:
        InputError: it is no whole number of 64 bits.
    """
    if type(seed) is not int or not -(1 << 63) <= seed < 1 << 63:
        raise InputError(f"seed is {seed!r}: a whole number of 64 bits")


def _kind(value: object) -> str:
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return f"of type {type(value).__name__}"


def as_efforts(efforts: str | Sequence[str]) -> list[str]:
    """Return the efforts that are named: a list, or a text with commas between them.

    Raises:
        SpecError: none is, or one twice.
    """
    named = split_list(efforts) if isinstance(efforts, str) else [str(one) for one in efforts]
    named = [one.strip() for one in named]
    if not named or not all(named):
        raise SpecError(f"no effort is named: such as {EFFORTS}, or 8k,32k")
    first: dict[tuple[str, str | int], str] = {}
    for one in named:
        name, _, effort = one.rpartition(":")
        other = first.setdefault((name, thinking_tokens(effort) or effort), one)
        if named.count(one) > 1 or other != one:
            also = "" if other == one else f", as {quoted(other)}"
            raise SpecError(f"the effort {quoted(one)} is given twice{also}: give each once")
    return named
