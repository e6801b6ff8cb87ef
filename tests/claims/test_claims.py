"""What a claim's verdict rests on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from workspan.claims import chains, claim, names
from workspan.claims.base import Claim, Measured, Setting
from workspan.claims.chains import Chains, accuracy, ideal
from workspan.claims.guessing import GUESSES, apart, in_turn
from workspan.cli.main import app
from workspan.errors import InputError, MissingDependency, SpecError
from workspan.reasoner.families.connectivity import Deep
from workspan.reasoner.families.connectivity import Path as Line


def made(low: float, high: float) -> Measured:
    return Measured((low + high) / 2, low, high, 100)


@pytest.mark.parametrize("name", names())
def test_every_claim_says_all_of_itself_before_it_is_measured(name: str) -> None:
    one = claim(name)
    assert one.name == name
    texts = (one.statement, one.source, one.design, one.statistic, one.on, one.changes)
    assert all(len(text) > 8 for text in texts)


def test_a_claim_holds_above_its_line_fails_below_and_is_undecided_across_it() -> None:
    one: Claim = claim("long_chain")
    assert one.line == 0
    assert one.verdict(made(0.01, 0.2)) == "holds"
    assert one.verdict(made(-0.2, 0.0)) == "fails"
    assert one.verdict(made(-0.1, 0.1)) == "undecided"
    assert one.verdict(made(0.0, 0.1)) == "undecided"


def test_an_unknown_claim_is_named_with_those_that_there_are() -> None:
    with pytest.raises(SpecError, match="long_chain"):
        claim("long_chian")


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


def test_a_record_holds_the_verdict_and_its_interval() -> None:
    done = CliRunner().invoke(app, ["claims", "guessing_tokens", "--json"])
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["name"] == "guessing_tokens"
    assert record["verdict"] == "holds"
    assert record["low"] <= record["statistic"] <= record["high"]
    assert record["problems"] == 500
    assert record["seconds"] >= 0


def test_what_trains_is_left_to_its_name_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    named = ("guessing_tokens", "training_format_reinforced")
    monkeypatch.setattr("workspan.cli.claims.all_names", lambda: named)
    done = CliRunner().invoke(app, ["claims", "--json"])
    assert done.exit_code == 0, done.output
    assert [json.loads(line)["name"] for line in done.stdout.splitlines()] == ["guessing_tokens"]
    assert "workspan claims training_format_reinforced" in done.stderr


def test_of_a_model_of_ones_own_the_claims_on_other_models_are_said_to_be_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "workspan.cli.claims.all_names", lambda: ["guessing_tokens", "serial_scaling"]
    )
    done = CliRunner().invoke(app, ["claims", "--engine", "reasoner", "--json"])
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert "left out, their models are their own: guessing_tokens, serial_scaling" in done.stderr


def test_without_pytorch_what_trains_is_refused_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    asked = ["claims", "guessing_tokens", "training_format_reinforced", "--json"]
    done = CliRunner().invoke(app, asked)
    assert done.stdout == ""
    assert isinstance(done.exception, MissingDependency)
    assert done.exception.extra == "train"


def test_weights_that_are_not_there_are_refused_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    missing = str(tmp_path / "none")
    done = CliRunner().invoke(app, ["claims", "guessing_tokens", "--weights", missing])
    assert done.exit_code != 0
    assert "--weights" in str(done.exception)


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
