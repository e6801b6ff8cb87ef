"""Adaptive-Consistency: draw votes until the leader is ahead with enough confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem
from workspan.errors import within
from workspan.registry.card import Card
from workspan.search.stopping import beta_confidence, dirichlet_confidence
from workspan.strategies.adaptive.rounds import check_rounds, tally, vote_until


@dataclass(frozen=True)
class AdaptiveConsistency:
    """Vote, and stop once P(the leader is the mode) exceeds C_thresh (arXiv:2305.11860).

    Aggarwal et al. 2023: `n` is their k, `threshold` C_thresh. `prior` "beta" compares the two
    leading answers, "dirichlet" the five leading ones. The paper draws one sample at a time, which
    makes span equal work; `batch` draws several at once between two looks.
    """

    n: int = 40
    threshold: float = 0.95
    prior: Literal["beta", "dirichlet"] = "beta"
    batch: int = 1
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="adaptive_consistency(n=5, threshold=0.8, batch=2, max_tokens=100)",
        source="arXiv:2305.11860",
        family="adaptive",
        parameters={
            "n": "Samples, at most.",
            "threshold": "Probability of the leader at which it stops.",
            "prior": "Over the two leading answers, or the five leading ones.",
            "batch": "Samples drawn at once.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / batch) * max_tokens",
        is_most=True,
        helps="Many problems of which most are easy: those end after a few samples.",
        hurts="Latency, at batch 1: samples are drawn one after another.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        check_rounds(self)
        within(0, 1, threshold=self.threshold)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw in rounds of `batch` until the rule is content or n are drawn."""
        return await vote_until(self, problem, session, self._is_enough)

    async def _is_enough(self, vote: Answer, _: list[Candidate]) -> bool:
        counts = tally(vote)
        if not counts:
            return False
        if self.prior == "dirichlet":
            return dirichlet_confidence(counts) > self.threshold
        first, second = [*counts, 0][:2]
        return beta_confidence(first, second) > self.threshold
