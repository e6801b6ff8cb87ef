"""Two strategies on the same problems: tests, errors by problem, and many comparisons at once."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from statistics import NormalDist, fmean
from typing import NamedTuple

import numpy as np
from scipy import stats

from workspan.lab.stats import CONFIDENCE, Difference, paired_difference

RESAMPLES = 9_999


class McNemar(NamedTuple):
    """Which problems two strategies disagree on, and how likely that is if they are alike."""

    ours: int
    """Problems that only ours solves."""
    theirs: int
    p: float
    """Two-sided and exact; 1 where they never disagree: that is no evidence of anything."""


class Clustered(NamedTuple):
    """A mean of values that come in clusters, such as seeds of one problem."""

    mean: float
    low: float
    high: float
    error: float
    """Standard error, by cluster."""
    p: float
    """Of the mean being 0, two-sided; where all values are one, that of the interval's own test."""
    clusters: int


def mcnemar(ours: Sequence[float], theirs: Sequence[float]) -> McNemar:
    """Test right-or-wrong grades of the same problems: exactly, by the binomial of disagreements.

    McNemar 1947; exact as the sign test: of b + c disagreements each is either's with chance 1/2.

    Raises:
        ValueError: a grade is neither 0 nor 1, or the two are not of the same problems.
    """
    pairs = [*zip(ours, theirs, strict=True)]
    if not all(grade in (0, 1) for pair in pairs for grade in pair):
        raise ValueError("McNemar's test is of grades 0 and 1")
    b, c = sum(x > y for x, y in pairs), sum(x < y for x, y in pairs)
    p = float(stats.binomtest(b, b + c).pvalue) if b + c else 1.0
    return McNemar(b, c, p)


