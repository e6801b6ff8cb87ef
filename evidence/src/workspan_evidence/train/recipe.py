"""What is trained on what, for how long: one frozen value for each set of weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from workspan_evidence.families.base import Family
from workspan_evidence.families.connectivity import Bridge, Deep, Path
from workspan_evidence.families.heavy import Heavy

AnyFamily: TypeAlias = Family[Any]

WINDOW = 25
"""Steps over which the opening's loss is averaged."""

RAMP = 0.3
"""Share of the steps, from a kind's begin, after which every size of it is trained on."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the mixture: problems of one kind, from small to large."""

    weight: float
    sizes: Sequence[AnyFamily]
    """From easy to hard. The first is trained on from `begins`, the last from `RAMP` later on."""
    begins: float = 0.0
    """Share of the steps before it."""

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
    """Without the opening's."""
    seed: int = 0
    opening: tuple[AnyFamily, ...] = ()
    """All that is drawn until it is learnt. Whatever else a graph's chain needs waits for the one
    step of following an edge; it comes at once, at a different time with every seed, and may not
    come at all where larger graphs are in the mixture (one of two seeds, after 2,000 steps)."""
    opened: float = 0.3
    """The opening is over when its loss is below this in the mean of `WINDOW` steps."""
    d: int = 128
    layers: int = 4
    heads: int = 4
    ff: int = 256
    frozen: int = 0
    """The embedding and this many layers, if any, keep the weights that they begin with."""
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

    def draw(self, progress: float | None, rng: Random) -> AnyFamily:
        """Draw the family of one batch at `progress` in [0, 1); None is the opening."""
        if progress is None:
            return rng.choice(self.opening)
        shares = [share for share in self.shares if share.begins <= progress]
        (share,) = rng.choices(shares, [share.weight for share in shares])
        return share.draw(progress, rng)

    def rate(self, step: int, progress: float | None) -> float:
        """Return the factor on both learning rates at a 0-based step."""
        warm = min(1.0, (step + 1) / self.warm_up)
        left = (1 - (progress or 0.0)) / (1 - self.hold)
        return min(warm, 1.0, left)


_LENGTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16)
_HEAVY = (Heavy(1, 1), Heavy(1, 2), Heavy(2, 1), Heavy(1, 3), Heavy(2, 2), Heavy(1, 4), Heavy(1, 4))
_BRIDGES = (1, 2, 3, 4)

GRAPHS = Recipe(
    "graphs",
    (
        Share(0.24, [Deep(d) for d in range(1, 11)]),
        Share(0.08, [Path(d) for d in _LENGTHS]),
        Share(0.28, _HEAVY),
        Share(0.30, [Bridge(d) for d in _BRIDGES], begins=0.05),
        Share(0.05, [Bridge(d, format="path") for d in _BRIDGES], begins=0.05),
        Share(0.05, [Bridge(d, format="shortest") for d in _BRIDGES], begins=0.05),
    ),
    steps=2600,
    opening=(Path(1), Path(2), Deep(1)),
    tokens=2500,
    muon_rate=0.01,
    hold=0.5,
)
"""Connectivity in its three formats and heavy-tailed search."""

MINIATURE = Recipe(
    "miniature",
    (Share(1.0, [Path(1), Path(2)]),),
    steps=300,
    opening=(Path(1), Path(2)),
    opened=0.2,
    d=64,
    layers=2,
    heads=2,
    ff=64,
    tokens=1500,
    chains=1,
    probes=1,
    muon_rate=0.01,
)
"""Small enough for a test: learns to follow one and two edges from scratch, in 20 CPU-seconds."""
