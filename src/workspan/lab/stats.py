"""What a comparison on n problems can say: intervals, paired differences, power."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist, fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CONFIDENCE = 0.95
POWER = 0.8
DISAGREEMENT = 0.3
"""Share of problems on which two strategies are assumed to differ, before anything was run."""


_RESAMPLES = 9999
_EQUAL = 1e-9
"""Grades that differ by less differ by rounding."""


class Interval(NamedTuple):
    """A range that covers the true value in 95 of 100 repetitions on new problems."""

    low: float
    high: float


class Difference(NamedTuple):
    """How much one strategy is ahead of another on the same problems."""

    mean: float
    low: float
    high: float
    pairs: int
    """Problems that both have a grade for."""

    @property
    def excludes_zero(self) -> bool:
        """Say whether the interval leaves only one strategy ahead."""
        return self.low > 0 or self.high < 0


def wilson(grades: Sequence[float]) -> Interval:
    """Return the score interval of a mean of grades in [0, 1]; all of [0, 1] without any.

    It holds the mean, whatever rounding says: where all are right its end is 1, else 0.

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), Wilson 1927. For partial grades it is wider
    than need be: no variable in [0, 1] varies more than a 0/1 one of the same mean.
    """
    n = len(_sound(grades))
    if not n:
        return Interval(0.0, 1.0)
    p, z = fmean(grades), _z(CONFIDENCE)
    centre = p + z * z / (2 * n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return _around(p, (centre - spread) / scale, (centre + spread) / scale)


def paired_difference(ours: Sequence[float], theirs: Sequence[float]) -> Difference | None:
    """Return the mean of ours - theirs over the same problems; None without any.

    Right-or-wrong grades get Newcombe's interval, which keeps its coverage on few problems and has
    a width even where the two never differ; partial grades a bootstrap over the problems.
    """
    pairs = list(zip(_sound(ours), _sound(theirs), strict=True))
    if not pairs:
        return None
    if all(grade in (0, 1) for pair in pairs for grade in pair):
        low, high = _newcombe(pairs)
    else:
        low, high = _bootstrap([a - b for a, b in pairs])
    mean = fmean(a - b for a, b in pairs)
    return Difference(mean, *_around(mean, low, high, least=-1.0), len(pairs))


def problems_needed(difference: float, disagreement: float = DISAGREEMENT) -> int:
    """Return the paired problems that show a true `difference` in accuracy with 80 % power.

    (z₁ √ψ + z₂ √(ψ - δ²))² / δ² for McNemar's test at 5 %, two-sided (Connor 1987, eq. 2).

    Args:
        difference: δ, in (0, disagreement].
        disagreement: ψ, the share of problems that exactly one of the two solves.
    """
    if not 0 < difference <= disagreement <= 1:
        raise ValueError(f"{difference=} must be in (0, {disagreement=}], at most 1")
    needed = _z(CONFIDENCE) * math.sqrt(disagreement)
    needed += NormalDist().inv_cdf(POWER) * math.sqrt(disagreement - difference**2)
    return math.ceil((needed / difference) ** 2)


def detectable(problems: int, disagreement: float = DISAGREEMENT) -> float | None:
    """Return the smallest true difference that `problems` show with 80 % power, to 0.001.

    None if they could not even show that one strategy wins wherever the two differ.
    """
    steps = range(1, math.floor(disagreement * 1000 + 1e-9) + 1)
    fits = (s / 1000 for s in steps if problems_needed(s / 1000, disagreement) <= problems)
    return next(fits, None)


def _z(confidence: float) -> float:
    """Return the two-sided quantile of the normal distribution."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def _newcombe(pairs: Sequence[tuple[float, float]]) -> Interval:
    """Difference of paired proportions, Newcombe 1998 (Stat. Med. 17:2635), method 10."""
    both = sum(a == b == 1 for a, b in pairs)
    ours = sum(a > b for a, b in pairs)
    theirs = sum(a < b for a, b in pairs)
    neither = len(pairs) - both - ours - theirs
    p, first = fmean(a for a, _ in pairs), wilson([a for a, _ in pairs])
    q, second = fmean(b for _, b in pairs), wilson([b for _, b in pairs])
    phi = _phi(both, ours, theirs, neither)
    below = _third_side(p - first.low, second.high - q, phi)
    above = _third_side(first.high - p, q - second.low, phi)
    return Interval(p - q - below, p - q + above)


