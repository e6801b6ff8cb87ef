"""What a ladder is worth on problems that it was not chosen by."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from workspan.strategies.auto.fit.ladders import Each, Mix, Played, play
from workspan.strategies.auto.fit.seen import FEWEST, Ladders

FOLDS = 5

Choose = Callable[[Played], Mix]
"""Chooses what to run by what was played on the problems to learn from."""


def crossed(
    ladders: Ladders, chooses: Sequence[Choose], *, folds: int = FOLDS, seed: int = 0
) -> list[Each]:
    """Give each problem by the plan that the other folds chose, for each way to choose.

    Args:
        ladders: `even` ones.
        chooses: each chooses for itself; what is learnt of a fold is shared.
        folds: parts of the problems, shuffled by the seed.
        seed: of the parts, and of the orders of samples.
    """
    n, rungs = len(ladders.problems), len(ladders.rungs)
    found = [_nothing(n, rungs) for _ in chooses]
    for held, rest in parted(n, folds, seed):
        learnt = play(ladders.keep(rest), seed=seed)
        mixes = [choose(learnt) for choose in chooses]
        plans = [*dict.fromkeys(plan for mix in mixes for plan in (mix.first, mix.second))]
        tried = play(ladders, plans, learnt.weights, seed=seed)
        for total, mix in zip(found, mixes, strict=True):
            both = (tried.at(plans.index(plan)) for plan in (mix.first, mix.second))
            for column, first, second in zip(total, *both, strict=True):
                column[held] = (1 - mix.share) * first[held] + mix.share * second[held]
    return found


def _nothing(n: int, rungs: int) -> Each:
    right, work, span, picked, coverage = np.zeros((5, n))
    return Each(right, work, span, picked, coverage, np.zeros((n, rungs, 3)))


def parted(n: int, folds: int, seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Give each part of n places, and the others."""
    order = [*range(n)]
    random.Random(seed).shuffle(order)
    parts = max(2, min(folds, n // FEWEST))
    for fold in range(parts):
        held = sorted(order[fold::parts])
        yield held, sorted({*range(n)} - {*held})


def is_enough(ladders: Ladders) -> bool:
    """Say whether there are problems to learn from and others to judge by."""
    return len(ladders.problems) >= 2 * FEWEST
