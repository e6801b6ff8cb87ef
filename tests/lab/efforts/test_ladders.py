"""What a profile knows of efforts, and that playing on it is running."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from workspan.batch.drawn import Drawn, answers_of, drawn
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem
from workspan.errors import DataError, InputError, SpecError
from workspan.lab.efforts.crossing import crossed, parted
from workspan.lab.efforts.recorded import RecordedRace, recorded_ladders, recorded_race
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Chain, Recording
from workspan.runner import run
from workspan.search.climbing import Stage
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.efforts import pooled_climber
from workspan.strategies.auto.fit.ladders import (
    Mix,
    Played,
    as_strategy,
    fixed_plans,
    hull_of,
    plans_of,
    play,
)
from workspan.strategies.auto.fit.laid import Climb
from workspan.strategies.auto.fit.profile import Profile, read_profile, write_profile
from workspan.strategies.auto.fit.seen import Draw, Ladders, Rung, Seen, even
from workspan.strategies.auto.profile import evaluation_of
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio
EFFORTS = {"low": (0.6, 100), "high": (0.9, 400)}


def recordings(problems: int = 12, samples: int = 6, missing: float = 0.1) -> list[Recording]:
    """Make recordings of a model that is right more often, and longer, at a higher effort."""
    asked = tuple(Problem(f"p{i}", (Message("user", f"p{i}"),)) for i in range(problems))
    found = []
    for effort, (chance, tokens) in EFFORTS.items():
        rng = random.Random(effort)
        chains = {}
        for one in asked:
            chains[one.id] = tuple(
                Chain(
                    (rng.randint(tokens // 2, tokens * 2),),
                    (
                        None
                        if rng.random() < missing
                        else "right"
                        if rng.random() < chance
                        else rng.choice(["wrong", "other"]),
                    ),
                )
                for _ in range(samples)
            )
        answers = {one.id: "right" for one in asked}
        found.append(Recording("m", asked, chains, answers, effort=effort))
    return found


def made(**shape: int) -> RecordedRace:
    return recorded_race(recordings(**shape), [])


PLANS = [
    Climb((Stage(0, 1),)),
    Climb((Stage(1, 3),)),
    Climb((Stage(0, 2), Stage(1, 1))),
    Climb((Stage(0, 1, 120), Stage(1, 2))),
    Climb((Stage(0, 3, 150), Stage(1, 3))),
]


@pytest.mark.parametrize("pooled", [True, False])
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: str(plan.stages))
async def test_playing_a_plan_is_running_its_strategy(plan: Climb, *, pooled: bool) -> None:
    """With as many samples as a plan may draw, both are the same to the token on each problem."""
    need = {stage.rung: stage.n for stage in plan.stages}
    low, high = recordings(problems=40)
    cut = [
        Recording(
            "m",
            one.problems,
            {name: many[: need.get(i, 1)] for name, many in one.chains.items()},
            one.references,
            effort=one.effort,
        )
        for i, one in enumerate((low, high))
    ]
    race = recorded_race(cut, [])
    ladders = msgspec.structs.replace(recorded_ladders(race), pooled=pooled)
    played = play(ladders, [plan], orders=1)
    told = as_strategy(plan, ladders, played.weights)
    strategy = replace(told, efforts=("",) * len(told.n), engines=told.efforts)
    for row, task in enumerate(race.tasks):
        served = {one.effort: ReplayEngine(one, order=0, once=True) for one in cut}
        result = await run(strategy, task.problem, served["low"], engines=served)
        assert (result.work, result.span) == (played.work[0, row], played.span[0, row])
        if not result.answer.tied:
            assert float(result.answer.text == "right") == played.right[0, row]
        picked = drawn([float(one == "right") for one in answers_of(result.answer)])
        assert picked == Drawn(played.random[0, row], played.coverage[0, row])


def test_a_cap_cuts_the_stage_that_does_not_fit() -> None:
    draws = ((Draw(0, 100), Draw(1, 100)), (Draw(1, 400), Draw(1, 400)))
    ladders = Ladders((Rung("low"), Rung("high")), (Seen(draws, (1,)),) * 4)
    plan = Climb((Stage(0, 2), Stage(1, 1)))
    free = play(ladders, [plan])
    assert (free.right.min(), free.work.max(), free.span.max()) == (1.0, 600.0, 500.0)
    capped = play(ladders, [plan], cap=500)
    assert capped.work.max() == 500.0
    assert capped.right.mean() < 1  # the dear vote did not come
    assert (capped.random.max(), capped.coverage.min()) == (0.5, 1.0)
    short = play(ladders, [plan], longest=300)
    assert short.span.max() <= 300


def test_missing_answers_vote_for_nothing() -> None:
    draws = ((Draw(-1, 10), Draw(-1, 10)),)
    ladders = Ladders((Rung("low"),), (Seen(draws, ()),) * 4)
    played = play(ladders, [Climb((Stage(0, 2),))])
    assert played.right.max() == 0.0
    assert play(ladders, [Climb((Stage(0, 1), Stage(0, 1)))]).work.min() == 20.0  # it went up


def test_a_ladder_names_no_more_than_it_needs() -> None:
    ladders = msgspec.structs.replace(even(recorded_ladders(made())), pooled=False)
    alone = as_strategy(Climb((Stage(1, 2), Stage(1, 1))), ladders, (0.4, 2.1))
    assert (alone.weights, alone.pooled) == ((), True)  # all votes are of one setting
    both = as_strategy(Climb((Stage(0, 2), Stage(1, 1))), ladders, (0.4, 2.1))
    assert (both.weights, both.pooled) == ((0.4, 2.1), False)


def test_plans_hold_every_vote_and_ladder_that_there_are_samples_for() -> None:
    ladders = even(recorded_ladders(made()))
    plans = plans_of(ladders)
    assert len(plans) == len(set(plans))
    assert {plan.votes for plan in fixed_plans(ladders)} == {1, 2, 3, 4, 5, 6}
    assert Climb((Stage(0, 2), Stage(1, 1))) in plans
    assert all(plan.stages[0].rung <= plan.stages[-1].rung for plan in plans)


def test_a_mixture_of_two_corners_takes_the_budget_to_the_token() -> None:
    played = play(even(recorded_ladders(made())))
    work, right = played.work.mean(axis=1), played.right.mean(axis=1)
    hull = played.hull
    assert all(right[a] < right[b] and work[a] < work[b] for a, b in zip(hull, hull[1:]))  # noqa: B905, RUF007
    budget = float(work[hull[0]] + work[hull[1]]) / 2
    mix = played.mix(budget)
    places = [played.plans.index(plan) for plan in (mix.first, mix.second)]
    assert (1 - mix.share) * work[places[0]] + mix.share * work[places[1]] == pytest.approx(budget)
    assert played.mix(1.0).second == played.plans[hull[0]]
    assert played.mix(None).first == played.plans[hull[-1]]


def test_a_hull_is_concave_and_holds_the_best() -> None:
    work, right = np.array([1.0, 2, 3, 4]), np.array([0.1, 0.2, 0.6, 0.5])
    assert hull_of(work, right) == [0, 2]


def test_what_is_judged_was_not_learnt_from() -> None:
    for held, rest in parted(23, 5, seed=3):
        assert not {*held} & {*rest}
        assert sorted([*held, *rest]) == [*range(23)]
    ladders = even(recorded_ladders(made()))
    seen: list[int] = []

    def choose(played: Played) -> Mix:
        seen.append(played.right.shape[1])
        return played.mix(None)

    [found] = crossed(ladders, [choose])
    assert found.right.shape == (12,)
    assert max(seen) < 12


def test_recordings_are_told_apart_by_effort_and_what_is_left_out_is_named() -> None:
    low, high = recordings()
    unknown = Recording("m", low.problems, low.chains, low.references, setting="x")
    race = recorded_race([high, unknown, low], [])
    assert [one.rung.effort for one in race.entrants] == ["low", "high"]
    assert "does not say" in race.left_out["m x"]
    assert race.pooled
    with pytest.raises(InputError, match="did you mean 'high'"):
        recorded_race([low, high], ["low", "hihg"])
    with pytest.raises(InputError, match="one effort alone"):
        recorded_race([low], [])


def test_answers_that_are_named_anew_are_not_pooled() -> None:
    low, high = recordings()
    other = Recording(
        "m", high.problems, high.chains, dict.fromkeys(high.chains, "B"), effort="high"
    )
    race = recorded_race([low, other], [])
    assert not race.pooled
    groups = [
        {draw.group for draw in rung if draw.group >= 0}
        for rung in recorded_ladders(race).problems[0].draws
    ]
    assert not groups[0] & groups[1]


def profile(folder: Path) -> Path:
    path = folder / "efforts.json"
    write_profile(Profile("m", "tokens", (), ladders=recorded_ladders(made())), path)
    return path


def test_a_profile_of_efforts_is_kept_whole_and_checked(tmp_path: Path) -> None:
    path = profile(tmp_path)
    assert read_profile(path).ladders == recorded_ladders(made())
    broken = Ladders((Rung("low"),), (Seen(((Draw(0, 0),),), (0,)),))
    write_profile(Profile("m", "tokens", (), ladders=broken), path)
    with pytest.raises(DataError, match="efforts that can't be"):
        read_profile(path)


async def test_an_engine_that_a_profile_names_is_missed_before_anything_is_spent(
    tmp_path: Path,
) -> None:
    """It may stand on a rung that is reached half-way."""
    seen = recorded_ladders(made())
    strong = msgspec.structs.replace(seen, rungs=(Rung(""), Rung("", "strong")))
    path = tmp_path / "two.json"
    write_profile(Profile("scripted", "tokens", (), ladders=strong), path)
    auto, engine = Auto(profile=str(path), of="scripted"), ScriptedEngine(["Answer: 1"])
    with pytest.raises(SpecError, match="names an unknown engine 'strong'"):
        await run(auto, Problem.ask("1?"), engine, budget=Budget(work=5000))
    assert not engine.requests
    both = {"strong": ScriptedEngine(["Answer: 1"])}
    done = await run(auto, Problem.ask("1?"), engine, budget=Budget(work=5000), engines=both)
    assert done.usage.calls == len(engine.requests) + len(both["strong"].requests) > 0


@pytest.mark.parametrize("n", [1, 2, 3])
async def test_a_ladder_draws_no_more_than_auto_may(n: int, tmp_path: Path) -> None:
    seen = msgspec.structs.replace(
        recorded_ladders(made()), rungs=(Rung("", "weak"), Rung("", "strong"))
    )
    path = tmp_path / "two.json"
    write_profile(Profile("scripted", "tokens", (), ladders=seen), path)
    auto = Auto(profile=str(path), n=n, of="scripted")
    said = ScriptedEngine(lambda request: f"Answer: {request.seed}")  # no two agree
    engines = {"weak": said, "strong": said}
    done = await run(auto, Problem.ask("1?"), said, budget=Budget(work=5000), engines=engines)
    assert 1 <= done.usage.calls <= n
    for place in range(10):
        held = pooled_climber(auto, 1e9, place / 10).ladder
        assert sum(stage.n for stage in held.stages) <= n


def test_a_pooled_budget_gives_dear_ladders_to_some_problems(tmp_path: Path) -> None:
    auto = Auto(profile=str(profile(tmp_path)))
    work = play(recorded_ladders(made())).work.mean(axis=1)
    found = {pooled_climber(auto, float(work.min()) * 1.5, place / 10) for place in range(10)}
    assert len(found) == 2
    with pytest.raises(SpecError, match="is of efforts"):
        evaluation_of(auto.profile, None)
