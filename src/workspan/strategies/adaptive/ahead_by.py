"""First to be ahead by k: draw votes until one answer leads the next by k of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.ahead import lead
from workspan.strategies.adaptive.rounds import check_rounds, tally, vote_until


@dataclass(frozen=True)
class AheadBy:
    """Vote, and stop once the leader is ahead of the runner-up by `k` votes.

    That is Wald's sequential test of the two leading answers, where votes for the better one come
    with a known chance p: it errs with 1 / (1 + (p / (1 - p))^k). The vote on each step in MAKER
    (Meyerson et al. 2025, arXiv:2511.09030) is this one: see `step_votes`, and
    `workspan.search.ahead.lead_needed` for the k that an error rate takes. The lead is looked at
    after each `batch`.
    """

    k: int = 4
    n: int = 64
    batch: int = 1
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="ahead_by(k=2, n=5, batch=2, max_tokens=100)",
        source="arXiv:2511.09030",
        family="adaptive",
        parameters={
            "k": "Votes by which the leader must be ahead.",
            "n": "Samples, at most.",
            "batch": "Samples drawn at once.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / batch) * max_tokens",
        is_most=True,
        helps="Answers of which two at most are likely; a rule that needs no prior.",
        hurts="Many answers of about the same share: a lead of k by chance ends it.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, k=self.k)
        check_rounds(self)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw in rounds of `batch` until the lead is long enough or n are drawn."""
        return await vote_until(self, problem, session, self._is_enough)

    async def _is_enough(self, vote: Answer, _: list[Candidate]) -> bool:
        return lead(tally(vote)) >= self.k
