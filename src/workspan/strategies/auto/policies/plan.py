"""Plans: a small family of rules that holds every fixed split, and what one of them came to.

A plan starts some chains side by side, leaves each at a cap, looks at all of them after every
block, adds chains one after another, and stops as soon as going on is worth too little a token.
Where it never stops early it is a fixed split. It may hand a problem on to an *arm*: another
strategy, that has the rest of the budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.replayed import Shape
from workspan.strategies.auto.fit.table import Arms
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEVER = -1.0
"""A worth that nothing falls below: chains as many as were planned, each to its cap."""

BELOWS = (0.25, 0.5, 0.75)
"""Beliefs below which a plan may hand the problem on to an arm."""


class Plan(NamedTuple):
    """One rule of the family."""

    shape: Shape
    chains: int
    """At most."""
    least: float
    """Stop when `worth` is below."""
    arm: int = NONE
    """Another strategy that has the rest of the budget, where chains end and leave a doubt."""
    below: float = 0.0
    """The doubt: P(right) of the leading answer is less."""

    @property
    def is_race(self) -> bool:
        """Chains run side by side, and join while others go on."""
        return self.shape.joins is not None


class Outcome(NamedTuple):
    """What a plan did on the profile."""

    plan: Plan
    accuracy: float
    work: float
    span: float
    cases: Floats
    """[right, work, span; problem], means over the runs of each."""

    @classmethod
    def of(cls, plan: Plan, cases: Floats) -> Outcome:
        """Take means over problems."""
        accuracy, work, span = map(float, cases.mean(axis=1))
        return cls(plan, accuracy, work, span, cases)

    def on(self, problems: NDArray[np.int64]) -> Outcome:
        """Return the same for some of the problems."""
        return self.of(self.plan, self.cases[:, problems])


class End(NamedTuple):
    """Where the runs of a plan ended; arrays [run]."""

    plan: Plan
    right: Floats
    work: Floats
    span: Floats
    belief: Floats
    problem: NDArray[np.int64]

    @property
    def outcome(self) -> Outcome:
        """What they came to, on the mean."""
        runs = np.bincount(self.problem)
        columns = (self.right, self.work, self.span)
        sums = [np.bincount(self.problem, column) for column in columns]
        return Outcome.of(self.plan, np.stack(sums) / runs)


def at_once(arms: Arms | None, limit: float, longest: int) -> list[Outcome]:
    """Return what each arm alone comes to; a chain stands by for an arm that fails."""
    shape, found = Shape(1, longest, longest), []
    for i in range(arms.work.shape[1] if arms else 0):
        work, span, right = (column[:, i].astype(float) for column in arms or ())
        cases = np.stack([right * (work <= limit), np.minimum(work, limit), span])
        found.append(Outcome.of(Plan(shape, 0, NEVER, i, 1.0), cases))
    return found


def handed_on(end: End, arms: Arms | None, limit: float) -> Iterator[Outcome]:
    """Yield what the runs come to if an arm has the rest of the budget where belief is low."""
    for i in range(arms.work.shape[1] if arms else 0):
        work, span, right = (column[end.problem, i] for column in arms or ())
        left = np.maximum(limit - end.work, 0.0)
        for below in BELOWS:
            goes_on = end.belief < below
            answers = goes_on & (work <= left)
            yield End(
                end.plan._replace(arm=i, below=below),
                np.where(answers, right, end.right),
                end.work + goes_on * np.minimum(work, left),
                end.span + goes_on * np.minimum(span, left),
                end.belief,
                end.problem,
            ).outcome
