"""What the loops of agents for Python share: the task, its tools, and what came of them.

One tool takes nothing, the other a number and a text: both as an agent's author writes them.
"""

from __future__ import annotations

from typing import Any

from steps import Note

TASK = "Walk to the wall."
TURNS = 9
"""More than the walk takes."""
NOWHERE: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
THERE: dict[str, Any] = {
    "type": "object",
    "properties": {"to": {"type": "number"}, "note": {"type": "string"}},
    "required": ["to", "note"],
    "additionalProperties": False,
}


class Walk:
    """What one agent did."""

    def __init__(self) -> None:
        self.steps: list[Any] = []
        self.text = ""

    def look(self) -> str:
        """Look around."""
        self.steps.append("look")
        return "a wall"

    def move(self, to: float, note: str) -> str:
        """Go somewhere."""
        self.steps.append([to, note])
        return f"at {to}"

    def call(self, name: str, told: dict[str, Any]) -> str:
        """Run a tool by its name."""
        return self.look() if name == "look" else self.move(**told)

    def note(self) -> Note:
        return {"steps": self.steps, "text": self.text}
