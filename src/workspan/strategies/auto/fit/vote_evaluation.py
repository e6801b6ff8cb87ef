"""The vote rule of every price, and what it comes to on a profile: the one for a budget.

A mean budget is met by one price for all problems (Everett 1963).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.sampled_votes import Votes, sampled_votes
from workspan.strategies.auto.fit.vote_induction import PRICES, Step, induce
from workspan.strategies.auto.policies.votes import Outlook, VoteRule, relative_cost
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.profile import Profile
    from workspan.strategies.auto.fit.sampled_votes import Ints, SampledVotes

PRICE = 0.0001
"""What a typical sample must bring where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class VoteEvaluation:
    """The rule of every price, and what it comes to on the profile."""

    typical: float
    """Tokens of a sample, mean."""
    steps: tuple[Step, ...]
    work: tuple[float, ...]
    """Of each price: tokens a problem, mean."""
    right: tuple[float, ...]
    """Share that was answered rightly; without labels, as the most samples have it."""
    limit: float = np.inf
    """Work at which each run is cut."""
    weigher: Weigher = PLAIN
    """What votes count by the length of their samples."""

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
        return VoteRule(
            PRICES[i], self.typical, start, tuple(tables), tuple(leads), floor, self.weigher
        )

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
            is_worth &= first - second <= self.weigher.reach(len(self.steps) - n)
            is_worth &= spent + spent / n <= self.limit
            found[going[~is_worth]] = n
            going = going[is_worth]
        drawn: Ints = np.minimum(found, len(self.steps))
        return drawn


class Inductions:
    """A profile whose votes are evaluated when somebody asks: once, and most of that is learning.

    `weigher` is what was learnt of it before.
    """

    def __init__(self, profile: Profile, weigher: Weigher | None = None) -> None:
        self._profile, self._weigher = profile, weigher

    @cached_property
    def found(self) -> Induction | None:
        """What its votes tell at every price; None where few problems have two chains."""
        found = sampled_votes(self._profile, self._weigher)
        return Induction.of(found) if found else None


@dataclass(frozen=True)
class Voting:
    """The votes of a profile, for runs of so much work."""

    votes: Inductions
    limit: float = np.inf
    """Work at which each run is cut."""

    @cached_property
    def evaluation(self) -> VoteEvaluation | None:
        """What they tell; None where few problems have two chains."""
        return found.evaluate(self.limit) if (found := self.votes.found) else None


class Induction(NamedTuple):
    """What going on with a vote brings in every state, and the runs on which that was found."""

    typical: float
    steps: tuple[Step, ...]
    votes: Votes
    """Of the profile's own problems."""
    weigher: Weigher

    @classmethod
    def of(cls, sampled: SampledVotes) -> Induction:
        """Find the rules of all prices."""
        votes, typical = sampled.shuffled(), sampled.typical
        steps = induce(votes, typical, sampled.weigher)
        seen = votes.problem < sampled.n
        own = Votes._make(column[seen] for column in votes)
        return cls(typical, steps, own, sampled.weigher)

    def evaluate(self, limit: float) -> VoteEvaluation:
        """Run the rules of all prices where each run is cut at so much work."""
        votes = self.votes
        found = VoteEvaluation(self.typical, self.steps, (), (), limit, self.weigher)
        rows, tokens = np.arange(len(votes.lead)), votes.tokens.cumsum(axis=1)
        ends = [found.drawn(i, votes) - 1 for i in range(len(PRICES))]
        work = tuple(float(tokens[rows, end].mean()) for end in ends)
        right = tuple(float(votes.right[rows, end].mean()) for end in ends)
        return replace(found, work=work, right=right)


def evaluated_votes(sampled: SampledVotes, limit: float = np.inf) -> VoteEvaluation:
    """Find the rules of all prices and run them on the profile.

    Args:
        sampled: of other problems than those that a rule will run on.
        limit: work at which each run is cut.
    """
    return Induction.of(sampled).evaluate(limit)
