"""What a ladder is worth on problems that it was not chosen by."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.ladders import Mix, Played, play
from workspan.strategies.auto.fit.seen import FEWEST, Ladders

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5

Choose = Callable[[Played], Mix]
"""Chooses what to run by what was played on the problems to learn from."""


class Crossed(NamedTuple):
    """Each problem by the plan that the other folds chose: arrays by problems."""

    right: NDArray[np.float64]
    work: NDArray[np.float64]
    span: NDArray[np.float64]
    parts: NDArray[np.float64]
    """[problem, rung, 3]: calls, work and span at each rung."""


def crossed(
    ladders: Ladders, chooses: Sequence[Choose], *, folds: int = FOLDS, seed: int = 0
) -> list[Crossed]:
    """Choose on all folds but one and play on that one, in turn, for each way to choose.

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
        parts = (tried.right, tried.work, tried.span, tried.parts)
        for total, mix in zip(found, mixes, strict=True):
            first, second = plans.index(mix.first), plans.index(mix.second)
            for column, part in zip(total, parts, strict=True):
                mixed = (1 - mix.share) * part[first][held] + mix.share * part[second][held]
                column[held] = mixed
    return found


def _nothing(n: int, rungs: int) -> Crossed:
    return Crossed(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, rungs, 3)))


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
