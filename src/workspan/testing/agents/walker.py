"""The agent: turn after turn it asks the gateway, does what it is told by a tool, and goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from workspan.testing.agents.maze import Maze, step, tools

_SYSTEM = "You walk through a maze by calling tools. Read each sign, and do what it says."


@dataclass(slots=True)
class Walk:
    """What one run came to."""

    place: str = ""
    turns: int = 0
    error: str = ""
    """The code by which a turn was refused; empty where none was."""
    widths: list[int] = field(default_factory=list)
    """Calls of the model, turn by turn."""
    work: int = 0
    cost: float = 0.0
    """USD, as each reply says."""
    told: list[Mapping[str, Any]] = field(default_factory=list)
    """What each reply says of the trajectory."""


async def walk(
    client: aiohttp.ClientSession,
    url: str,
    maze: Maze,
    model: str,
    seed: int,
    headers: Mapping[str, str] | None = None,
) -> Walk:
    """Walk a maze to its end, or until a turn is refused.

    Args:
        client: of HTTP.
        url: of the gateway, with /v1.
        maze: the task.
        model: as the gateway calls it, a strategy with it.
        seed: of the whole run.
        headers: of each turn.
    """
    place = maze.start
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": _SYSTEM},
        {"role": "user", "content": maze.sign(place, 0)},
    ]
    found = Walk(place)
    steps = len(maze.steps)
    while found.turns <= steps:
        body = {"model": model, "messages": messages, "tools": tools(), "max_tokens": 200}
        said = {**body, "seed": (seed * 1_000 + found.turns) % 2**31}
        async with client.post(f"{url}/chat/completions", json=said, headers=headers) as reply:
            value = await reply.json()
        if reply.status != 200:
            found.error = str(value["error"]["code"])
            break
        _note(found, value["workspan"])
        message = value["choices"][0]["message"]
        if not message.get("tool_calls"):
            break
        messages.append(message)
        for call in message["tool_calls"]:
            name = call["function"]["name"]
            choice = json.loads(call["function"]["arguments"]).get("choice")
            place = step(place, name, choice)
            sign = maze.sign(place, min(found.turns, steps))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": sign})
    found.place = place
    return found


def _note(found: Walk, told: Mapping[str, Any]) -> None:
    found.turns += 1
    found.widths.append(told["calls"])
    found.work += told["work"]
    found.cost += told["cost"] or 0.0
    if "trajectory" in told:
        found.told.append(told["trajectory"])
