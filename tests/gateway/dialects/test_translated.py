"""Upstreams that speak Chat alone: what other clients say, and are told, in its words."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.dialects.speech import (
    BODIES,
    HELLO,
    HI,
    PATHS,
    TOOL_OF_MESSAGES,
    TOOL_OF_RESPONSES,
    chat,
    chatting,
    events,
    kinds,
)
from gateway.rig import PAUSE, Scripted, gate, line, piece, run, upstream, usage, whole
from workspan.serve.config import Limits

CALLED = {"id": "call_7", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
TORN = [
    {"tool_calls": [{"index": 0, **CALLED, "function": {"name": "f", "arguments": ""}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
]


def test_the_path_is_asked_for_once_and_never_again() -> None:
    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            for _ in range(3):
                assert (await gw.post(HI, "/responses")).status == 200
            assert [one.path for one in up.seen] == [
                "/v1/responses",
                *["/v1/chat/completions"] * 3,
            ]
            assert up.seen[0].body == b"{}"

    run(main)


def test_what_is_stated_is_not_asked_for() -> None:
    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up:
            stated = upstream(up.url)
            told = type(stated)("up", up.url, "m", None, stated.settings, ("chat",))
            async with gate(told) as gw:
                assert (await gw.post(HELLO, "/messages")).status == 200
                assert len(up.seen) == 1

    run(main)


def test_a_conversation_of_responses_is_one_of_chat() -> None:
    body = {
        "model": "m",
        "instructions": "Be kind",
        "input": [
            {"role": "developer", "content": [{"type": "input_text", "text": "Be brief"}]},
            {
                "role": "user",
                "content": [{"type": "input_image", "image_url": "data:x", "detail": "low"}],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [],
                "encrypted_content": "gAA==",
                "content": [{"type": "reasoning_text", "text": "Hm"}],
            },
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Let me see"}],
            },
            {
                "type": "function_call",
                "call_id": "c1",
                "name": "f",
                "arguments": "{}",
                "namespace": "n",
            },
            {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
            {"type": "function_call_output", "call_id": "c1", "output": "1"},
            {
                "type": "custom_tool_call_output",
                "call_id": "c2",
                "output": [{"type": "input_text", "text": "2"}],
            },
        ],
        "tools": [
            TOOL_OF_RESPONSES,
            {"type": "custom", "name": "g"},
            {"type": "namespace", "name": "n", "tools": [TOOL_OF_RESPONSES]},
            {"type": "web_search"},
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "max_output_tokens": 40,
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "json_schema", "name": "s", "schema": {}}},
        "store": True,
        "include": ["reasoning.encrypted_content"],
        "client_metadata": {"x": "y"},
        "top_p": 0.5,
        "provider": {"only": ["a"]},
    }
    function = TOOL_OF_RESPONSES | {}
    del function["type"]

    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, "/responses")
            assert got.status == 200, got.body
            assert up.seen[-1].value == {
                "model": "m",
                "messages": [
                    {"role": "system", "content": "Be kind\n\nBe brief"},
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}}
                        ],
                    },
                    {
                        "role": "assistant",
                        "content": "Let me see",
                        "reasoning_content": "Hm",
                        "reasoning_details": [
                            {"type": "reasoning.encrypted", "data": "gAA==", "id": "rs_1"}
                        ],
                        "tool_calls": [
                            {
                                "id": "c1",
                                "type": "function",
                                "function": {"name": "n__f", "arguments": "{}"},
                            },
                            {"id": "c2", "type": "custom", "custom": {"name": "g", "input": "x"}},
                        ],
                    },
                    {"role": "tool", "tool_call_id": "c1", "content": "1"},
                    {"role": "tool", "tool_call_id": "c2", "content": "2"},
                ],
                "tools": [
                    {"type": "function", "function": function},
                    {"type": "custom", "custom": {"name": "g"}},
                    {"type": "function", "function": {**function, "name": "n__f"}},
                ],
                "tool_choice": {"type": "function", "function": {"name": "f"}},
                "max_tokens": 40,
                "reasoning_effort": "low",
                "verbosity": "low",
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "s", "schema": {}},
                },
                "top_p": 0.5,
                "provider": {"only": ["a"]},
            }
            (notice,) = got.value["workspan"]["notices"]
            assert "web_search" in notice
            assert got.value["store"] is False
            assert got.value["tools"] == body["tools"]

    run(main)


def test_a_conversation_of_messages_is_one_of_chat() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "aWk="}
    body = {
        **HELLO,
        "system": [{"type": "text", "text": "Be kind", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": source}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "gAA=="},
                    {"type": "text", "text": "Let me see"},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"é": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "no", "is_error": True},
                    {"type": "text", "text": "Well?"},
                ],
            },
            {"role": "system", "content": "Be brief"},
        ],
        "tools": [TOOL_OF_MESSAGES, {"type": "bash_20250124", "name": "bash"}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "output_config": {
            "effort": "low",
            "format": {"type": "json_schema", "schema": {"type": "object"}},
        },
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u"},
        "top_k": 5,
        "context_management": {"edits": []},
        "thinking": {"type": "adaptive"},
    }

    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, "/messages")
            assert got.status == 200, got.body
            sent = up.seen[-1].value
            kept = {"cache_control": {"type": "ephemeral"}}
            assert sent.pop("messages") == [
                {"role": "system", "content": [{"type": "text", "text": "Be kind", **kept}]},
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWk="}}
                    ],
                },
                {
                    "role": "assistant",
                    "content": "Let me see",
                    "reasoning_content": "Hm",
                    "reasoning_details": [
                        {"type": "reasoning.text", "text": "Hm", "signature": "c2ln"},
                        {"type": "reasoning.encrypted", "data": "gAA=="},
                    ],
                    "tool_calls": [
                        {
                            "id": "t1",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"é":1}'},
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "t1", "content": "Error: no"},
                {"role": "user", "content": "Well?"},
                {"role": "system", "content": "Be brief"},
            ]
            schema = {"name": "output", "schema": {"type": "object"}, "strict": True}
            assert sent == {
                "model": "m",
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": {"type": "object"}},
                    }
                ],
                "tool_choice": "required",
                "parallel_tool_calls": False,
                "max_tokens": 50,
                "reasoning_effort": "low",
                "response_format": {"type": "json_schema", "json_schema": schema},
                "stop": ["END"],
                "user": "u",
                "top_k": 5,
            }
            assert "bash_20250124" in got.value["workspan"]["notices"][0]

    run(main)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("/responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
    ("/responses", {"conversation": "conv_1"}, "conversation"),
    ("/responses", {"background": True}, "background"),
    ("/responses", {"truncation": "auto"}, "truncation"),
    ("/responses", {"prompt": {"id": "p"}}, "prompt"),
    ("/responses", {"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
    (
        "/responses",
        {"input": [{"role": "user", "content": [{"type": "x"}]}]},
        "input[0].content[0]",
    ),
    ("/responses", {"tools": [{"type": "web_search"}]}, "tools"),
    ("/responses", {"tool_choice": {"type": "file_search"}}, "tool_choice.type"),
    ("/responses", {"text": {"format": {"type": "grammar"}}}, "text.format.type"),
    ("/messages", {"mcp_servers": [{"url": "x"}]}, "mcp_servers"),
    ("/messages", {"container": "c"}, "container"),
    ("/messages", {"compaction": {"type": "x"}}, "compaction"),
    ("/messages", {"thread": {"type": "create"}}, "thread"),
    ("/messages", {"tools": [{"type": "web_search_20250305", "name": "w"}]}, "tools"),
    (
        "/messages",
        {"messages": [{"role": "assistant", "content": [{"type": "server_tool_use"}]}]},
        "messages[0].content[0].type",
    ),
    (
        "/messages",
        {
            "messages": [
                {"role": "user", "content": [{"type": "document", "source": {"type": "url"}}]}
            ]
        },
        "messages[0].content[0].source.type",
    ),
]


@pytest.mark.parametrize(("path", "fields", "named"), REFUSED, ids=lambda v: str(v)[:40])
def test_what_cannot_be_carried_over_is_refused_with_its_name(
    path: str, fields: dict[str, Any], named: str
) -> None:
    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post({**BODIES[path], **fields}, path)
            assert got.status == 400, got.body
            assert named in got.error["message"]
            assert not [one for one in up.seen if one.path.endswith("completions")]

    run(main)


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("/responses", {"input": 7}, "input"),
    ("/responses", {"input": []}, "input"),
    ("/responses", {"input": [{"role": "boss", "content": "x"}]}, "input[0].role"),
    ("/responses", {"max_output_tokens": 0}, "max_output_tokens"),
    ("/responses", {"stream": "yes"}, "stream"),
    ("/responses", {"tools": [{"type": "function"}]}, "tools[0].name"),
    ("/responses", {"reasoning": {"effort": 3}}, "reasoning.effort"),
    ("/responses", {"messages": [{"role": "user", "content": "x"}]}, "messages"),
    ("/responses", {"n": 2}, "n is"),
    ("/responses", {"max_tokens": 2}, "max_tokens"),
    ("/messages", {"n": 2}, "n is"),
    ("/messages", {"response_format": {"type": "text"}}, "response_format"),
    ("/messages", {"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
    ("/messages", {"messages": []}, "messages"),
    ("/messages", {"max_tokens": "many"}, "max_tokens"),
    ("/messages", {"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ("/messages", {"tool_choice": {"type": "some"}}, "tool_choice.type"),
    ("/messages", {"system": [{"type": "text", "text": 3}]}, "system"),
]


@pytest.mark.parametrize(("path", "fields", "named"), WRONG, ids=lambda v: str(v)[:40])
def test_what_is_wrong_is_said_before_anything_is_spent(
    path: str, fields: dict[str, Any], named: str
) -> None:
    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post({**BODIES[path], **fields}, path)
            assert got.status == 400, got.body
            assert named in got.error["message"]
            assert (await gw.record()).total.calls == 0

    run(main)


def test_calls_and_thinking_come_back_as_items() -> None:
    detail = {
        "type": "reasoning.text",
        "text": "Hm",
        "signature": "c2ln",
        "format": "x",
        "index": 0,
    }
    hidden = {"type": "reasoning.encrypted", "data": "gAA==", "id": "rs_9", "format": "y"}
    deltas: list[Any] = [{"reasoning_details": [detail]}, {"reasoning_details": [hidden]}, *TORN]

    async def main() -> None:
        answer = chatting(*chat(*deltas, finish="tool_calls"))
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            body = {**HI, "stream": True, "tools": [TOOL_OF_RESPONSES]}
            got = await gw.post(body, "/responses")
            output = events(got)[-1]["response"]["output"]
            thought, secret, call = output
            told = {"summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]}
            assert thought == {
                "id": thought["id"],
                "type": "reasoning",
                **told,
                "signature": "c2ln",
                "format": "x",
                "index": 0,
            }
            assert secret["id"] == "rs_9"
            assert secret["encrypted_content"] == "gAA=="
            assert call["type"] == "function_call"
            assert (call["call_id"], call["name"]) == ("call_7", "f")
            assert (call["arguments"], call["status"]) == ('{"a":1}', "completed")
            # and the client sends them back
            result = {"type": "function_call_output", "call_id": "call_7", "output": "2"}
            again = [{"role": "user", "content": "Hi"}, *output, result]
            await gw.post({**body, "input": again}, "/responses")
            turn = up.seen[-1].value["messages"][1]
            assert turn["reasoning_details"] == [detail, hidden]
            assert turn["tool_calls"] == [CALLED]
            # by Messages, too
            body = {**HELLO, "stream": True, "tools": [TOOL_OF_MESSAGES]}
            got = await gw.post(body, "/messages")
            blocks = _blocks(events(got))
            assert blocks[0]["signature"] == "c2ln"
            assert blocks[1] == {
                "type": "redacted_thinking",
                "data": "gAA==",
                "id": "rs_9",
                "format": "y",
            }
            assert blocks[2]["input"] == {"a": 1}
            result = {"type": "tool_result", "tool_use_id": "call_7", "content": "2"}
            turns = [
                *HELLO["messages"],
                {"role": "assistant", "content": blocks},
                {"role": "user", "content": [result]},
            ]
            await gw.post({**body, "messages": turns}, "/messages")
            turn = up.seen[-1].value["messages"][1]
            assert [one["type"] for one in turn["reasoning_details"]] == [
                "reasoning.text",
                "reasoning.encrypted",
            ]
            assert turn["reasoning_details"][0]["signature"] == "c2ln"
            assert turn["tool_calls"] == [CALLED]

    run(main)


def _blocks(told: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put blocks together as a client does."""
    import json

    found: list[dict[str, Any]] = []
    for event in told:
        if event["type"] == "content_block_start":
            found.append({**event["content_block"]})
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], found[event["index"]]
            if delta["type"] == "input_json_delta":
                block["json"] = block.get("json", "") + delta["partial_json"]
            else:
                name = delta["type"].removesuffix("_delta")
                block[name] = block.get(name, "") + delta[name]
    for block in found:
        if "json" in block:
            block["input"] = json.loads(block.pop("json"))
    return found


