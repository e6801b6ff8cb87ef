"""One strategy after another: the second goes on from the answer of the first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy
from workspan.data.budget import Budget
from workspan.data.types import Answer, Message, Problem
from workspan.errors import within
from workspan.registry.card import Card

AGAIN = (
    "That was a first attempt, and it may be wrong. Solve the problem again: keep what is right in "
    "it, correct what is not, and give the final answer in the same form."
)


@dataclass(frozen=True)
class Then:
    """Run one strategy, then another on the problem with the first one's answer before it.

    The first may use `share` of the work and span that are left. Where the second comes to no
    answer, that of the first stands; where the first does, the second starts afresh.
    """

    first: Strategy
    second: Strategy
    share: float = 0.5
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="then(single(max_tokens=60), self_revision(turns=1, max_tokens=60), share=0.6)",
        source="this package",
        family="hybrid",
        parameters={
            "share": "Of the work and span that are left, for the first.",
            "first": "Drafts.",
            "second": "Goes on from the draft.",
        },
        calls="first.calls + second.calls",
        work="first.work + second.work",
        span="first.span + second.span",
        is_most=True,
        helps="To draft by one strategy and mend by another.",
        hurts="A second strategy that ignores what stands before it: the first was paid in vain.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        within(0, 1, share=self.share)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draft on a share of the budget, then go on from the draft."""
        left = session.left()
        part = Budget(
            work=None if left.work is None else int(left.work * self.share),
            span=None if left.span is None else int(left.span * self.share),
        )
        draft = await session.attempt(self.first, problem, part)
        if draft.best is None:
            return await session.attempt(self.second, problem)
        session.best(draft.best)
        turns = (Message("assistant", draft.best.text), Message("user", AGAIN))
        again = replace(problem, prompt=(*problem.prompt, *turns))
        answer = await session.attempt(self.second, again)
        return draft if answer.best is None else answer
