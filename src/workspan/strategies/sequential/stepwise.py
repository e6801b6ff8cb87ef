"""Step by step: a chain that grows only by steps that a verifier lets pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.search.steps import Path
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class Stepwise:
    """Draw a step, have it checked in its place, redraw it up to `retries` times, go on.

    One chain under a verifier of steps (Lightman et al. 2023, arXiv:2305.20050), which sees it up
    to and with the new step. A step below `threshold` is rejected; if all its redraws are, the one
    that scored highest stays. Without a verdict the last one holds. The chain ends at a marked
    answer, or where a step is empty because the model had ended.
    """

    max_steps: int = 16
    retries: int = 2
    threshold: float = 0.5
    verifier: Verifier = field(default_factory=StepJudge)
    step_tokens: int = 128
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="stepwise(max_steps=3, retries=1, step_tokens=60)",
        source="arXiv:2305.20050",
        family="sequential",
        parameters={
            "retries": "Redraws of a rejected step.",
            "threshold": "Score below which a step is rejected.",
        },
        calls="max_steps * (1 + retries) * (1 + verifier.calls)",
        work="max_steps * (1 + retries) * (step_tokens + verifier.work)",
        span="max_steps * (1 + retries) * (step_tokens + verifier.span)",
        is_most=True,
        helps="Long derivations with a verifier of steps that catches slips where they are made.",
        hurts=(
            "A judge of steps that is often wrong: each step is held up, and good ones are dropped."
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_steps=self.max_steps, step_tokens=self.step_tokens)
        at_least(0, retries=self.retries, threshold=self.threshold, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Grow the chain to its end; where the budget ends it, the last whole step is its end."""
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        chain = Path()
        for _ in range(self.max_steps):
            try:
                chain = await self._step(steps, chain)
            except (BudgetExceeded, EngineError):
                if not chain.depth:
                    raise
                break
            if chain.is_finished:
                break
        return await session.vote([chain.candidate], problem.kind)

    async def _step(self, steps: Steps, chain: Path) -> Path:
        """Draw the next step until one passes; the end of the chain is not judged again."""
        rejected: list[Path] = []
        for _ in range(1 + self.retries):
            try:
                [drawn] = await steps.grow([chain])
            except (BudgetExceeded, EngineError):
                if not rejected:
                    raise
                break
            if drawn.score >= self.threshold or drawn.candidate.text == chain.candidate.text:
                return drawn
            rejected.append(drawn)
        return max(rejected, key=lambda path: path.score)
