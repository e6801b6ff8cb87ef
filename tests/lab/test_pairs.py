"""Tests of paired grades against hand-computed cases, scipy, statsmodels, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as their_mcnemar
from statsmodels.stats.multitest import multipletests

from workspan.lab.pairs import (
    by_problem,
    clustered,
    holm,
    mcnemar,
    paired_bootstrap,
    power,
    score_difference,
)
from workspan.lab.stats import problems_needed

PAIRS = st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), max_size=40)


@given(PAIRS)
def test_mcnemar_is_statsmodels_exact_test(pairs: list[tuple[float, float]]) -> None:
    found = mcnemar([a for a, _ in pairs], [b for _, b in pairs])
    table = [[sum(p == (x, y) for p in pairs) for y in (1, 0)] for x in (1, 0)]
    assert (found.ours, found.theirs) == (table[0][1], table[1][0])
    assert found.p == pytest.approx(their_mcnemar(table, exact=True).pvalue)


def test_mcnemar_by_hand() -> None:
    assert mcnemar([1, 0, 1], [1, 0, 1]) == (0, 0, 1.0)  # no disagreement is no evidence
    assert mcnemar([], []) == (0, 0, 1.0)
    assert mcnemar([1] * 5, [0] * 5).p == pytest.approx(2 / 2**5)
    assert mcnemar([1, 1, 1, 0], [0, 0, 0, 1]).p == pytest.approx(10 / 16)
    with pytest.raises(ValueError, match="0 and 1"):
        mcnemar([0.5], [1])


def test_the_bootstrap_is_scipys() -> None:
    rng = np.random.default_rng(3)
    ours, theirs = rng.beta(2, 2, 30), rng.beta(2, 3, 30)
    found = paired_bootstrap(ours.tolist(), theirs.tolist(), seed=5)
    expected = stats.bootstrap(
        (ours - theirs,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx((ours - theirs).mean())


def test_equal_differences_still_have_a_width() -> None:
    found = paired_bootstrap([1.0] * 20, [1.0] * 20)
    assert found is not None
    assert found.low < 0 < found.high
    assert paired_bootstrap([], []) is None


def test_errors_by_cluster_by_hand() -> None:
    # means of three clusters of two: 0.5, 0.5, 1 about 2/3; sums of deviations -1/3, -1/3, 2/3
    found = clustered([0, 1, 1, 0, 1, 1], [1, 1, 2, 2, 3, 3])
    plain = math.sqrt(sum(d**2 for d in (-1 / 3, -1 / 3, 2 / 3))) / 6
    few = math.sqrt(3 / 2 * 5 / 5)  # G/(G-1) · (n-1)/(n-k)
    assert found.error == pytest.approx(plain * few)
    assert found.mean == pytest.approx(2 / 3)
    half = stats.t.ppf(0.975, 2) * plain * few
    assert (found.low, found.high) == pytest.approx((2 / 3 - half, 2 / 3 + half))
    assert found.p == pytest.approx(2 * stats.t.sf((2 / 3) / (plain * few), 2))


def test_clusters_of_one_are_the_plain_t_interval() -> None:
    values = np.random.default_rng(0).normal(0.1, 1, 25)
    found = clustered(values.tolist(), range(25))
    expected = stats.ttest_1samp(values, 0)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.p == pytest.approx(expected.pvalue)


def test_without_any_spread_the_unseen_is_bounded() -> None:
    found = clustered([0.0] * 20, [i // 2 for i in range(20)])
    assert (found.mean, found.p) == (0.0, 1.0)
    assert -0.3 < found.low < 0 < found.high < 0.3
    with pytest.raises(ValueError, match="two clusters"):
        clustered([1, 2], [1, 1])


@given(st.floats(-1, 1), st.integers(2, 40))
def test_without_any_spread_p_says_what_the_interval_says(value: float, clusters: int) -> None:
    """Two problems that both differ by 1 are no proof: p was 0, beside an interval that holds 0."""
    found = clustered([value] * (2 * clusters), [i // 2 for i in range(2 * clusters)])
    assert (found.p < 0.05) == (found.low > 0 or found.high < 0)
    assert clustered([1.0] * 4, [1, 1, 2, 2]).p == pytest.approx(1 / 4)
    assert clustered([-0.5] * 3, [1, 2, 3]).p == pytest.approx(1.5**-3)


@settings(max_examples=12)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_statsmodels_and_by_hand(p_values: list[float]) -> None:
    found = holm(p_values)
    if p_values:
        assert found == pytest.approx(multipletests(p_values, method="holm")[1].tolist())
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    most = 0.0
    for rank, i in enumerate(order):
        most = max(most, min(1.0, (len(order) - rank) * p_values[i]))
        assert found[i] == pytest.approx(most)


@pytest.mark.parametrize(("difference", "disagreement"), [(0.1, 0.3), (0.05, 0.2), (0.2, 0.25)])
def test_power_is_80_percent_where_so_many_problems_are_needed(
    difference: float, disagreement: float
) -> None:
    n = problems_needed(difference, disagreement)
    assert power(n, difference, disagreement) == pytest.approx(0.8, abs=0.01)
    assert power(n // 2, difference, disagreement) < 0.6


def test_power_is_that_of_simulated_sweeps() -> None:
    n, difference, disagreement = 150, 0.12, 0.3
    rng = np.random.default_rng(7)
    ours = (disagreement + difference) / 2
    drawn = rng.multinomial(n, [ours, disagreement - ours, 1 - disagreement], 4000)
    b, c = drawn[:, 0], drawn[:, 1]
    shown = np.mean(np.abs(b - c) / np.sqrt(np.maximum(1, b + c)) > 1.96)
    assert power(n, difference, disagreement) == pytest.approx(shown, abs=0.03)


def test_errors_by_cluster_cover_what_they_claim() -> None:
    """Seeds of a problem are alike: errors by value would cover far less than 95 %."""
    rng, hits, plain_hits = np.random.default_rng(11), 0, 0
    problems, seeds, times = 40, 4, 400
    names = np.repeat(np.arange(problems), seeds)
    for _ in range(times):
        own = rng.normal(0.1, 0.4, problems)
        values = np.repeat(own, seeds) + rng.normal(0, 0.2, problems * seeds)
        found = clustered(values.tolist(), names.tolist())
        hits += found.low <= 0.1 <= found.high
        plain = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        plain_hits += plain[0] <= 0.1 <= plain[1]
    assert 0.92 <= hits / times <= 0.98
    assert plain_hits / times < 0.8


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 3)), min_size=1, max_size=20))
def test_problems_are_averaged_in_their_order(values: list[tuple[float, int]]) -> None:
    found = by_problem([v for v, _ in values], [p for _, p in values])
    names = [*dict.fromkeys(p for _, p in values)]
    for mean, name in zip(found, names, strict=True):
        own = [v for v, p in values if p == name]
        assert mean == pytest.approx(sum(own) / len(own))


@pytest.mark.parametrize(("n", "b", "c"), [(20, 0.05, 0.05), (30, 0.3, 0.1), (40, 0.02, 0.1)])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_the_score_interval_covers_what_it_says(
    n: int, b: float, c: float, confidence: float
) -> None:
    """Over every outcome of n problems, each with its exact chance."""
    covered = 0.0
    for ours in range(n + 1):
        for theirs in range(n + 1 - ours):
            found = score_difference(ours, theirs, n, confidence)
            if found.low <= b - c <= found.high:
                counts = (ours, theirs, n - ours - theirs)
                covered += float(stats.multinomial.pmf(counts, n, (b, c, 1 - b - c)))
    assert covered > confidence - 0.02


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 200))
def test_the_score_interval_holds_its_mean_and_mirrors(ours: int, theirs: int, rest: int) -> None:
    n = ours + theirs + rest
    found, other = score_difference(ours, theirs, n), score_difference(theirs, ours, n)
    assert -1 <= found.low <= found.mean <= found.high <= 1
    assert found.low == pytest.approx(-other.high, abs=1e-9)
    assert score_difference(ours, theirs, n, 0.99).low <= found.low