def test_ends_have_the_dialects_own_words() -> None:
    told = {
        "stop": ("response.completed", "end_turn"),
        "length": ("response.incomplete", "max_tokens"),
        "content_filter": ("response.incomplete", "refusal"),
        "tool_calls": ("response.completed", "tool_use"),
    }

    async def main() -> None:
        for finish, (last, reason) in told.items():
            answer = chatting(*chat({"content": "It is"}, finish=finish))
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                got = await gw.post({**HI, "stream": True}, "/responses")
                assert kinds(got)[-1] == last
                got = await gw.post({**HELLO, "stream": True}, "/messages")
                assert events(got)[-2]["delta"]["stop_reason"] == reason

    run(main)


def test_a_call_that_was_cut_short_is_none() -> None:
    torn = {**CALLED, "function": {"name": "f", "arguments": '{"a'}}
    choice = {"index": 0, "finish_reason": "length"}
    message = {"role": "assistant", "content": None, "tool_calls": [torn]}
    reply = {**whole(), "choices": [{**choice, "message": message}]}

    async def main() -> None:
        async with Scripted(chatting(whole=reply)).serve() as up, gate(up.url) as gw:
            got = await gw.post({**HELLO, "tools": [TOOL_OF_MESSAGES]}, "/messages")
            assert got.value["content"] == []
            assert got.value["stop_reason"] == "max_tokens"
            got = await gw.post({**HI, "tools": [TOOL_OF_RESPONSES]}, "/responses")
            assert got.value["status"] == "incomplete"
            assert got.value["output"][0]["status"] == "incomplete"

    run(main)


