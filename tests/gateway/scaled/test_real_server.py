"""The path of strategies against a real llama.cpp server and its own counters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

import real_servers
from gateway_requests import Bounded, asked, joined
from workspan.engines.endpoint import Endpoint
from workspan.serve.scaled import answer, stream

pytestmark = pytest.mark.peers

CITY = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "country": {"type": "string"}},
            "required": ["city", "country"],
            "additionalProperties": False,
        },
    },
}


def said(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}], "max_tokens": 60, "temperature": 0.9}


async def served(address: str) -> None:
    engine = await Endpoint.discover(f"{address}/v1", api_key="", caches=16)
    engines = {"main": engine}
    before = real_servers.settled(address)
    account = Bounded()

    formed = asked({**said("A city?"), "response_format": CITY}, "self_consistency(n=3)")
    reply = await answer(formed, engines, account)
    told = json.loads(reply.body["choices"][0]["message"]["content"])
    assert set(told) == {"city", "country"}
    assert reply.workspan["calls"] == 3

    number = asked({**said("2 + 2? Reply with a single number."), "stream": True}, "auto")
    chunks = [chunk async for chunk in stream(number, engines, account)]
    assert joined(chunks)["content"]
    assert chunks[-1]["workspan"]["kind"] == "number"

    poem = asked({**said("Write a short poem."), "stream": True}, "auto")
    live = [chunk async for chunk in stream(poem, engines, account)]
    assert joined(live)["content"]
    assert len(live) > 5

    closing = stream(poem, engines, account)
    await anext(closing)
    await closing.aclose()

    logprobs = asked({**said("2 + 2? Reply with a single number."), "logprobs": True}, "auto")
    reply = await answer(logprobs, engines, account)
    choice = reply.body["choices"][0]
    tokens = "".join(one["token"] for one in choice["logprobs"]["content"])
    assert choice["message"]["content"].strip() in tokens
    await engine.aclose()

    spent = account.ledger.spent
    counted = real_servers.settled(address).since(before)
    assert counted.decoded <= spent.output_tokens + spent.unseen_tokens
    assert spent.output_tokens <= counted.decoded + spent.calls


def test_a_real_server_is_asked_and_accounted_for(tmp_path: Path) -> None:
    with real_servers.llama_server(tmp_path / "log") as address:
        anyio.run(served, address)
