"""What was seen of a model's efforts, and which ladder of them is worth its tokens.

The plans are all that a few rungs allow: so many votes at one effort, or one to three samples at
one, and, where those disagree or took longer than most, some more at the same or a dearer one. Each
is played on every problem of the library in several orders of its samples. The plans that are worth
most for their tokens make a hull; between two of its corners a budget is met by taking one plan for
some of the problems and the other for the rest.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.search.climbing import Stage, weight_of
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.seen import Ladders, Rung, asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDERS = 16
"""Of each problem's samples."""
NONE = -1
_SHARES = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Of a rung's samples that are no longer than a plan's `within`."""
SLACK = 0.01
"""Accuracy that is as much chance as merit, where plans are chosen: of those the cheapest."""
_FIRST, _SECOND = (1, 2, 3), (1, 2, 3)
_MOST = 8
"""Votes at one effort."""
_TRUST = 0.5
"""Share of what sets a plan off from all others of as much work that is believed."""
_PROBLEM = 4.0
"""Observations of whether its answer is right that a problem counts for."""
_PULL = 0.5
"""Of what shares are worth to what is usual: one over its variance."""


class Climb(NamedTuple):
    """One plan."""

    stages: tuple[Stage, ...]

    @property
    def votes(self) -> int:
        """Samples where it settles nothing."""
        return sum(stage.n for stage in self.stages)

    @property
    def is_plain(self) -> bool:
        """Two samples and one more where they disagree, or votes at one effort: nothing finer."""
        first, *rest = self.stages
        return not rest or (first.n == 2 and not first.within and rest[0].n == 1)

    def say(self, rungs: Sequence[Rung]) -> str:
        """Write it for a person.

        Example:
            >>> plan = Climb((Stage(0, 2, 9000), Stage(1, 1)))
            >>> plan.say([Rung("medium"), Rung("high")])
            '2 × medium, then 1 × high if they disagree or one takes over 9000 tokens'
        """
        first, *rest = self.stages
        said = f"{first.n} × {rungs[first.rung].name}"
        for before, stage in zip(self.stages, rest, strict=False):
            long = "it takes" if before.n == 1 else "one takes"
            why = ["they disagree"] * (before.n > 1)
            why += [f"{long} over {before.within} tokens"] * bool(before.within)
            why = why or ["it has no answer"]
            said += f", then {stage.n} × {rungs[stage.rung].name} if {' or '.join(why)}"
        return said


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
    parts: NDArray[np.float64]
    """[plan, problem, rung, 3]: calls, work and span at each rung."""

    def keep(self, fits: Callable[[Climb], bool]) -> Played:
        """Return the part of it that holds some of the plans."""
        held = [i for i, plan in enumerate(self.plans) if fits(plan)]
        parts = (self.right[held], self.work[held], self.span[held], self.parts[held])
        return Played(tuple(self.plans[i] for i in held), self.weights, *parts)

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
        """Draw the accuracy of each plan half way to a line over the logarithm of its work.

        Of dozens of plans on some dozen problems one is always lucky: what sets a plan off from all
        others of as much work is as much chance as merit.
        """
        right, work = self.right.mean(axis=1), np.log(self.work.mean(axis=1))
        away = work - work.mean()
        rise = float(away @ right) / max(1e-9, float(away @ away))
        line = right.mean() + rise * away
        drawn = self.right + (_TRUST * (right - line) + line - right)[:, None]
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
    return Ladder(
        efforts=tuple(rung.effort for rung in rungs),
        n=tuple(stage.n for stage in plan.stages),
        within=within if any(within) else (),
        weights=tuple(round(weights[stage.rung], 3) for stage in plan.stages),
        engines=engines if any(engines) else (),
        pooled=ladders.pooled,
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
    laid = _Laid.of(ladders, seed, orders)
    plans = plans_of(ladders) if plans is None else plans
    told = tuple(weights or laid.weights())
    limits = (float("inf") if cap is None else cap, float("inf") if longest is None else longest)
    found = [laid.play(plan, told, limits, pooled=ladders.pooled) for plan in plans]
    right, work, span, parts = (np.array(part) for part in zip(*found, strict=True))
    return Played((*plans,), told, right, work, span, parts)


def plain_plans(ladders: Ladders) -> list[Climb]:
    """Return votes at one effort, and two samples with one more where they disagree."""
    most = _most(ladders)
    pairs = [(i, j) for i in range(len(most)) for j in range(i, len(most))]
    climbs = [Climb((Stage(i, 2), Stage(j, 1))) for i, j in pairs]
    return [*fixed_plans(ladders), *(one for one in climbs if _fits(one, most))]


def weights_of(ladders: Ladders, *, seed: int = 0, orders: int = ORDERS) -> tuple[float, ...]:
    """Return what a vote weighs, by rungs."""
    return (*_Laid.of(ladders, seed, orders).weights(),)


def trust_of(ladders: Ladders, plan: Climb, weights: Sequence[float], *, seed: int = 0) -> Trust:
    """Fit how often a plan's answer is right by the share behind it, pulled to what is usual."""
    laid, none = _Laid.of(ladders, seed, ORDERS), (float("inf"), float("inf"))
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
    most = _most(ladders)
    return [Climb((Stage(i, n),)) for i in range(len(most)) for n in range(1, most[i] + 1)]


def plans_of(ladders: Ladders) -> list[Climb]:
    """Return all plans that the rungs allow, with as many votes as there are samples."""
    most, found = _most(ladders), fixed_plans(ladders)
    for i, n in product(range(len(most)), _FIRST):
        for within, j, m in product(_lengths(ladders, i), range(i, len(most)), _SECOND):
            if _fits(plan := Climb((Stage(i, n, within), Stage(j, m))), most):
                found.append(plan)
    return found


