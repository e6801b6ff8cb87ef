"""What a client was seen to need is in what the gateway sends (`peers/gateway/left_out.json`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.dialects.speech import (
    BODIES,
    TOOL_OF_MESSAGES,
    TOOL_OF_RESPONSES,
    chat,
    chatting,
    events,
)
from gateway.rig import Scripted, gate, run, whole

NEEDED = json.loads((Path(__file__).parents[2] / "peers/gateway/left_out.json").read_text())
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


def _has(value: Any, place: list[str]) -> bool:
    if not place:
        return True
    if isinstance(value, list):
        return any(_has(one, place) for one in value)
    return isinstance(value, dict) and place[0] in value and _has(value[place[0]], place[1:])


def _rows(step: str, path: str) -> Iterator[tuple[str, str]]:
    for client, steps in NEEDED.items():
        is_responses = "responses" in client
        if is_responses is (path == "/responses"):
            yield from ((client, what) for what in steps.get(step, ()))


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("ending", ["", ":self_consistency(n=2)"])
def test_nothing_is_left_out(path: str, ending: str) -> None:
    tool: Mapping[str, Any] = TOOL_OF_RESPONSES if path == "/responses" else TOOL_OF_MESSAGES
    text = chatting(*chat({"content": "It is 4"}), whole=whole("It is 4"))
    call = chatting(*chat({"tool_calls": [{"index": 0, **CALL}]}, finish="tool_calls"))

    async def main() -> None:
        steps: dict[str, Any] = {"answer": text, "stream_helper": text, "stream": text}
        for step, answer in {**steps, "stream_tool": call}.items():
            is_stream = step != "answer"
            tools = {"tools": [tool]} if step == "stream_tool" else {}
            body = {**BODIES[path], "model": f"m{ending}", "stream": is_stream, **tools}
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                got = await gw.post(body, path)
                assert got.status == 200, got.body
                rows = list(_rows(step, path))
                assert rows, step
                for client, what in rows:
                    kind, _, place = what.partition(": ")
                    if is_stream:
                        told = [one for one in events(got) if one["type"] == kind]
                        assert told, (client, step, what)
                        assert not place or _has(told, place.split(".")), (client, step, what)
                    else:
                        assert _has(got.value, what.split(".")), (client, step, what)

    run(main)
