"""Upstreams that speak Messages alone: chats and responses are asked in it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.dialects.speech import (
    HI,
    MESSAGE,
    TOOL_OF_RESPONSES,
    events,
    message_ending,
    message_opening,
    message_text,
    named,
    native,
    spoken,
    wholly,
)
from gateway.rig import ASK, PAUSE, Scripted, gate, run, upstream

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "c2ln"}
USE = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}


def alone(url: str, *dialects: str) -> Any:
    return replace(upstream(url), speaks=dialects or ("messages",))


def test_a_chat_is_asked_in_its_words() -> None:
    body = {
        **ASK,
        "messages": [
            {"role": "system", "content": "Be kind"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Hi"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWk="}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm",
                "reasoning_details": [
                    {"type": "reasoning.text", "text": "Hm", "signature": "c2ln"}
                ],
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "b", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "a", "content": "1"},
            {"role": "tool", "tool_call_id": "b", "content": "2"},
        ],
        "tools": [TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        "max_completion_tokens": 50,
        "stop": "END",
        "reasoning_effort": "low",
        "seed": 7,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "s", "schema": {"type": "object"}},
        },
    }
    image = {"type": "base64", "media_type": "image/png", "data": "aWk="}

    async def main() -> None:
        answer = wholly({**MESSAGE, "content": [THOUGHT, USE], "stop_reason": "tool_use"})
        async with Scripted(answer).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.post(body)
            assert got.status == 200, got.body
            assert up.seen[-1].path == "/v1/messages"
            assert up.seen[-1].headers["anthropic-version"] == "2023-06-01"
            sent = up.seen[-1].value
            result = {"type": "tool_result", "content": [{"type": "text", "text": "1"}]}
            assert sent.pop("messages") == [
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "Hi"}, {"type": "image", "source": image}],
                },
                {
                    "role": "assistant",
                    "content": [
                        THOUGHT,
                        {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                        {"type": "tool_use", "id": "b", "name": "f", "input": {}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {**result, "tool_use_id": "a"},
                        {
                            **result,
                            "tool_use_id": "b",
                            "content": [{"type": "text", "text": "2"}],
                        },
                    ],
                },
            ]
            assert sent == {
                "model": "m",
                "system": "Be kind",
                "tools": [{"name": "f", "input_schema": {"type": "object"}}],
                "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
                "max_tokens": 50,
                "stop_sequences": ["END"],
                "output_config": {
                    "effort": "low",
                    "format": {"type": "json_schema", "schema": {"type": "object"}},
                },
            }
            (choice,) = got.value["choices"]
            assert choice["finish_reason"] == "tool_calls"
            assert choice["message"]["reasoning_content"] == "Hm"
            (call,) = choice["message"]["tool_calls"]
            assert (call["id"], call["function"]) == ("t1", {"name": "f", "arguments": '{"a": 1}'})
            assert got.value["usage"]["prompt_tokens"] == 13
            assert "seed" in got.value["workspan"]["notices"][0]

    run(main)


def test_a_stream_is_a_chats_and_metered() -> None:
    async def main() -> None:
        answer = native(*spoken("/messages", "It", " is 4"))
        async with Scripted(answer).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.stream(stream_options={"include_usage": True}, max_tokens=9)
            assert got.text == "It is 4"
            assert got.is_done
            finishes = [c["finish_reason"] for e in got.events for c in e["choices"]]
            assert finishes[-1] == "stop"
            told = [event["usage"] for event in got.events if event.get("usage")]
            assert told == [
                {
                    "prompt_tokens": 13,
                    "completion_tokens": 4,
                    "total_tokens": 17,
                    "prompt_tokens_details": {"cached_tokens": 3},
                }
            ]
            total = (await gw.record()).total
            assert (total.input_tokens, total.cached_tokens, total.output_tokens) == (13, 3, 4)
            assert total.source == "measured"

    run(main)


def test_a_client_of_responses_is_answered_by_way_of_chat() -> None:
    use = {**USE, "input": {}}
    delta = {"type": "input_json_delta", "partial_json": '{"a": 1}'}
    parts = [
        message_opening()[0],
        named({"type": "content_block_start", "index": 0, "content_block": use}),
        named({"type": "content_block_delta", "index": 0, "delta": delta}),
        *message_ending("tool_use"),
    ]

    async def main() -> None:
        async with Scripted(native(*parts)).serve() as up, gate(alone(up.url)) as gw:
            body = {**HI, "stream": True, "tools": [TOOL_OF_RESPONSES]}
            got = await gw.post(body, "/responses")
            last = events(got)[-1]
            assert last["type"] == "response.completed"
            (call,) = last["response"]["output"]
            assert (call["call_id"], call["name"], call["arguments"]) == ("t1", "f", '{"a": 1}')
            (notice,) = last["response"]["workspan"]["notices"]
            assert "capped at 4096" in notice

    run(main)


@pytest.mark.parametrize("how", ["cut", "ends", "errs"])
def test_a_stream_that_died_never_looks_finished(how: str) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    parts = [*message_opening(), message_text("It"), PAUSE]
    parts += [named(error)] if how == "errs" else []

    async def main() -> None:
        async with (
            Scripted(native(*parts, ends=how != "cut")).serve() as up,
            gate(alone(up.url)) as gw,
        ):
            got = await gw.stream(max_tokens=9)
            assert not got.is_done
            assert got.events[-1]["error"]["message"]
            assert (how == "errs") == ("Overloaded" in got.events[-1]["error"]["message"])

    run(main)


@pytest.mark.parametrize(
    ("fields", "named_"),
    [
        ({"n": 2}, "n is"),
        ({"logprobs": True}, "logprobs"),
        ({"tools": [{"type": "custom", "custom": {"name": "g"}}]}, "tools[0].type"),
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "content[0].type"),
        ({"model": "m:self_consistency(n=3)"}, "speaks no Chat"),
    ],
)
def test_what_it_has_no_words_for_is_refused_by_name(fields: dict[str, Any], named_: str) -> None:
    async def main() -> None:
        async with Scripted(wholly(MESSAGE)).serve() as up, gate(alone(up.url)) as gw:
            got = await gw.post({**ASK, **fields})
            assert got.status == 400, got.body
            assert named_ in got.error["message"]
            assert not up.seen

    run(main)


def test_an_upstream_of_responses_alone_is_asked_in_that_alone() -> None:
    async def main() -> None:
        answer = native(*spoken("/responses", "4"))
        async with Scripted(answer).serve() as up, gate(alone(up.url, "responses")) as gw:
            assert (await gw.post({**HI, "stream": True}, "/responses")).status == 200
            got = await gw.stream()
            assert (got.status, got.text) == (200, "4")
            assert {seen.path for seen in up.seen} == {"/v1/responses"}

    run(main)
