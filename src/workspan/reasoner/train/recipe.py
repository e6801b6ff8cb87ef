"""What is trained on what, for how long: one frozen value for each set of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from workspan.reasoner.families.base import Family
from workspan.reasoner.families.connectivity import Bridge, Deep, Path
from workspan.reasoner.families.heavy import Heavy

AnyFamily: TypeAlias = Family[Any]

RAMP = 0.3
"""Share of the steps, from a kind's begin, after which every size of it is trained on."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the mixture: problems of one kind, from small to large."""

    weight: float
    sizes: Sequence[AnyFamily]
    """From easy to hard. The first is trained on from `begins`, the last from `RAMP` later on."""
    begins: float = 0.0
    """Share of the steps before it. What is hard to read hides the step that all else waits for:
    with bridges from the start, no edge was followed after 1,150 steps; without, after 600."""

    def draw(self, progress: float, rng: Random) -> AnyFamily:
        """Draw a size that the curriculum allows at `progress`, in [0, 1]."""
        ramp = min((progress - self.begins) / RAMP, 1.0)
        allowed = 1 + int(ramp * (len(self.sizes) - 1))
        return self.sizes[rng.randrange(allowed)]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run: data, sizes, optimiser. The defaults are those of the shipped weights."""

    name: str
    shares: tuple[Share, ...]
    steps: int
    seed: int = 0
    d: int = 128
    layers: int = 4
    heads: int = 4
    ff: int = 256
    tokens: int = 5000
    """In a batch of one family and size; a step sums the gradients of `batches`."""
    batches: int = 1
    chains: int = 4
    """Chains behind each prompt: they share its computation."""
    probes: int = 3
    """Forced answers at random cuts of each chain, to be answered by ``?``."""
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    warm_up: int = 50
    hold: float = 0.3
    """Share of the steps at the full rate; from there it falls linearly to 0."""

    def draw(self, progress: float, rng: Random) -> AnyFamily:
        """Draw the family of one batch."""
        begun = [share for share in self.shares if share.begins <= progress]
        (share,) = rng.choices(begun, [share.weight for share in begun])
        return share.draw(progress, rng)

    def rate(self, step: int) -> float:
        """Return the factor on both learning rates at a 0-based step."""
        warm = min(1.0, (step + 1) / self.warm_up)
        left = (1 - step / self.steps) / (1 - self.hold)
        return min(warm, 1.0, left)


_HEAVY = (Heavy(1, 1), Heavy(1, 2), Heavy(2, 1), Heavy(1, 3), Heavy(2, 2), Heavy(1, 4), Heavy(1, 4))

GRAPHS = Recipe(
    "graphs",
    (
        Share(0.35, [Deep(d) for d in range(1, 11)]),
        Share(0.10, [Path(d) for d in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)]),
        Share(0.30, _HEAVY),
        Share(0.15, [Bridge(d) for d in (1, 2, 3, 4)], begins=0.35),
        Share(0.05, [Bridge(d, format="path") for d in (1, 2, 3, 4)], begins=0.35),
        Share(0.05, [Bridge(d, format="shortest") for d in (1, 2, 3, 4)], begins=0.35),
    ),
    steps=2600,
)
"""Connectivity in its three formats and heavy-tailed search."""

MINIATURE = Recipe(
    "miniature",
    (Share(1.0, [Path(1), Path(2)]),),
    steps=300,
    d=64,
    layers=2,
    heads=2,
    ff=128,
    tokens=1500,
    probes=1,
)
"""Small enough for a test: learns to follow one and two edges from scratch."""
