"""Populations of particles: one sweep from first to last step, resampled after each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

from workspan.data.types import Answer
from workspan.errors import BudgetExceeded
from workspan.search.allocation import logit, softmax
from workspan.search.resampling import RESAMPLING, Resampling
from workspan.search.steps import Path
from workspan.strategies.hybrid.steps import Steps

Choice: TypeAlias = Literal["best", "vote"]


async def sweep(
    steps: Steps, n: int, max_steps: int, resampling: Resampling, reference: Path | None = None
) -> list[Path]:
    """Carry n particles to their ends; return the last population that could be drawn.

    After each step all n are drawn anew in proportion to their weights, finished ones among them.
    A `reference` from an earlier sweep is one of the n, at each step as it was there, and is kept.

    Raises:
        BudgetExceeded: not even one first step fits.
    """
    resample, kept = RESAMPLING[resampling], [] if reference is None else [reference]
    free = steps.session.branches(n) - len(kept)
    particles = await steps.grow([Path()] * free)
    for depth in range(1, max_steps):
        if all(particle.is_finished for particle in particles):
            break
        population = [*particles, *(path.at(depth) for path in kept)]
        drawn = resample(weights(population), free, steps.session.rng)
        try:
            particles = await steps.grow([population[i] for i in drawn])
        except BudgetExceeded:
            break
    return [*particles, *kept]


def weights(particles: Sequence[Path]) -> list[float]:
    """Return the softmax of the scores' logits: each particle's share of the odds."""
    return softmax([logit(particle.score) for particle in particles])


async def conclude(steps: Steps, particles: Sequence[Path], choice: Choice) -> Answer:
    """Answer with the best particle, or by a vote that scores weigh."""
    return await (steps.choose(particles) if choice == "best" else steps.vote(particles))
