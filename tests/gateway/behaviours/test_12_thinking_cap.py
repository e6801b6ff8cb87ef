"""A hard cap on thinking: sent, enforced where a server minds none, or refused."""

from __future__ import annotations

import pytest

from gateway_requests import asked, replied
from workspan.engines.endpoint import Endpoint
from workspan.errors import InputError, UnsupportedCapability
from workspan.testing.server import Behaviour, SimulatedServer

pytestmark = pytest.mark.anyio

CAPPED = {
    "messages": [{"role": "user", "content": "2 + 2? Reply with a single number."}],
    "max_tokens": 400,
    "max_reasoning_tokens": 20,
}


@pytest.mark.parametrize("strategy", ["single", "self_consistency(n=3)", "auto"])
async def test_it_is_sent_in_the_servers_own_field(strategy: str) -> None:
    async with SimulatedServer(Behaviour(text="4", reasoning="so so")).serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="", thinking_cap="reasoning")
        reply = await replied(asked(CAPPED, strategy), engine)
        await engine.aclose()
    assert all(one["reasoning"] == {"max_tokens": 20} for one in server.requests)
    assert not any("max_reasoning_tokens" in one for one in server.requests)
    assert reply.body["choices"][0]["message"]["content"] == "4"


async def test_a_server_that_minds_no_cap_is_cut() -> None:
    behaviour = Behaviour(text="4", reasoning="so " * 300, delay_seconds=0.001)
    async with SimulatedServer(behaviour).serve() as server:
        engine = Endpoint(
            server.url, "simulated", api_key="", thinking_cap="thinking_budget", overshoot=8
        )
        reply = await replied(asked(CAPPED, "single"), engine)
        await engine.aclose()
    choice = reply.body["choices"][0]
    assert choice["finish_reason"] == "length"
    assert choice["message"]["content"] == ""
    assert server.bill.completion_tokens < 200
    assert any("left none for an answer" in notice for notice in reply.workspan["notices"])


async def test_an_engine_without_a_cap_refuses_it_unasked() -> None:
    async with SimulatedServer().serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="")
        with pytest.raises(UnsupportedCapability, match="thinking_cap"):
            await replied(asked(CAPPED, "single"), engine)
        await engine.aclose()
    assert server.bill.calls == 0


@pytest.mark.parametrize("given", [0, -1, "20", True, 1.5])
async def test_what_is_no_cap_is_refused(given: object) -> None:
    async with SimulatedServer().serve() as server:
        engine = Endpoint(server.url, "simulated", api_key="", thinking_cap="thinking_budget")
        with pytest.raises(InputError, match="whole number above 0"):
            await replied(asked({**CAPPED, "max_reasoning_tokens": given}), engine)
        with pytest.raises(InputError, match="nothing is left for the answer"):
            await replied(asked({**CAPPED, "max_reasoning_tokens": 400}), engine)
        await engine.aclose()
    assert server.bill.calls == 0
