"""The ladder of efforts: cheap samples first, dearer ones where those do not settle it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workspan.core.engine import EngineInfo
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.errors import SpecError
from workspan.runner import Result, run
from workspan.spec import parse_strategy, write
from workspan.strategies.adaptive.ladder import Ladder
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.anyio
PROBLEM = Problem.ask("2 + 2?", kind="number")


class Stated(ScriptedEngine):
    """Scripted answers by effort; whoever opened it has said how it is told."""

    @property
    def info(self) -> EngineInfo:
        told = super().info
        return EngineInfo(told.name, told.model, None, told.capabilities, has_effort_field=True)


def by_effort(**said: list[str]) -> Callable[[Request], str]:
    """Answer each effort with its texts in turn."""
    left = {effort: [*texts] for effort, texts in said.items()}
    return lambda request: left[request.reasoning_effort or "own"].pop(0)


async def climbed(ladder: Ladder, budget: Budget | None = None, **said: list[str]) -> Result:
    return await run(ladder, PROBLEM, Stated(by_effort(**said)), budget=budget)


TWO = Ladder(("medium", "high"), (2, 1), max_tokens=100)


async def test_agreement_settles_it_below() -> None:
    result = await climbed(TWO, medium=["Answer: 4", "Answer: 4"], high=[])
    assert (result.answer.text, result.usage.calls) == ("4", 2)
    assert result.span == 2


async def test_disagreement_goes_up_and_the_third_vote_decides() -> None:
    result = await climbed(TWO, medium=["Answer: 4", "Answer: 5"], high=["Answer: 5"])
    assert (result.answer.text, result.usage.calls) == ("5", 3)
    assert result.span == 4  # one stage after another


async def test_of_three_that_differ_the_dearest_is_taken() -> None:
    result = await climbed(TWO, medium=["Answer: 4", "Answer: 5"], high=["Answer: 6"])
    assert result.answer.text == "6"


async def test_a_missing_answer_votes_for_nothing_and_is_disagreement() -> None:
    result = await climbed(TWO, medium=["Answer: 4", "well, I can not say"], high=["Answer: 4"])
    assert (result.answer.text, result.usage.calls) == ("4", 3)
    assert [one.answer for one in result.answer.candidates] == ["4", None, "4"]
    assert result.answer.votes[0].weight == pytest.approx(2)


async def test_a_long_sample_settles_nothing() -> None:
    ladder = Ladder(("medium", "high"), (1, 1), within=(5, 0), max_tokens=100)
    long = "hm hm hm hm hm hm Answer: 4"
    assert (await climbed(ladder, medium=[long], high=["Answer: 5"])).answer.text == "5"
    assert (await climbed(ladder, medium=["Answer: 4"], high=[])).answer.text == "4"


async def test_without_pooling_the_last_rung_alone_votes() -> None:
    said = {"medium": ["Answer: 4", "Answer: 4", "Answer: 5"], "high": ["Answer: 6"]}
    pooled = Ladder(("medium", "high"), (3, 1), max_tokens=100)
    assert (await climbed(pooled, None, **said)).answer.text == "4"
    apart = Ladder(("medium", "high"), (3, 1), pooled=False, max_tokens=100)
    assert (await climbed(apart, None, **said)).answer.text == "6"
    none = {"medium": ["Answer: 4", "Answer: 5"], "high": ["no idea"]}
    assert (await climbed(Ladder(pooled=False, max_tokens=100), None, **none)).answer.text == "4"


async def test_where_the_dear_stage_does_not_fit_what_was_found_stands() -> None:
    said = {"medium": ["Answer: 4", "Answer: 5"], "high": ["Answer: 5"]}
    result = await climbed(TWO, Budget(work=4), **said)
    assert (result.answer.text, result.stop) == ("4", "work")
    assert result.work <= 4


async def test_tokens_cap_the_thinking_of_a_request() -> None:
    engine = Stated(["Answer: 4"])
    await run(Ladder(("32k",), (1,), max_tokens=40_000), PROBLEM, engine)
    (request,) = engine.requests
    assert (request.max_reasoning_tokens, request.reasoning_effort) == (32_000, None)


async def test_an_effort_that_nobody_knows_is_refused_unasked() -> None:
    engine = ScriptedEngine(["never asked"])
    with pytest.raises(SpecError, match="nobody knows what efforts"):
        await run(TWO, PROBLEM, engine)
    assert not engine.requests


def test_it_reads_back_as_it_was_written_and_refuses_rungs_that_do_not_fit() -> None:
    ladder = Ladder(("low", "high"), (3, 1), within=(900, 0), weights=(0.5, 1.5), pooled=False)
    assert parse_strategy(write(ladder)) == ladder
    for wrong in ("n=(1,)", "n=(2, 0)", "within=(1,)", "weights=(1.0,)", "efforts=()"):
        with pytest.raises(SpecError):
            parse_strategy(f"ladder({wrong})")
