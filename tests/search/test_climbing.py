"""When samples settle a problem."""

from __future__ import annotations

import pytest

from workspan.search.climbing import Drawn, Stage, settles, weight_of


@pytest.mark.parametrize(
    ("stage", "drawn", "is_settled"),
    [
        (Stage(0, 2), [Drawn("4", 9), Drawn("4", 9)], True),
        (Stage(0, 2), [Drawn("4", 9), Drawn("5", 9)], False),
        (Stage(0, 2), [Drawn("4", 9), Drawn(None, 9)], False),  # a missing answer disagrees
        (Stage(0, 2), [Drawn(None, 9), Drawn(None, 9)], False),
        (Stage(0, 2), [Drawn("4", 9)], False),  # a call that failed is no agreement
        (Stage(0, 1), [], False),
        (Stage(0, 1, within=8), [Drawn("4", 9)], False),
        (Stage(0, 1, within=9), [Drawn("4", 9)], True),
    ],
)
def test_only_agreement_within_the_length_settles(
    stage: Stage, drawn: list[Drawn], *, is_settled: bool
) -> None:
    assert settles(stage, drawn) is is_settled


def test_a_vote_weighs_the_odds_of_being_right() -> None:
    assert weight_of(0.9) == pytest.approx(2.197, abs=1e-3)
    assert weight_of(0.5) == weight_of(0.2) == 0.1  # never against what it says
    assert weight_of(1.0) < 5
