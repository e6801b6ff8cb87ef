"""Ladders played on samples that were seen: every stage of a plan on every problem at once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.search.climbing import Stage, weight_of
from workspan.strategies.auto.fit.seen import Ladders, Rung, asked

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORDERS = 16
"""Of each problem's samples."""
NONE = -1
_MOST = 8
"""Votes at one effort."""


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


def most_of(ladders: Ladders) -> list[int]:
    """Return the votes that there are samples for, by rungs."""
    sizes = zip(*(map(len, one.draws) for one in asked(ladders)), strict=True)
    return [min(_MOST, *of) for of in sizes]


class Run(NamedTuple):
    """A plan in each order; arrays [order, problem]."""

    right: NDArray[np.bool_]
    work: NDArray[np.float64]
    span: NDArray[np.float64]
    share: NDArray[np.float64]
    """Of all that was drawn and counts, how much stands behind the answer."""
    random: NDArray[np.float64]
    """How right a random pick is among all that was drawn and holds an answer."""
    coverage: NDArray[np.bool_]
    """The right answer was drawn at all."""
    parts: NDArray[np.float64]
    """[problem, rung, 3]: calls, work and span at each rung, means over orders."""


class Laid(NamedTuple):
    """Samples of every rung, each array [order, problem, sample]."""

    group: list[NDArray[np.int64]]
    tokens: list[NDArray[np.int64]]
    right: list[NDArray[np.bool_]]

    @classmethod
    def of(cls, ladders: Ladders, seed: int, orders: int) -> Laid:
        """Shuffle each problem's samples, and take as many of each rung as all problems have."""
        problems, most = asked(ladders), most_of(ladders)
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
        """Return what a vote weighs, by rungs."""
        return [weight_of(float(one.mean())) for one in self.right]

    def play(
        self, plan: Climb, weights: Sequence[float], limits: tuple[float, float], *, pooled: bool
    ) -> tuple[NDArray[np.float64], ...]:
        """Return what `Played` has of a plan: each [problem], and parts [problem, rung, 3]."""
        run = self.run(plan, weights, limits, pooled=pooled)
        held = (run.right, run.work, run.span, run.random, run.coverage)
        return *(one.mean(axis=0) for one in held), run.parts

    def run(
        self, plan: Climb, weights: Sequence[float], limits: tuple[float, float], *, pooled: bool
    ) -> Run:
        """Play a plan in each order."""
        shape = self.group[0].shape[:2]
        live, right = np.ones(shape, bool), np.zeros(shape, bool)
        work, span, share = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        hits, said = np.zeros(shape), np.zeros(shape)
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
            truth = self.right[stage.rung][..., part] & (group != NONE)
            hits += live * truth.sum(axis=2)
            said += live * (group != NONE).sum(axis=2)
            groups.append(group)
            truths.append(truth)
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
        return Run(right, work, span, share, hits / np.maximum(1, said), hits > 0, parts)


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
