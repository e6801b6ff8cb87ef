"""Plan, then execute: a plan with a confidence at each step, and a call that carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Message, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.reading import candidate
from workspan.strategies.sequential.re_reading import AGAIN

PLAN = (
    "\n\nFor now give a short plan for it, in steps, without the final answer. With each step say "
    "how sure you are that it is right and that you can carry it out."
)
EXECUTE = (
    "Carry out this plan step by step to the final answer, in the form that was asked for. Be most "
    "careful where you are least sure."
)


@dataclass(frozen=True)
class PlanAndExecute:
    """Make a plan, say how sure each step is, and carry it out in a second call.

    Steps 1 and 2 of CePO (Cerebras 2024, in optillm), after Plan-and-Solve (Wang et al. 2023,
    arXiv:2305.04091). A plan or solution that its cap cuts is drawn again, up to `tries` in all;
    the last stands. Temperatures 0.55 and 0.25, 4,096 tokens a call there.
    """

    tries: int = 2
    plan_tokens: int = 256
    max_tokens: int = 512
    plan_temperature: float = 0.55
    temperature: float = 0.25
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="plan_and_execute(plan_tokens=100, max_tokens=150)",
        source="arXiv:2305.04091",
        family="sequential",
        parameters={
            "tries": "Times that a cut plan or solution is drawn, at most.",
            "plan_tokens": "Tokens of the plan, at most.",
            "plan_temperature": "Of the plan's sampling.",
        },
        calls="2 * tries",
        work="tries * (plan_tokens + max_tokens)",
        span="tries * (plan_tokens + max_tokens)",
        is_most=True,
        helps="Problems of several steps that a model otherwise leaves out.",
        hurts="Easy problems: the plan costs as much as the answer.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, tries=self.tries, plan_tokens=self.plan_tokens, max_tokens=self.max_tokens)
        at_least(0, plan_temperature=self.plan_temperature, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Try until a plan and its solution are whole; a plan alone is no answer."""
        *before, question = problem.prompt
        asked = question.saying(AGAIN.format(question=question.text) + PLAN)
        drawn: list[Candidate] = []
        for _ in range(self.tries):
            try:
                plan = await session.sample(
                    Request((*before, asked), "", self.plan_tokens, self.plan_temperature)
                )
                drawn.append(Candidate(plan.text, None, key=plan.key))
                if plan.finish == "length":
                    continue
                turns = (asked, Message("assistant", plan.text), Message("user", EXECUTE))
                solution = await session.sample(
                    Request((*before, *turns), "", self.max_tokens, self.temperature)
                )
            except (BudgetExceeded, EngineError):
                if not drawn:
                    raise
                break
            drawn.append(candidate(problem, solution))
            if solution.finish == "stop":
                break
        answered = [c for c in drawn if c.answer is not None]
        return Answer(answered[-1] if answered else None, tuple(drawn))
