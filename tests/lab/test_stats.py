"""Statistics against published and hand-computed figures, and against scipy."""

from __future__ import annotations

import math
from random import Random
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from workspan.lab.stats import (
    bootstrap,
    detectable,
    next_value,
    paired_difference,
    problems_needed,
    wilson,
)

GRADES = st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=60)


@given(GRADES)
def test_wilson_is_that_of_scipy(grades: list[float]) -> None:
    expected = binomtest(int(sum(grades)), len(grades)).proportion_ci(method="wilson")
    assert wilson(grades) == pytest.approx((expected.low, expected.high), abs=1e-9)


GRADE = st.one_of(st.sampled_from([0.0, 1.0, 0.1, 1 / 3, 1e-300, 1 - 2**-53]), st.floats(0, 1))


def holds(low: float, mean: float, high: float, least: float) -> None:
    """No rounding puts a mean outside of its interval, or an interval outside of what can be."""
    assert least <= low <= mean <= high <= 1


def test_wilson_holds_its_mean_where_all_are_right_or_all_wrong() -> None:
    for n in range(1, 2000):
        for all_alike in (0.0, 1.0):
            low, high = wilson([all_alike] * n)
            holds(low, all_alike, high, 0)
            assert low < high


@settings(max_examples=60, deadline=None)  # a bootstrap takes some milliseconds
@given(st.lists(st.tuples(GRADE, GRADE), min_size=1, max_size=12))
def test_every_interval_holds_its_mean(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = [a for a, _ in pairs], [b for _, b in pairs]
    for interval in (wilson(ours), bootstrap(ours)):
        holds(interval.low, fmean(ours), interval.high, 0)
    found = paired_difference(ours, theirs)
    assert found is not None
    holds(found.low, found.mean, found.high, -1)


def test_differences_that_differ_by_rounding_are_equal_ones() -> None:
    found = paired_difference([0.3, 0.2 + 0.1], [0.1, 0.1])  # 0.19999999999999998 and 0.2
    assert found is not None
    assert not found.excludes_zero


@pytest.mark.parametrize("grade", [math.nan, math.inf, -0.1, 1.1])
def test_what_is_no_grade_is_refused(grade: float) -> None:
    for judge in (wilson, bootstrap, lambda grades: paired_difference(grades, [1.0, 1.0])):
        with pytest.raises(ValueError, match="grade of"):
            judge([0.5, grade])


def test_wilson_of_seven_in_ten_by_hand() -> None:
    # p = 0.7, z = 1.96: (0.7 + 0.19208 ± 1.96 √(0.021 + 0.0096)) / 1.38416 (Wilson 1927)
    assert wilson([1.0] * 7 + [0.0] * 3) == pytest.approx((0.3968, 0.8922), abs=1e-4)


def test_no_grades_say_nothing() -> None:
    assert wilson([]) == (0.0, 1.0)
    assert paired_difference([], []) is None


def _table(both: int, ours: int, theirs: int, neither: int) -> tuple[list[float], list[float]]:
    first = [1.0] * (both + ours) + [0.0] * (theirs + neither)
    second = [1.0] * both + [0.0] * ours + [1.0] * theirs + [0.0] * neither
    return first, second


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [  # Newcombe 1998, Stat. Med. 17:2635, table II, method 10
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((36, 14, 0, 0), 0.1528, 0.4167),
    ],
)
def test_paired_intervals_are_those_of_the_paper(
    table: tuple[int, int, int, int], low: float, high: float
) -> None:
    found = paired_difference(*_table(*table))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


def test_a_paired_interval_by_hand() -> None:
    # 54 and 53 right of 54: Wilson 0.93359 to 1 and 0.90230 to 0.99672, φ = 0 (a margin is empty),
    # so 1/54 - √(0.06641² + 0.01520²) and 1/54 + √(0 + 0.07918²)
    found = paired_difference(*_table(53, 1, 0, 0))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((-0.0496, 0.0977), abs=2e-4)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40))
def test_a_paired_difference_is_antisymmetric_and_inside_its_interval(
    pairs: list[tuple[bool, bool]],
) -> None:
    ours, theirs = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    one, other = paired_difference(ours, theirs), paired_difference(theirs, ours)
    assert one is not None
    assert other is not None
    assert one.mean == pytest.approx(-other.mean)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
    assert -1 - 1e-9 <= one.low <= one.mean + 1e-9
    assert one.mean - 1e-9 <= one.high <= 1 + 1e-9


def test_equal_outcomes_still_leave_a_doubt() -> None:
    found = paired_difference([1.0] * 10, [1.0] * 10)
    assert found is not None
    assert found.low < 0 < found.high
    assert not found.excludes_zero


def test_partial_grades_are_bootstrapped_the_same_way_each_time() -> None:
    ours, theirs = [0.2, 0.9, 0.5, 0.7] * 5, [0.1, 0.6, 0.5, 0.2] * 5
    found = paired_difference(ours, theirs)
    assert found == paired_difference(ours, theirs)
    assert found is not None
    assert found.mean == pytest.approx(0.225)
    assert 0 < found.low < 0.225 < found.high < 0.5
    assert found.excludes_zero


def test_equal_partial_differences_keep_the_doubt_of_what_was_not_seen() -> None:
    found = paired_difference([0.5] * 10, [0.25] * 10)
    assert found is not None
    unseen = 1 - 0.05**0.1  # a share this large would have shown up in 10 draws, 95 of 100 times
    assert found.low == pytest.approx(0.25 - unseen * 1.25)
    assert found.high == pytest.approx(0.25 + unseen * 0.75)


def test_the_problems_needed_are_those_of_the_formula() -> None:
    # δ = 0.1, ψ = 0.3: ((1.95996 √0.3 + 0.84162 √0.29) / 0.1)² = 233.1 (Connor 1987)
    assert problems_needed(0.1, 0.3) == 234
    by_hand = (1.959964 * math.sqrt(0.3) + 0.841621 * math.sqrt(0.3 - 0.01)) / 0.1
    assert problems_needed(0.1, 0.3) == math.ceil(by_hand**2)


def test_the_detectable_difference_is_the_smallest_that_the_problems_show() -> None:
    least = detectable(100)
    assert least is not None
    assert problems_needed(least) <= 100 < problems_needed(least - 0.001)
    assert detectable(5) is None


@pytest.mark.parametrize(("difference", "disagreement"), [(0.0, 0.3), (0.4, 0.3), (0.5, 1.5)])
def test_impossible_differences_are_refused(difference: float, disagreement: float) -> None:
    with pytest.raises(ValueError, match="difference"):
        problems_needed(difference, disagreement)


def test_the_next_of_four_values_by_hand() -> None:
    # mean 2.5, s = 1.2910, t of 3 degrees = 3.1824: 2.5 ± 3.1824 · 1.2910 · √1.25
    assert next_value([1.0, 2.0, 3.0, 4.0]) == pytest.approx((-2.0934, 7.0934), abs=1e-4)


def test_the_next_value_lies_there_nineteen_times_in_twenty() -> None:
    rng, within, n = Random(0), 0, 2000
    for _ in range(n):
        *runs, following = (rng.gauss(0.6, 0.1) for _ in range(7))
        low, high = next_value(runs)
        within += low <= following <= high
    share = wilson([1.0] * within + [0.0] * (n - within))
    assert share.low <= 0.95 <= share.high
