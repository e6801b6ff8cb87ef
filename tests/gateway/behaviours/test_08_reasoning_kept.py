"""Reasoning is kept under the name that the upstream gives it, in a vote and on the way through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from gateway_requests import asked, chunks, joined, replied
from told_server import told_server
from workspan.engines.endpoint import Endpoint
from workspan.protocol.details import merged
from workspan.testing.server import Behaviour, SimulatedServer

pytestmark = pytest.mark.anyio

NUMBER = {"messages": [{"role": "user", "content": "2 + 2? Reply with a single number."}]}


@pytest.mark.parametrize("strategy", ["single", "self_consistency(n=3)", "auto"])
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_the_chosen_turn_brings_its_own_thinking(strategy: str, is_streamed: bool) -> None:
    behaviour = Behaviour(text="4", reasoning="two and two")
    async with SimulatedServer(behaviour).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        request = asked({**NUMBER, "stream": is_streamed}, strategy)
        if is_streamed:
            message: dict[str, Any] = joined(await chunks(request, engine))
            assert message["reasoning"] == "two and two"
            assert message["reasoning_name"] == "reasoning_content"
        else:
            reply = await replied(request, engine)
            message = reply.body["choices"][0]["message"]
            assert message["reasoning_content"] == "two and two"
        assert message["content"] == "4"
        await engine.aclose()


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
@pytest.mark.parametrize("strategy", ["single", "self_consistency(n=2)"])
async def test_it_has_the_upstreams_own_name(name: str, strategy: str) -> None:
    async def complete(_: web.Request) -> web.Response:
        message = {"role": "assistant", "content": "4", name: "two and two"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return web.json_response({"choices": [choice], "usage": USAGE})

    async with told_server(complete) as url:
        engine = Endpoint(url, "m", api_key="")
        reply = await replied(asked(NUMBER, strategy), engine)
        told = joined(await chunks(asked({**NUMBER, "stream": True}, strategy), engine))
        await engine.aclose()
    assert reply.body["choices"][0]["message"][name] == "two and two"
    assert told["reasoning"] == "two and two"
    assert told["reasoning_name"] == name


async def test_reasoning_of_earlier_turns_goes_upstream_under_its_name() -> None:
    body = {
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello", "reasoning": "a greeting"},
            {"role": "user", "content": "2 + 2? Reply with a single number."},
        ]
    }
    async with SimulatedServer(Behaviour(text="4")).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        await replied(asked(body, "self_consistency(n=2)"), engine)
        await engine.aclose()
    assert [one["messages"] for one in server.requests] == [body["messages"]] * 2


USAGE = {"prompt_tokens": 5, "completion_tokens": 4, "total_tokens": 9}


SIGNED = [
    {"type": "reasoning.text", "text": "two and", "index": 0, "format": "anthropic-claude-v1"},
    {"type": "reasoning.text", "text": " two", "index": 0, "signature": "c2ln"},
    {"type": "reasoning.encrypted", "data": "ZW5j", "index": 1, "id": "r1"},
]
WHOLE = [
    {
        "type": "reasoning.text",
        "text": "two and two",
        "index": 0,
        "format": "anthropic-claude-v1",
        "signature": "c2ln",
    },
    SIGNED[2],
]


@pytest.mark.parametrize("strategy", ["single", "self_consistency(n=2)"])
@pytest.mark.parametrize("is_streamed", [False, True])
async def test_signed_thinking_comes_back_in_parts_that_are_whole(
    strategy: str, is_streamed: bool
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        del request
        deltas: list[dict[str, Any]] = [{"reasoning_details": [one]} for one in SIGNED]
        deltas += [{"reasoning_details": "odd"}, {"reasoning_details": [7]}, {"content": "4"}]
        choices: list[dict[str, Any]] = [{"index": 0, "delta": one} for one in deltas]
        choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        events = [{"id": "c", "choices": [one]} for one in choices]
        said = [*events, {"id": "c", "choices": [], "usage": usage}]
        body = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in said)
        return web.Response(body=body + b"data: [DONE]\n\n", content_type="text/event-stream")

    async with told_server(answer) as url:
        engine = Endpoint(url, "simulated", api_key="")
        request = asked({**NUMBER, "stream": is_streamed}, strategy)
        if is_streamed:
            told = [
                detail
                for chunk in await chunks(request, engine)
                for choice in chunk["choices"]
                for detail in choice["delta"].get("reasoning_details", ())
            ]
            assert merged(told) == WHOLE
        else:
            reply = await replied(request, engine)
            assert reply.body["choices"][0]["message"]["reasoning_details"] == WHOLE
        await engine.aclose()
