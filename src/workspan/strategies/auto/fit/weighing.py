"""What a vote on whole samples counts by length: learnt from samples whose answers are known."""

from __future__ import annotations

from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from workspan.strategies.auto.fit.race import Seen, fit_answers
from workspan.strategies.auto.policies.state import NONE
from workspan.strategies.auto.policies.support import Said, weigh
from workspan.strategies.auto.policies.weigher import Weigher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_WIDTHS = (4, 8, 16, 32)
"""Samples of a vote that is learnt on."""
_TIMES = 2
"""Orders of a problem's samples for each of them."""
_VOTES, _SHORTER = 0, 3
"""Places of these weights in `Support.answer`."""
_LEAST = 0.5
"""Weight of votes, at the least, that the weight of length is held against."""


def learn_weigher(groups: Ints, tokens: Floats, right: Bools, seed: int = 0) -> Weigher:
    """Fit it as the weights of selected votes are fitted: a conditional logit over the answers.

    Once for each of a few widths, and the mean: what a further vote tells falls with their number,
    so that one fit to all of them would take that for the worth of length.

    Args:
        groups: [problem, sample], `NONE` without an answer.
        tokens: [problem, sample]
        right: [problem, sample]
        seed: of the orders.
    """
    n, width = groups.shape
    rng, found = np.random.default_rng(seed), list[float]()
    for part in (own for own in _WIDTHS if own <= width):
        orders = (rng.random((n, width)).argsort(axis=1)[:, :part] for _ in range(_TIMES))
        weights = fit_answers([_seen(groups, tokens, right, one) for one in orders], n)
        found.append(weights[_SHORTER] / max(_LEAST, weights[_VOTES]))
    return Weigher(fmean(found) if found else 0.0)


def _seen(groups: Ints, tokens: Floats, right: Bools, order: Ints) -> Seen:
    rows = np.arange(len(groups))
    at = (rows[:, None], order)
    said, truth, depth = groups[at], right[at], np.maximum(1, tokens[at]).astype(np.int64)
    left = np.zeros((len(rows), max(1, int(groups.max(initial=0)) + 1)), np.int64)
    answers = weigh(Said(said, np.ones_like(said, bool), depth, depth, left))
    is_right = np.zeros_like(left, bool)
    run, sample = np.nonzero(truth & (said != NONE))
    is_right[run, said[run, sample]] = True
    return Seen(answers, is_right[answers.run, answers.group], len(rows))
