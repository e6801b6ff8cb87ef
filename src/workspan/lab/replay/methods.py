"""What a replay compares, by name: strategies, the best fixed split, and the oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, cast

import numpy as np

from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.lab.replay.fitted import Fitted, Known, Method
from workspan.lab.replay.fitting import AUTO_HARD, Fitting
from workspan.lab.replay.folds import Split
from workspan.lab.replay.grid import Grid, Point
from workspan.recordings.recording import Recording
from workspan.spec import parse_strategy, split_list
from workspan.strategies.auto.auto import Auto
from workspan.strategies.parallel.fixed_split import FixedSplit
from workspan.strategies.parallel.self_consistency import SelfConsistency

ORACLE = "oracle"
BEST_FIXED = "best_fixed"
LUBY_CHAINS = 31
"""Caps 1, 1, 2, … 16 times the unit: the last of them is the longest chain."""

_ALIASES = {"luby": "luby_restarts", AUTO_HARD: "auto"}
_PROBE_TOKENS = 4096
"""Room for any interim answer: what it takes is charged, not what it may."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A strategy, run as it is."""

    name: str
    strategy: Strategy
    written: frozenset[str]
    """The arguments that the user wrote."""
    is_pooled: bool = False

    def fit(self, split: Split, budget: Budget, known: Known) -> Fitted:  # noqa: ARG002
        """Let chains run to their recorded end where the user gave no cap."""
        longest = split.held.longest
        strategy: Any = self.strategy
        held = {item.name for item in fields(strategy)} - self.written
        if "max_tokens" in held:
            strategy = replace(strategy, max_tokens=longest)
        if {"unit", "restarts"} <= held:
            unit = max(1, -(-longest // ((LUBY_CHAINS + 1) // 2)))
            strategy = replace(strategy, unit=unit, restarts=LUBY_CHAINS)
        return Fitted(cast("Strategy", strategy), budget)


@dataclass(frozen=True, slots=True)
class BestFixed:
    """The split of most accuracy on the training part whose mean spending there fits the budget.

    The budget is a mean: a chain that ends before its cap leaves tokens to others. Without anything
    to train on it is one chain as deep as the budget.
    """

    name: str = BEST_FIXED
    is_pooled: bool = True

    def fit(self, split: Split, budget: Budget, known: Known) -> Fitted:
        """Choose a point; the cheaper one of equals."""
        found = [(known.tables[one.name], [p.id for p in one.problems]) for one in split.training]
        point = best_point(found, budget) if found else None
        if point is None:
            room = [x for x in (budget.work, budget.span) if x is not None]
            point = Point(min([*room, split.held.longest]), 1)
        return Fitted(_strategy_of(point, split.held), Budget())


def best_point(found: Sequence[tuple[Grid, list[str]]], budget: Budget) -> Point | None:
    """Return the point of highest mean accuracy that fits; None if none does."""
    means = np.mean([grid.means(names) for grid, names in found], axis=0)
    accuracy, work, span = means
    fits = np.ones(len(accuracy), dtype=bool)
    if budget.work is not None:
        fits &= work <= budget.work
    if budget.span is not None:
        fits &= span <= budget.span
    if not fits.any():
        return None
    best = max(np.flatnonzero(fits), key=lambda i: (accuracy[i], -work[i]))
    return found[0][0].points[best]


def _strategy_of(point: Point, recording: Recording) -> Strategy:
    """Make the split a strategy; chains that were never asked have no vote when they are cut."""
    if recording.is_probed:
        return FixedSplit(point.width, point.depth, probe_tokens=_PROBE_TOKENS)
    return SelfConsistency(point.width, point.depth)


class Named(Protocol):
    """What competes in a replay."""

    @property
    def name(self) -> str:
        """As the user wrote it."""
        ...


def name_of(method: Named | None) -> str:
    """Return what a method goes by in records; None is the oracle."""
    return ORACLE if method is None else method.name


def read_methods(text: str) -> list[Method | None]:
    """Read a list of names and written forms; None stands for the oracle.

    Raises:
        SpecError: a strategy can't be read.
        InputError: none, or one twice.
    """
    parts = split_list(text)
    if not parts:
        raise InputError("no strategy is named: such as best_fixed,single")
    for part in parts:
        if parts.count(part) > 1:
            raise InputError(f"the strategy {part!r} is given twice: give each once")
    return [_read(part) for part in parts]


def _read(part: str) -> Method | None:
    if part == ORACLE:
        return None
    if part == BEST_FIXED:
        return BestFixed()
    head, bracket, rest = part.partition("(")
    form = _ALIASES.get(head.strip(), head) + bracket + rest
    strategy = parse_strategy(form, imports=True)
    written = frozenset(item.partition("=")[0].strip() for item in split_list(rest.rstrip(") ")))
    if isinstance(strategy, Auto) and not isinstance(strategy.floor, str):
        return Fitting(part, strategy, written, is_pooled=head.strip() != AUTO_HARD)
    return Plain(part, strategy, written)
