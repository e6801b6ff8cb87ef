"""Laws and crossovers: found where they were put, with intervals that cover them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workspan.lab.scaling import crossover, fit_coverage, fit_curve

KS = [1, 2, 4, 8, 16, 32]


def test_a_law_that_holds_is_found() -> None:
    a, b = 1.4, 0.5
    curve = np.exp(-a * np.array(KS, float) ** -b)
    found = fit_curve(KS, np.stack([curve, curve]))
    assert (found.a, found.b) == pytest.approx((a, b), rel=1e-5)
    assert found.error < 1e-6
    assert found.at(1000) == pytest.approx(math.exp(-a * 1000**-b), rel=1e-5)


def test_coverage_is_fitted_without_bias_and_its_interval_holds_it() -> None:
    rng = np.random.default_rng(2)
    hits, times, problems, chains = 0, 25, 120, 32
    # easy and hard problems, all of one population: its coverage at k is E[1 - (1 - p)^k]
    many = rng.beta(0.4, 1.2, 50_000)
    truth = np.array([np.mean(1 - (1 - many) ** k) for k in KS])
    law = fit_curve(KS, np.stack([truth, truth]))
    for _ in range(times):
        right = rng.binomial(chains, rng.beta(0.4, 1.2, problems))
        found = fit_coverage([chains] * problems, right.tolist(), KS)
        low, high = found.interval(8)
        hits += low <= law.at(8) <= high
        assert found.a_interval.low <= found.a <= found.a_interval.high
    assert hits / times >= 0.85


@pytest.mark.parametrize(
    ("drawn", "right", "ks"),
    [
        ([8], [3], None),
        ([8, 8], [0, 0], None),
        ([8, 8], [8, 8], None),
        ([3, 3], [1, 2], None),
        ([8, 8], [1, 2], [1, 2, 16]),
    ],
)
def test_without_a_curve_there_is_no_law(
    drawn: list[int], right: list[int], ks: list[int] | None
) -> None:
    with pytest.raises(ValueError, match=r"law|curve|covered"):
        fit_coverage(drawn, right, ks)


def test_a_crossover_by_hand() -> None:
    # ahead by -1 at 100 and +1 at 10,000: half-way in the logarithm is 1,000
    found = crossover([100, 10_000], [[1, 0]] * 5, [[0, 1]] * 5)
    assert found is not None
    assert found.budget == pytest.approx(1000)
    assert (found.low, found.high) == pytest.approx((1000, 1000))
    assert found.certainty == 1
    # the last crossing counts
    last = crossover([1, 10, 100, 1000], [[0, 1, 1, 0]] * 3, [[1, 0, 0, 1]] * 3)
    assert last is not None
    assert last.budget == pytest.approx(math.sqrt(100 * 1000))


def test_who_is_always_or_never_ahead_does_not_overtake() -> None:
    assert crossover([1, 2], [[1, 1]], [[0, 0]]) is None
    assert crossover([1, 2], [[0, 0]], [[1, 1]]) is None
    assert crossover([1, 2], [[0, 1]], [[1, 1]]) is None  # level at the end
    with pytest.raises(ValueError, match="ascend"):
        crossover([2, 1], [[0, 0]], [[1, 1]])
    with pytest.raises(ValueError, match=r"\[problem, budget\]"):
        crossover([1, 2, 3], [[0, 0]], [[1, 1]])


def test_its_interval_covers_the_true_crossover() -> None:
    rng, budgets, hits, times = np.random.default_rng(4), [100, 400, 1600, 6400], 0, 40
    first, second = np.array([0.45, 0.5, 0.52, 0.53]), np.array([0.25, 0.42, 0.6, 0.7])
    # the means cross between 400 (-0.08) and 1600 (+0.08): at 800
    for _ in range(times):
        own = rng.random((80, 1))
        a, b = (own + rng.normal(0, 0.1, (80, 4)) < chance for chance in (first, second))
        found = crossover(budgets, a.astype(float).tolist(), b.astype(float).tolist())
        hits += found is not None and found.low <= 800 <= found.high
    assert hits / times >= 0.85


def test_a_crossover_near_an_end_may_lie_beyond_it() -> None:
    """Resamples that never or always overtake were left out, and with them the interval's end."""
    ours = [[0, 0, 1]] * 11 + [[0, 1, 0]] * 10
    theirs = [[0, 1, 0]] * 11 + [[0, 0, 1]] * 10  # at the end 11 to 10: chance decides
    found = crossover([100, 1000, 10_000], theirs, ours)
    assert found is not None
    assert found.high == pytest.approx(10_000)
    assert 0.4 < found.certainty < 0.75
    early = crossover([100, 1000], [[1, 0]] * 11 + [[0, 0]] * 10, [[0, 1]] * 11 + [[1, 1]] * 10)
    assert early is not None
    assert early.low == pytest.approx(100)


def test_its_interval_covers_a_crossover_near_the_largest_budget() -> None:
    rng, budgets, hits, times = np.random.default_rng(9), [100, 400, 1600], 0, 60
    first, second = np.array([0.5, 0.5, 0.5]), np.array([0.3, 0.45, 0.52])
    truth = 400 * 4 ** (0.05 / 0.07)
    ends = 0
    for _ in range(times):
        a, b = (rng.random((80, 3)) < chance for chance in (first, second))
        found = crossover(budgets, a.astype(float).tolist(), b.astype(float).tolist())
        ends += found is not None
        hits += found is not None and found.low <= truth <= found.high
    assert ends >= times / 3
    assert hits / ends >= 0.9
