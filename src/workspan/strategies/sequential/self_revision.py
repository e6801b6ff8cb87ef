"""Self-revision: one attempt, then the same model improves on it, turn after turn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Message, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.reading import begin, candidate

REVISE = (
    "Check the solution above step by step. If there is a mistake, correct it; if there is none, "
    "keep the result. Give the final answer again in the same form."
)


@dataclass(frozen=True)
class SelfRevision:
    """Revise the last attempt `turns` times and take the last answer given.

    Sequential revision as in Snell et al. (2024, arXiv:2408.03314, section 6), by prompting instead
    of a fine-tuned reviser. Each turn re-reads the attempt before it, which is charged as prefill.
    """

    turns: int = 3
    max_tokens: int = 512
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="self_revision(turns=2, max_tokens=200)",
        source="arXiv:2408.03314",
        family="sequential",
        parameters={
            "turns": "Revisions after the first attempt.",
        },
        calls="turns + 1",
        work="(turns + 1) * max_tokens",
        span="(turns + 1) * max_tokens",
        helps="First attempts that are nearly right: hard to find, easy to mend.",
        hurts=(
            "Models that talk themselves out of right answers; nothing tells them which are wrong."
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_tokens=self.max_tokens)
        at_least(0, turns=self.turns, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draft, then revise while the budget lasts."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        attempts = await begin(problem, session, request, 1)
        for _ in range(self.turns):
            last = attempts[-1].text
            turns = (Message("assistant", last), Message("user", REVISE))
            try:
                sample = await session.sample(replace(request, prompt=(*problem.prompt, *turns)))
            except (BudgetExceeded, EngineError):
                break
            attempts.append(candidate(problem, sample))
        answered = [attempt for attempt in attempts if attempt.answer is not None]
        return Answer(answered[-1] if answered else None, tuple(attempts))
