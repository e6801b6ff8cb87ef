"""What is compared, and how one of them is run: agents before a gateway on loopback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import aiohttp

from workspan.core.engine import Price
from workspan.serve.config import Config, Upstream
from workspan.serve.running import serving
from workspan.testing.agents.maze import STEPS, Maze
from workspan.testing.agents.model import Bill, SimulatedModel
from workspan.testing.agents.walker import Walk, walk

PRICE = Price(Decimal(1), Decimal(4), Decimal("0.1"))
"""USD per million tokens: read, decoded, read from a cache."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to run an agent."""

    name: str
    model: str
    """As the gateway is asked for it."""
    budget: str = ""
    """Of each trajectory; empty is none."""
    runs: int = 1
    """Whole runs of each task, of which the place that most end in is taken."""
    states_turns: bool = True


ARMS: Sequence[Arm] = (
    Arm("one sample", "sim"),
    Arm("one sample, 3 whole runs and a vote", "sim", runs=3),
    Arm("a vote of 3 at every turn", "sim:self_consistency(n=3)"),
    Arm("a vote of 5 at every turn", "sim:self_consistency(n=5)"),
    Arm("`auto` by trajectory, 1.2k work", "sim:auto", "1.2k work"),
    Arm("`auto` by trajectory, 1.5k work", "sim:auto", "1.5k work"),
    Arm("`auto` by trajectory, 2.5k work", "sim:auto", "2.5k work"),
    Arm("the same, turns not stated", "sim:auto", "2.5k work", states_turns=False),
    Arm("`auto` by trajectory, no budget", "sim:auto"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One task under one arm."""

    solved: bool
    cost: float
    """USD, of all its runs."""
    calls: int
    work: int
    refused: int
    """Runs that a budget ended."""
    widest: int
    alone: int
    """Turns of one call."""
    turns: int


@dataclass(frozen=True, slots=True)
class Ran:
    """One arm over all tasks."""

    arm: Arm
    outcomes: Sequence[Outcome]
    bill: Bill
    """The simulated server's own."""


async def run(arm: Arm, tasks: int, seed: int) -> Ran:
    """Run an arm over tasks, one after the other: what it learns, it learns within this."""
    async with SimulatedModel().serve() as up:
        config = Config((Upstream("sim", up.url, "sim", PRICE),), port=0)
        async with serving(config) as gateway, aiohttp.ClientSession() as client:
            outcomes = []
            for number in range(tasks):
                maze, walks = Maze(seed * 100_000 + number), []
                for again in range(arm.runs):
                    name = f"{number}-{again}"
                    headers = _headers(arm, name)
                    drawn = maze.seed * 10 + again
                    walks.append(await walk(client, gateway.url, maze, arm.model, drawn, headers))
                outcomes.append(_outcome(maze, walks))
        return Ran(arm, outcomes, up.bill)


def _headers(arm: Arm, name: str) -> dict[str, str]:
    told = {"Workspan-Trajectory": name}
    if arm.states_turns:
        told["Workspan-Trajectory-Turns"] = str(len(STEPS) + 1)
    if arm.budget:
        told["Workspan-Trajectory-Budget"] = arm.budget
    return told


def _outcome(maze: Maze, walks: Sequence[Walk]) -> Outcome:
    places = Counter(one.place for one in walks)
    [(place, _)] = places.most_common(1)  # the first of equals
    widths = [width for one in walks for width in one.widths]
    return Outcome(
        place == maze.end,
        sum(one.cost for one in walks),
        sum(widths),
        sum(one.work for one in walks),
        sum(bool(one.error) for one in walks),
        max(widths, default=0),
        sum(width == 1 for width in widths),
        len(widths),
    )
