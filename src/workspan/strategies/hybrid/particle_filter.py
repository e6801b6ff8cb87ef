"""Particle filtering: partial solutions resampled by their scores, as a posterior is sampled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session, Verifier
from workspan.data.types import Answer, Problem
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.resampling import Resampling
from workspan.strategies.hybrid.particles import Choice, conclude, sweep
from workspan.strategies.hybrid.steps import Steps
from workspan.verifiers.step_judge import StepJudge


@dataclass(frozen=True)
class ParticleFilter:
    """Carry N particles step by step and resample all after each, by the odds of their scores.

    Puri et al. (2025, arXiv:2502.01618): `n` is N (up to 128 there), temperature 0.8. A score r
    becomes the log-weight ln(r / (1 - r)), as in its-hub, the authors' code. As there, finished
    particles are resampled with the others and the best of the last population answers; unlike
    there, that population is not resampled once more before the choice, which could only lose it.
    """

    n: int = 8
    verifier: Verifier = field(default_factory=StepJudge)
    resampling: Resampling = "multinomial"
    choice: Choice = "best"
    step_tokens: int = 256
    max_steps: int = 40
    temperature: float = 0.8
    requires: ClassVar[frozenset[Capability]] = frozenset({"continue"})
    card: ClassVar[Card] = Card(
        example="particle_filter(n=3, step_tokens=30, max_steps=3)",
        source="arXiv:2502.01618",
        family="hybrid",
        parameters={
            "n": "Particles.",
            "resampling": "How particles are drawn anew.",
            "choice": "The best particle, or a vote that scores weigh.",
        },
        calls="n * max_steps * (1 + verifier.calls)",
        work="n * max_steps * (step_tokens + verifier.work)",
        span="max_steps * (step_tokens + verifier.span)",
        is_most=True,
        helps="Process verifiers that are wrong at times: chance keeps paths that they misjudge.",
        hurts="Few particles: after some steps all descend from one.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, step_tokens=self.step_tokens, max_steps=self.max_steps)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Sweep once, then choose."""
        steps = Steps(problem, session, self.verifier, self.step_tokens, self.temperature)
        particles = await sweep(steps, self.n, self.max_steps, self.resampling)
        return await conclude(steps, particles, self.choice)
