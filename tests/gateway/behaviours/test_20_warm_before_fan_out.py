"""Prompt bytes are stable, and one call warms the cache before its siblings fan out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import pytest
from aiohttp import web

from gateway_requests import WEATHER, asked, chunks, replied
from told_server import told_server
from workspan.core.engine import Bill, EngineInfo
from workspan.data.types import Chunk, Request
from workspan.engines.endpoint import Endpoint
from workspan.errors import EngineRejected
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

pytestmark = pytest.mark.anyio

LONG = {"messages": [{"role": "user", "content": "word " * 400 + "Reply with a single number."}]}


@dataclass
class Caching(ScriptedEngine):
    """Serves a prompt from a cache once it has decoded a token for it, as providers do."""

    caches: int | None = 1
    warm: set[Any] = field(default_factory=set)
    cold: int = 0
    """Calls whose prompt was in no cache."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, caches=self.caches)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        is_cold = request.prompt not in self.warm
        self.cold += is_cold
        async for chunk in super().stream(request, bill):
            self.warm.add(request.prompt)
            if not is_cold:
                read = bill.usage.input_tokens
                bill.usage = replace(bill.usage, cached_tokens=read)
            yield chunk


@pytest.mark.parametrize("strategy", ["self_consistency(n=5)", "esc(n=4, window=4)", "auto"])
async def test_siblings_read_what_the_first_call_has_written(strategy: str) -> None:
    engine = Caching(["a b c 4"], latency=lambda _: 3)
    reply = await replied(asked(LONG, strategy), engine)
    drawn = len(engine.requests)
    assert engine.cold == 1
    assert engine.widest == drawn  # the siblings overlap the first one: they wait for a token
    usage = reply.body["usage"]
    assert usage["prompt_tokens_details"]["cached_tokens"] * drawn == usage["prompt_tokens"] * (
        drawn - 1
    )


async def test_the_span_has_the_token_that_siblings_waited_for() -> None:
    reply = await replied(asked(LONG, "self_consistency(n=4)"), Caching(["a b c 4"]))
    assert reply.workspan["work"] == 16
    assert reply.workspan["span"] == 5
    cold = await replied(asked(LONG, "self_consistency(n=4)"), Caching(["a b c 4"], caches=None))
    assert cold.workspan["span"] == 4


@pytest.mark.parametrize("caches", [None, 10_000])
async def test_nobody_waits_where_nothing_is_cached(caches: int | None) -> None:
    engine = Caching(["a b c 4"], latency=lambda _: 3, caches=caches)
    await replied(asked(LONG, "self_consistency(n=4)"), engine)
    assert engine.cold == 4


@dataclass
class Failing(FaultyEngine):
    """Caches, and fails where told."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, caches=1)


async def test_a_first_call_that_fails_lets_the_next_go_ahead() -> None:
    engine = Failing(["4"], faults={0: (0, EngineRejected("no")), 1: (0, EngineRejected("no"))})
    reply = await replied(asked(LONG, "self_consistency(n=5)"), engine)
    assert reply.workspan["calls"] == 3
    assert reply.body["choices"][0]["message"]["content"].strip() == "4"


async def test_a_budget_that_holds_one_call_ends_the_others() -> None:
    engine = Caching(["a b c 4"])
    reply = await replied(asked(LONG, "self_consistency(n=5)", "4 work, 1 calls"), engine)
    assert reply.workspan["calls"] == 1
    assert len(engine.requests) == 1


async def test_the_prompt_goes_upstream_as_it_came_each_time() -> None:
    seen: list[bytes] = []

    async def complete(request: web.Request) -> web.Response:
        seen.append(await request.read())
        choice = {"index": 0, "message": {"content": "4"}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 500, "completion_tokens": 2, "total_tokens": 502}
        return web.json_response({"choices": [choice], "usage": usage})

    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Bé  brief\n", "cache": {"a": 1}}]},
        {"role": "user", "content": " spaced  out \t", "name": "u"},
    ]
    body = {"messages": messages, "tools": [WEATHER], "provider": {"only": ["x"]}}
    async with told_server(complete) as url:
        engine = Endpoint(url, "m", api_key="")
        for _ in range(2):
            await replied(asked(body, "self_consistency(n=3)"), engine)
            await chunks(asked({**body, "stream": True}, "auto"), engine)
        await engine.aclose()
    sent = [json.loads(one) for one in seen]
    assert all(one["messages"] == messages for one in sent)
    assert all(one["tools"] == [WEATHER] and one["provider"] == {"only": ["x"]} for one in sent)
    prompts = {one[one.index(b'"messages"') : one.index(b',"max_tokens"')] for one in seen}
    assert len(prompts) == 1  # byte for byte


async def test_a_server_is_asked_once_until_it_speaks() -> None:
    """Against a server that holds its first answer back: no sibling is on its way meanwhile."""
    waiting, first_speaks = 0, anyio.Event()
    most_before = 0

    async def complete(request: web.Request) -> web.StreamResponse:
        nonlocal waiting, most_before
        waiting += 1
        if not first_speaks.is_set():
            most_before = max(most_before, waiting)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        first_speaks.set()
        for told in ({"delta": {"content": "4"}}, {"delta": {}, "finish_reason": "stop"}):
            event = json.dumps({"choices": [{"index": 0, **told}]})
            await response.write(f"data: {event}\n\n".encode())
        usage = {"prompt_tokens": 500, "completion_tokens": 2, "total_tokens": 502}
        await response.write(f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n".encode())
        await response.write(b"data: [DONE]\n\n")
        return response

    async with told_server(complete) as url:
        engine = Endpoint(url, "m", api_key="", caches=100)
        reply = await replied(asked(LONG, "self_consistency(n=4)"), engine)
        await engine.aclose()
    assert most_before == 1
    assert reply.workspan["calls"] == 4
