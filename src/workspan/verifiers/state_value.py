"""The value of a state: can what stands so far still become a correct solution?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Message, Problem, Request
from workspan.errors import VerifierError, at_least
from workspan.registry.card import Card
from workspan.verifiers.spoken import ROOM, excerpt, is_whole
from workspan.verifiers.verdict import word

EVALUATE = (
    "The text above may be only the beginning of a solution. Can it still lead to a correct final "
    "answer, or is the answer that it gives correct? Reply with one line and nothing else, which "
    "is Verdict: and one of the words sure, likely or impossible."
)
_WORTH = {"sure": 20.0, "likely": 1.0, "impossible": 0.001}


@dataclass(frozen=True)
class StateValue:
    """Ask for sure, likely or impossible, for whole answers and beginnings (arXiv:2305.10601).

    Tree of Thoughts' value prompt, in general words. The weights 20, 1 and 0.001 of the authors'
    code are averaged over the verdicts of `samples` replies (3 there), scaled so that 1 is "sure"
    each time. A reply without one is left out, where the authors' code takes it for a 0.
    """

    samples: int = 3
    max_tokens: int = ROOM
    """Of each reply, thinking and verdict together; see `spoken.ROOM`."""
    temperature: float = 0.7
    effort: str | None = None
    """Of reasoning, passed to engines that have the setting."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="state_value",
        source="arXiv:2305.10601",
        parameters={
            "samples": "Replies that are averaged.",
        },
        calls="samples",
        work="samples * max_tokens",
        span="max_tokens",
        helps="States of a puzzle that can be seen to lead nowhere.",
        hurts="Whole answers: three words can't grade them.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, samples=self.samples, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Ask for all replies at once."""
        turns = (Message("assistant", candidate.text), Message("user", EVALUATE))
        request = Request(
            (*problem.prompt, *turns),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            reasoning_effort=self.effort,
        )
        replies = await session.samples(request, self.samples)
        read = [word(reply.text, [*_WORTH], finished=is_whole(reply)) for reply in replies]
        words = [one for one in read if one is not None]
        if not words:
            raise VerifierError(f"no sure, likely or impossible: {excerpt(replies[0])}")
        total = sum(_WORTH[one] for one in words)
        return Score(total / (_WORTH["sure"] * len(words)), ", ".join(words))
