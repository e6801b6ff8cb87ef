"""Self-consistency: many chains side by side, and the most common answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.reading import read


@dataclass(frozen=True)
class SelfConsistency:
    """Sample m chains and marginalise them out by a vote (Wang et al. 2023, arXiv:2203.11171).

    `n` is the paper's m (40 there), `temperature` its T (0.5 to 0.7 there).
    """

    n: int = 8
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="self_consistency(n=5, max_tokens=300)",
        source="arXiv:2203.11171",
        family="parallel",
        parameters={
            "n": "Chains that vote.",
        },
        calls="n",
        work="n * max_tokens",
        span="max_tokens",
        helps=(
            "Answers that can be compared, from a model that is right more often than it is wrong "
            "in any one way."
        ),
        hurts=(
            "A model whose commonest answer is wrong: more votes make that surer. Open texts, "
            "which are all different."
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once; answers that the budget did not allow have no vote."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        samples = await session.samples(request, self.n)
        return await session.vote(read(problem, samples), problem.kind)
