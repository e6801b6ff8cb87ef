"""Breadth × depth: n chains with cap d each, the two dials of the trade-off laid bare."""

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
class Grid:
    """Vote over `breadth` chains of at most `depth` tokens each, at most breadth × depth work.

    The matched-compute cells of "Let Me Think!" (Mirtaheri et al. 2025, arXiv:2505.21825): a chain
    that its cap cuts before it has answered abstains.
    """

    breadth: int = 4
    depth: int = 256
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="grid(breadth=4, depth=60)",
        source="arXiv:2505.21825",
        family="hybrid",
        parameters={
            "breadth": "Chains that vote.",
            "depth": "Tokens of each, at most.",
        },
        calls="breadth",
        work="breadth * depth",
        span="depth",
        helps="To see what a split is worth: every cell of a grid costs the same work.",
        hurts="Depths at which most chains are cut: they abstain.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, breadth=self.breadth, depth=self.depth)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw all chains at once, each to its cap."""
        request = Request(problem.prompt, max_tokens=self.depth, temperature=self.temperature)
        samples = await session.samples(request, self.breadth)
        return await session.vote(read(problem, samples), problem.kind)
