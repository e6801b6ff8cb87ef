"""What an answer is worth by its share of the votes, learnt from problems whose answer is known.

An answer with share s of a problem's samples is right with s^b / (sum of all s^b + k): a
conditional logit (McFadden 1974) over the answers and "none of them". So labels tell two numbers,
and no problem's own is believed: which of two contested answers is right there would be noise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_SHARPNESS = 2.0 ** np.arange(-1, 3.5, 0.5)
_NEITHER = 2.0 ** np.arange(-16, 5)
_USUAL, _SPREAD = 3.0, 0.7
"""Where b is expected, and how far its logarithm is from there: for profiles of few problems."""


class ConditionalLogit(NamedTuple):
    """From shares to P(right); by default the answer of the most samples is worth 1, others 0."""

    sharpness: float = np.inf
    """b"""
    neither: float = 0.0
    """k"""

    def of(self, shares: Floats) -> Floats:
        """Return what each answer is worth [problem, group].

        Args:
            shares: [problem, group], of its votes.
        """
        found: Floats
        if np.isinf(self.sharpness):
            leads = (shares == shares.max(axis=1, keepdims=True)) & (shares > 0)
            found = leads / np.maximum(1, leads.sum(axis=1, keepdims=True))
            return found
        weights = np.where(shares > 0, shares**self.sharpness, 0.0)
        found = weights / (weights.sum(axis=1, keepdims=True) + self.neither)
        return found

    @classmethod
    def learn(cls, shares: Floats, is_right: NDArray[np.bool_]) -> ConditionalLogit:
        """Fit it; both [problem, group]."""
        has_none = ~is_right.any(axis=1)

        def fit(one: ConditionalLogit) -> float:
            worth = one.of(shares)
            chance = np.where(has_none, 1 - worth.sum(axis=1), (worth * is_right).sum(axis=1))
            usual = (np.log(one.sharpness / _USUAL) / _SPREAD) ** 2 / 2
            return float(np.log(np.maximum(chance, 1e-12)).sum() - usual)

        grid = (cls(float(b), float(k)) for b in _SHARPNESS for k in _NEITHER)
        return max(grid, key=fit)


PLURALITY = ConditionalLogit()
"""Whoever leads is right: where no answer is known."""


def tally(groups: NDArray[np.int64], kinds: int = 0) -> Floats:
    """Count the samples of each group [problem, group]."""
    kinds = max(2, kinds, int(groups.max()) + 1)
    counts = np.zeros((len(groups), kinds + 1))
    np.add.at(counts, (np.arange(len(groups))[:, None], groups), 1)  # NONE is the last column
    return counts[:, :-1]
