"""Verdicts: of an interval, of several parts, of several rows."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from map_rig import HELD
from workspan.lab.map.rows import Part, Word, of_parts, together, word_of


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.2, "held"),
        (-0.2, 0.0, "came out against"),
        (-0.2, -0.1, "came out against"),
        (0.0, 0.1, "undecided"),
        (-0.1, 0.1, "undecided"),
    ],
)
def test_an_interval_holds_above_its_line_alone(low: float, high: float, word: Word) -> None:
    assert word_of(low, high, 0.0) == word


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ([], "not measured"),
        (["not measured"], "not measured"),
        (["held", "not measured"], "held"),
        (["held", "undecided"], "held in part"),
        (["held in part"], "held in part"),
        (["undecided", "undecided", "came out against"], "undecided"),
        (["undecided", "came out against", "came out against"], "came out against"),
    ],
)
def test_rows_are_summed_up(words: list[Word], word: Word) -> None:
    assert together(words) == word


def part(low: float, high: float) -> Part:
    return Part("", (low + high) / 2, low, high)


def test_a_claim_of_several_parts_holds_if_all_do() -> None:
    up, across, down = part(0.1, 0.3), part(-0.1, 0.3), part(-0.3, -0.1)
    assert of_parts([up, up], up, 0.0) == "held"
    assert of_parts([up, across], up, 0.0) == "held in part"
    assert of_parts([up, down], across, 0.0) == "held in part"
    assert of_parts([across, across], up, 0.0) == "held in part"  # together only
    assert of_parts([across, down], down, 0.0) == "came out against"
    assert of_parts([across, across], across, 0.0) == "undecided"


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=1))
def test_a_part_below_its_line_never_lets_a_claim_hold(ends: list[tuple[float, float]]) -> None:
    parts = [part(low, low + width) for low, width in ends]
    word = of_parts(parts, parts[0], 0.0)
    assert (word == "held") == all(one.low > 0 for one in parts)


def test_the_same_measurement_has_one_id_and_another_model_another() -> None:
    assert replace(HELD, found=0.1, measured=None).id == HELD.id
    assert replace(HELD, model="another").id != HELD.id
    assert replace(HELD, command="workspan claims long_chain --full").id != HELD.id
    assert HELD.date == "2025-11-29"
    assert replace(HELD, measured=None).date == ""
