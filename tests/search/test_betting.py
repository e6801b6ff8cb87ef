"""Intervals hold at every look at once, whatever one stops for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.search.betting import ahead_within, mean_within


@given(st.lists(st.floats(0, 1), max_size=40))
def test_an_interval_holds_its_mean(values: list[float]) -> None:
    low, high = mean_within(values)
    assert 0 <= low <= high <= 1
    if values:
        assert low - 1e-9 <= sum(values) / len(values) <= high + 1e-9


def test_more_of_the_same_makes_it_narrower() -> None:
    widths = [high - low for low, high in (mean_within([1.0, 0.0] * n) for n in (4, 16, 64))]
    assert widths[0] > widths[1] > widths[2]
    assert widths[2] < 0.4


@pytest.mark.parametrize("mean", [0.1, 0.5, 0.9])
def test_it_is_wrong_at_any_look_in_fewer_than_one_in_twenty(mean: float) -> None:
    wrong = 0
    for seed in range(150):
        rng = random.Random(f"{mean} {seed}")
        values = [float(rng.random() < mean) for _ in range(60)]
        looks = (mean_within(values[:n]) for n in range(5, 61, 5))
        wrong += any(not low <= mean <= high for low, high in looks)
    assert wrong <= 150 * 0.05 + 3


def test_ahead_is_told_apart_from_level() -> None:
    ours = [1.0] * 40
    assert ahead_within(ours, [0.0] * 20 + [1.0] * 20).low > 0.1
    assert ahead_within(ours, ours).low <= 0 <= ahead_within(ours, ours).high


def test_a_value_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        mean_within([1.5])
