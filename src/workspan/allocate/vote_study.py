"""Vote rules for every price, by backward induction over the shuffled samples of other problems.

Go on where the expected rise of what the leader is worth, less the price of every further sample,
is above zero. That is optimal stopping under the empirical prior of Huang, Ma and Zhou 2026
(arXiv:2602.05395), solved by regression on simulated runs (Longstaff and Schwartz 2001). A mean
budget is met by one price for all problems (Everett 1963).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.allocate.ballots import Votes, ballots
from workspan.allocate.votes import Outlook, VoteRule, kind_of, relative_cost

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workspan.allocate.ballots import Ballots, Floats, Ints
    from workspan.allocate.library import Library

PRICES = (*(0.1 * 2 ** (-0.4 * i) for i in range(45)), 0.0)
"""What a typical sample must bring, from one sample a problem to all that might matter."""
PRICE = 0.0001
"""The same where nobody says otherwise."""
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


@dataclass(frozen=True, slots=True)
class VoteStudy:
    """The rule of every price, and what it comes to on the library."""

    typical: float
    """Tokens of a sample, mean."""
    steps: tuple[Step, ...]
    work: tuple[float, ...]
    """Of each price: tokens a problem, mean."""
    right: tuple[float, ...]
    """Share that was answered rightly; without labels, as the most samples have it."""
    limit: float = np.inf
    """Work at which each run is cut."""

    def affordable(self, work: float | None = None, price: float = 0.0) -> int:
        """Return the lowest price, by its position, that is affordable.

        Args:
            work: tokens of a problem, on the mean. Where there is no such budget, or it is a limit
                on each run, a sample must bring `PRICE` at least.
            price: accuracy that a token must be worth.
        """
        is_pooled = work is not None and self.limit == np.inf
        least = price * self.typical or (0.0 if is_pooled else PRICE)
        most = np.inf if work is None else work
        fits = (i for i, own in enumerate(PRICES) if own >= least and self.work[i] <= most)
        return max(fits, default=0)

    def rule(self, i: int, floor: float = 0.0) -> VoteRule:
        """Return the rule of the i-th price."""
        tables, leads = [], []
        for step in self.steps:
            of_kind, of_lead = (
                [Outlook(*row) for row in zip(*columns, strict=True)]
                for columns in zip(
                    (x.tolist() for x in step.belief),
                    (x[i].tolist() for x in step.gain),
                    (x[i].tolist() for x in step.more),
                    strict=True,
                )
            )
            tables.append(dict(zip(step.kinds.tolist(), of_kind, strict=True)))
            leads.append(of_lead)
        start = Outlook(0.0, self.right[i], self.work[i] / self.typical)
        return VoteRule(PRICES[i], self.typical, start, tuple(tables), tuple(leads), floor)

    def drawn(self, i: int, votes: Votes) -> Ints:
        """Return after how many samples the rule of the i-th price stops on each run."""
        runs, width = votes.lead.shape
        found, going = np.full(runs, width), np.arange(runs)
        for n in range(1, min(width, len(self.steps))):
            first, second = votes.first[going, n - 1], votes.second[going, n - 1]
            spent = votes.tokens[going, :n].sum(axis=1)
            gain, more = self.steps[n - 1].at(i, n, first, second)
            price = PRICES[i] * relative_cost(spent, n, self.typical)
            is_worth = (gain > price * more) | (PRICES[i] == 0)
            is_worth &= first - second <= len(self.steps) - n
            is_worth &= spent + spent / n <= self.limit
            found[going[~is_worth]] = n
            going = going[is_worth]
        drawn: Ints = np.minimum(found, len(self.steps))
        return drawn


@dataclass(frozen=True)
class Voting:
    """A library whose votes are studied when somebody asks: it takes seconds."""

    library: Library
    limit: float = np.inf
    """Work at which each run is cut."""

    @cached_property
    def study(self) -> VoteStudy | None:
        """What its votes tell; None where few problems have two lines."""
        found = ballots(self.library)
        return study_votes(found, self.limit) if found else None


def study_votes(sampled: Ballots, limit: float = np.inf) -> VoteStudy:
    """Find the rules of all prices and run them on the library.

    Args:
        sampled: of other problems than those that a rule will run on.
        limit: work at which each run is cut.
    """
    votes, typical = sampled.shuffled(), sampled.typical
    steps = induce(votes, typical)
    found = VoteStudy(typical, steps, (), (), limit)
    seen = votes.problem < sampled.n
    votes = Votes._make(column[seen] for column in votes)
    rows, tokens = np.arange(len(votes.lead)), votes.tokens.cumsum(axis=1)
    ends = [found.drawn(i, votes) - 1 for i in range(len(PRICES))]
    work = tuple(float(tokens[rows, end].mean()) for end in ends)
    right = tuple(float(votes.right[rows, end].mean()) for end in ends)
    return replace(found, work=work, right=right)


def induce(votes: Votes, typical: float) -> tuple[Step, ...]:
    """Find what going on brings and costs in every state, from the last sample backwards."""
    runs, width = votes.lead.shape
    borrowed = _BORROWED * runs / len(np.unique(votes.problem))
    won = np.tile(votes.merit[:, -1], (len(PRICES), 1))
    more = np.zeros_like(won)
    steps: list[Step] = []
    for i in range(width - 1, -1, -1):
        now, first, second = votes.merit[:, i], votes.first[:, i], votes.second[:, i]
        lead = first - second
        kinds, place = np.unique(kind_of(i + 1, first, second), return_inverse=True)
        states = _States(place, lead, borrowed)
        if i < width - 1:
            more += votes.tokens[:, i + 1] / typical
        belief = states.believed(now, votes.right[:, i])
        gain, cost = states.means_of_all(won - now), states.means_of_all(more)
        steps.append(Step(kinds, belief, gain, cost))
        prices = np.array(PRICES)[:, None]
        goes = ((gain[0] > prices * cost[0]) | (prices == 0))[:, place] & (lead < width - i)
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

    def believed(self, merit: Floats, right: Floats) -> tuple[Floats, Floats]:
        """Average what was right, with some of the merit."""
        kept = (
            self.borrowed / (self.size + self.borrowed),
            self.borrowed / (self.seen + self.borrowed),
        )
        both = zip(self.means(merit), self.means(right), kept, strict=True)
        of_state, of_lead = (k * worth + (1 - k) * known for worth, known, k in both)
        return of_state, of_lead

    def means_of_all(self, rows: Floats) -> tuple[Floats, Floats]:
        """Average each row; the result has as many."""
        of_state, of_lead = zip(*map(self.means, rows), strict=True)
        return np.stack(of_state), np.stack(of_lead)
