"""Behaviour 13: `/v1/responses` takes the twelve fields that Codex sends, and ends as it expects.

webai-at-home #214 records the fields; meridian #475, kiro-gateway #247: it speaks nothing else.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.dialects.speech import chat, chatting, events, kinds, native, spoken
from gateway.rig import Scripted, gate, run

CODEX: dict[str, Any] = {
    "model": "m",
    "instructions": "You are a coding agent",
    "input": [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]}
    ],
    "tools": [
        {"type": "function", "name": "exec_command", "strict": False, "parameters": {}},
        {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "spawn"}]},
        {"type": "web_search", "external_web_access": False},
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"summary": "auto"},
    "store": False,
    "stream": True,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0-1",
    "client_metadata": {"thread_id": "0-1"},
}
CALL = {"id": "c1", "type": "function", "function": {"name": "agents__spawn", "arguments": "{}"}}


def test_an_upstream_of_the_dialect_sees_all_of_them() -> None:
    body = json.dumps(CODEX).encode()

    async def main() -> None:
        async with Scripted(native(*spoken("/responses", "4"))).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, "/responses")
            assert up.seen[-1].body == body
            assert kinds(got)[-1] == "response.completed"

    run(main)


def test_an_upstream_of_chat_is_told_what_it_knows() -> None:
    async def main() -> None:
        async with Scripted(chatting(*chat({"content": "4"}))).serve() as up, gate(up.url) as gw:
            got = await gw.post(CODEX, "/responses")
            sent = up.seen[-1].value
            assert [tool["function"]["name"] for tool in sent["tools"]] == [
                "exec_command",
                "agents__spawn",
            ]
            assert sent["messages"][0] == {"role": "system", "content": "You are a coding agent"}
            assert not {"store", "include", "client_metadata", "reasoning"} & {*sent}
            last = events(got)[-1]
            assert last["type"] == "response.completed"
            assert "web_search" in last["response"]["workspan"]["notices"][0]

    run(main)


def test_a_tool_of_a_namespace_is_called_by_it() -> None:
    parts = chat({"tool_calls": [{"index": 0, **CALL}]}, finish="tool_calls")

    async def main() -> None:
        async with Scripted(chatting(*parts)).serve() as up, gate(up.url) as gw:
            got = await gw.post(CODEX, "/responses")
            (done,) = [e for e in events(got) if e["type"] == "response.output_item.done"]
            item = done["item"]
            assert (item["name"], item["namespace"]) == ("spawn", "agents")
            result = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
            again = {**CODEX, "input": [*CODEX["input"], item, result]}
            await gw.post(again, "/responses")
            assert up.seen[-1].value["messages"][2]["tool_calls"] == [CALL]

    run(main)


@pytest.mark.parametrize("stored", [True, False, None])
def test_storing_is_never_promised(*, stored: bool | None) -> None:
    async def main() -> None:
        async with Scripted(chatting(*chat({"content": "4"}))).serve() as up, gate(up.url) as gw:
            got = await gw.post({**CODEX, "store": stored}, "/responses")
            assert events(got)[-1]["response"]["store"] is False
            got = await gw.post({**CODEX, "previous_response_id": "resp_1"}, "/responses")
            assert got.status == 400
            assert got.error["param"] == "previous_response_id"

    run(main)
