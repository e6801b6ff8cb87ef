"""Beam search over steps: a verifier keeps the best partial solutions, each goes on M ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.steps import Path
from workspan.strategies.hybrid.levels import by_levels
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class BeamSearch:
    """Draw N first steps, keep the N/M best of each level, continue each M ways.

    Snell et al. (2024, arXiv:2408.03314, section 5), without lookahead: `n` is N (up to 256 there),
    `width` M (4, or the root of N), at most 40 steps, and a best-of-N weighted vote at the end.
    Finished solutions are set aside and the search goes on until there are N, as in Hugging Face's
    search-and-learn; the paper leaves it open. A step ends at a blank line or after `step_tokens`.
    """

    n: int = 8
    width: int = 4
    verifier: Verifier = field(default_factory=StepJudge)
    step_tokens: int = 256
    max_steps: int = 40
    temperature: float = 0.8
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="beam_search(n=4, width=2, step_tokens=30, max_steps=3)",
        source="arXiv:2408.03314",
        family="hybrid",
        parameters={
            "n": "Paths of a level.",
            "width": "Children of each path that is kept.",
        },
        calls="n * max_steps * (1 + verifier.calls)",
        work="n * max_steps * (step_tokens + verifier.work)",
        span="max_steps * (step_tokens + verifier.span)",
        is_most=True,
        helps="Hard problems with few paths and a good process verifier.",
        hurts="Easy problems, and verifiers that can be fooled: all paths become alike.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, width=self.width)
        at_least(1, step_tokens=self.step_tokens, max_steps=self.max_steps)
        at_least(0, temperature=self.temperature)
        if self.n % self.width:
            raise ValueError(f"n is {self.n}: must be a multiple of width, {self.width}")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Search, then vote."""
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        return await steps.vote(await by_levels(steps, self.n, self.max_steps, self._select))

    def _select(self, paths: list[Path], _left: int) -> list[Path]:
        """Keep the N/M that scored highest, the first drawn of equals; M children each."""
        ranked = sorted(paths, key=lambda path: -path.score)
        return [path for path in ranked[: self.n // self.width] for _ in range(self.width)]
