"""Upstreams that speak Responses alone: chats and messages are asked in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.dialects.speech import (
    HELLO,
    RESPONSE,
    TOOL_OF_MESSAGES,
    USED,
    events,
    named,
    native,
    spoken,
    wholly,
)
from gateway.rig import ASK, PAUSE, Scripted, gate, run, upstream

FUNCTION = {"name": "f", "parameters": {"type": "object"}}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"a": 1}'}
HIDDEN = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "ZW5j"}
WHOLE = {**RESPONSE, "status": "completed", "output": [HIDDEN, CALL], "usage": USED}


def alone(url: str) -> Any:
    return replace(upstream(url), speaks=("responses",))


def test_a_chat_is_asked_in_its_words() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWk="}}
    body = {
        **ASK,
        "messages": [
            {"role": "system", "content": "Be kind"},
            {"role": "user", "content": [{"type": "text", "text": "Hi"}, image]},
            {
                "role": "assistant",
                "content": "Let me see",
                "reasoning_details": [
                    {"type": "reasoning.encrypted", "data": "ZW5j", "id": "rs_0"}
                ],
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "1"},
        ],
        "tools": [TOOL],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "max_completion_tokens": 50,
        "reasoning_effort": "low",
        "seed": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": True},
        },
    }

    async def main() -> None:
        async with Scripted(wholly(WHOLE)).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.post(body)
            assert got.status == 200, got.body
            assert up.seen[-1].path == "/v1/responses"
            sent = up.seen[-1].value
            said = {"type": "output_text", "text": "Let me see"}
            assert sent.pop("input") == [
                _turn("system", {"type": "input_text", "text": "Be kind"}),
                _turn(
                    "user",
                    {"type": "input_text", "text": "Hi"},
                    {"type": "input_image", "image_url": "data:image/png;base64,aWk="},
                ),
                {"type": "reasoning", "id": "rs_0", "encrypted_content": "ZW5j", "summary": []},
                _turn("assistant", said),
                {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "a", "output": "1"},
            ]
            form = {"type": "json_schema", "name": "s", "schema": {"type": "object"}}
            assert sent == {
                "model": "m",
                "store": False,
                "tools": [{"type": "function", **FUNCTION, "strict": False}],
                "tool_choice": {"type": "function", "name": "f"},
                "parallel_tool_calls": False,
                "max_output_tokens": 50,
                "reasoning": {"effort": "low"},
                "text": {"format": {**form, "strict": True}},
            }
            (choice,) = got.value["choices"]
            assert choice["finish_reason"] == "tool_calls"
            (call,) = choice["message"]["tool_calls"]
            assert (call["id"], call["function"]) == ("c1", {"name": "f", "arguments": '{"a": 1}'})
            (detail,) = choice["message"]["reasoning_details"]
            assert (detail["data"], detail["id"]) == ("ZW5j", "rs_1")
            assert got.value["usage"]["prompt_tokens"] == 11
            assert got.value["workspan"]["work"] == 4
            assert "seed" in got.value["workspan"]["notices"][0]

    run(main)


def _turn(role: str, *content: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [*content]}


def test_a_stream_is_a_chats_and_metered() -> None:
    async def main() -> None:
        answer = native(*spoken("/responses", "It", " is 4"))
        async with Scripted(answer).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.stream(stream_options={"include_usage": True}, max_tokens=9)
            assert got.text == "It is 4"
            assert got.is_done
            finishes = [c["finish_reason"] for e in got.events for c in e["choices"]]
            assert finishes[-1] == "stop"
            assert got.events[-1]["usage"]["completion_tokens"] == 4
            assert (await gw.record()).total.output_tokens == 4
            assert up.seen[-1].value["stream"] is True
            assert "stream_options" not in up.seen[-1].value

    run(main)


STARTED = named({"type": "response.created", "response": RESPONSE})
ENDED = named({"type": "response.completed", "response": WHOLE})
EMPTY = {**CALL, "arguments": ""}
PIECES = (
    named({"type": "response.output_item.added", "output_index": 1, "item": EMPTY}),
    *(
        named({"type": "response.function_call_arguments.delta", "output_index": 1, "delta": one})
        for one in ('{"a"', ": 1}")
    ),
)
ONCE = named({"type": "response.output_item.done", "output_index": 1, "item": CALL})
THOUGHT = named({"type": "response.output_item.done", "output_index": 0, "item": HIDDEN})


@pytest.mark.parametrize("parts", [PIECES, (*PIECES, ONCE), (ONCE,)])
def test_calls_come_once_however_they_are_streamed(parts: tuple[bytes, ...]) -> None:
    async def main() -> None:
        answer = native(STARTED, THOUGHT, *parts, ENDED)
        async with Scripted(answer).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.stream(tools=[TOOL])
            deltas = [c["delta"] for e in got.events for c in e["choices"]]
            calls = [call for one in deltas for call in one.get("tool_calls", ())]
            assert [call["id"] for call in calls if "id" in call] == ["c1"]
            said = "".join(call["function"].get("arguments", "") for call in calls)
            assert said == '{"a": 1}'
            assert [one["reasoning_details"] for one in deltas if "reasoning_details" in one]
            assert got.events[-1]["choices"][0]["finish_reason"] == "tool_calls"

    run(main)


def test_messages_are_asked_in_it_and_answered_in_their_own() -> None:
    async def main() -> None:
        answer = native(STARTED, *PIECES, ONCE, ENDED)
        async with Scripted(answer).serve() as up, gate(alone(up.url)) as gw:
            body = {**HELLO, "stream": True, "tools": [TOOL_OF_MESSAGES]}
            got = await gw.post(body, "/messages")
            assert got.status == 200
            assert up.seen[-1].path == "/v1/responses"
            told = events(got)
            used = [e["content_block"] for e in told if e["type"] == "content_block_start"]
            assert [(one["id"], one["name"]) for one in used] == [("c1", "f")]
            assert told[-2]["delta"]["stop_reason"] == "tool_use"

    run(main)


def test_what_is_cut_or_fails_is_no_answer() -> None:
    async def main() -> None:
        short = {**WHOLE, "status": "incomplete", "output": []}
        short |= {"incomplete_details": {"reason": "max_output_tokens"}}
        error = {"code": "server_error", "message": "no"}
        failed = {**RESPONSE, "status": "failed", "error": error}
        async with Scripted(wholly(short)).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.ask()
            assert got.value["choices"][0]["finish_reason"] == "length"
            up.answer = wholly(failed)
            got = await gw.ask()
            assert got.status >= 500
            up.answer = native(STARTED, named({"type": "response.failed", "response": failed}))
            got = await gw.stream()
            assert not got.is_done
            up.answer = native(STARTED, PAUSE, ends=False)
            got = await gw.stream()
            assert not got.is_done

    run(main)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"stop": "END"}, "stop is asked for"),
        ({"n": 2}, "n is"),
        ({"logit_bias": {"1": 2}}, "bias"),
    ],
)
def test_what_it_has_no_words_for_is_refused_by_name(fields: dict[str, Any], said: str) -> None:
    async def main() -> None:
        async with Scripted(wholly(WHOLE)).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.ask(**fields)
            assert got.status == 400
            assert said in got.error["message"]
            assert up.seen == []

    run(main)
