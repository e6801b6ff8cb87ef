"""An agent's model that is simulated: it looks, goes somewhere twice, and says that it is there.

What it writes is what models write and clients write anew: thoughts in tags, numbers as 1.0, blanks
in JSON, a call that takes nothing and says so by no arguments at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DONE = "I am there."
STEPS = ["look", [1, 'é  "two"  blanks'], "look", [20, ""]]
"""What its agent does, in order."""


@dataclass(frozen=True)
class Said:
    """One turn: its words, and the calls that follow them."""

    text: str
    calls: Sequence[tuple[str, str]] = ()


TURNS = (
    Said("First I look.\n\n", [("look", "")]),
    Said(
        "Now I go, and look. ",
        [("move", '{"to": 1.0, "note": "é  \\"two\\"  blanks"}'), ("look", "{}")],
    ),
    Said("", [("move", '{ "note":"","to":2e1 }')]),
    Said(DONE),
)


def place(body: Mapping[str, Any]) -> int:
    """Return how many turns of the walk a prompt holds."""
    return sum(1 for turn in body["messages"] if turn["role"] == "assistant")


def message(
    body: Mapping[str, Any], ids: str, *, thought: str = "", tagged: str = ""
) -> dict[str, Any]:
    """Say the next turn; ids of calls begin as told."""
    said = TURNS[place(body)]
    text = f"<think>\n{tagged}\n</think>\n\n{said.text}" if tagged else said.text
    told: dict[str, Any] = {"role": "assistant", "content": text or None}
    if thought:
        told["reasoning_content"] = thought
    if said.calls:
        told["tool_calls"] = [
            {"id": f"{ids}_{at}", "type": "function", "function": {"name": name, "arguments": of}}
            for at, (name, of) in enumerate(said.calls)
        ]
    return told
