"""What was seen of a model's efforts, and which ladder of them is worth its tokens.

The plans are all that a few rungs allow: so many votes at one effort, or one to three samples at
one, and, where those disagree or took longer than most, some more at the same or a dearer one. Each
is played on every problem of the profile in several orders of its samples. The plans that are worth
most for their tokens make a hull; between two of its corners a budget is met by taking one plan for
some of the problems and the other for the rest.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.search.climbing import Stage
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.laid import ORDERS, Climb, Laid, most_of
from workspan.strategies.auto.fit.seen import Ladders, asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of a rung's samples that are no longer than a plan's `within`."""
SLACK = 0.01
"""Accuracy that is as much chance as merit, where plans are chosen: of those the cheapest."""
_FIRST, _SECOND = (1, 2, 3), (1, 2, 3)
_TRUST = 0.5
"""Share of what sets a plan off from all others of as much work that is believed."""
_PROBLEM = 4.0
"""Observations of whether its answer is right that a problem counts for."""
_PULL = 0.5
"""Of what shares are worth to what is usual: one over its variance."""


class Trust(NamedTuple):
    """P(right) of a ladder's answer: 1 / (1 + exp(-(base + rise * share)))."""

    base: float = -1.5
    rise: float = 3.5
    """By the share of all that was drawn that stands behind it."""


class Mix(NamedTuple):
    """Two plans, and the share of the problems that has the second."""

    first: Climb
    second: Climb
    share: float = 0.0


class Each(NamedTuple):
    """What a plan, or a choice of plans, came to on each problem: arrays by problems."""

    right: NDArray[np.float64]
    work: NDArray[np.float64]
    span: NDArray[np.float64]
    random: NDArray[np.float64]
    coverage: NDArray[np.float64]
    parts: NDArray[np.float64]
    """[problem, rung, 3]: calls, work and span at each rung."""


@dataclass(frozen=True)
class Played:
    """Every plan on every problem: arrays [plan, problem], means over orders."""

    plans: tuple[Climb, ...]
    weights: tuple[float, ...]
    """Of a vote, by rungs."""
    right: NDArray[np.float64]
    work: NDArray[np.float64]
    span: NDArray[np.float64]
    """Tokens, stages one after another and the samples of each side by side."""
    random: NDArray[np.float64]
    """How right a random pick among what was drawn is."""
    coverage: NDArray[np.float64]
    """How often the right answer was drawn at all: the best that a selector could do."""
    parts: NDArray[np.float64]
    """[plan, problem, rung, 3]: calls, work and span at each rung."""

    def at(self, place: int) -> Each:
        """Return what one plan came to."""
        return Each._make(one[place] for one in self._columns)

    def keep(self, fits: Callable[[Climb], bool]) -> Played:
        """Return the part of it that holds some of the plans."""
        held = [i for i, plan in enumerate(self.plans) if fits(plan)]
        plans = tuple(self.plans[i] for i in held)
        return Played(plans, self.weights, *(one[held] for one in self._columns))

    @property
    def _columns(self) -> Each:
        """What all plans came to: a plan first in each array."""
        return Each(self.right, self.work, self.span, self.random, self.coverage, self.parts)

    @cached_property
    def hull(self) -> list[int]:
        """The plans that no mixture of others is ahead of for as much work, cheap ones first."""
        return hull_of(self.work.mean(axis=1), self.right.mean(axis=1))

    def mix(self, budget: float | None = None) -> Mix:
        """Return what is most often right for so much work a problem, on the mean.

        The cheapest plan, where even that takes more.
        """
        hull, work = self.hull, self.work.mean(axis=1)
        if budget is None or budget >= work[hull[-1]]:
            return Mix(self.plans[hull[-1]], self.plans[hull[-1]])
        if budget <= work[hull[0]]:
            return Mix(self.plans[hull[0]], self.plans[hull[0]])
        above = next(i for i, plan in enumerate(hull) if work[plan] > budget)
        low, high = hull[above - 1], hull[above]
        share = float((budget - work[low]) / (work[high] - work[low]))
        return Mix(self.plans[low], self.plans[high], share)

    def steady(self) -> Played:
        """Draw the accuracy of each plan half way to a chain over the logarithm of its work.

        Of dozens of plans on some dozen problems one is always lucky: what sets a plan off from all
        others of as much work is as much chance as merit.
        """
        right, work = self.right.mean(axis=1), np.log(self.work.mean(axis=1))
        away = work - work.mean()
        rise = float(away @ right) / max(1e-9, float(away @ away))
        chain = right.mean() + rise * away
        drawn = self.right + (_TRUST * (right - chain) + chain - right)[:, None]
        return dataclasses.replace(self, right=drawn)

    def best(self, price: float = 0.0, rate: float = 0.0, slack: float = SLACK) -> Climb:
        """Return the plan of highest accuracy less `price` a token.

        A token of span counts as `rate` of work, and alone where that is infinite.
        Of those that are within `slack` of it the cheapest: so little is as much chance as merit.
        """
        right = self.right.mean(axis=1)
        work, span = self.work.mean(axis=1), self.span.mean(axis=1)
        cost = span if rate == np.inf else work + rate * span
        worth = right - price * cost
        good = np.flatnonzero(worth >= worth.max() - slack)
        return self.plans[int(min(good, key=lambda i: cost[i]))]


