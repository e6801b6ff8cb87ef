"""Particle Gibbs: particle filters in turn, each holding on to one particle of the last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import BudgetExceeded, at_least
from workspan.registry.card import Card
from workspan.search.resampling import Resampling
from workspan.search.steps import Path
from workspan.strategies.hybrid.particles import Choice, conclude, sweep, weights
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class ParticleGibbs:
    """Filter `iterations` times; a reference drawn from each population takes part in the next.

    Puri et al. (2025, arXiv:2502.01618), after Andrieu, Doucet & Holenstein (2010): the reference
    is kept through every resampling, where the others may be drawn from it as it was at that step;
    without ancestor sampling, as in its-hub. N = `n` particles an iteration, the reference one of
    them. All populations take part in the choice; its-hub looks at the last one only.
    """

    n: int = 4
    iterations: int = 2
    verifier: Verifier = field(default_factory=StepJudge)
    resampling: Resampling = "multinomial"
    choice: Choice = "best"
    step_tokens: int = 256
    max_steps: int = 40
    temperature: float = 0.8
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="particle_gibbs(n=2, iterations=2, step_tokens=30, max_steps=3)",
        source="arXiv:2502.01618",
        family="hybrid",
        parameters={
            "n": "Particles of an iteration, the reference included.",
            "iterations": "Sweeps.",
            "resampling": "How particles are drawn anew.",
            "choice": "The best particle, or a vote that scores weigh.",
        },
        calls="(n + (iterations - 1) * (n - 1)) * max_steps * (1 + verifier.calls)",
        work="(n + (iterations - 1) * (n - 1)) * max_steps * (step_tokens + verifier.work)",
        span="iterations * max_steps * (step_tokens + verifier.span)",
        is_most=True,
        helps="As particle_filter, with work left for a second look at what a first one found.",
        hurts="Latency: the iterations wait for one another.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(2, n=self.n)
        at_least(1, iterations=self.iterations, max_steps=self.max_steps)
        at_least(1, step_tokens=self.step_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Sweep, keep a reference, sweep again; then choose."""
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        reference: Path | None = None
        everyone: list[Path] = []
        for _ in range(self.iterations):
            try:
                swept = await sweep(steps, self.n, self.max_steps, self.resampling, reference)
            except BudgetExceeded:
                break
            everyone += [path for path in swept if path is not reference]
            reference = session.rng.choices(swept, weights(swept))[0]
        return await conclude(steps, everyone, self.choice)