def test_arguments_that_are_none_are_an_error_and_no_guess() -> None:
    bad = {**CALLED, "function": {"name": "f", "arguments": "not json"}}
    reply = whole("", tool_calls=[bad])

    async def main() -> None:
        async with Scripted(chatting(whole=reply)).serve() as up, gate(up.url) as gw:
            got = await gw.post({**HELLO, "tools": [TOOL_OF_MESSAGES]}, "/messages")
            assert got.status == 502
            assert got.value["error"]["type"] == "api_error"
            got = await gw.post({**HI, "tools": [TOOL_OF_RESPONSES]}, "/responses")
            assert got.value["output"][-1]["arguments"] == "not json"  # the client's to read

    run(main)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("ends", [True, False])
def test_a_stream_that_died_never_looks_finished(path: str, *, ends: bool) -> None:
    parts = [piece({"role": "assistant", "content": ""}), piece({"content": "It"}), PAUSE]

    async def main() -> None:
        async with Scripted(chatting(*parts, ends=ends)).serve() as up, gate(up.url) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            told = events(got)
            assert told[-1]["type"] == ("response.failed" if path == "/responses" else "error")
            if path == "/responses":
                assert told[-1]["response"]["id"] == told[0]["response"]["id"]
                numbers = [one["sequence_number"] for one in told]
                assert numbers == list(range(len(told)))
            assert not {"response.completed", "message_stop", "message_delta"} & {*kinds(got)}

    run(main)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("what", ["in turns", "nameless", "several choices"])