def paired_bootstrap(
    ours: Sequence[float], theirs: Sequence[float], seed: int = 0
) -> Difference | None:
    """Return the mean of ours - theirs with a bias-corrected bootstrap interval over problems.

    BCa, Efron 1987, by `scipy.stats.bootstrap`; None without any problem. Where all differences are
    equal a bootstrap sees no spread at all, and the interval is `paired_difference`'s.
    """
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    if not differences:
        return None
    if max(differences) == min(differences):
        return paired_difference(ours, theirs)
    found = stats.bootstrap(
        (np.asarray(differences),),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    mean = fmean(differences)
    low, high = min(mean, float(found.low)), max(mean, float(found.high))
    return Difference(mean, low, high, len(differences))


def clustered(
    values: Sequence[float], clusters: Sequence[Hashable], confidence: float = CONFIDENCE
) -> Clustered:
    """Return a mean with an error that counts clusters, not values: seeds of a problem are alike.

    The sandwich estimator by cluster with its correction for few clusters (Liang and Zeger 1986;
    Miller 2024, arXiv:2411.00640, for evaluations), by statsmodels; t with clusters - 1 degrees.
    Values are differences in [-1, 1]; where all are one, the interval is what was not seen.

    Raises:
        ValueError: fewer than two clusters.
    """
    from statsmodels.regression.linear_model import OLS

    numbers = {name: i for i, name in enumerate(dict.fromkeys(clusters))}
    if len(numbers) < 2:
        raise ValueError("errors by cluster need two clusters at least")
    data, groups = np.asarray(values, float), np.array([numbers[one] for one in clusters])
    if np.ptp(data) == 0:
        value = float(data[0])  # without any spread nothing is known of what was not seen
        low, high = _unseen(value, len(numbers), confidence)
        p = (1 + abs(value)) ** -len(numbers)  # at this level the interval ends at 0
        return Clustered(value, low, high, 0.0, p, len(numbers))
    fitted = OLS(data, np.ones(len(data))).fit(
        cov_type="cluster", cov_kwds={"groups": groups}, use_t=True
    )
    [[low, high]] = fitted.conf_int(1 - confidence)
    return Clustered(
        float(fitted.params[0]),
        float(low),
        float(high),
        float(fitted.bse[0]),
        float(fitted.pvalues[0]),
        len(numbers),
    )


def _unseen(value: float, clusters: int, confidence: float) -> tuple[float, float]:
    """Bound a mean of differences in [-1, 1] of which all that were seen are one value."""
    elsewhere = 1 - (1 - confidence) ** (1 / clusters)  # more would have shown up
    return value - elsewhere * (1 + value), value + elsewhere * (1 - value)


def score_difference(
    ours: int, theirs: int, problems: int, confidence: float = CONFIDENCE
) -> Difference:
    """Return the difference of two right-or-wrong grades from the disagreements alone.

    Tango's score interval (1998, Stat. Med. 17:891): all differences d that are not refuted by
    (b - c - n d) / √(n (2 q + d (1 - d))), q the likeliest share of theirs given d. What both solve
    or neither does need not be known, and it keeps its coverage where few differ.

    Args:
        ours: b, problems that only ours solves.
        theirs: c, problems that only theirs solves.
        problems: n, at least 1 and at least b + c.
        confidence: above 0, below 1.

    Raises:
        ValueError: the counts can't be.

    Example:
        >>> found = score_difference(10, 2, 100)
        >>> tuple(round(end, 3) for end in found[:3])
        (0.08, 0.014, 0.158)
    """
    if min(ours, theirs) < 0 or problems < max(1, ours + theirs):
        raise ValueError(f"no such pairs: {ours=}, {theirs=} of {problems=}")
    mean = (ours - theirs) / problems
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    low = _refuted_at(ours, theirs, problems, z, -1.0, mean)
    high = _refuted_at(ours, theirs, problems, z, 1.0, mean)
    return Difference(mean, low, high, problems)


_HALVINGS = 40


def _refuted_at(b: int, c: int, n: int, z: float, outer: float, inner: float) -> float:
    """Return the difference nearest to `inner`, on the way to `outer`, that is refuted."""
    for _ in range(_HALVINGS):
        middle = (outer + inner) / 2
        if _score(b, c, n, middle) > z:
            outer = middle
        else:
            inner = middle
    return outer


def _score(b: int, c: int, n: int, d: float) -> float:
    """Return how many standard errors a difference is away, its own error taken as if it held."""
    linear = (2 * n - b + c) * d - b - c
    q = (math.sqrt(max(0.0, linear**2 + 8 * n * c * d * (1 - d))) - linear) / (4 * n)
    variance = n * (2 * q + d * (1 - d))
    away = abs(b - c - n * d)
    if variance <= 0:
        return math.inf if away > 0 else 0.0
    return away / math.sqrt(variance)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for there being several: each is one at which all above hold.

    Holm 1979, by statsmodels: the chance of any false alarm among them stays below the level.
    """
    if not p_values:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]]


def power(problems: int, difference: float, disagreement: float) -> float:
    """Return the chance that a true difference shows on so many problems, at 5 %, two-sided.

    Φ((δ √n - z √ψ) / √(ψ - δ²)) for McNemar's test: Connor 1987, eq. 2, solved for the power.

    Args:
        problems: n, that both strategies have a grade for.
        difference: δ, in (0, disagreement].
        disagreement: ψ, the share of problems that exactly one of the two solves.
    """
    if not 0 < difference <= disagreement <= 1:
        raise ValueError(f"{difference=} must be in (0, {disagreement=}], at most 1")
    normal = NormalDist()
    ahead = difference * math.sqrt(problems)
    ahead -= normal.inv_cdf(0.5 + CONFIDENCE / 2) * math.sqrt(disagreement)
    spread = math.sqrt(disagreement - difference**2)
    return normal.cdf(ahead / spread) if spread else float(ahead > 0)


def by_problem(values: Sequence[float], problems: Sequence[Hashable]) -> list[float]:
    """Return the mean of each problem's values, in the order in which problems first stand."""
    held: dict[Hashable, list[float]] = {}
    for value, problem in zip(values, problems, strict=True):
        held.setdefault(problem, []).append(value)
    return [fmean(many) for many in held.values()]
