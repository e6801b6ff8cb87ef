"""A model judge: the engine itself rates a candidate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.answers.thinking import spoken
from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Message, Problem, Request
from workspan.errors import VerifierError, at_least
from workspan.registry.card import Card
from workspan.verifiers.spoken import ROOM, excerpt, is_whole
from workspan.verifiers.verdict import TOP, rating

FORM = (
    "Reply with one line of this form and nothing else: Rating: N\nwhere N is a whole number "
    f"from 0 (certainly wrong) to {TOP} (certainly correct)."
)
"""How a rating is asked for, so that `verdict.rating` finds its mark."""
RATE = f"How likely is the solution above to be correct? {FORM}"


@dataclass(frozen=True)
class Judge:
    """Ask for a rating from 0 to 10 and scale it to [0, 1] (Zheng et al. 2023, arXiv:2306.05685).

    A reply without a rating that is beyond doubt is no verdict: see `workspan.verifiers.verdict`. A
    small judge can be worse than a vote: compare both.
    """

    max_tokens: int = ROOM
    """Of thinking and verdict together; see `spoken.ROOM`."""
    temperature: float = 0.0
    question: str = RATE
    effort: str | None = None
    """Of reasoning, passed to engines that have the setting."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="judge",
        source="arXiv:2306.05685",
        parameters={
            "question": "What is asked below the candidate.",
        },
        calls="1",
        work="max_tokens",
        span="max_tokens",
        helps="Open texts, and models large enough to see mistakes.",
        hurts="Small models: compare it with a plain vote first.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Rate one candidate in one call."""
        turns = (Message("assistant", candidate.text), Message("user", self.question))
        reply = await session.sample(
            Request(
                (*problem.prompt, *turns),
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                reasoning_effort=self.effort,
            )
        )
        value = rating(reply.text, finished=is_whole(reply))
        if value is None:
            raise VerifierError(f"the judge gave no rating from 0 to {TOP}: {excerpt(reply)}")
        return Score(value, spoken(reply.text))
