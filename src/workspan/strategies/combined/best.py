"""The same strategy several times, and the answer that a verifier likes best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Strategy, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import EngineError, at_least, within
from workspan.registry.card import Card
from workspan.strategies.combined.shares import evenly
from workspan.verifiers.judge import Judge


@dataclass(frozen=True)
class Best:
    """Run a strategy n times side by side and take the answer with the highest score.

    Best-of-n (arXiv:2110.14168) over whole strategies: trees, revisions or votes instead of
    chains. Each has an equal share of the work; without a single verdict the votes decide, and the
    result's notices say so.
    """

    strategy: Strategy
    n: int = 4
    verifier: Verifier = field(default_factory=Judge)
    share: float = 0.8
    """Of the work that is left, for all runs together; the verifier has the rest."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="best(self_revision(turns=1, max_tokens=60), n=2)",
        source="arXiv:2110.14168",
        family="hybrid",
        parameters={
            "strategy": "What is run.",
            "n": "Runs, side by side.",
        },
        calls="n * (strategy.calls + verifier.calls)",
        work="n * (strategy.work + verifier.work)",
        span="strategy.span + verifier.span",
        is_most=True,
        helps="Whole searches or revisions that end at different answers, and a verifier for them.",
        hurts="Tight budgets: each run has an n-th of the work.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n)
        within(0, 1, share=self.share)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Run all at once, judge what they answer, take the best."""
        part = evenly(session.left(), self.n, self.share)

        async def one(run: Session, _: int) -> Answer:
            try:
                return await run.attempt(self.strategy, problem, part)
            except EngineError:
                return Answer(None)

        answers = await session.map(one, range(session.branches(self.n)))
        found = [answer.best for answer in answers if answer.best is not None]
        if not found:
            return Answer(None)
        session.best(found[0])
        scored = await session.score(self.verifier, problem, found)
        if all(candidate.score is None for candidate in scored):
            return await session.vote(found, problem.kind)
        return await session.leader(scored, problem.kind)
