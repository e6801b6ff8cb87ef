"""`auto` with a profile of efforts: it says why, keeps a floor, and chooses soberly."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from workspan.core.engine import EngineInfo
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import SpecError
from workspan.runner import Result, run
from workspan.search.climbing import Stage
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.efforts import Climber
from workspan.strategies.auto.fit.ladders import (
    Trust,
    plain_plans,
    play,
    trust_of,
    weights_of,
)
from workspan.strategies.auto.fit.laid import Climb
from workspan.strategies.auto.fit.profile import Profile, write_profile
from workspan.strategies.auto.fit.seen import Draw, Ladders, Rung, Seen
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio
PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
TWO = Climb((Stage(0, 2), Stage(1, 1)))


def seen(problems: int = 24) -> Ladders:
    """Two efforts; where both cheap samples agree they are right, else often not."""
    rng = random.Random(0)
    found = []
    for i in range(problems):
        chance = 1.0 if i % 2 else 0.4
        low = tuple(Draw(0 if rng.random() < chance else rng.randint(1, 4), 100) for _ in range(6))
        high = tuple(Draw(0 if rng.random() < 0.8 else 5, 400) for _ in range(6))
        found.append(Seen((low, high), (0,)))
    return Ladders((Rung("low"), Rung("high")), tuple(found))


class Stated(ScriptedEngine):
    """Scripted answers; whoever opened it has said how an effort is told."""

    @property
    def info(self) -> EngineInfo:
        told = super().info
        return EngineInfo(
            told.name, "simulated (no model)", None, told.capabilities, has_effort_field=True
        )


def by_effort(**said: list[str]) -> Callable[[Request], str]:
    left = {effort: [f"Answer: {text}" for text in texts] for effort, texts in said.items()}
    return lambda request: left[request.reasoning_effort or "own"].pop(0)


async def solved(path: Path, *, floor: float, **said: list[str]) -> Result:
    profile = path / "efforts.json"
    write_profile(Profile("simulated (no model)", "tokens", (), ladders=seen()), profile)
    ladder = Ladder(("low", "high"), (2, 1), max_tokens=100)
    weights = weights_of(seen())
    climber = Climber(ladder, (*trust_of(seen(), TWO, weights),), ("low", "high"))
    auto = Auto(profile=str(profile), floor=floor, climbs=climber)
    return await run(auto, PROBLEM, Stated(by_effort(**said)), budget=Budget(work=2_000))


async def test_a_ladder_says_why_it_went_up(tmp_path: Path) -> None:
    result = await solved(tmp_path, floor=0.0, low=["4", "5"], high=["5"])
    told = result.answer.why
    assert told is not None
    assert [step.action for step in told.steps] == ["widen", "widen", "stop"]
    assert [step.why.get("effort") for step in told.steps] == ["low", "high", None]
    assert told.steps[1].why["because"] == "they disagree"
    assert told.steps[-1].why["because"] == "no rung is above"
    assert told.steps[1].work == 4
    assert [len(step.grown) for step in told.steps] == [2, 1, 0]
    assert told.answers == ("4", "5")
    assert told.steps[-1].leader == 1
    assert (told.chains, told.ended, told.work) == (3, 3, result.work)
    assert 0 < told.steps[-1].confidence < 1


async def test_it_abstains_below_the_floor_and_answers_above(tmp_path: Path) -> None:
    sure = await solved(tmp_path, floor=0.8, low=["4", "4"], high=[])
    assert sure.answer.text == "4"
    assert sure.answer.why is not None
    assert sure.answer.why.steps[-1].why["because"] == "they agree"
    split = await solved(tmp_path, floor=0.8, low=["4", "5"], high=["6"])
    assert split.answer.text is None
    assert split.answer.why is not None
    assert split.answer.why.steps[-1].action == "abstain"
    assert len(split.answer.candidates) == 3  # nothing that was drawn is lost


async def test_no_ladder_promises_anything(tmp_path: Path) -> None:
    path = tmp_path / "efforts.json"
    write_profile(Profile("simulated (no model)", "tokens", (), ladders=seen()), path)
    engine = Stated(by_effort(low=[], high=[]))
    with pytest.raises(SpecError, match="promises nothing"):
        await run(Auto(profile=str(path), floor="mode"), PROBLEM, engine)


def test_trust_rises_with_the_share_behind_an_answer() -> None:
    learnt = trust_of(seen(), TWO, weights_of(seen()))
    assert learnt.rise > 1
    few = Ladders(seen().rungs, seen().problems[:4])
    near = trust_of(few, TWO, weights_of(few))
    assert abs(near.rise - Trust().rise) < 1.5  # a few problems say little


def test_what_sets_a_plan_off_is_half_believed_and_order_of_work_is_kept() -> None:
    played = play(seen(), plain_plans(seen()))
    sober = played.steady()
    right, drawn = played.right.mean(axis=1), sober.right.mean(axis=1)
    work = np.log(played.work.mean(axis=1))
    line = np.polyval(np.polyfit(work, right, 1), work)
    assert drawn == pytest.approx((right + line) / 2)
    assert (sober.work == played.work).all()
    assert TWO in played.plans
    assert all(plan.is_plain for plan in played.plans)
