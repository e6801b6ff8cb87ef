"""Ratios of paired measurements with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """Geometric mean of the ratios of paired runs, and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


def ratio(taken: Sequence[float], reference: Sequence[float], seed: int = 0) -> Ratio:
    """Compare runs pair by pair: each pair was made in one round, under the same load.

    The interval is the percentile bootstrap over rounds (Efron 1979), 10 000 resamples.
    """
    import numpy as np

    logs = np.log(np.asarray(taken) / np.asarray(reference))  # float64 [rounds]
    rng = np.random.default_rng(seed)
    rounds = rng.integers(0, len(logs), (10_000, len(logs)))
    means = logs[rounds].mean(axis=1)  # float64 [resamples]
    low, high = np.quantile(means, [0.025, 0.975])
    return Ratio(float(np.exp(logs.mean())), float(np.exp(low)), float(np.exp(high)))
