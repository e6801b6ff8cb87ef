"""A model critic: the engine itself says what is wrong with a candidate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from workspan.answers.thinking import spoken
from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Message, Problem, Request
from workspan.errors import VerifierError, at_least
from workspan.registry.card import Card
from workspan.verifiers.spoken import ROOM, excerpt, is_whole

FLAWLESS = "NO MISTAKES FOUND"
"""The line by which the critic passes a candidate."""

CRITICISE = (
    "Review the solution above. Name each mistake, say where it is and how to mend it, and say "
    "what the task asks for that is missing. Do not write a new solution. If there is nothing to "
    f"mend, reply with this line and nothing else: {FLAWLESS}"
)

_ITEM = re.compile(r"^\s{0,8}(?:[-*•]|\d{1,3}[.)])\s+\S", re.MULTILINE)


@dataclass(frozen=True)
class Critic:
    """Ask for feedback in a call of its own (p_fb of Self-Refine, arXiv:2303.17651).

    1 if the critic finds nothing wrong, by a fixed phrase as its last line, else 0. What it wrote
    once it had thought is the reason. No verdict: nothing written, a review that was cut before it
    could come to the phrase, and the phrase below a list of mistakes or before more words.
    """

    max_tokens: int = ROOM
    """Of thinking and review together; see `spoken.ROOM`."""
    temperature: float = 0.7
    effort: str | None = None
    """Of reasoning, passed to engines that have the setting."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="critic",
        source="arXiv:2303.17651",
        calls="1",
        work="max_tokens",
        span="max_tokens",
        helps="Revision: what it wrote is what is mended.",
        hurts="Ranking: it says only flawless or not.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:
        """Criticise one candidate in one call."""
        turns = (Message("assistant", candidate.text), Message("user", CRITICISE))
        prompt = (*problem.prompt, *turns)
        reply = await session.sample(
            Request(
                prompt,
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                reasoning_effort=self.effort,
            )
        )
        feedback = spoken(reply.text)
        if not feedback:
            raise VerifierError(f"the critic wrote {excerpt(reply)}")
        lines = [line.strip(" \t*_`#>\"'.!") for line in feedback.upper().splitlines()]
        lines = [line for line in lines if line]
        if FLAWLESS not in lines:
            if not is_whole(reply):
                raise VerifierError(f"the critic did not come to its end: {excerpt(reply)}")
            return Score(0.0, feedback)
        if lines.index(FLAWLESS) < len(lines) - 1 or _ITEM.search(feedback):
            raise VerifierError(f"the critic contradicts itself: {excerpt(reply)}")
        return Score(1.0, feedback)
