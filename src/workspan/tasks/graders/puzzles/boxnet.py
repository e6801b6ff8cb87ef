"""BoxNet: agents on a grid that hand boxes on until each is at its target (arXiv:2309.15943)."""

from __future__ import annotations

import json
import re
from typing import Any

from workspan.tasks.graders.puzzles.forms import Entry, value

_AGENT = re.compile(r"Agent\[(\d{1,3}\.5), ?(\d{1,3}\.5)\]")
_MOVE = re.compile(r"move\((box_\w+), ?(?:square\[(\d{1,3}\.5), ?(\d{1,3}\.5)\]|(target_\w+))\)")
_MOST = 200


def delivers(answer: str, entry: Entry) -> bool:
    """Tell whether a list of plans, each move of them legal, matches all boxes.

    Each agent moves one box a step, as it stands when the step begins, to a square beside it or
    onto the target in its own.
    """
    plans = value(answer)
    state = {square: list(held) for square, held in entry["metadata"]["initial_state"].items()}
    if not isinstance(plans, list) or not 0 < len(plans) <= _MOST:
        return False
    if not all(isinstance(plan, dict) and _step(state, plan) for plan in plans):
        return False
    return not any(item.startswith("box_") for held in state.values() for item in held)


def _step(state: dict[str, list[str]], plan: dict[Any, Any]) -> bool:
    """Do one step, or say that a move of it can't be."""
    arrived: list[tuple[str, str]] = []
    for agent, action in plan.items():
        who, what = _AGENT.fullmatch(str(agent)), _MOVE.fullmatch(str(action))
        if who is None or what is None:
            return False
        here = f"{who[1]}_{who[2]}"
        if what[1] not in state.get(here, []):
            return False
        if what[4]:
            if what[4] not in state[here] or what[4][7:] != what[1][4:]:
                return False
            state[here].remove(what[4])
        else:
            there = f"{what[2]}_{what[3]}"
            apart = abs(float(who[1]) - float(what[2])) + abs(float(who[2]) - float(what[3]))
            if there not in state or apart != 1:
                return False
            arrived.append((there, what[1]))
        state[here].remove(what[1])
    for there, box in arrived:
        state[there].append(box)
    return True


def delivered(entry: Entry) -> str:
    """Write a plan that carries one box after another to its target, row by row."""
    state = entry["metadata"]["initial_state"]
    at = {
        item: tuple(map(float, square.split("_")))
        for square, held in state.items()
        for item in held
    }
    plans = []
    for box in sorted(item for item in at if item.startswith("box_")):
        target = f"target_{box[4:]}"
        (x, y), (to_x, to_y) = at[box], at[target]
        while (x, y) != (to_x, to_y):
            x_next = x + (to_x > x) - (to_x < x)
            y_next = y if x_next != x else y + (to_y > y) - (to_y < y)
            plans.append({f"Agent[{x}, {y}]": f"move({box}, square[{x_next}, {y_next}])"})
            x, y = x_next, y_next
        plans.append({f"Agent[{x}, {y}]": f"move({box}, {target})"})
    return json.dumps(plans)
