"""What claims are made of: values by problem, their means, differences and 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from workspan.claims.base import Row
from workspan.lab.stats import bootstrap, paired_difference

if TYPE_CHECKING:
    from workspan.batch.compare import Comparison

Floats: TypeAlias = NDArray[np.float64]

RESAMPLES = 1000


def graded(done: Comparison, names: Sequence[str]) -> dict[str, Floats]:
    """Return the grade of each problem by each strategy, under names in the strategies' order."""
    return {
        name: np.array([t.grade.correct if t.grade else 0.0 for t in done.of(written)])
        for name, written in zip(names, done.strategies, strict=True)
    }


def row(what: str, values: Floats) -> Row:
    """Return a mean over problems of values in [0, 1], and its 95 % interval."""
    return Row(what, float(values.mean()), *bootstrap(values.tolist()))


def gap(ours: Floats, theirs: Floats) -> tuple[float, float, float]:
    """Return how far `ours` is ahead on the same problems, and its 95 % interval."""
    found = paired_difference(ours.tolist(), theirs.tolist())
    if found is None:
        raise ValueError("a difference needs problems")
    return found.mean, found.low, found.high


def mean_interval(values: Floats, seed: int) -> tuple[float, float, float]:
    """Return a mean over problems of any values, and its 95 % bootstrap interval."""
    means = values[resampled(len(values), seed)].mean(axis=1)
    return float(values.mean()), *interval(means)


def interval(values: Floats) -> tuple[float, float]:
    """Return the 95 % percentiles of a statistic's resamples."""
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


def resampled(problems: int, seed: int) -> NDArray[np.int64]:
    """Draw problems with replacement: [resample, problem]."""
    return np.random.default_rng(seed).integers(problems, size=(RESAMPLES, problems))
