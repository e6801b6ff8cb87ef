"""Width where it decides: what a turn draws, and what that solves. The model is simulated."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import aiohttp
import pytest

from gateway.rig import gate, run
from gateway_requests import WEATHER, asked, calls
from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Message
from workspan.serve.scaled import answer, plan
from workspan.serve.scaled.deciding import Deciding
from workspan.serve.trajectories.book import after
from workspan.serve.trajectories.course import Course, Seen, State
from workspan.testing.agents.maze import Maze
from workspan.testing.agents.model import SimulatedModel
from workspan.testing.agents.walker import Walk, walk
from workspan.testing.scripted import Said, ScriptedEngine

SAFE = {State("look", ("get_weather",)): Seen(turns=60, pairs=60, differed=0)}
RISKY = {State("look", ("get_weather",)): Seen(turns=60, pairs=60, differed=30)}
WORDS = Said("It rains.")


class Bounded:
    def __init__(self) -> None:
        self.ledger = Ledger(Budget())


async def drawn(script: Sequence[Said], course: Course) -> tuple[int, str]:
    """Return how many drafts a turn took, and the city that it asks of."""
    body = {"tools": [WEATHER], "messages": [{"role": "user", "content": "Weather?"}]}
    request = asked(body, Deciding(course=course))
    engine = ScriptedEngine(list(script))
    reply = await answer(request, {"main": engine}, Bounded())
    message = reply.body["choices"][0]["message"]
    called = message.get("tool_calls") or [{"function": {"arguments": "{}"}}]
    city = json.loads(called[0]["function"]["arguments"]).get("city", "")
    return reply.workspan["calls"], city


A, B, C = calls("Ulm"), calls("Bonn"), calls("Rome")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "took", "city"),
    [
        ((A, B, B), 1, "Ulm"),
    ],
)
async def test_where_drafts_agree_one_is_drawn(
    script: Sequence[Said], took: int, city: str
) -> None:
    assert await drawn(script, Course("look", seen=SAFE)) == (took, city)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "took", "city"),
    [
        ((A, A, B), 2, "Ulm"),
        ((A, B, B, B), 4, "Bonn"),  # 1:1, then two at once: 3 of 4 is a lead of 2
        ((A, B, B, A, B, B), 6, "Bonn"),
        ((A, WORDS, A, A), 4, "Ulm"),
        ((WORDS, WORDS, A), 2, ""),
    ],
)
async def test_where_they_differ_calls_are_voted_on_to_a_clear_lead(
    script: Sequence[Said], took: int, city: str
) -> None:
    seen = {**RISKY, State("look", ()): Seen(60, 60, 30)}
    assert await drawn(script, Course("look", seen=seen)) == (took, city)


@pytest.mark.anyio
async def test_a_width_is_not_passed_whatever_is_drawn() -> None:
    room = Course("look", room=4.0, to_come=0, seen=RISKY)
    assert await drawn((A, B, C, A, B, C, A, B), room) == (4, "Ulm")
    assert (await drawn((A, B), Course("look", room=2.0, to_come=0, seen=RISKY)))[0] == 1


def test_what_is_left_is_spread_over_the_turns_to_come() -> None:
    def width(room: float, to_come: int) -> int:
        return Course("look", room, True, to_come, RISKY).width(("get_weather",), 9)

    assert [width(60.0, come) for come in (1, 5, 10, 20, 40)] == [9, 9, 7, 3, 3]
    assert Course("look", 21.0, True, 20, RISKY).width(("get_weather",), 9) == 1
    assert Course("look", None, False, 20, RISKY).width(("get_weather",), 9) == 1


def test_little_is_spent_where_drafts_differ_most() -> None:
    seen = {
        **SAFE,
        State("look", ("act",)): Seen(20, 20, 9),
        State("look", ("set",)): Seen(20, 20, 3),
    }
    course = Course("look", 28.0, True, 20, seen)
    assert course.width(("act",), 9) >= 3
    assert course.width(("set",), 9) == 1


def test_what_is_new_goes_by_the_same_tools_elsewhere_and_is_looked_at_again() -> None:
    course = Course("other", seen=SAFE)
    assert course.rate(State("other", ("get_weather",))) < 0.03
    assert course.rate(State("other", ("unknown",))) == 0.2
    again = {State("look", ("get_weather",)): Seen(turns=63, pairs=60, differed=0)}
    assert Course("look", seen=again).width(("get_weather",), 9) == 9


def test_the_state_is_the_tool_that_answered_last() -> None:
    turn = calls("Ulm", id="c1").tool_calls
    prompt = (Message("user", "?"), Message("assistant", None, tool_calls=turn))
    assert after(prompt) == ""
    assert after((*prompt, Message("tool", "rain", tool_call_id="c1"))) == "get_weather"
    assert after((*prompt, Message("tool", "rain", tool_call_id="c2", name="x"))) == "x"


def test_without_a_trajectory_auto_is_as_it_was() -> None:
    engine = ScriptedEngine(["x"])
    assert plan(asked({"tools": [WEATHER]}, "auto"), engine.info).name == "auto(n=9, window=3)"


async def walked(model: str, budget: str, tasks: int) -> tuple[int, float, list[Walk]]:
    """Return how many tasks were solved, the mean cost in decoded tokens, and the runs."""
    walks = []
    async with (
        SimulatedModel().serve() as up,
        gate(up.url) as gw,
        aiohttp.ClientSession() as client,
    ):
        for number in range(tasks):
            headers = {"Workspan-Trajectory": str(number), "Workspan-Trajectory-Turns": "21"}
            headers |= {"Workspan-Trajectory-Budget": budget} if budget else {}
            name = model.replace("sim", "m")
            walks.append(await walk(client, gw.url, Maze(number), name, number, headers))
        assert sum(one.work for one in walks) == up.bill.decoded
    solved = sum(one.place == Maze(number).end for number, one in enumerate(walks))
    return solved, sum(one.work for one in walks) / tasks, walks


@pytest.mark.slow
def test_auto_by_trajectory_solves_more_at_the_cost_of_a_vote_everywhere() -> None:
    """The small version of `benchmarks.agents`: fixed seeds, everything charged, ten tasks."""

    async def main() -> None:
        alone, _, _ = await walked("sim", "", 10)
        voted, dear, _ = await walked("sim:self_consistency(n=3)", "", 10)
        solved, cost, walks = await walked("sim:auto", "2.5k work", 10)
        assert alone < solved
        assert voted <= solved
        assert cost < 0.75 * dear
        assert all(one.work <= 2_500 and not one.error for one in walks)
        wide = [width for one in walks[2:] for width in one.widths]
        assert wide.count(1) > len(wide) / 2

    run(main)


def test_a_budget_that_ends_in_mid_run_keeps_the_turns_before() -> None:
    async def main() -> None:
        _, cost, [one] = await walked("sim", "300 work", 1)
        assert one.error == "budget_exceeded" or sum(one.widths) < 21
        assert 0 < cost <= 300
        assert [told["turn"] for told in one.told] == [*range(1, one.turns + 1)]
        left: list[Any] = [told["left"]["work"] for told in one.told]
        assert left == sorted(left, reverse=True)

    run(main)
