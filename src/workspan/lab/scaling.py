"""How far more budget goes: coverage as a power law, and where one strategy overtakes another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import curve_fit
from scipy.stats import hypergeom

from workspan.lab.stats import CONFIDENCE, Interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 400
_SURE = 1e-6
"""Of a coverage: 0 and 1 have no logarithm of a logarithm."""
_FURTHEST = 50.0
_MOST_TRIED = 2_000


@dataclass(frozen=True, slots=True)
class CoverageLaw:
    """Coverage of k chains as exp(-a k^-b), fitted to problems; see `fit_coverage`."""

    a: float
    """-log of the coverage of one chain."""
    b: float
    """The exponent: how fast what is not covered shrinks."""
    a_interval: Interval
    """95 % bootstrap over problems, as the next."""
    b_interval: Interval
    error: float
    """Largest difference between the law and what it was fitted to."""
    _resampled: tuple[tuple[float, float], ...]

    def at(self, k: float) -> float:
        """Return the coverage of k chains by the law."""
        return float(_law(np.asarray(float(k)), self.a, self.b))

    def interval(self, k: float) -> Interval:
        """Return the 95 % interval of the law at k; that the law holds there is assumed."""
        return _between([float(_law(np.asarray(float(k)), a, b)) for a, b in self._resampled])


class Crossover(NamedTuple):
    """Where one strategy overtakes another as the budget grows."""

    budget: float
    low: float
    """Of the 95 % bootstrap interval over problems. At the smallest budget that was run it may lie
    below it, at the largest above it."""
    high: float
    certainty: float
    """Share of the resamples in which it is ahead at the largest budget."""


def fit_coverage(
    drawn: Sequence[int], correct: Sequence[int], ks: Sequence[int] | None = None, seed: int = 0
) -> CoverageLaw:
    """Fit coverage(k) = exp(-a k^-b) to the mean unbiased pass@k of problems.

    Brown et al. 2024 (arXiv:2407.21787), sec. 3.1. Least squares (`scipy.optimize.curve_fit`) on
    the coverage itself; intervals from refits to resampled problems, since all k share their draws.

    Args:
        drawn: chains of each problem.
        correct: the right ones among them.
        ks: at which the law is fitted; powers of two up to the fewest chains unless told.
        seed: of the resampling.

    Raises:
        ValueError: fewer than two problems or three ks, or nothing or everything is covered at all
            of them: then there is no curve to fit.
    """
    fewest = min(drawn, default=0)
    ks = ks or [2**i for i in range(fewest.bit_length())]
    if len(ks) < 3 or max(ks) > fewest:
        raise ValueError("a law needs three ks, up to the fewest chains of a problem")
    n, c = np.asarray(drawn), np.asarray(correct)
    return fit_curve(ks, np.stack([1 - hypergeom.pmf(0, n, c, k) for k in ks], axis=1), seed)


def fit_curve(ks: Sequence[int], covered: Floats, seed: int = 0) -> CoverageLaw:
    """Fit the law to what is covered by k chains of each problem, [problem, k] in [0, 1].

    Raises:
        ValueError: as `fit_coverage`.
    """
    if len(covered) < 2 or len(ks) < 3:
        raise ValueError("a law needs two problems and three ks")
    at, means = np.asarray(ks, float), covered.mean(axis=0)
    if means[-1] <= 0 or means[0] >= 1:
        raise ValueError("no problem is covered, or every one by each chain: no curve to fit")
    a, b = _fit(at, means)
    rng, found = np.random.default_rng(seed), []
    for _ in range(RESAMPLES):
        again = covered[rng.integers(0, len(covered), len(covered))].mean(axis=0)
        if again[-1] > 0 and again[0] < 1:
            found.append(_fit(at, again))
    error = float(np.abs(_law(at, a, b) - means).max())
    of_a, of_b = (_between([one[i] for one in found]) for i in (0, 1))
    return CoverageLaw(a, b, of_a, of_b, error, tuple(found))


def crossover(
    budgets: Sequence[float],
    first: Sequence[Sequence[float]],
    second: Sequence[Sequence[float]],
    seed: int = 0,
) -> Crossover | None:
    """Return the budget from which on the second strategy is ahead of the first, on the mean.

    Between budgets that were run, the difference is taken to be linear in the budget's logarithm.
    The last crossing counts: from there on it stays ahead. None where it is not ahead at the
    largest budget, or is ahead at all of them.

    Args:
        budgets: ascending, above 0.
        first: grades [problem, budget] of the strategy that is ahead at small budgets.
        second: the same of the other, on the same problems.
        seed: of the resampling of problems.

    Raises:
        ValueError: the tables are of different shapes, or the budgets do not ascend.
    """
    ahead = np.asarray(second, float) - np.asarray(first, float)
    at = np.log(np.asarray(budgets, float))
    if ahead.ndim != 2 or ahead.shape[1] != len(at) or not np.all(np.diff(at) > 0):
        raise ValueError("grades are [problem, budget], and the budgets ascend")
    place = _crossing(at, ahead.mean(axis=0))
    if place is None:
        return None
    rng = np.random.default_rng(seed)
    again = [ahead[rng.integers(0, len(ahead), len(ahead))].mean(axis=0) for _ in range(RESAMPLES)]
    low, high = _between([_crossing_within(at, one) for one in again])
    ends = (float(np.exp(min(low, place))), float(np.exp(max(high, place))))
    certainty = sum(bool(one[-1] > 0) for one in again) / RESAMPLES
    return Crossover(float(np.exp(place)), *ends, certainty)


def _crossing(at: Floats, ahead: Floats) -> float | None:
    """Return where a curve is above 0 from then on; None where it ends below or never was."""
    if ahead[-1] <= 0 or (ahead > 0).all():
        return None
    last = int(np.flatnonzero(ahead <= 0)[-1])
    rise = ahead[last + 1] - ahead[last]
    return float(at[last] + (at[last + 1] - at[last]) * -ahead[last] / rise)


def _crossing_within(at: Floats, ahead: Floats) -> float:
    """Return the crossing, or the end beyond which it lies: left out it would be left unsaid."""
    place = _crossing(at, ahead)
    return place if place is not None else float(at[-1] if ahead[-1] <= 0 else at[0])


def _law(k: Floats, a: float, b: float) -> Floats:
    found: Floats = np.exp(-a * k**-b)
    return found


def _fit(ks: Floats, means: Floats) -> tuple[float, float]:
    """Fit the law, begun at the line through the logarithms; by log a, which keeps a above 0.

    Raises:
        ValueError: none comes near.
    """
    sure = np.clip(means, _SURE, 1 - _SURE)
    logs, heights = np.log(ks), np.log(-np.log(sure))
    centred = logs - logs.mean()
    slope = float((centred * heights).sum() / (centred**2).sum())
    begun = (float(heights.mean()) - slope * float(logs.mean()), -slope)
    try:
        (log_a, b), _ = curve_fit(_logged, ks, means, p0=begun, maxfev=_MOST_TRIED)
    except RuntimeError as error:
        raise ValueError(f"no such law comes near what was covered: {error}") from None
    return float(np.exp(log_a)), float(b)


def _logged(k: Floats, log_a: float, b: float) -> Floats:
    found: Floats = np.exp(-np.exp(np.clip(log_a - b * np.log(k), -_FURTHEST, _FURTHEST)))
    return found


def _between(values: Sequence[float]) -> Interval:
    """Return the interval that holds 95 % of resampled values."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(np.asarray(values), [tail, 1 - tail])
    return Interval(float(low), float(high))
