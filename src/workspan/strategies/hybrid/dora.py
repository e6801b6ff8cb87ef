"""DORA: children by score and by uniqueness, so that one idea in many words counts once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.allocation import dora, uniqueness
from workspan.search.likeness import Likeness, gram_cosines
from workspan.search.steps import Path
from workspan.strategies.hybrid.levels import by_levels, children
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class Dora:
    """Give path i children in proportion to w_i g_i, its weight times its uniqueness.

    DORA, direction-oriented resource allocation (arXiv:2506.15707): w = softmax(R / T_b) and
    g_i = softmax(S_i / T_s)_i over the cosines S of partial solutions; `balance` is T_b and
    `sharpness` T_s; 256 tokens a step. The paper embeds with BGE-M3; `likeness` counts character
    trigrams unless another is given, so T_s means less than there. Shares are rounded so that they
    add up to what is left of `n`. A PRM-weighted majority ends it.
    """

    n: int = 8
    balance: float = 0.1
    sharpness: float = 0.01
    verifier: Verifier = field(default_factory=StepJudge)
    likeness: Likeness = gram_cosines
    step_tokens: int = 256
    max_steps: int = 40
    temperature: float = 0.8
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="dora(n=4, step_tokens=30, max_steps=3)",
        source="arXiv:2506.15707",
        family="hybrid",
        parameters={
            "n": "Paths of a level.",
            "balance": "Temperature of the weights: lower favours the best.",
            "sharpness": "Temperature of likeness: lower makes more of small differences.",
            "likeness": "A function that gives cosines of texts; Python only.",
        },
        calls="n * max_steps * (1 + verifier.calls)",
        work="n * max_steps * (step_tokens + verifier.work)",
        span="max_steps * (step_tokens + verifier.span)",
        is_most=True,
        helps="As rebase, where many paths say the same: those share their children.",
        hurts="Paths that are all different: nothing is gained over rebase.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, step_tokens=self.step_tokens, max_steps=self.max_steps)
        at_least(0, temperature=self.temperature)
        at_least(0.001, balance=self.balance, sharpness=self.sharpness)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Search, then vote."""
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        return await steps.vote(await by_levels(steps, self.n, self.max_steps, self._select))

    def _select(self, paths: list[Path], left: int) -> list[Path]:
        alike = self.likeness([path.candidate.text for path in paths])
        unique = uniqueness(alike, self.sharpness)
        return children(paths, dora([path.score for path in paths], left, self.balance, unique))
