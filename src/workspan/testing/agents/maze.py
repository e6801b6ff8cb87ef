"""A task of steps, simulated: at each one call of a tool is right, and nothing says which it was.

A call that is wrong leads to another place, from which everything goes on as before. So a run ends
in the right place only where every call was right, as with agents that act on what can't be undone.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """One kind of step."""

    name: str
    choices: int
    """Calls that are possible, of which one is right."""
    errors: float
    """The part of the simulated model's calls that are wrong."""


READ = Tool("read_sign", 40, 0.004)
SET = Tool("set_dial", 40, 0.05)
PICK = Tool("pick_door", 4, 0.3)
TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in (READ, SET, PICK)}
STEPS: Sequence[Tool] = (*[READ] * 14, *[SET] * 2, *[PICK] * 4)
"""Of a task of twenty, in an order of its own."""


def tools() -> list[dict[str, Any]]:
    """Return the tools as an agent states them, with one that ends the run."""
    number = {"type": "object", "properties": {"choice": {"type": "integer"}}}
    held = {**number, "required": ["choice"], "additionalProperties": False}
    return [{"type": "function", "function": {"name": name, "parameters": held}} for name in TOOLS]


def _number(*parts: object) -> int:
    said = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.sha256(said).digest()[:6], "big")


@dataclass(frozen=True, slots=True)
class Maze:
    """One task."""

    seed: int
    steps: Sequence[Tool] = STEPS

    @property
    def order(self) -> Sequence[Tool]:
        """Its steps, in their order."""
        order = list(self.steps)
        random.Random(f"maze {self.seed}").shuffle(order)
        return order

    @property
    def start(self) -> str:
        """Where it begins."""
        return f"place {_number('start', self.seed)}"

    @property
    def end(self) -> str:
        """Where it ends if every call is right."""
        place = self.start
        for tool in self.order:
            place = step(place, tool.name, right(place, tool.name))
        return place

    def sign(self, place: str, done: int) -> str:
        """Return what an agent sees after so many steps."""
        if done == len(self.steps):
            return f"You are at {place}. This is the end: say so."
        return f"You are at {place}. Call {self.order[done].name}."


def right(place: str, tool: str) -> int:
    """Return the right choice, which only the simulated model can work out."""
    return _number("right", place, tool) % TOOLS[tool].choices


def step(place: str, tool: str, choice: object) -> str:
    """Return where a call leads."""
    return f"place {_number('step', place, tool, choice)}"