def test_what_the_dialect_cannot_say_is_an_error_that_is_charged(path: str, what: str) -> None:
    two = [{"tool_calls": [{"index": i, **CALLED}]} for i in (0, 1, 0)]
    nameless = [{"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}]
    told = {
        "in turns": chat(*two, finish="tool_calls"),
        "nameless": chat(*nameless, finish="tool_calls"),
        "several choices": [piece({"content": "4"}), piece({"content": "5"}, index=1)],
    }
    opened = [piece({"role": "assistant", "content": "Well"}), PAUSE]

    async def main() -> None:
        answer = chatting(*opened, *told[what])
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            assert kinds(got)[-1] == ("response.failed" if path == "/responses" else "error")
            assert not {"response.completed", "message_stop"} & {*kinds(got)}
            record = await gw.record()
            assert (record.status, record.code) == (502, "upstream_error")
            assert record.total.calls == 1
            assert record.total.output_tokens >= 1

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_a_cut_is_a_proper_end(path: str) -> None:
    words = [*[piece({"content": "w "})] * 400, PAUSE, *[piece({"content": "w "})] * 50]

    async def main() -> None:
        async with Scripted(chatting(*words)).serve() as up, gate(up.url, budget="300 work") as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            told = events(got)
            if path == "/responses":
                assert told[-1]["type"] == "response.incomplete"
                assert told[-1]["response"]["workspan"]["stop"] == "budget: work"
            else:
                assert told[-2]["delta"]["stop_reason"] == "max_tokens"
                assert told[-2]["workspan"]["stop"] == "budget: work"
                assert told[-1]["type"] == "message_stop"

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_silence_before_the_first_token_is_kept_alive(path: str) -> None:
    parts = [PAUSE, PAUSE, *chat({"content": "4"})]
    limits = Limits(comment_seconds=0.4, drain_seconds=1)

    async def main() -> None:
        async with Scripted(chatting(*parts)).serve() as up, gate(up.url, limits=limits) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            told = kinds(got)
            if path == "/responses":
                assert told[:3] == ["response.created", "response.in_progress", "keepalive"]
                assert told.count("response.created") == 1
                numbers = [one["sequence_number"] for one in events(got)]
                assert numbers == list(range(len(told)))
            else:
                assert told[0] == "ping"
            assert told[-1] in ("response.completed", "message_stop")

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_votes_decide_in_every_dialect(path: str) -> None:
    """Two of three call the tool with one value: that turn is the reply."""
    drawn = iter(['{"a":1}', '{"a":2}', '{"a": 1}'] * 2)

    async def answer(server: Scripted, seen: Any, writer: Any) -> None:
        call = {**CALLED, "function": {"name": "f", "arguments": next(drawn)}}
        deltas = [{"tool_calls": [{"index": 0, **call}]}]
        told = chatting(*chat(*deltas, finish="tool_calls"), whole=whole("", tool_calls=[call]))
        await told(server, seen, writer)

    tool = TOOL_OF_RESPONSES if path == "/responses" else TOOL_OF_MESSAGES
    body = {**BODIES[path], "model": "m:self_consistency(n=3)", "tools": [tool]}

    async def main() -> None:
        stated = upstream("http://127.0.0.1:1/v1")
        async with Scripted(answer).serve() as up:
            told = type(stated)("up", up.url, "m", None, stated.settings, ("chat",))
            async with gate(told) as gw:
                got = await gw.post(body, path)
                assert got.status == 200, got.body
                assert got.value["workspan"]["calls"] == 3
                if path == "/responses":
                    (call,) = got.value["output"]
                    assert call["arguments"].replace(" ", "") == '{"a":1}'
                else:
                    assert got.value["content"][0]["input"] == {"a": 1}
                    assert got.value["stop_reason"] == "tool_use"
                got = await gw.post({**body, "stream": True}, path)
                last = events(got)[-1 if path == "/responses" else -2]
                assert (last.get("response") or last)["workspan"]["calls"] == 3

    run(main)


def test_tokens_are_counted_by_the_upstreams_own_door_or_not_at_all() -> None:
    async def answer(server: Scripted, seen: Any, writer: Any) -> None:
        from gateway.rig import replies

        if seen.path == "/tokenize":
            await replies({"count": 12, "max_model_len": 100})(server, seen, writer)
        else:
            await replies({"detail": "Not Found"}, 404)(server, seen, writer)

    async def main() -> None:
        body = {name: value for name, value in HELLO.items() if name != "max_tokens"}
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, "/messages/count_tokens")
            assert got.value == {"input_tokens": 12}
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, "/messages/count_tokens")
            assert got.status == 404
            assert got.value["error"]["type"] == "not_found_error"

    run(main)


