"""Diverse verifier tree search: independent subtrees, each greedy in its verifier's eyes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import BudgetExceeded, EngineError, at_least, first_error
from workspan.registry.card import Card
from workspan.search.steps import Path
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class Dvts:
    """Grow N/M subtrees side by side; in each, draw M next steps and go on from the best.

    DVTS (Beeching, Tunstall & Rush 2024, "Scaling test-time compute with open models", code in
    huggingface/search-and-learn): `n` is N, `width` M (4 there, 40 steps, temperature 0.8). The M
    ends of each subtree take part in a best-of-N weighted vote. Subtrees do not wait for one
    another, so the span is that of the longest.
    """

    n: int = 8
    width: int = 4
    verifier: Verifier = field(default_factory=StepJudge)
    step_tokens: int = 256
    max_steps: int = 40
    temperature: float = 0.8
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="dvts(n=4, width=2, step_tokens=30, max_steps=3)",
        source="https://github.com/huggingface/search-and-learn",
        family="hybrid",
        parameters={
            "n": "Paths of a level, in all subtrees.",
            "width": "Next steps drawn in each subtree.",
        },
        calls="n * max_steps * (1 + verifier.calls)",
        work="n * max_steps * (step_tokens + verifier.work)",
        span="max_steps * (step_tokens + verifier.span)",
        is_most=True,
        helps="As beam_search, where its paths become alike: subtrees stay apart.",
        hurts="Very few paths: each subtree is narrow.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, width=self.width)
        at_least(1, step_tokens=self.step_tokens, max_steps=self.max_steps)
        at_least(0, temperature=self.temperature)
        if self.n % self.width:
            raise ValueError(f"n is {self.n}: must be a multiple of width, {self.width}")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Grow the subtrees, then vote."""
        errors: list[BudgetExceeded | EngineError] = []

        async def subtree(session: Session, _number: int) -> list[Path]:
            """Return the last M siblings that could be drawn."""
            steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
            best, siblings = Path(), list[Path]()
            for _ in range(self.max_steps):  # not by depth: a step that was cut adds none
                if best.is_finished:
                    break
                try:
                    siblings = await steps.grow([best] * session.branches(self.width))
                except (BudgetExceeded, EngineError) as error:
                    errors.append(error)
                    break
                best = max(siblings, key=lambda path: path.score)
            return siblings

        trees = await session.map(subtree, range(session.branches(self.n // self.width)))
        paths = [path for tree in trees for path in tree]
        if not paths:
            raise first_error(errors)
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        return await steps.vote(paths)
