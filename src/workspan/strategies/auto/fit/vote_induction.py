"""What one more sample brings in every state of a vote, by backward induction at a price.

The samples of other problems are shuffled many times. Go on where the expected rise of what the
leader is worth, less the price of every further sample, is above zero. That is optimal stopping
under the empirical prior of Huang, Ma and Zhou 2026 (arXiv:2602.05395), solved by regression on
simulated runs (Longstaff and Schwartz 2001).
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.policies.votes import kind_of
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from workspan.strategies.auto.fit.sampled_votes import Floats, Ints, Votes

PRICES = (*(0.1 * 2 ** (-0.4 * i) for i in range(45)), 0.0)
"""What a typical sample must bring, from one sample a problem to all that might matter."""
_BORROWED = 3.0
"""Problems' worth of runs that a state borrows from those of the same lead."""


class Step(NamedTuple):
    """What was found at a price for the states after some samples: of kinds of vote, of leads."""

    kinds: Ints
    """[kind], ascending"""
    belief: tuple[Floats, Floats]
    """[kind], [lead]; it hangs on no price."""
    gain: tuple[Floats, Floats]
    more: tuple[Floats, Floats]

    def at(self, n: int, first: Ints, second: Ints) -> tuple[Floats, Floats]:
        """Return the gain and cost of going on of runs in these states."""
        kind = kind_of(n, first, second)
        place = np.minimum(np.searchsorted(self.kinds, kind), len(self.kinds) - 1)
        lead = np.minimum(first - second, len(self.gain[1]) - 1)
        is_known = self.kinds[place] == kind
        both = (self.gain, self.more)
        gain, more = (np.where(is_known, kinds[place], leads[lead]) for kinds, leads in both)
        return gain, more


class Induction:
    """What going on with a vote brings and costs in every state: at each price once, when asked."""

    def __init__(self, votes: Votes, typical: float, weigher: Weigher = PLAIN) -> None:
        self.votes, self.typical, self.weigher = votes, typical, weigher
        self._found: dict[int, tuple[Step, ...]] = {}

    def steps(self, i: int) -> tuple[Step, ...]:
        """Return what was found at the i-th price, after 1, 2, … samples."""
        if i not in self._found:
            self._found[i] = tuple(self._backwards(PRICES[i]))[::-1]
        return self._found[i]

    def _backwards(self, price: float) -> Iterator[Step]:
        """Yield the states after the last sample, then after the one before it."""
        votes, width = self.votes, len(self._states)
        won, more = votes.chance[:, -1], np.zeros(len(votes.chance))
        for n in range(width, 0, -1):
            now, states = votes.chance[:, n - 1], self._states[n - 1]
            if n < width:
                more += votes.tokens[:, n] / self.typical
            gain, cost = states.means(won - now), states.means(more)
            yield Step(states.kinds, states.belief, gain, cost)
            goes = ((gain[0] > price * cost[0]) | (price == 0))[states.place]
            goes &= states.lead < self.weigher.reach(width - n + 1)
            won, more = np.where(goes, won, now), np.where(goes, more, 0.0)

    @cached_property
    def _states(self) -> tuple[_States, ...]:
        runs, width = self.votes.lead.shape
        borrowed = _BORROWED * runs / np.count_nonzero(np.bincount(self.votes.problem))
        return tuple(_States(self.votes, n, borrowed) for n in range(1, width + 1))


class _States:
    """Which runs are in one state after n samples, whatever the price."""

    def __init__(self, votes: Votes, n: int, borrowed: float) -> None:
        first, second = votes.first[:, n - 1], votes.second[:, n - 1]
        self.lead, self.borrowed = first - second, borrowed
        kind = kind_of(n, first, second)
        self.kinds, self.place = np.unique(kind, return_inverse=True)
        self.size, self.seen = np.bincount(self.place), np.maximum(1, np.bincount(self.lead))
        self.of = np.zeros(len(self.size), np.int64)
        self.of[self.place] = self.lead
        self.belief = self._believed(votes.chance[:, n - 1], votes.right[:, n - 1])

    def means(self, values: Floats) -> tuple[Floats, Floats]:
        """Average over runs of one state, with some of the same lead, and of one lead."""
        parent = np.bincount(self.lead, values) / self.seen
        total = np.bincount(self.place, values) + self.borrowed * parent[self.of]
        return total / (self.size + self.borrowed), parent

    def _believed(self, chance: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Average what was right, with some of the chance of being right."""
        kept = (
            self.borrowed / (self.size + self.borrowed),
            self.borrowed / (self.seen + self.borrowed),
        )
        both = zip(self.means(chance), self.means(right), kept, strict=True)
        of_state, of_lead = (k * worth + (1 - k) * known for worth, known, k in both)
        return of_state, of_lead
