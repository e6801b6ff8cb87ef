"""A single chain: one sample, taken as it comes."""

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
class Single:
    """Draw one chain of thought and take its answer (Wei et al. 2022, arXiv:2201.11903)."""

    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="single(max_tokens=300)",
        source="arXiv:2201.11903",
        family="sequential",
        calls="1",
        work="max_tokens",
        span="max_tokens",
        helps=(
            "Problems that one chain solves, or whose answers take serial work: nothing is spent "
            "on breadth."
        ),
        hurts="Problems that go wrong by chance, where a second chain would not.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw once."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        return await session.vote(read(problem, [await session.sample(request)]), problem.kind)
