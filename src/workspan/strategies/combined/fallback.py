"""One strategy, and another in its place where it comes to nothing or to no clear answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy
from workspan.data.types import Answer, Problem
from workspan.errors import EngineError, within
from workspan.registry.card import Card


@dataclass(frozen=True)
class Fallback:
    """Run one strategy; where it fails, abstains or leads by less than `margin`, run another.

    A cascade as in Yue et al. (2024, arXiv:2310.03094), where a weak agreement of cheap samples
    hands the problem on. An unclear answer stands if the second strategy has none.
    """

    first: Strategy
    second: Strategy
    margin: float = 0.0
    """Least lead, as a share of all votes; answers that were not voted on are clear."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example=(
            "fallback(self_consistency(n=2, max_tokens=60), single(max_tokens=200), margin=0.5)"
        ),
        source="arXiv:2310.03094",
        family="hybrid",
        parameters={
            "first": "Is tried.",
            "second": "Has what the first could not settle.",
        },
        calls="first.calls + second.calls",
        work="first.work + second.work",
        span="first.span + second.span",
        is_most=True,
        helps="Many easy problems and a few hard ones: the dear strategy is paid for these alone.",
        hurts="A first strategy that is wrong and sure of it: nothing is handed on.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        within(0, 1, margin=self.margin)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Try the first; hand on what it could not settle."""
        try:
            answer = await session.attempt(self.first, problem)
        except EngineError:
            answer = Answer(None)
        if answer.best is not None:
            session.best(answer.best)
            if not answer.tied and (answer.margin is None or answer.margin >= self.margin):
                return answer
        instead = await session.attempt(self.second, problem)
        return answer if instead.best is None else instead