def as_strategy(plan: Climb, ladders: Ladders, weights: Sequence[float]) -> Ladder:
    """Return the strategy that does as a plan says."""
    rungs = [ladders.rungs[stage.rung] for stage in plan.stages]
    engines = tuple(rung.engine for rung in rungs)
    within = tuple(stage.within for stage in plan.stages)
    told = tuple(round(weights[stage.rung], 3) for stage in plan.stages)
    return Ladder(
        efforts=tuple(rung.effort for rung in rungs),
        n=tuple(stage.n for stage in plan.stages),
        within=within if any(within) else (),
        weights=told if len({*told}) > 1 else (),  # votes that weigh the same need none
        engines=engines if any(engines) else (),
        pooled=ladders.pooled or len({*rungs}) == 1,  # at one setting all can be compared
        max_tokens=ladders.depth,
    )


def hull_of(work: NDArray[np.float64], right: NDArray[np.float64]) -> list[int]:
    """Return the upper concave hull of points, cheap ones first (Andrew's monotone chain)."""
    hull: list[int] = []
    for i in np.lexsort((-right, work)):
        if hull and right[i] <= right[hull[-1]]:
            continue
        while len(hull) > 1 and _is_under(hull[-2], hull[-1], i, work, right):
            hull.pop()
        hull.append(int(i))
    return hull


def _is_under(
    a: int, b: int, c: int, work: NDArray[np.float64], right: NDArray[np.float64]
) -> bool:
    slope = (right[b] - right[a]) * (work[c] - work[a])
    return bool(slope <= (right[c] - right[a]) * (work[b] - work[a]))


def play(
    ladders: Ladders,
    plans: Sequence[Climb] | None = None,
    weights: Sequence[float] | None = None,
    *,
    cap: int | None = None,
    longest: int | None = None,
    seed: int = 0,
    orders: int = ORDERS,
) -> Played:
    """Play plans on every problem that has samples at all rungs.

    Args:
        ladders: what was seen.
        plans: all that the rungs allow if None.
        weights: of votes, by rungs; learnt here if None.
        cap: work of one problem, beyond which a stage is cut and has no vote.
        longest: span of one problem, likewise.
        seed: of the orders.
        orders: of each problem's samples.

    Raises:
        InputError: too few problems have samples at all rungs.
    """
    laid = Laid.of(ladders, seed, orders)
    plans = plans_of(ladders) if plans is None else plans
    told = tuple(weights or laid.weights())
    limits = (float("inf") if cap is None else cap, float("inf") if longest is None else longest)
    found = [laid.play(plan, told, limits, pooled=ladders.pooled) for plan in plans]
    return Played((*plans,), told, *(np.array(part) for part in zip(*found, strict=True)))


def plain_plans(ladders: Ladders) -> list[Climb]:
    """Return votes at one effort, and two samples with one more where they disagree."""
    most = most_of(ladders)
    pairs = [(i, j) for i in range(len(most)) for j in range(i, len(most))]
    climbs = [Climb((Stage(i, 2), Stage(j, 1))) for i, j in pairs]
    return [*fixed_plans(ladders), *(one for one in climbs if _fits(one, most))]


def weights_of(ladders: Ladders, *, seed: int = 0, orders: int = ORDERS) -> tuple[float, ...]:
    """Return what a vote weighs, by rungs."""
    return (*Laid.of(ladders, seed, orders).weights(),)


def trust_of(ladders: Ladders, plan: Climb, weights: Sequence[float], *, seed: int = 0) -> Trust:
    """Fit how often a plan's answer is right by the share behind it, pulled to what is usual."""
    laid, none = Laid.of(ladders, seed, ORDERS), (float("inf"), float("inf"))
    run = laid.run(plan, weights, none, pooled=ladders.pooled)
    share, right = run.share.ravel(), run.right.ravel()
    told, start = np.stack([np.ones_like(share), share]), np.array(Trust())
    weight, beta = _PROBLEM / len(run.share), start.copy()
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(beta @ told, -30, 30)))
        slope = weight * told @ (right - p) - _PULL * (beta - start)
        curve = weight * (told * (p * (1 - p))) @ told.T + _PULL * np.eye(2)
        beta = beta + np.linalg.solve(curve, slope)
    return Trust(*map(float, beta))


def fixed_plans(ladders: Ladders) -> list[Climb]:
    """Return the votes at one effort: from one to as many as there are samples."""
    most = most_of(ladders)
    return [Climb((Stage(i, n),)) for i in range(len(most)) for n in range(1, most[i] + 1)]


def plans_of(ladders: Ladders) -> list[Climb]:
    """Return all plans that the rungs allow, with as many votes as there are samples."""
    most, found = most_of(ladders), fixed_plans(ladders)
    for i, n in product(range(len(most)), _FIRST):
        for within, j, m in product(_lengths(ladders, i), range(i, len(most)), _SECOND):
            if _fits(plan := Climb((Stage(i, n, within), Stage(j, m))), most):
                found.append(plan)
    return found


def _fits(plan: Climb, most: Sequence[int]) -> bool:
    """Say whether there are samples enough of each rung."""
    used = [sum(one.n for one in plan.stages if one.rung == i) for i in range(len(most))]
    return all(n <= m for n, m in zip(used, most, strict=True))


def _lengths(ladders: Ladders, rung: int) -> list[int]:
    """Return the limits on length that a first stage may have; 0 is none."""
    tokens = [draw.tokens for one in asked(ladders) for draw in one.draws[rung]]
    found = [int(np.quantile(tokens, share)) for share in _SHARES]
    return [*dict.fromkeys([*found, 0])]
