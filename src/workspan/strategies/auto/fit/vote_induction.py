"""What one more sample brings in every state of a vote, by backward induction at every price.

The samples of other problems are shuffled many times. Go on where the expected rise of what the
leader is worth, less the price of every further sample, is above zero. That is optimal stopping
under the empirical prior of Huang, Ma and Zhou 2026 (arXiv:2602.05395), solved by regression on
simulated runs (Longstaff and Schwartz 2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.policies.votes import kind_of
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.sampled_votes import Floats, Ints, Votes

PRICES = (*(0.1 * 2 ** (-0.4 * i) for i in range(45)), 0.0)
"""What a typical sample must bring, from one sample a problem to all that might matter."""
_BORROWED = 3.0
"""Problems' worth of runs that a state borrows from those of the same lead."""


class Step(NamedTuple):
    """What was found for the states after some samples; of kinds of vote, and of leads."""

    kinds: Ints
    """[kind], ascending"""
    belief: tuple[Floats, Floats]
    gain: tuple[Floats, Floats]
    """[price, kind], [price, lead]"""
    more: tuple[Floats, Floats]

    def at(self, i: int, n: int, first: Ints, second: Ints) -> tuple[Floats, Floats]:
        """Return the gain and cost of going on, at the i-th price, of runs in these states."""
        kind = kind_of(n, first, second)
        place = np.minimum(np.searchsorted(self.kinds, kind), len(self.kinds) - 1)
        lead = np.minimum(first - second, self.gain[1].shape[1] - 1)
        is_known = self.kinds[place] == kind
        both = (self.gain, self.more)
        gain, more = (np.where(is_known, a[i][place], b[i][lead]) for a, b in both)
        return gain, more


def induce(votes: Votes, typical: float, weigher: Weigher = PLAIN) -> tuple[Step, ...]:
    """Find what going on brings and costs in every state, from the last sample backwards."""
    runs, width = votes.lead.shape
    borrowed = _BORROWED * runs / len(np.unique(votes.problem))
    won = np.tile(votes.chance[:, -1], (len(PRICES), 1))
    more = np.zeros_like(won)
    steps: list[Step] = []
    for i in range(width - 1, -1, -1):
        now, first, second = votes.chance[:, i], votes.first[:, i], votes.second[:, i]
        lead = first - second
        kinds, place = np.unique(kind_of(i + 1, first, second), return_inverse=True)
        states = _States(place, lead, borrowed)
        if i < width - 1:
            more += votes.tokens[:, i + 1] / typical
        belief = states.believed(now, votes.right[:, i])
        gain, cost = states.means_of_all(won - now), states.means_of_all(more)
        steps.append(Step(kinds, belief, gain, cost))
        prices = np.array(PRICES)[:, None]
        goes = ((gain[0] > prices * cost[0]) | (prices == 0))[:, place] & (
            lead < weigher.reach(width - i)
        )
        won, more = np.where(goes, won, now), np.where(goes, more, 0.0)
    return tuple(steps[::-1])


class _States:
    """Which runs are in one state after some samples."""

    def __init__(self, place: NDArray[np.intp], lead: Ints, borrowed: float) -> None:
        self.place, self.lead, self.borrowed = place, lead, borrowed
        self.size, self.seen = np.bincount(place), np.maximum(1, np.bincount(lead))
        self.of = np.zeros(len(self.size), np.int64)
        self.of[place] = lead

    def means(self, values: Floats) -> tuple[Floats, Floats]:
        """Average over runs of one state, with some of the same lead, and of one lead."""
        parent = np.bincount(self.lead, values) / self.seen
        total = np.bincount(self.place, values) + self.borrowed * parent[self.of]
        return total / (self.size + self.borrowed), parent

    def believed(self, chance: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Average what was right, with some of the chance of being right."""
        kept = (
            self.borrowed / (self.size + self.borrowed),
            self.borrowed / (self.seen + self.borrowed),
        )
        both = zip(self.means(chance), self.means(right), kept, strict=True)
        of_state, of_lead = (k * worth + (1 - k) * known for worth, known, k in both)
        return of_state, of_lead

    def means_of_all(self, rows: Floats) -> tuple[Floats, Floats]:
        """Average each row; the result has as many."""
        of_state, of_lead = zip(*map(self.means, rows), strict=True)
        return np.stack(of_state), np.stack(of_lead)
