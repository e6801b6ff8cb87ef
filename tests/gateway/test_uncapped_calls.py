"""What nobody capped, and no server counted, is charged by what came: not by a cap that is none."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rig import DONE, Scripted, gate, piece, replies, run, streams

TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
]
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
MOST = 200
"""Tokens, at most, of so short a call: its bytes."""


def _reply(finish: str, **message: Any) -> dict[str, Any]:
    told = {"role": "assistant", "content": None, **message}
    return {"choices": [{"index": 0, "message": told, "finish_reason": finish}]}


WHOLE = {
    "a call": _reply("tool_calls", tool_calls=[CALL]),
    "a length": _reply("length", content="and so on"),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_whole_reply(kind: str) -> None:
    async def main() -> None:
        async with Scripted(replies(WHOLE[kind])).serve() as up, gate(up.url) as gw:
            got = await gw.ask(tools=TOOLS)
            assert 0 < got.value["usage"]["completion_tokens"] <= MOST
            assert got.value["workspan"]["source"] == "estimated"
            assert 0 < (await gw.record()).total.output_tokens <= MOST

    run(main)


def test_a_stream() -> None:
    parts = (piece({"tool_calls": [{"index": 0, **CALL}]}), piece({}, "tool_calls"), DONE)

    async def main() -> None:
        async with Scripted(streams(*parts)).serve() as up, gate(up.url) as gw:
            got = await gw.stream(tools=TOOLS, stream_options={"include_usage": True})
            assert 0 < got.events[-1]["usage"]["completion_tokens"] <= MOST

    run(main)


def test_several_choices() -> None:
    choice = _reply("tool_calls", tool_calls=[CALL])["choices"][0]
    told = {"choices": [choice, {**choice, "index": 1}]}

    async def main() -> None:
        async with Scripted(replies(told)).serve() as up, gate(up.url) as gw:
            await gw.ask(tools=TOOLS, n=2)
            assert 0 < (await gw.record()).total.output_tokens <= 2 * MOST

    run(main)


def test_a_cap_still_stands_for_what_did_not_come() -> None:
    async def main() -> None:
        async with Scripted(replies(WHOLE["a call"])).serve() as up, gate(up.url) as gw:
            await gw.ask(tools=TOOLS, max_tokens=500)
            assert (await gw.record()).total.output_tokens == 500

    run(main)
