"""REBASE: better partial solutions get more children, from a width that finished ones use up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.allocation import rebase
from workspan.search.steps import Path
from workspan.strategies.hybrid.levels import by_levels, children
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class Rebase:
    """Give the open paths of a level children in proportion to softmax(R / T_b).

    REBASE, reward-balanced search (Wu et al. 2024, arXiv:2408.00724): `n` is the width, of which
    each finished solution takes one away; `balance` is T_b, 0.1 as DORA sets its own. Shares are
    rounded up and handed out from the best downward, as in the paper's code. A best-of-N weighted
    vote ends it.
    """

    n: int = 8
    balance: float = 0.1
    verifier: Verifier = field(default_factory=StepJudge)
    step_tokens: int = 256
    max_steps: int = 40
    temperature: float = 0.8
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="rebase(n=4, step_tokens=30, max_steps=3)",
        source="arXiv:2408.00724",
        family="hybrid",
        parameters={
            "n": "Paths of a level.",
            "balance": "Temperature of the shares: lower favours the best.",
        },
        calls="n * max_steps * (1 + verifier.calls)",
        work="n * max_steps * (step_tokens + verifier.work)",
        span="max_steps * (step_tokens + verifier.span)",
        is_most=True,
        helps="A graded process verifier: good paths get more children, weak ones still some.",
        hurts="Scores that hardly differ: it is then plain sampling at the price of judging.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, step_tokens=self.step_tokens, max_steps=self.max_steps)
        at_least(0, temperature=self.temperature)
        at_least(0.001, balance=self.balance)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Search, then vote."""
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        return await steps.vote(await by_levels(steps, self.n, self.max_steps, self._select))

    def _select(self, paths: list[Path], left: int) -> list[Path]:
        return children(paths, rebase([path.score for path in paths], left, self.balance))
