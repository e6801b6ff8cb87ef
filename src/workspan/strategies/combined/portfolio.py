"""Different strategies side by side, and a vote over their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy
from workspan.data.types import Answer, Problem
from workspan.errors import EngineError
from workspan.registry.card import Card
from workspan.strategies.combined.shares import evenly


@dataclass(frozen=True)
class Portfolio:
    """Give several strategies equal shares of the work, and their answers one vote each.

    An algorithm portfolio (Huberman, Lukose and Hogg 1997; Gomes and Selman 2001) hedges against
    the wrong choice. Of answers that tie, that of the strategy named first is taken.
    """

    arms: tuple[Strategy, ...]
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="portfolio(single(max_tokens=60), grid(breadth=2, depth=40))",
        source="doi:10.1126/science.275.5296.51",
        family="hybrid",
        parameters={
            "arms": "What is run, side by side.",
        },
        calls="sum(arms.calls)",
        work="sum(arms.work)",
        span="max(arms.span)",
        is_most=True,
        helps="It is not known which strategy fits: none is right on all problems.",
        hurts="One strategy that is known to be best: the others take its budget and outvote it.",
    )

    def __post_init__(self) -> None:
        """Refuse an empty portfolio."""
        if not self.arms:
            raise ValueError("name at least one strategy, such as portfolio(single, grid)")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Run all arms at once; one that fails has no vote."""
        part = evenly(session.left(), len(self.arms))

        async def run(arm: Session, strategy: Strategy) -> Answer | EngineError:
            try:
                return await arm.attempt(strategy, problem, part)
            except EngineError as error:
                return error

        ends = await session.map(run, self.arms)
        answers = [end for end in ends if isinstance(end, Answer)]
        if not answers:
            raise next(end for end in ends if isinstance(end, EngineError))
        found = [answer.best for answer in answers if answer.best is not None]
        return await session.vote(found, problem.kind)
