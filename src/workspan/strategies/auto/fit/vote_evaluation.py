"""What the vote rule of a price comes to on a profile, and the price for a budget.

A mean budget is met by one price for all problems (Everett 1963). A price is looked at when
somebody asks for it: to choose one for a budget few are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.sampled_votes import FEWEST, Votes, sampled_votes
from workspan.strategies.auto.fit.vote_induction import PRICES, Induction
from workspan.strategies.auto.policies.conditional_logit import ConditionalLogit
from workspan.strategies.auto.policies.votes import Outlook, VoteRule, relative_cost
from workspan.strategies.auto.policies.weigher import Weigher

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.profile import Profile
    from workspan.strategies.auto.fit.sampled_votes import Floats, Ints, SampledVotes

PRICE = 0.0001
"""What a typical sample must bring where nobody says otherwise."""


class Ended(NamedTuple):
    """What the rule of a price comes to."""

    work: float
    """Tokens a problem, mean."""
    right: float
    """Share that was answered rightly; without labels, as the most samples have it."""


class KnownVotes(NamedTuple):
    """What was found of a profile's votes before, as far as it was."""

    weigher: Weigher | None = None
    logit: ConditionalLogit | None = None
    ended: Sequence[Ended] = ()
    """Of every price, where no run is cut; none where that is not known."""


class Inductions:
    """The votes of a profile: drawn when somebody asks for a rule, and once."""

    def __init__(self, sampled: Callable[[], SampledVotes], ended: Sequence[Ended] = ()) -> None:
        self._sampled, self._ended = sampled, dict(enumerate(ended))
        self._found: dict[float, VoteEvaluation] = {}

    @classmethod
    def of(cls, profile: Profile, known: KnownVotes | None = None) -> Inductions | None:
        """Take each chain's end; None where few problems have two chains."""
        weigher, logit, ended = known or KnownVotes()
        if profile.even()[1] < FEWEST:
            return None
        return cls(lambda: sampled_votes(profile, weigher, logit), ended)

    @cached_property
    def sampled(self) -> SampledVotes:
        """The samples of all problems."""
        return self._sampled()

    @cached_property
    def induction(self) -> Induction:
        """What going on with a vote brings."""
        return Induction(self.sampled.shuffled(), self.sampled.typical, self.sampled.weigher)

    @cached_property
    def own(self) -> tuple[Votes, Floats]:
        """The runs of the profile's own problems, and the work of each after 1, 2, … samples."""
        votes = self.induction.votes
        seen = int((votes.problem < self.sampled.n).sum())  # those that are simulated follow
        own = Votes._make(column[:seen] for column in votes)
        return own, own.tokens.cumsum(axis=1)

    def within(self, limit: float = np.inf) -> VoteEvaluation:
        """Say what rules come to where each run is cut at so much work; the same twice."""
        if limit not in self._found:
            known = self._ended if limit == np.inf else {}
            self._found[limit] = VoteEvaluation(self, limit, known)
        return self._found[limit]


class VoteEvaluation:
    """The rule of every price, and what it comes to on the profile; for runs of so much work."""

    def __init__(self, votes: Inductions, limit: float, known: dict[int, Ended]) -> None:
        self._votes, self.limit, self._ended = votes, limit, known

    @property
    def typical(self) -> float:
        """Tokens of a sample, mean."""
        return self._votes.sampled.typical

    @property
    def weigher(self) -> Weigher:
        """What votes count by the length of their samples."""
        return self._votes.sampled.weigher

    def ended(self, i: int) -> Ended:
        """Say what the rule of the i-th price comes to."""
        if i not in self._ended:
            own, tokens = self._votes.own
            at = np.arange(len(tokens)), self.drawn(i, own) - 1
            self._ended[i] = Ended(float(tokens[at].mean()), float(own.right[at].mean()))
        return self._ended[i]

    def affordable(self, work: float | None = None, price: float = 0.0) -> int:
        """Return the lowest price, by its position, that is affordable.

        Args:
            work: tokens of a problem, on the mean. Where there is no such budget, or it is a limit
                on each run, a sample must bring `PRICE` at least.
            price: accuracy that a token must be worth.
        """
        is_pooled = work is not None and self.limit == np.inf
        least = (price and price * self.typical) or (0.0 if is_pooled else PRICE)
        most = np.inf if work is None else work
        falling = (i for i in reversed(range(len(PRICES))) if PRICES[i] >= least)
        return next((i for i in falling if most == np.inf or self.ended(i).work <= most), 0)

    def rule(self, i: int, floor: float = 0.0) -> VoteRule:
        """Return the rule of the i-th price."""
        tables, leads = [], []
        for step in self._votes.induction.steps(i):
            of_kind, of_lead = (
                [Outlook(*row) for row in zip(*(x.tolist() for x in columns), strict=True)]
                for columns in zip(step.belief, step.gain, step.more, strict=True)
            )
            tables.append(dict(zip(step.kinds.tolist(), of_kind, strict=True)))
            leads.append(of_lead)
        work, right = self.ended(i)
        start = Outlook(0.0, right, work / self.typical)
        told = (PRICES[i], self.typical, start, tuple(tables), tuple(leads))
        return VoteRule(*told, floor, self.weigher)

    def drawn(self, i: int, votes: Votes) -> Ints:
        """Return after how many samples the rule of the i-th price stops on each run."""
        steps = self._votes.induction.steps(i)
        runs, width = votes.lead.shape
        found, going, spent = np.full(runs, width), np.arange(runs), np.zeros(runs)
        for n in range(1, min(width, len(steps))):
            first, second = votes.first[going, n - 1], votes.second[going, n - 1]
            spent = spent + votes.tokens[going, n - 1]
            gain, more = steps[n - 1].at(n, first, second)
            price = PRICES[i] * relative_cost(spent, n, self.typical)
            is_worth = (gain > price * more) | (PRICES[i] == 0)
            is_worth &= first - second <= self.weigher.reach(len(steps) - n)
            is_worth &= spent + spent / n <= self.limit
            found[going[~is_worth]] = n
            going, spent = going[is_worth], spent[is_worth]
        drawn: Ints = np.minimum(found, len(steps))
        return drawn


def evaluated_votes(sampled: SampledVotes, limit: float = np.inf) -> VoteEvaluation:
    """Take the rules of all prices as they run on samples.

    Args:
        sampled: of other problems than those that a rule will run on.
        limit: work at which each run is cut.
    """
    return Inductions(lambda: sampled).within(limit)
