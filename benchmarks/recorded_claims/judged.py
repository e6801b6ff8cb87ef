"""From differences by problem to a row of the evidence map."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from workspan.lab.map.rows import Part, Row, of_parts, this_machine
from workspan.lab.stats import paired_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DATA = Path(__file__).parents[3] / "shared" / "data"
COMMAND = "python -m benchmarks.recorded_claims"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is claimed, and the line that each of its differences must lie above."""

    name: str
    idea: str
    claim: str
    source: str
    statistic: str
    budget: str
    why: str
    line: float = 0.0


@dataclass(frozen=True, slots=True)
class Sides:
    """Two sides on the same problems, by problem."""

    ours: Floats
    theirs: Floats

    @property
    def values(self) -> Floats:
        """How far ours is ahead."""
        return self.ours - self.theirs


def judge(asked: Asked, model: str, sides: Mapping[str, Sides]) -> Row:
    """Judge a claim on one model by every part: held if all hold.

    Args:
        asked: what is claimed.
        model: whose recordings.
        sides: the parts, by what they are of.
    """
    parts = [Part(what, *_ahead(one)) for what, one in sides.items()]
    pooled = Part("all parts", *_ahead(_pooled([*sides.values()])))
    return Row(
        name=asked.name,
        idea=asked.idea,
        claim=asked.claim,
        source=asked.source,
        verdict=of_parts(parts, pooled, asked.line),
        statistic=asked.statistic + (", mean of its parts" if len(parts) > 1 else ""),
        line=asked.line,
        found=pooled.found,
        low=pooled.low,
        high=pooled.high,
        problems=len(_pooled([*sides.values()]).ours),
        budget=asked.budget,
        model=model,
        kind="model",
        command=f"{COMMAND} {asked.name}",
        measured=time.time(),
        machine=this_machine(),
        why=asked.why,
        parts=(*parts, *_beside(sides)),
    )


def _pooled(sides: Sequence[Sides]) -> Sides:
    """Put parts together: their mean where they are of the same problems, else one after another.

    Parts of one number of problems are of the same ones, or of as many of each kind.
    """
    join = np.concatenate if len({len(one.ours) for one in sides}) > 1 else _averaged
    return Sides(join([one.ours for one in sides]), join([one.theirs for one in sides]))


def _averaged(values: Sequence[Floats]) -> Floats:
    mean: Floats = np.mean(values, axis=0)
    return mean


def _beside(sides: Mapping[str, Sides]) -> list[Part]:
    """Say both sides of each part."""
    return [
        Part(f"{what}: {name}", *_mean(values))
        for what, one in sides.items()
        for name, values in (("the first", one.ours), ("the second", one.theirs))
    ]


def _mean(values: Floats) -> tuple[float, float, float]:
    found = paired_difference(values.tolist(), [0.0] * len(values))
    assert found is not None
    return found.mean, found.low, found.high


def _ahead(one: Sides) -> tuple[float, float, float]:
    found = paired_difference(_bounded(one.ours), _bounded(one.theirs))
    assert found is not None
    return found.mean, found.low, found.high


def _bounded(values: Floats) -> Sequence[float]:
    bounded: list[float] = np.clip(values, 0.0, 1.0).tolist()
    return bounded
