"""What a claim's verdict rests on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workspan.claims import claim, names
from workspan.claims.base import Claim, Measured, Setting
from workspan.cli.main import app
from workspan.errors import MissingDependency, SpecError


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
    named = ("guessing_tokens", "serial_scaling")
    monkeypatch.setattr("workspan.cli.claims.all_names", lambda: named)
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


def test_a_model_of_ones_own_is_judged_from_the_command_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Setting, "size", lambda *_: 4)
    done = CliRunner().invoke(app, ["claims", "natural_chain", "--engine", "scripted", "--json"])
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert (record["name"], record["problems"]) == ("natural_chain", 4)
