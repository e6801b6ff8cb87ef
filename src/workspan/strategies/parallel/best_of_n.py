"""Best-of-n: many chains side by side, and the one that a verifier likes best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.reading import read
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class BestOfN:
    """Sample N solutions and return argmax_i V(y_i) (Cobbe et al. 2021, arXiv:2110.14168).

    The verifier's calls are on the same account. Only candidates with an answer are judged; without
    a single verdict the votes decide, and the result's notices say so.
    """

    n: int = 8
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="best_of_n(n=3, max_tokens=300)",
        source="arXiv:2110.14168",
        family="parallel",
        parameters={
            "n": "Candidates.",
        },
        calls="n * (1 + verifier.calls)",
        work="n * (max_tokens + verifier.work)",
        span="max_tokens + verifier.span",
        helps=(
            "A verifier that tells right from wrong better than the vote does, such as tests or a "
            "checker."
        ),
        hurts=(
            "A judge no better than chance: the more candidates, the likelier one that only "
            "pleases it."
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, judge them at once, take the best."""
        request = Request(
            problem.prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            logprobs="logprobs" in self.verifier.requires,
        )
        candidates = read(problem, await session.samples(request, self.n))
        answered = [c for c in candidates if c.answer is not None]
        scored = await session.score(self.verifier, problem, answered)
        if all(c.score is None for c in scored):
            return await session.vote(candidates, problem.kind)
        return await session.leader(scored, problem.kind)
