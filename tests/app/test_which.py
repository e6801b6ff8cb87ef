"""`which` as a call: what it refuses before anything is spent, and what it gives back."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from workspan import sync
from workspan.errors import InputError, SpecError
from workspan.strategies.auto.fit.profile import read_profile
from workspan.testing.scripted import ScriptedEngine

SUMS = [{"question": f"{i} + 1?", "answer": str(i + 1), "kind": "number"} for i in range(4)]


@pytest.mark.parametrize(
    ("told", "kind", "said"),
    [
        ({}, InputError, "a pilot, such as '\\$2'"),
        ({"pilot": "unlimited"}, InputError, "could cost anything"),
        ({"pilot": "10s"}, InputError, "not in seconds"),
        ({"pilot": "2 dogs"}, SpecError, "unknown budget word"),
        ({"pilot": "$1", "efforts": "low,low"}, SpecError, "given twice"),
        ({"pilot": "$1", "efforts": "8k,4k,8000"}, SpecError, "'8000' is given twice, as '8k'"),
        ({"pilot": "$1", "efforts": ""}, SpecError, "no effort is named"),
        ({"pilot": "$1", "efforts": "low,-1k"}, SpecError, "an effort is one word.*'-1k'"),
        ({"pilot": "$1", "efforts": "1e3k"}, SpecError, "an effort is one word.*'1e3k'"),
        ({"pilot": "$1", "efforts": "low,high"}, SpecError, "nobody knows what efforts"),
        ({"pilot": "$1", "efforts": "strong:low"}, SpecError, "unknown engine 'strong'"),
        ({"pilot": "$1", "votes": 0}, InputError, "votes is 0"),
        ({"pilot": "$1", "problems": ["why?"], "to": "x.json"}, InputError, "label some"),
        ({"pilot": "$1", "problems": [], "efforts": "low"}, InputError, "no problem to solve"),
        ({"pilot": "$1", "kind": "open", "problems": ["why?"]}, InputError, "an open text"),
        ({"recorded": "x.jsonl", "problems": None}, InputError, "no .parquet file"),
    ],
)
def test_what_can_not_be_is_refused_unspent(
    told: Mapping[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        sync.which(**{"problems": SUMS, "engine": "scripted", **told})


@pytest.mark.parametrize("n", [1, 3])
def test_too_few_labels_for_a_profile_are_said_before_anything_is_spent(
    n: int, tmp_path: Path
) -> None:
    rows = [*SUMS[:n], *({**row, "answer": ""} for row in SUMS)]
    engine = ScriptedEngine(["Answer: 1"])
    with pytest.raises(InputError, match=f"takes 4 problems with right answers.* {n}: label more"):
        sync.which(rows, engine=engine, pilot="5k work", efforts="default", to=tmp_path / "to.json")
    assert engine.billed.calls == 0


def test_what_has_no_right_answer_is_not_drawn_beside_what_has_one() -> None:
    rows = [*SUMS, *({"question": f"{i} - 1?", "kind": "number"} for i in range(9))]
    engine = ScriptedEngine(["Answer: 1"])
    done = sync.which(rows, engine=engine, pilot="5k work", efforts="default", votes=2)
    assert engine.billed.calls == 2 * len(SUMS)
    assert done.left_out == {"9 problems": "without a right answer, and so not drawn"}


def test_a_profile_of_nothing_right_is_none(tmp_path: Path) -> None:
    rows = [{**SUMS[0], "question": f"{i} + 0?", "answer": "77"} for i in range(9)]
    engine = ScriptedEngine(["Answer: 1"])
    done = sync.which(rows, engine=engine, pilot="5k work", efforts="default", votes=2)
    assert (done.policy, done.profile) == (None, None)
    assert done.caveats[-1] == "no sample was right: there is nothing to choose a policy by"
    with pytest.raises(InputError, match="no sample was right"):
        sync.which(rows, engine=engine, pilot="5k work", efforts="default", to=tmp_path / "to.json")


def test_questions_that_are_asked_twice_are_named() -> None:
    rows = [{**SUMS[i % 4], "id": f"p{i}"} for i in range(10)]
    done = sync.which(rows, engine="scripted", pilot="5k work", efforts="default", votes=1)
    assert any(one.startswith("of the problems 6 ask what another one") for one in done.caveats)


def test_characters_are_said_to_be_none_of_tokens(tmp_path: Path) -> None:
    file = recorded(tmp_path / "samples.parquet")
    rows = parquet.read_table(file).to_pylist()
    for row in rows:
        row["samples"] = [{**one, "chars": one["tokens"], "tokens": None} for one in row["samples"]]
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    with pytest.raises(InputError, match="a price is of tokens, and of m characters were counted"):
        sync.which(recorded=file, price="1/10")
    done = sync.which(recorded=file)
    assert done.unit == "characters"
    assert done.caveats[-1].startswith("nobody counted tokens here")
    assert {one.cost for one in done.records} == {None}
    assert sync.certify(replay=file, effort="high", alpha=0.5).unit == "characters"


def test_no_more_votes_than_were_recorded(tmp_path: Path) -> None:
    file = recorded(tmp_path / "samples.parquet")
    with pytest.raises(InputError, match="votes is 7, and at effort low there are 6 samples"):
        sync.which(recorded=file, votes=7)
    assert {one.width for one in sync.which(recorded=file, votes=6).records} >= {1, 6}


def test_the_default_effort_of_any_engine_can_be_raced() -> None:
    done = sync.which(SUMS, engine="scripted", pilot="5k work", efforts="default", votes=2)
    assert [one.width for one in done.records if one.kind == "arm"] == [1, 2]
    assert {one.effort for one in done.records} == {""}
    assert done.raced.spent.output_tokens <= 5000
    assert "<table>" in done._repr_html_()


def recorded(path: Path, missing: float = 0.05) -> Path:
    """Write samples of a model at two efforts, and of one that logs few answers."""
    rng, rows = random.Random(0), []
    for effort, chance, tokens, lost in (
        ("low", 0.6, 100, missing),
        ("high", 0.95, 500, missing),
        ("xhigh", 0.9, 900, 0.3),
    ):
        for i in range(24):
            samples = []
            for _ in range(6):
                is_right = rng.random() < chance
                answer = None if rng.random() < lost else str(i if is_right else i + 1)
                right = is_right and answer is not None
                length = rng.randint(tokens, 2 * tokens)
                samples.append({"answer": answer, "correct": right, "tokens": length})
            rows.append(
                {
                    "problem_id": f"p{i}",
                    "task": "t",
                    "model": "m",
                    "setting": effort,
                    "effort": effort,
                    "gold": str(i),
                    "samples": samples,
                }
            )
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def test_recordings_are_raced_and_groups_with_many_missing_are_named(tmp_path: Path) -> None:
    file = recorded(tmp_path / "samples.parquet")
    profile = tmp_path / "efforts.json"
    done = sync.which(recorded=file, price="1/10", to=profile)
    assert {one.effort for one in done.records if one.kind == "arm"} == {"low", "high"}
    assert "were not logged" in done.left_out["m xhigh"]
    assert done.policy is not None
    assert (done.policy.seconds, done.policy.prefill) == (None, None)
    assert done.policy.cost == pytest.approx(done.policy.work * 1e-5, rel=0.02)
    held = read_profile(profile)
    assert held.model == "m"
    assert held.ladders is not None
    assert [rung.effort for rung in held.ladders.rungs] == ["low", "high"]
    again = sync.which(recorded=file, price="1/10")
    assert again.records == done.records


def test_whose_efforts_there_are_is_said(tmp_path: Path) -> None:
    file = recorded(tmp_path / "samples.parquet")
    rows = parquet.read_table(file).to_pylist()
    rows += [{**row, "model": "plain"} for row in rows if row["effort"] == "low"]
    parquet.write_table(pyarrow.Table.from_pylist(rows), file)
    with pytest.raises(InputError, match=r"say whose recordings: m \(were recorded at several"):
        sync.which(recorded=file)


def test_what_nobody_can_choose_by_says_how_many_answers_it_takes(tmp_path: Path) -> None:
    asked = [{key: row[key] for key in ("question", "kind")} for row in SUMS]
    done = sync.which(asked, engine="scripted", pilot="5k work", efforts="default", votes=2)
    assert "give the answers of 8 problems at least; by 4 labelled" in done.caveats[-1]
    done = sync.which(SUMS, engine="scripted", pilot="5k work", efforts="default", votes=2)
    assert done.caveats[-1].endswith("to choose a policy by: it takes 8 at least")
    cut = sync.which(recorded=recorded(tmp_path / "x.parquet"), pilot="60k work", seed=2)
    assert "limit on work ended the race" in cut.caveats[0]
    assert ", and 0 " not in cut.caveats[0]
    assert "; 0 " not in cut.caveats[0]


def test_a_pilot_on_recordings_is_as_hard(tmp_path: Path) -> None:
    file = recorded(tmp_path / "samples.parquet")
    done = sync.which(recorded=file, pilot="30k work", votes=3)
    assert done.raced.spent.output_tokens <= 30_000
    assert done.raced.ended_by == "work"
    assert any("the pilot's limit on work" in one for one in done.caveats)
