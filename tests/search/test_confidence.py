"""Confidence arithmetic, by hand and against brute force."""

from __future__ import annotations

import math
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.data.types import Chunk, Sample, Usage
from workspan.search.confidence import (
    Measure,
    borda,
    chain_confidence,
    falls_below,
    group_confidences,
    inverse_entropy,
    percentile,
    probability,
    self_certainty,
    token_confidences,
)

confidences = st.lists(st.floats(0, 104), max_size=60)


def drawn(
    confidences: tuple[float, ...] | None = None, logprobs: tuple[float, ...] | None = None
) -> Sample:
    return Sample("", "stop", Usage(), confidences=confidences, logprobs=logprobs)


@given(values=confidences, window=st.integers(1, 20))
def test_sliding_groups_equal_brute_force(values: list[float], window: int) -> None:
    if len(values) < window:
        expected = [fmean(values)] if values else [0.0]
    else:
        expected = [fmean(values[i : i + window]) for i in range(len(values) - window + 1)]
    assert group_confidences(values, window) == pytest.approx(expected, abs=1e-9)


@given(values=confidences, window=st.integers(1, 20), bar=st.floats(0, 104))
def test_a_stream_is_over_at_its_first_full_group_below_the_bar(
    values: list[float], window: int, bar: float
) -> None:
    is_over = falls_below(bar, window)
    over = [is_over(Chunk(confidences=(value,))) for value in values]
    groups = group_confidences(values, window) if len(values) >= window else []
    assert over == [False] * (len(values) - len(groups)) + [group < bar for group in groups]


def test_a_group_that_falls_within_a_chunk_is_seen() -> None:
    is_over = falls_below(2.0, 2)
    assert not is_over(Chunk(confidences=(9.0, 9.0)))
    assert is_over(Chunk(confidences=(1.0, 1.0, 9.0, 9.0)))


@pytest.mark.parametrize(
    ("measure", "expected"), [("mean", 5.0), ("tail", 6.5), ("bottom", 1.5), ("lowest", 1.5)]
)
def test_a_chain_s_confidence(measure: Measure, expected: float) -> None:
    assert chain_confidence(drawn((6, 1, 2, 8, 5, 8)), measure, 2) == expected


def test_the_bottom_is_a_tenth_of_the_groups() -> None:
    values = tuple(float(i) for i in range(25))  # one token a group: the two lowest of 25
    assert chain_confidence(drawn(values), "bottom", 1) == 0.5


@pytest.mark.parametrize("measure", ["mean", "tail", "bottom", "lowest"])
def test_short_and_empty_chains_have_a_confidence(measure: Measure) -> None:
    assert chain_confidence(drawn((2, 4)), measure, 100) == 3.0
    assert chain_confidence(drawn(), measure, 100) == 0.0


def test_without_alternatives_the_drawn_tokens_probabilities_stand_in() -> None:
    told = (math.log(0.5), math.log(0.25))
    assert token_confidences(drawn(logprobs=told)) == pytest.approx([0.5, 0.25])
    assert token_confidences(drawn((7.0, 8.0), told)) == [7.0, 8.0]


@settings(deadline=None)  # the first call loads numpy
@given(values=st.lists(st.floats(0, 104), min_size=1, max_size=30), percent=st.integers(0, 100))
def test_percentiles_are_those_of_numpy(values: list[float], percent: int) -> None:
    numpy = pytest.importorskip("numpy")
    assert percentile(values, percent) == pytest.approx(numpy.percentile(values, percent), abs=1e-9)


@given(value=st.floats(0, 104), n=st.integers(1, 9), percent=st.integers(0, 100))
def test_a_percentile_of_equals_is_exactly_they(value: float, n: int, percent: int) -> None:
    assert percentile([value] * n, percent) == value


def test_a_uniform_choice_has_no_self_certainty_and_a_sharp_one_has() -> None:
    assert self_certainty(drawn((math.log(4),) * 3), 4) == 0.0
    sharp = -(math.log(0.97) + 3 * math.log(0.01)) / 4  # KL(U || p) = that - ln 4
    assert self_certainty(drawn((sharp,)), 4) == pytest.approx(sharp - math.log(4))
    assert self_certainty(drawn(logprobs=(math.log(0.5), math.log(0.25))), 4) == pytest.approx(
        0.375
    )


def test_probability_is_the_inverse_of_the_perplexity() -> None:
    assert probability(drawn(logprobs=(math.log(0.5), math.log(0.125)))) == pytest.approx(0.25)
    assert probability(drawn()) == 0.0


def test_inverse_entropy_is_finite_for_a_chain_without_doubt() -> None:
    assert inverse_entropy(drawn(logprobs=(-0.1, -0.3))) == pytest.approx(5.0)
    assert inverse_entropy(drawn(logprobs=(0.0, 0.0))) == pytest.approx(1e6)
    assert inverse_entropy(drawn()) == 0.0


def test_ranks_vote_by_their_power() -> None:
    assert borda([0.2, 0.9, 0.5], 1) == [1.0, 3.0, 2.0]
    assert borda([0.2, 0.9, 0.5], 2) == [1.0, 9.0, 4.0]
    assert borda([0.2, 0.9, 0.5], 0) == [1.0, 1.0, 1.0]
    assert borda([0.5, 0.5], 1) == [2.0, 1.0]
    assert borda([], 1) == []
