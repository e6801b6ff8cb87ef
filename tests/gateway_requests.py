"""Requests and engines for tests of the gateway's path of strategies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspan.core.engine import Engine
from workspan.core.ledger import Ledger
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.content import ToolCall
from workspan.serve.asked import Asked, Wish
from workspan.serve.scaled import Reply, Rules, answer, stream
from workspan.spec import parse_strategy
from workspan.testing.scripted import Said

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
PERSON = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
            "additionalProperties": False,
        },
    },
}


@dataclass
class Bounded:
    """An account above a request's own budget."""

    budget: Budget = field(default_factory=Budget)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.budget)


def asked(
    body: Mapping[str, Any],
    strategy: str | Strategy | None = "self_consistency(n=5)",
    budget: str = "8k work",
    *,
    explain: bool = False,
) -> Asked:
    """Make a request as the server does."""
    said = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "seed": 7, **body}
    held = parse_strategy(strategy) if isinstance(strategy, str) else strategy
    wish = Wish(explain=explain)
    limits = Budget.parse(budget) if budget else Budget()
    return Asked(json.dumps(said).encode(), wish, "main", "m", held, id="r1", budget=limits)


def calls(city: str, days: object = 1, *, id: str = "", text: str = "") -> Said:
    """Say that the weather is to be looked up."""
    told = json.dumps({"city": city, "days": days})
    return Said(text, tool_calls=(ToolCall(id, "get_weather", told),))


async def replied(
    request: Asked, engine: Engine, rules: Rules | None = None, **further: Engine
) -> Reply:
    """Answer one request."""
    return await answer(request, {"main": engine, **further}, Bounded(), rules=rules)


async def chunks(
    request: Asked, engine: Engine, rules: Rules | None = None, **further: Engine
) -> list[dict[str, Any]]:
    """Read a whole stream."""
    return [c async for c in stream(request, {"main": engine, **further}, Bounded(), rules=rules)]


def joined(told: list[dict[str, Any]], index: int = 0) -> dict[str, Any]:
    """Put a choice of a stream together as a client does, holding it to what clients need."""
    found: dict[str, Any] = {"content": "", "reasoning": "", "refusal": "", "tool_calls": []}
    finish = None
    for chunk in told:
        assert {"id", "object", "created", "model", "choices"} <= chunk.keys()
        assert chunk["object"] == "chat.completion.chunk"
        for choice in chunk["choices"]:
            if choice["index"] != index:
                continue
            assert finish is None, "nothing follows the finish"
            delta = choice["delta"]
            assert isinstance(delta, dict)
            for name, value in delta.items():
                if name == "tool_calls":
                    _take_calls(found["tool_calls"], value)
                elif name in ("reasoning_content", "reasoning"):
                    found["reasoning"] += value
                    found["reasoning_name"] = name
                elif name == "role":
                    assert value == "assistant"
                else:
                    found[name] += value
            finish = choice["finish_reason"]
    assert finish is not None, "a choice must end"
    return found | {"finish_reason": finish}


def _take_calls(held: list[dict[str, Any]], fragments: list[dict[str, Any]]) -> None:
    for one in fragments:
        index = one["index"]
        if index == len(held):
            assert one["id"]
            assert one["type"] == "function"
            assert one["function"]["name"]
            held.append({"id": one["id"], **one["function"]})
        else:
            assert "id" not in one
            assert "name" not in one["function"]
            held[index]["arguments"] += one["function"]["arguments"]
