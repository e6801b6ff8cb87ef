"""Bayes-factor voting: draw votes until the odds that the leader is the mode are long enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.bayes_factor import exceeds
from workspan.strategies.adaptive.rounds import check_rounds, tally, vote_until


@dataclass(frozen=True)
class BayesFactor:
    """Vote, and stop once the Bayes factor of "the leader is the mode" is `b` (arXiv:2509.21091).

    Best-of-infinity (Komiyama et al. 2025): shares of the k answers seen and of all that were not
    are Dirichlet, the latter with 0.3 votes, and the factor is (k + 1) P / (1 - P). A tied lead
    goes on. The paper estimates P by 1,000 draws; here it is an integral, so that a run is the
    same each time. One sample at a time makes span equal work: `batch` draws several.
    """

    b: float = 100
    n: int = 64
    batch: int = 1
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="bayes_factor(b=20, n=5, batch=2, max_tokens=100)",
        source="arXiv:2509.21091",
        family="adaptive",
        parameters={
            "b": "Bayes factor at which it stops; 100 is strong evidence.",
            "n": "Samples, at most.",
            "batch": "Samples drawn at once.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / batch) * max_tokens",
        is_most=True,
        helps="Votes that should end as the vote of very many would, for as little as that takes.",
        hurts="Problems on which the mode is wrong; latency, at batch 1.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, b=self.b)
        check_rounds(self)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw in rounds of `batch` until the factor is reached or n are drawn."""
        return await vote_until(self, problem, session, self._is_enough)

    async def _is_enough(self, vote: Answer, _: list[Candidate]) -> bool:
        return exceeds(tally(vote), self.b)
