"""A model judge of steps: the engine itself rates a solution that may not be complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.verifiers.judge import FORM, Judge
from workspan.verifiers.spoken import ROOM

RATE_STEPS = (
    "The solution above may not be complete. How likely are its steps so far to be correct and to "
    f"lead to the right answer? {FORM}"
)


@dataclass(frozen=True)
class StepJudge:
    """Rate the steps so far from 0 to 10, scaled to [0, 1].

    Tree of Thoughts' value prompt (Yao et al. 2023, arXiv:2305.10601) in the form of `judge`: one
    rating of the whole partial solution, not one for each step. No rating is no verdict.
    """

    max_tokens: int = ROOM
    """Of thinking and verdict together; see `spoken.ROOM`."""
    temperature: float = 0.0
    effort: str | None = None
    """Of reasoning, passed to engines that have the setting."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="step_judge",
        source="arXiv:2305.10601",
        calls="1",
        work="max_tokens",
        span="max_tokens",
        helps="Searches of steps without a reward model.",
        hurts="Small models: they rate most beginnings alike.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Rate one partial or whole solution in one call."""
        judge = Judge(self.max_tokens, self.temperature, RATE_STEPS, self.effort)
        return await judge(problem, candidate, session)