def _sound(grades: Sequence[float]) -> Sequence[float]:
    """Refuse what is no grade: of a NaN every interval would be a guess."""
    for grade in grades:
        if not 0 <= grade <= 1:
            raise ValueError(f"a grade of {grade}: must be from 0 to 1")
    return grades


def _around(mean: float, low: float, high: float, least: float = 0.0) -> Interval:
    """Keep an interval within what is possible, and its mean within it: rounding does neither."""
    return Interval(min(mean, max(least, low)), max(mean, min(1.0, high)))


def _third_side(a: float, b: float, cosine: float) -> float:
    """Law of cosines; rounding must not make the square negative."""
    return math.sqrt(max(0.0, a * a + b * b - 2 * cosine * a * b))


def _phi(both: int, ours: int, theirs: int, neither: int) -> float:
    """Correlation of the two outcomes, drawn toward 0 on few problems (same paper)."""
    product = (both + ours) * (theirs + neither) * (both + theirs) * (ours + neither)
    if not product:
        return 0.0
    gap = both * neither - ours * theirs
    n = both + ours + theirs + neither
    return (max(gap - n / 2, 0.0) if gap > 0 else gap) / math.sqrt(product)


def bootstrap(values: Sequence[float]) -> Interval:
    """Return the percentile bootstrap's interval of the mean of `values`, each in [0, 1].

    For grades that are means themselves, such as over several orders of a problem's chains.
    """
    if not _sound(values):
        return Interval(0.0, 1.0)
    return _around(fmean(values), *_bootstrap(values))


def mean_of_runs(values: Sequence[float]) -> Interval:
    """Return the 95 % t interval of the mean of runs, such as training seeds; two at least."""
    return _student(values, 1 / len(values))


def next_value(values: Sequence[float]) -> Interval:
    """Return where the next run's value will lie, of two runs at least; of 20, 19 do.

    mean ± t s √(1 + 1/n), Student's prediction interval (Hahn and Meeker, *Statistical Intervals*).
    """
    return _student(values, 1 + 1 / len(values))


def _student(values: Sequence[float], variance: float) -> Interval:
    """Return mean ± t s √variance, for values of one normal distribution."""
    from scipy.stats import t

    mean, quantile = fmean(values), float(t.ppf((1 + CONFIDENCE) / 2, len(values) - 1))
    spread = quantile * stdev(values) * math.sqrt(variance)
    return Interval(mean - spread, mean + spread)


def _bootstrap(differences: Sequence[float]) -> Interval:
    """Percentile bootstrap of the mean; equal differences say nothing about those not seen."""
    if max(differences) - min(differences) < _EQUAL:
        value = fmean(differences)
        elsewhere = 1 - (1 - CONFIDENCE) ** (1 / len(differences))  # more would have shown up
        return Interval(value - elsewhere * (1 + value), value + elsewhere * (1 - value))
    import numpy as np  # heavy: only where partial grades need it

    means = np.sort(np.concatenate([*_resampled(np.asarray(differences))]))
    tail = (1 - CONFIDENCE) / 2
    return Interval(_quantile(means, tail), _quantile(means, 1 - tail))


def _quantile(ordered: NDArray[np.float64], part: float) -> float:
    """Return a linear quantile (Hyndman and Fan's seventh), rounded as SciPy rounds it."""
    n = len(ordered)
    place = part * n + (1 - part)
    above = place % 1
    low, high = ordered[int(place) - 1], ordered[min(int(place), n - 1)]
    return float((1 - above) * low + above * high)


def _resampled(values: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield means of resamples, drawn as `scipy.stats.bootstrap` draws them, which loads slowly."""
    import numpy as np

    rng, n = np.random.default_rng(0), len(values)
    at_once = max(1, 2_000_000 // n)  # bounds the memory
    for first in range(0, _RESAMPLES, at_once):
        chosen = rng.integers(0, n, (min(at_once, _RESAMPLES - first), n))
        yield values[chosen].mean(axis=-1)
