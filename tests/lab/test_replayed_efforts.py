"""Ladders of efforts in a replay: a group of recordings, held out by problem, on one account."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from workspan.cli.main import app
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import InputError, SpecError
from workspan.lab.efforts.crossing import parted
from workspan.lab.replay.efforts import Group, grouped, read_climbing, replay_efforts
from workspan.lab.replay.folds import Folds
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.records import ReplayRecord, records
from workspan.recordings.parquet import read_recordings
from workspan.recordings.recording import Chain, Recording
from workspan.search.climbing import Stage
from workspan.strategies.auto.fit.ladders import play
from workspan.strategies.auto.fit.laid import Climb

PROBLEMS = 24
LOW, HIGH = 100, 600
LADDER = "ladder(efforts=('low','high'), n=(2,1))"
ALL = f"best_fixed,auto,auto_hard,{LADDER},oracle"


def recorded(
    effort: str, *, n: int = 6, wrong: Callable[[int], bool] = lambda _: False
) -> Recording:
    """Record samples of which the cheap ones differ, and are wrong at times, on hard problems."""
    names = [f"p{i}" for i in range(PROBLEMS)]
    is_low = effort == "low"

    def said(i: int, k: int) -> str:
        is_hard = i % 3 == 0
        right = "8" if wrong(i) else "7"
        return str(k) if is_low and is_hard and k % 2 else right

    def chain(i: int, k: int) -> Chain:
        return Chain(((LOW if is_low else HIGH) + 7 * i + k,), (said(i, k),))

    return Recording(
        "m",
        tuple(Problem.ask(name, id=name) for name in names),
        {name: tuple(chain(i, k) for k in range(n)) for i, name in enumerate(names)},
        dict.fromkeys(names, "7"),
        dict.fromkeys(names, "sums"),
        setting=effort,
        effort=effort,
    )


def group(**told: Any) -> Group:
    (found,), _ = grouped([recorded("high", **told), recorded("low", **told)])
    return found


def outcomes(one: Group, names: str, *budgets: str, **told: Any) -> list[Outcome]:
    limits = [Budget.parse(f"{text} work") if text else Budget() for text in budgets]
    return [*replay_efforts([one], read_climbing(names), limits, **told).outcomes]


def recorded_records(one: Group, names: str, *budgets: str, **told: Any) -> list[ReplayRecord]:
    limits = [Budget.parse(f"{text} work") for text in budgets]
    return records(replay_efforts([one], read_climbing(names), limits, **told))


def test_ladders_go_up_where_cheap_samples_differ_and_fixed_settings_stand_beside() -> None:
    found = {one.strategy: one for one in recorded_records(group(), ALL, "600")}
    assert {one.problems for one in found.values()} == {PROBLEMS}
    auto, fixed, ladder = (found[name] for name in ("auto", "best_fixed", LADDER))
    assert auto.accuracy > fixed.accuracy
    assert auto.difference is not None
    assert auto.difference > 0
    assert max(auto.work, fixed.work) <= 600
    assert ladder.work > 2 * LOW
    assert ladder.span < ladder.work  # samples of a rung are side by side
    assert {name for name, one in found.items() if one.pooled} == {"auto", "best_fixed", "oracle"}
    assert found["oracle"].accuracy >= auto.accuracy
    assert found["oracle"].uses_labels


def test_a_written_ladder_costs_what_it_costs_in_a_run() -> None:
    one = group()
    assert [rung.effort for rung in one.ladders.rungs] == ["low", "high"]
    plan = Climb((Stage(0, 2), Stage(1, 1)))
    for text, cap in (("500", 500), ("", None)):
        done = play(one.ladders, [plan], (1.0, 1.0), cap=cap, seed=3, orders=5).at(0)
        found = outcomes(one, LADDER, text, seed=3, seeds=5)
        assert [o.correct for o in found] == pytest.approx(done.right.tolist())
        assert [o.work for o in found] == pytest.approx(done.work.tolist())
        assert [o.span for o in found] == pytest.approx(done.span.tolist())
        assert [o.coverage for o in found] == pytest.approx(done.coverage.tolist())


@pytest.mark.parametrize("name", ["auto_hard", LADDER])
@pytest.mark.parametrize("budget", [50, 150, 400, 900, 3_000])
def test_a_limit_is_one_on_every_problem(name: str, budget: int) -> None:
    found = outcomes(group(), name, f"{budget}")
    assert all(one.span <= one.work <= budget for one in found)


def test_no_label_reaches_its_own_problem() -> None:
    """What is right of a fold's problems turns nothing of what is run on them."""
    one, names = group(), "auto,auto_hard,best_fixed"
    held, _ = next(parted(PROBLEMS, 5, 0))
    turned = [
        msgspec.structs.replace(seen, right=(99,)) if i in held else seen
        for i, seen in enumerate(one.ladders.problems)
    ]
    other = replace(one, ladders=msgspec.structs.replace(one.ladders, problems=(*turned,)))
    both = (outcomes(each, names, "300", "900") for each in (one, other))
    pairs = [*zip(*both, strict=True)]
    own = {one.problems[i] for i in held}
    for before, after in pairs:
        if before.problem in own:
            assert (before.work, before.span) == (after.work, after.span)
    assert any(a.correct != b.correct for a, b in pairs)


