"""Re-reading: the question stands in the prompt twice, for any strategy to answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy
from workspan.data.types import Answer, Problem
from workspan.registry.card import Card
from workspan.strategies.sequential.single import Single

AGAIN = "{question}\nRead the question again: {question}"


@dataclass(frozen=True)
class ReReading:
    """Ask the question, then the question again, and leave the answer to `strategy`.

    RE2 (Xu et al. 2023, arXiv:2309.06275): the second pass over the input sees all of the first,
    which a model that reads one way otherwise does not. Costs prefill, no decoded token. The whole
    last turn is read again, the form asked for included, where the paper puts its instruction to
    think step by step after both.
    """

    strategy: Strategy = field(default_factory=Single)
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="re_reading(self_consistency(n=2, max_tokens=120))",
        source="arXiv:2309.06275",
        family="sequential",
        parameters={
            "strategy": "What answers the doubled question.",
        },
        calls="strategy.calls",
        work="strategy.work",
        span="strategy.span",
        is_most=True,
        helps="Questions whose parts depend on what comes later in the text.",
        hurts="Long prompts: each is read twice, and prefill is charged.",
    )

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Run the strategy on the problem with its last turn doubled."""
        *before, last = problem.prompt
        doubled = last.saying(AGAIN.format(question=last.text))
        return await self.strategy(replace(problem, prompt=(*before, doubled)), session)
