"""The median of lengths of which some were cut."""

from __future__ import annotations

from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from workspan.search.censored import median_length


def test_a_case_by_hand() -> None:
    """Of 2, 3+, 4, 5: 3/4 are longer than 2, and 3/4 × 1/2 than 4: the median is 4."""
    assert median_length([(5, True), (3, False), (2, True), (4, True)]) == 4


def test_where_most_were_cut_nobody_knows() -> None:
    assert median_length([(9, True), (5, False), (5, False)]) == 9  # the others left before it
    assert median_length([(5, False), (3, True), (5, False)]) is None
    assert median_length([]) is None


@given(st.lists(st.integers(1, 50), min_size=1))
def test_without_cuts_it_is_the_lower_median(lengths: list[int]) -> None:
    found = median_length([(one, True) for one in lengths])
    assert found is not None
    assert found in lengths
    assert found <= median(lengths) + 1e-9


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1))
def test_a_cut_never_shortens_it(lengths: list[tuple[int, bool]]) -> None:
    whole = median_length([(one, True) for one, _ in lengths])
    found = median_length(lengths)
    assert whole is not None
    assert found is None or found >= whole