def test_usage_that_names_its_parts_is_kept() -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    last = line({"id": "c-1", "choices": [], "usage": usage(9, 4, **details)})
    parts = [piece({"content": "It is 4"}), piece({}, "stop"), last]

    async def main() -> None:
        async with Scripted(chatting(*parts)).serve() as up, gate(up.url) as gw:
            got = await gw.post({**HI, "stream": True}, "/responses")
            told = events(got)[-1]["response"]["usage"]
            assert told["input_tokens_details"] == {"cached_tokens": 5}
            assert told["output_tokens_details"] == {"reasoning_tokens": 2}
            got = await gw.post({**HELLO, "stream": True}, "/messages")
            told = events(got)[-2]["usage"]
            assert (told["input_tokens"], told["cache_read_input_tokens"]) == (4, 5)

    run(main)


def test_a_conversation_that_a_server_would_keep_is_refused_as_its_client_looks_for() -> None:
    """Anthropic's own loops then send all messages: what was said is lost else."""

    async def main() -> None:
        async with Scripted(chatting(whole=whole("4"))).serve() as up, gate(up.url) as gw:
            body = {**HELLO, "thread": {"type": "continue", "previous_message_id": "msg_1"}}
            got = await gw.post(body, "/messages")
            assert (got.status, up.seen) == (400, [])
            assert got.error["details"] == {
                "error_code": "thread_unsupported_request",
                "unsupported": ["thread"],
            }
            assert (await gw.post({**HELLO, "thread": None}, "/messages")).status == 200

    run(main)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_call_of_nothing_is_an_object_without_fields(*, is_stream: bool) -> None:
    function = {"name": "f", "arguments": ""}
    call = {"id": "c1", "type": "function", "function": function}
    pieces = chat({"tool_calls": [{"index": 0, **call}]}, finish="tool_calls")

    async def main() -> None:
        told = chatting(*pieces, whole=whole("", tool_calls=[call]))
        async with Scripted(told).serve() as up, gate(up.url) as gw:
            got = await gw.post({**HI, "stream": is_stream}, "/responses")
            reply = events(got)[-1]["response"] if is_stream else got.value
            [item] = [one for one in reply["output"] if one["type"] == "function_call"]
            assert item["arguments"] == "{}"
            if is_stream:
                said = [one["delta"] for one in events(got) if "arguments.delta" in one["type"]]
                assert "".join(said) == "{}"

    run(main)
