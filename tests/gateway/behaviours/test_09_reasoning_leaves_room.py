"""Reasoning does not eat the answer: room is kept for it, and where it was eaten that is said."""

from __future__ import annotations

import pytest

from gateway_requests import asked, chunks, joined, replied
from workspan.engines.endpoint import Endpoint
from workspan.serve.scaled import Rules
from workspan.testing.server import Behaviour, SimulatedServer

pytestmark = pytest.mark.anyio

NUMBER = {"messages": [{"role": "user", "content": "2 + 2? Reply with a single number."}]}


@pytest.mark.parametrize(("cap", "most"), [(4000, 3000), (800, 544), (300, 150), (3, 1)])
async def test_a_capped_draft_keeps_room_for_its_answer(cap: int, most: int) -> None:
    async with SimulatedServer(Behaviour(text="4")).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="", thinking_cap="thinking_token_budget")
        await replied(asked({**NUMBER, "max_tokens": cap}, "self_consistency(n=2)"), engine)
        await engine.aclose()
    assert [one["thinking_token_budget"] for one in server.requests] == [most] * 2


async def test_the_operators_cap_holds_where_it_is_lower() -> None:
    async with SimulatedServer(Behaviour(text="4")).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="", thinking_cap="thinking_budget")
        rules = Rules(max_reasoning_tokens=100)
        await replied(asked({**NUMBER, "max_tokens": 900}, "single"), engine, rules)
        await engine.aclose()
    assert server.requests[0]["thinking_budget"] == 100


async def test_a_server_without_a_cap_is_sent_none() -> None:
    async with SimulatedServer(Behaviour(text="4")).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        await replied(asked({**NUMBER, "max_tokens": 900}, "single"), engine)
        await engine.aclose()
    assert not {"thinking_token_budget", "thinking_budget", "reasoning"} & server.requests[0].keys()


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_thinking_that_took_all_is_said(is_streamed: bool) -> None:
    behaviour = Behaviour(text="4", reasoning="so " * 50)
    async with SimulatedServer(behaviour).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        body = {**NUMBER, "max_tokens": 20, "stream": is_streamed}
        request = asked(body, "self_consistency(n=2)")
        if is_streamed:
            told = await chunks(request, engine)
            found, workspan = joined(told), told[-1]["workspan"]
            assert found["content"] == ""
            assert found["finish_reason"] == "length"
        else:
            reply = await replied(request, engine)
            choice, workspan = reply.body["choices"][0], reply.workspan
            assert choice["message"]["content"] == ""
            assert choice["finish_reason"] == "length"
        await engine.aclose()
    assert any("2 of 2 drafts" in notice for notice in workspan["notices"])


async def test_a_draft_without_an_answer_has_no_vote() -> None:
    behaviour = Behaviour(text="4 4 4 4", reasoning="so")
    async with SimulatedServer(behaviour).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        reply = await replied(asked({**NUMBER, "max_tokens": 1}, "self_consistency(n=2)"), engine)
        await engine.aclose()
    assert reply.body["usage"]["completion_tokens"] == 2
    assert reply.body["choices"][0]["finish_reason"] == "length"
