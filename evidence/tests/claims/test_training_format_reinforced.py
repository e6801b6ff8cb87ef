"""The statistic of the claim that reinforces, and a miniature of it for real."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workspan.claims import claim
from workspan.claims.base import Setting
from workspan_evidence.claims._chains import reasoner
from workspan_evidence.claims.training_format_reinforced import Runs, leaning, over_seeds, read
from workspan_evidence.grammar import COMMA, VOCABULARY


def test_an_interval_over_seeds_is_students() -> None:
    mean, low, high = over_seeds(np.array([1.0, 2.0, 3.0, 4.0]))
    assert mean == 2.5
    half = 3.18245 * (5 / 3) ** 0.5 / 2  # t of 3 degrees of freedom; variance 5/3 of 4 values
    assert (low, high) == pytest.approx((2.5 - half, 2.5 + half), abs=1e-4)


def test_odds_are_those_of_opening_with_an_option_against_all_else() -> None:
    logits = np.zeros(len(VOCABULARY))
    assert leaning(logits) == pytest.approx(-math.log(len(VOCABULARY) - 1))
    logits[COMMA] = math.log(len(VOCABULARY) - 1)
    assert leaning(logits) == pytest.approx(0)
    assert leaning(logits + 700) == pytest.approx(0)


def test_a_shift_is_a_seeds_change_on_one_format_or_on_the_mean_of_all() -> None:
    before = {"choice": 0.0, "free": 1.0, "useless": 2.0}
    after = {"choice": 1.0, "free": 0.0, "useless": 5.0}
    runs = Runs(before, ({"free": after}, {"free": before}), ())  # type: ignore[dict-item, arg-type]
    assert runs.shifts("free", "choice").tolist() == [1, 0]
    assert runs.shifts("free").tolist() == [1, 0]
    assert runs.shifts("free", "free").tolist() == [-1, 0]


def test_the_reading_tells_the_two_taught_strategies_apart_in_every_format() -> None:
    for name, sign in (("formats-choice", 1), ("formats-free", -1)):
        odds = read(reasoner(name, Setting()), 4, Setting())
        assert all(sign * value > 2 for value in odds.values())


@pytest.mark.slow
def test_a_miniature_reinforces_and_repeats_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setattr(Setting, "size", lambda *_: 2)
    one = claim("training_format_reinforced")
    found = one.test(Setting()).measured
    assert found.low < found.statistic < found.high
    rows = {row.what: row.value for row in found.rows}
    changes = [value for what, value in rows.items() if "change, read on all" in what]
    assert len(changes) == 3
    assert all(0 < abs(value) < 1 for value in changes)
    assert found.statistic == pytest.approx(changes[0] - changes[1])
    first = [value for what, value in rows.items() if what.endswith("right, first step")]
    assert all(0.5 < value < 0.9 for value in first)
    assert one.measure(Setting()) == found
