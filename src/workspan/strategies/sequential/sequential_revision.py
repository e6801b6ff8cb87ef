"""Sequential-Revision+: threads of revisions side by side, each led by an evaluator's feedback."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Candidate, Message, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.reading import begin, candidate
from workspan.verifiers.judge import Judge

AUTHOR = "Refined solution:"
CONVERSE = (
    "An evaluator gives the solution above {score} of 1 and says: {feedback}\n\n"
    "First be a critic: say what is wrong with it and what would set it right. Then be the author: "
    f"after a line '{AUTHOR}' write one new solution, whole, in the form that was asked for."
)


@dataclass(frozen=True)
class SequentialRevision:
    """Revise by critical conversation, `threads` side by side for `turns` each, best by score.

    The baseline of Mind Evolution (Lee et al. 2025, arXiv:2501.09891, section 4): 10 threads of 80
    turns there, the first a draft. The threads go turn by turn together, to stop as soon as one
    passes. Of equal scores the latest counts.
    """

    threads: int = 4
    turns: int = 4
    verifier: Verifier = field(default_factory=Judge)
    max_tokens: int = 512
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="sequential_revision(threads=2, turns=3, max_tokens=120)",
        source="arXiv:2501.09891",
        family="sequential",
        parameters={
            "threads": "Conversations side by side.",
            "turns": "Attempts of each, the draft included.",
        },
        calls="threads * turns * (1 + verifier.calls)",
        work="threads * turns * (max_tokens + verifier.work)",
        span="turns * (max_tokens + verifier.span)",
        is_most=True,
        helps="A verifier that says what is wrong, such as plan_check.",
        hurts="A verifier that gives a bare number: the reviser learns nothing.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, threads=self.threads, turns=self.turns, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draft in every thread, then revise in all until one passes."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        drafts = await begin(problem, session, request, self.threads)
        threads = seen = await session.score(self.verifier, problem, drafts)
        for _ in range(self.turns - 1):
            answer = await session.leader(seen[::-1], problem.kind)
            if answer.best is not None:
                session.best(answer.best)
                if answer.best.score == 1.0:
                    break
            revised = await session.map(partial(self._revise, problem, request), threads)
            if all(child is None for child in revised):
                break
            seen = [*seen, *(child for child in revised if child is not None)]
            pairs = zip(revised, threads, strict=True)
            threads = [child if child and child.answer else parent for child, parent in pairs]
        answer = await session.leader(seen[::-1], problem.kind)
        return answer if answer.best is not None else await session.vote(seen, problem.kind)

    async def _revise(
        self, problem: Problem, request: Request, session: Session, parent: Candidate
    ) -> Candidate | None:
        """Take one turn: critic and author in one call, then the evaluator; None if it failed."""
        score = "no score" if parent.score is None else f"{parent.score:.2f}"
        converse = CONVERSE.format(score=score, feedback=parent.feedback or "nothing")
        turns = (Message("assistant", parent.text), Message("user", converse))
        try:
            sample = await session.sample(replace(request, prompt=(*request.prompt, *turns)))
        except (BudgetExceeded, EngineError):
            return None
        solution = sample.text.rpartition(AUTHOR)[2].removeprefix("**").strip()
        child = candidate(problem, replace(sample, text=solution))
        return (await session.score(self.verifier, problem, [child]))[0]
