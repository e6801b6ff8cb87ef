"""Every chat that a real client was recorded to send, answered by a vote: whole and as a stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from gateway_requests import asked, chunks, joined, replied
from workspan.content import ToolCall
from workspan.engines.base import Engine
from workspan.testing.scripted import Said, ScriptedEngine
from workspan.types import Request

REQUESTS = Path(__file__).parents[4] / "shared" / "clients" / "requests"


def chats() -> list[tuple[str, dict[str, Any]]]:
    """Return the recorded bodies by the names of their files."""
    found = []
    for path in sorted(REQUESTS.glob("*.json")):
        for number, one in enumerate(json.loads(path.read_text())["requests"]):
            if one["path"].endswith("/chat/completions") and isinstance(one.get("body"), dict):
                found.append((f"{path.stem}-{number}", one["body"]))
    return found


CHATS = dict(chats())


def least(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Make the least value that a schema takes."""
    root = schema if root is None else root
    if "$ref" in schema:
        return least(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return least(schema["anyOf"][0], root)
    if schema.get("type") == "object" or "properties" in schema:
        inner = schema.get("properties", {})
        return {name: least(inner[name], root) for name in schema.get("required", ())}
    made = {"array": [], "string": "x", "integer": 1, "number": 1, "boolean": True, "null": None}
    return made[schema.get("type", "string")]


def model(request: Request) -> Said:
    """Say what fits a request."""
    if request.may_call and request.tool_choice != "none" and request.prompt[-1].role != "tool":
        told = request.tools[0].fields.value["function"]
        arguments = json.dumps(least(told.get("parameters") or {"type": "object"}))
        return Said(tool_calls=(ToolCall(f"c{request.seed}", told["name"], arguments),))
    form = request.response_format.value if request.response_format else {}
    if form.get("type") == "json_schema":
        return Said(json.dumps(least(form["json_schema"]["schema"])))
    return Said('{"a": 1}' if form.get("type") == "json_object" else "It is 4")


@pytest.mark.skipif(not CHATS, reason="the recorded requests are not on this machine")
def test_there_are_chats() -> None:
    assert len(CHATS) > 50


@pytest.mark.parametrize("name", CHATS)
def test_a_recorded_chat_is_answered_so_that_its_client_goes_on(name: str) -> None:
    anyio.run(answered, CHATS[name], ScriptedEngine(model))


async def answered(body: dict[str, Any], engine: Engine) -> None:
    request = asked(body, "self_consistency(n=3)")
    wanted = model(request.chat.request)
    if body.get("stream"):
        told = await chunks(request, engine)
        message: dict[str, Any] = joined(told)
        wants_usage = (body.get("stream_options") or {}).get("include_usage", False)
        assert [bool(one.get("usage")) for one in told].count(True) == int(wants_usage)
        finish = message["finish_reason"]
        called = message["tool_calls"]
    else:
        reply = (await replied(request, engine)).body
        assert {"id", "object", "created", "model", "choices", "usage"} <= reply.keys()
        choice = reply["choices"][0]
        assert choice["index"] == 0
        message, finish = choice["message"], choice["finish_reason"]
        assert message["role"] == "assistant"
        assert all({"id", "type", "function"} <= one.keys() for one in _calls(message))
        called = [one["function"] for one in _calls(message)]
    if wanted.tool_calls:
        assert finish == "tool_calls"
        assert [one["name"] for one in called] == [wanted.tool_calls[0].name]
        assert json.loads(called[0]["arguments"]) == json.loads(wanted.tool_calls[0].arguments)
    else:
        assert finish == "stop"
        assert message["content"].strip() == wanted.text


def _calls(message: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = message.get("tool_calls") or []
    return found
