"""What a run makes of a server that refuses, caps or repeats itself: account and notices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest
from aiohttp import web

from endpoint_client import ASK, QUICK, before, draw
from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.engines.endpoint import Endpoint
from workspan.errors import (
    BudgetExceeded,
    ContextExceeded,
    EngineRejected,
    WorkspanError,
    first_error,
)
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.server import Behaviour, SimulatedServer

PROBLEM = Problem.ask("What is 17 + 25?", kind="number")
ANSWER = "word " * 20 + "Answer: 42"


class Whole:
    """Refuses to stream, obeys caps, and counts what it served."""

    def __init__(
        self, limit: int | None = None, *, streams: bool = False, tokens: int = 50
    ) -> None:
        self.limit, self.streams, self.tokens = limit, streams, 50
        self.decoded = 0
        self.asked: list[dict[str, Any]] = []

    async def complete(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        cap = body.get("max_tokens") or body["max_completion_tokens"]
        if "stream" in body and not self.streams:
            error = {"message": "must be verified to stream", "param": "stream"}
            return web.json_response({"error": error}, status=400)
        if self.limit is not None and cap + 60 > self.limit:
            said = f"This model's maximum context length is {self.limit} tokens and your request "
            refused = {"object": "error", "message": f"{said}has 60 input tokens.", "code": 400}
            return web.json_response(refused, status=400)
        served = min(cap, self.tokens)
        self.decoded += served
        choice = {
            "message": {"content": "word " * (served - 2) + "Answer: 42"},
            "finish_reason": "stop" if served == self.tokens else "length",
        }
        usage = {"prompt_tokens": 60, "completion_tokens": served}
        return web.json_response({"choices": [choice], "usage": usage})


def solve(server: Whole, strategy: str, budget: str, **options: Any) -> Result | WorkspanError:
    async def main() -> Result | WorkspanError:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", server.complete)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        engine = Endpoint(url, "m", api_key="", retries=QUICK, **options)
        try:
            plan = parse_strategy(strategy)
            return await run(plan, PROBLEM, engine, budget=Budget.parse(budget))
        except WorkspanError as error:
            return error
        finally:
            await engine.aclose()
            await runner.cleanup()

    return anyio.run(main)


def simulated(behaviour: Behaviour, strategy: str, budget: str = "2k work") -> Result:
    async def main() -> Result:
        async with SimulatedServer(behaviour).serve() as server:
            engine = Endpoint(server.url, "simulated", api_key="", retries=QUICK)
            try:
                plan = parse_strategy(strategy)
                return await run(plan, PROBLEM, engine, budget=Budget.parse(budget))
            finally:
                await engine.aclose()

    return anyio.run(main)


def codes(result: Result | WorkspanError) -> set[str]:
    assert isinstance(result, Result), result
    return {notice.code for notice in result.notices}


@pytest.mark.parametrize("streams", [True, False])
@pytest.mark.parametrize("budget", [300, 900, 3000])
def test_whole_replies_stay_within_the_budget(budget: int, streams: bool) -> None:
    server = Whole()
    got = solve(server, "self_consistency(n=16, max_tokens=300)", f"{budget} work", streams=streams)
    assert isinstance(got, Result)
    assert got.answer.text == "42"
    assert server.decoded <= budget
    assert got.work == server.decoded
    assert ("no_effect" in codes(got)) is streams  # stated, or found out and said


@pytest.mark.parametrize("strategy", ["single()", "self_consistency(n=3)"])
def test_a_given_context_is_never_passed(strategy: str) -> None:
    server = Whole(1000, streams=True)
    got = solve(server, strategy, "4k work", context=1000)
    assert isinstance(got, Result), got
    assert got.answer.text == "42"
    assert "no_effect" in codes(got)


def test_a_context_that_a_refusal_told_is_kept_for_the_calls_after_it() -> None:
    server = Whole(1000, streams=True)
    got = solve(server, "single()", "4k work")
    assert isinstance(got, ContextExceeded)
    assert "context=1000" in str(got)
    assert len(server.asked) == 1
    server = Whole(1000, streams=True)
    got = solve(server, "fallback(single(), single())", "4k work")
    assert isinstance(got, Result), got
    assert got.answer.text == "42"
    assert [("max_tokens" in body) for body in server.asked] == [True, True]


@pytest.mark.parametrize(
    ("behaviour", "strategy", "is_said"),
    [
        (Behaviour(text=ANSWER), "self_consistency(n=3)", True),
        (Behaviour(text=ANSWER), "self_consistency(n=2)", False),
        (Behaviour(text=ANSWER), "self_consistency(n=3, temperature=0)", False),
        (Behaviour(text=ANSWER, is_numbered=True), "self_consistency(n=3)", False),
        (Behaviour(text=ANSWER), "self_consistency(n=3, max_tokens=5)", True),
    ],
)
def test_draws_that_are_all_alike_are_said(
    behaviour: Behaviour, strategy: str, is_said: bool
) -> None:
    assert ("alike" in codes(simulated(behaviour, strategy))) is is_said


@pytest.mark.parametrize("budget", ["30 work", "40 work", "2k work"])
@pytest.mark.parametrize("strategy", ["confidence_vote(n=4)", "deepconf_offline(n=4)"])
def test_log_probabilities_that_never_come_are_said_whatever_the_budget(
    strategy: str, budget: str
) -> None:
    behaviour = Behaviour(text="word " * 60, honours_logprobs=False)
    try:
        said = " ".join(codes(simulated(behaviour, strategy, budget)))
    except EngineRejected as error:
        said = str(error)
    assert "no_logprobs" in said or "no log-probabilities" in said


@pytest.mark.parametrize("asked", [{"logprobs": True}, {"top_logprobs": 4}])
def test_what_never_came_is_on_the_bill_of_a_call_that_was_cut(asked: dict[str, Any]) -> None:
    async def main() -> None:
        bill = Bill()
        behaviour = Behaviour(text=ANSWER, honours_logprobs=False, delay_seconds=0.001)
        async with before(behaviour) as (engine, _):
            await draw(engine, replace(ASK, **asked), bill=bill, chunks=2)
        assert [notice.code for notice in bill.notices] == ["no_logprobs"]

    anyio.run(main)


def test_a_call_that_would_fail_again_comes_before_a_budget_that_is_spent() -> None:
    spent, hopeless = BudgetExceeded("spent", limit="work"), EngineRejected("never")
    assert first_error([spent, hopeless]) is hopeless
    assert first_error([spent]) is spent
