"""The least that can be asked of a candidate: that it holds an answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.registry.card import Card


@dataclass(frozen=True)
class Answered:
    """Pass whatever holds an answer: for strategies that go on until one passes. Costs nothing."""

    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="answered",
        source="this package",
        calls="0",
        work="0",
        span="0",
        helps="Strategies that go on until there is any answer.",
        hurts="Choosing: all answers are equal to it.",
    )

    async def __call__(self, problem: Problem, candidate: Candidate, session: Session) -> Score:  # noqa: ARG002  # the protocol's
        """Return 1 with an answer and 0 without one."""
        if candidate.answer is None:
            return Score(0.0, "no answer could be read")
        return Score(1.0)
