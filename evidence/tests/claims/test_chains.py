"""What the verdicts of the claims on the reasoner rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from workspan.claims import claim
from workspan.claims.base import Setting
from workspan.errors import InputError
from workspan_evidence.claims import _chains as chains
from workspan_evidence.claims._chains import Chains, accuracy, ideal
from workspan_evidence.claims._guessing import GUESSES, apart, in_turn
from workspan_evidence.families.connectivity import Deep
from workspan_evidence.families.connectivity import Path as Line


def test_silence_and_ties_are_a_coin_and_a_vote_needs_its_chains() -> None:
    votes = np.array([[1, 1, -1, 0], [0, 0, 1, -1]], dtype=np.int8)
    assert accuracy(votes, 1).tolist() == [(1 + 1 + 0 + 0.5) / 4, (0.5 + 0.5 + 1 + 0) / 4]
    assert accuracy(votes, 2).tolist() == [(1 + 0) / 2, 0.5]
    with pytest.raises(ValueError, match="vote of 5"):
        accuracy(votes, 5)


def test_a_cut_chain_abstains_and_is_charged_its_cut_and_the_ending() -> None:
    drawn = Chains(np.array([[3, 8]]), np.array([[1, -1]], dtype=np.int8))
    assert drawn.votes_at(5).tolist() == [[1, 0]]
    assert drawn.costs_at(5).tolist() == [[5, 7]]


def test_the_taught_strategy_follows_its_closed_form() -> None:
    family = Deep(3)
    drawn = ideal(family, 200, 16, Setting())
    for cap in (2, 3, 6, 9, 12):
        rate = float((drawn.votes_at(cap) == 1).mean())
        assert abs(rate - family.found(cap)) < 0.04
    assert float((ideal(Line(4), 20, 2, Setting()).votes_at(3) == 0).mean()) == 1


def test_guessing_in_turn_is_sure_after_all_guesses_and_apart_never_is() -> None:
    right = np.array([1.0, 2.0])
    for policy in (in_turn, apart):
        assert policy(right, 1).tolist() == pytest.approx([1 / GUESSES, 2 / GUESSES])
    assert in_turn(right, GUESSES).tolist() == [1, 1]
    assert (apart(right, GUESSES) < 0.9).all()
    assert in_turn(right, 10)[0] == pytest.approx(0.5)


def test_a_training_run_without_a_recipe_is_refused_by_the_name_of_what_it_lacks(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match=r"serial\.safetensors"):
        claim("serial_scaling").test(Setting(weights=tmp_path))


@pytest.mark.slow
def test_on_the_reasoner_long_chains_win_where_it_is_deep_and_short_ones_where_a_start_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Setting, "size", lambda _, default, __: max(24, default // 4))
    assert claim("long_chain").test(Setting()).verdict == "holds"
    assert claim("wrong_start").test(Setting()).verdict == "holds"
    assert chains.LIMIT > 4 * 8


def test_the_trained_searcher_asks_as_many_rounds_as_the_closed_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Setting, "size", lambda *_: 24)
    found = claim("retrieval_learnt").test(Setting())
    assert found.verdict == "holds"
    rounds = [row for row in found.measured.rows if "closed form" in row.what]
    assert len(rounds) == 6
    for row in rounds:
        assert abs(row.value - int(row.what.split()[-1].strip(")"))) < 0.3
