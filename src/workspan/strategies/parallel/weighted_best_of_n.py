"""Weighted best-of-n: a vote in which each chain counts as much as a verifier trusts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import fmean
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.reading import read
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class WeightedBestOfN:
    """Return argmax_a of the sum of V(y_i) over the y_i that answer a (Li et al. 2023, DiVeRSe).

    arXiv:2206.02336; the form that Snell et al. (2024, arXiv:2408.03314) call best-of-N weighted.
    A candidate without a verdict weighs what one with a verdict does on average: nothing was said
    against it. Without a single verdict each has one vote, and the result's notices say so.
    """

    n: int = 8
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="weighted_best_of_n(n=3, max_tokens=300)",
        source="arXiv:2206.02336",
        family="parallel",
        parameters={
            "n": "Candidates.",
        },
        calls="n * (1 + verifier.calls)",
        work="n * (max_tokens + verifier.work)",
        span="max_tokens + verifier.span",
        helps=(
            "A verifier that is right on the whole but not each time: the votes outweigh its slips."
        ),
        hurts="A verifier that is sure, such as tests: best_of_n follows it, and a vote may not.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, judge them at once, add up the scores of equal answers."""
        request = Request(
            problem.prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            logprobs="logprobs" in self.verifier.requires,
        )
        candidates = read(problem, await session.samples(request, self.n))
        answered = [c for c in candidates if c.answer is not None]
        scored = await session.score(self.verifier, problem, answered)
        known = [c.score for c in scored if c.score is not None]
        if not known:
            return await session.vote(candidates, problem.kind)
        usual = fmean(known)
        weights = [usual if c.score is None else c.score for c in scored]
        return await session.vote(scored, problem.kind, weights)