def _fits(plan: Climb, most: Sequence[int]) -> bool:
    """Say whether there are samples enough of each rung."""
    used = [sum(one.n for one in plan.stages if one.rung == i) for i in range(len(most))]
    return all(n <= m for n, m in zip(used, most, strict=True))


def _most(ladders: Ladders) -> list[int]:
    sizes = zip(*(map(len, one.draws) for one in asked(ladders)), strict=True)
    return [min(_MOST, *of) for of in sizes]


def _lengths(ladders: Ladders, rung: int) -> list[int]:
    """Return the limits on length that a first stage may have; 0 is none."""
    tokens = [draw.tokens for one in asked(ladders) for draw in one.draws[rung]]
    found = [int(np.quantile(tokens, share)) for share in _SHARES]
    return [*dict.fromkeys([*found, 0])]


class _Run(NamedTuple):
    """A plan in each order; arrays [order, problem]."""

    right: NDArray[np.bool_]
    work: NDArray[np.float64]
    span: NDArray[np.float64]
    share: NDArray[np.float64]
    """Of all that was drawn and counts, how much stands behind the answer."""
    parts: NDArray[np.float64]
    """[problem, rung, 3]: calls, work and span at each rung, means over orders."""


class _Laid(NamedTuple):
    """Samples of every rung, each array [order, problem, sample]."""

    group: list[NDArray[np.int64]]
    tokens: list[NDArray[np.int64]]
    right: list[NDArray[np.bool_]]

    @classmethod
    def of(cls, ladders: Ladders, seed: int, orders: int) -> _Laid:
        problems, most = asked(ladders), _most(ladders)
        group, tokens, right = [], [], []
        for rung, n in enumerate(most):
            drawn = [
                [
                    random.Random(f"{seed} {order} {place} {rung}").sample(one.draws[rung], n)
                    for place, one in enumerate(problems)
                ]
                for order in range(orders)
            ]
            group.append(np.array([[[d.group for d in of] for of in row] for row in drawn]))
            tokens.append(np.array([[[d.tokens for d in of] for of in row] for row in drawn]))
            truth = [
                [[d.group in one.right for d in of] for of, one in zip(row, problems, strict=True)]
                for row in drawn
            ]
            right.append(np.array(truth, bool))
        return cls(group, tokens, right)

    def weights(self) -> list[float]:
        return [weight_of(float(one.mean())) for one in self.right]

    def play(
        self, plan: Climb, weights: Sequence[float], limits: tuple[float, float], *, pooled: bool
    ) -> tuple[NDArray[np.float64], ...]:
        """Return right, work and span of a plan, each [problem], and parts [problem, rung, 3]."""
        run = self.run(plan, weights, limits, pooled=pooled)
        return run.right.mean(axis=0), run.work.mean(axis=0), run.span.mean(axis=0), run.parts

    def run(
        self, plan: Climb, weights: Sequence[float], limits: tuple[float, float], *, pooled: bool
    ) -> _Run:
        """Play a plan in each order."""
        shape = self.group[0].shape[:2]
        live, right = np.ones(shape, bool), np.zeros(shape, bool)
        work, span, share = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        used, parts = [0] * len(self.group), np.zeros((shape[1], len(self.group), 3))
        groups: list[NDArray[np.int64]] = []
        truths: list[NDArray[np.bool_]] = []
        votes: list[NDArray[np.float64]] = []
        of: list[int] = []
        for stage in plan.stages:
            part = slice(used[stage.rung], used[stage.rung] + stage.n)
            used[stage.rung] += stage.n
            group, tokens = self.group[stage.rung][..., part], self.tokens[stage.rung][..., part]
            spent, length = tokens.sum(axis=2), tokens.max(axis=2)
            is_cut = (work + spent > limits[0]) | (span + length > limits[1])
            group = np.where(is_cut[..., None], NONE, group)  # it takes what is left, says nothing
            spent = np.minimum(spent, np.maximum(0, limits[0] - work))
            length = np.minimum(length, np.maximum(0, limits[1] - span))
            groups.append(group)
            truths.append(self.right[stage.rung][..., part])
            votes.append(np.full(stage.n, weights[stage.rung] * (1 + 1e-6 * len(of))))
            of.append(stage.rung)
            chosen = [i for i, rung in enumerate(of) if pooled or rung == stage.rung]
            is_right, has_answer, behind = _voted(
                np.concatenate([groups[i] for i in chosen], axis=2),
                np.concatenate([truths[i] for i in chosen], axis=2),
                np.concatenate([votes[i] for i in chosen]),
            )
            length = np.minimum(length, spent)
            work += live * spent
            span += live * length
            told = (live * stage.n, live * spent, live * length)
            parts[:, stage.rung] += np.stack([one.mean(axis=0) for one in told], axis=1)
            right = np.where(live & has_answer, is_right, right)
            share = np.where(live & has_answer, behind, share)
            settled = (group == group[..., :1]).all(axis=2) & (group[..., 0] != NONE)
            if stage.within:
                settled &= tokens.max(axis=2) <= stage.within
            live &= ~settled
        return _Run(right, work, span, share, parts)


def _voted(
    group: NDArray[np.int64], right: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float64]]:
    """Return whether the heaviest answer is right, whether there is any, and its share."""
    is_same = (group[..., :, None] == group[..., None, :]) & (group != NONE)[..., :, None]
    heavy = (is_same * weights).sum(axis=-1)
    leader = heavy.argmax(axis=2)
    is_right = np.take_along_axis(right, leader[..., None], axis=2)[..., 0]
    has_answer = (group != NONE).any(axis=2)
    return is_right & has_answer, has_answer, heavy.max(axis=2) / weights.sum()
