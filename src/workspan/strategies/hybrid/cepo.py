"""CePO: plans carried out side by side, reviewed against each other, answered; best of n."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy, Verifier
from workspan.data.types import Answer, Candidate, Message, Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.hybrid.at_once import at_once
from workspan.strategies.reading import candidate
from workspan.strategies.sequential.plan_and_execute import PlanAndExecute
from workspan.verifiers.judge import Judge

REVIEW = (
    "Compare these solutions and find where they contradict each other. Settle each contradiction, "
    "then give one solution, step by step."
)
FINAL = "Now answer the question by this solution, in the form that was asked for."


@dataclass(frozen=True)
class CePO:
    """Plan and execute `plans` times, review, answer; all of it `n` times, best by rating.

    Cerebras Planning and Optimization (2024, in optillm): `n` is bestofn_n, `plans` planning_n,
    whose proposals come from `strategy`; 4,096 tokens a call there. Step 3 gives a refined plan in
    its text and a solution in its code: the code is followed. What need not wait runs at once.
    """

    strategy: Strategy = field(default_factory=PlanAndExecute)
    n: int = 3
    plans: int = 3
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 512
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="cepo(plan_and_execute(tries=1, max_tokens=60), n=1, plans=2, max_tokens=100)",
        source="https://github.com/codelion/optillm",
        family="hybrid",
        parameters={
            "strategy": "What proposes.",
            "n": "Whole answers, the best of which is taken.",
            "plans": "Proposals for each.",
        },
        calls="n * (plans * strategy.calls + 2 + verifier.calls)",
        work="n * (plans * strategy.work + 2 * max_tokens + verifier.work)",
        span="strategy.span + 2 * max_tokens + verifier.span",
        is_most=True,
        helps="Reasoning problems, on models that plan well but slip in carrying out.",
        hurts="Small budgets: one answer takes a dozen calls.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, plans=self.plans, max_tokens=self.max_tokens)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Complete n times, rate what holds an answer; without a rating they vote."""
        drawn = await at_once(session, partial(self._complete, problem), self.n)
        answered = [c for c in drawn if c.answer is not None]
        answer = await session.leader(
            await session.score(self.verifier, problem, answered), problem.kind
        )
        return answer if answer.best is not None else await session.vote(drawn, problem.kind)

    async def _complete(self, problem: Problem, session: Session) -> Candidate:
        """Review the proposals and answer; where that gives no answer, they vote."""
        answers = await at_once(session, partial(self.strategy, problem), self.plans)
        proposals = [one for answer in answers for one in answer.candidates[-1:]]
        texts = "\n\n".join(f"Solution {i}:\n{p.text}" for i, p in enumerate(proposals, 1))
        voted = (await session.vote(proposals, problem.kind)).best or Candidate(texts, None)
        try:
            review = await self._say(problem, session, texts, REVIEW, 0.1)
            final = candidate(problem, await self._say(problem, session, review.text, FINAL, 0.0))
        except (BudgetExceeded, EngineError):
            return voted
        return final if final.answer is not None else voted

    async def _say(
        self, problem: Problem, session: Session, said: str, asked: str, temperature: float
    ) -> Sample:
        prompt = (*problem.prompt, Message("assistant", said), Message("user", asked))
        return await session.sample(Request(prompt, "", self.max_tokens, temperature))