def test_efforts_come_as_they_are_named_and_models_are_grouped() -> None:
    three = [recorded(one) for one in ("high", "low")]
    three.append(replace(recorded("low"), effort="medium", setting="medium"))
    (found,), _ = grouped(three, ["high", "low"])
    assert [rung.effort for rung in found.ladders.rungs] == ["low", "high"]
    alone = replace(recorded("high"), model="other")
    groups, left_out = grouped([*three, alone])
    assert [one.model for one in groups] == ["m"]
    assert {name: "one effort alone" in why for name, why in left_out.items()} == {"other": True}
    with pytest.raises(InputError, match="no model can be climbed: other: other was recorded at"):
        grouped([alone])
    with pytest.raises(InputError, match="nothing was recorded at effort 'hgih'"):
        grouped(three, ["low", "hgih"])
    few = [one.keep({f"p{i}" for i in range(6)}) for one in three]
    with pytest.raises(InputError, match="6 problems at all efforts, and folds need 8"):
        grouped(few)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("esc", "efforts are climbed by best_fixed, auto, auto_hard, oracle and ladder"),
        ("auto(floor=.5)", "such as auto as it is"),
        ("ladder(max_tokens=900)", "have no engines and no cap"),
        ("ladder(engines=('a','b'))", "have no engines and no cap"),
        ("auto,auto", "given twice"),
        ("", "no strategy is named"),
    ],
)
def test_what_climbs_no_efforts_is_refused(text: str, said: str) -> None:
    with pytest.raises((SpecError, InputError), match=said):
        read_climbing(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ladder(efforts=('low','hihg'), n=(2,1))", "was not recorded at effort 'hihg'"),
        ("ladder(efforts=('low','high'), n=(7,1))", "draws 7 samples at low: 6 can be replayed"),
        ("ladder(efforts=('low','low'), n=(1,1), weights=(1,2))", "weighs votes of one effort"),
    ],
)
def test_what_was_not_recorded_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        outcomes(group(), text, "900")


def test_answers_that_each_effort_names_anew_are_not_pooled() -> None:
    other = recorded("low")
    shuffled = replace(other, references=dict.fromkeys(other.references, "B"))
    (one,), _ = grouped([recorded("high"), shuffled])
    with pytest.raises(InputError, match="write pooled=False"):
        outcomes(one, LADDER, "900")
    assert outcomes(one, LADDER.replace("(2,1)", "(2,1), pooled=False"), "900")


def test_other_folds_and_units_are_refused() -> None:
    with pytest.raises(InputError, match="held out by problem, not by model"):
        outcomes(group(), "auto", "900", folds=Folds("model"))
    with pytest.raises(InputError, match="some recordings count tokens"):
        replay_efforts([group(), replace(group(), unit="characters")], [None], [Budget()])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows: list[dict[str, Any]] = []
    for one in (recorded("low"), recorded("high")):
        about = {"task": "sums", "model": "m", "setting": one.effort, "effort": one.effort}
        for problem, chains in one.chains.items():
            drawn = [(chain.answers[-1], chain.tokens) for chain in chains]
            samples = [{"answer": a, "correct": a == "7", "tokens": n} for a, n in drawn]
            rows.append({"problem_id": problem, "gold": "7", "samples": samples, **about})
    path = tmp_path / "samples.parquet"
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def called(*arguments: str | Path) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["replay", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_file_with_efforts_is_replayed_as_the_recordings_are(file: Path, tmp_path: Path) -> None:
    told = ("--efforts", "all", "-b", "300,900", "--json")
    found = called(file, *told)
    assert [one["strategy"] for one in found] == [
        name for name in ("best_fixed", "auto", "oracle") for _ in range(2)
    ]
    (same,), _ = grouped(read_recordings(file, unlogged=0.1, names_missing=False).recordings)
    ours = recorded_records(same, "best_fixed,auto,oracle", "300", "900")
    assert [one["accuracy"] for one in found] == pytest.approx([one.accuracy for one in ours])
    assert [one["work"] for one in found] == pytest.approx([one.work for one in ours])
    assert found[0]["model"] == "m"
    assert found[0]["task"] == "sums"
    page = tmp_path / "page.html"
    called(file, *told, "--by", "model", "--limit", "16", "--report", page)
    assert "best_fixed" in page.read_text()
    with pytest.raises(SpecError, match="given twice"):
        called(file, "--efforts", "low,low")
    (tmp_path / "run.jsonl").touch()
    with pytest.raises(InputError, match="is a journal: efforts are climbed on samples"):
        called(tmp_path / "run.jsonl", "--efforts", "all", "--task", "demo")
