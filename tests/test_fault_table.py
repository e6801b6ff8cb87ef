"""The faults that break the peers, run here: a failed call is never an answer, nothing is lost."""

from __future__ import annotations

import anyio
import pytest

from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.engines.endpoint import Endpoint, Retries, Timeouts
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
)
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.server import Behaviour, Fault, SimulatedServer

pytestmark = pytest.mark.usefixtures("patient")

PROBLEM = Problem.ask("What is 2 + 2?", kind="number")
FAST = Retries(attempts=3, seconds=5.0, wait_initial=0.01, wait_max=0.05)
SHORT = Timeouts(connect=1.0, first_token=0.3, between_chunks=0.3)


def ask(
    behaviour: Behaviour,
    strategy: str = "self_consistency(n=8)",
    budget: str | None = None,
    timeouts: Timeouts = SHORT,
) -> tuple[Result, SimulatedServer]:
    server = SimulatedServer(behaviour)

    async def main() -> Result:
        async with server.serve():
            engine = Endpoint(server.url, "simulated", api_key="k", retries=FAST, timeouts=timeouts)
            try:
                return await run(
                    parse_strategy(strategy),
                    PROBLEM,
                    engine,
                    budget=Budget.parse(budget) if budget else None,
                )
            finally:
                await engine.aclose()

    return anyio.run(main), server


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unauthorized", EngineRejected),
        ("unknown_model", EngineRejected),
        ("context", ContextExceeded),
        ("html", EngineProtocolError),
        ("malformed", EngineProtocolError),
        ("overloaded", EngineUnavailable),
        ("rate_limited", EngineUnavailable),
        ("dies", EngineUnavailable),
        ("no_finish", EngineError),
        ("hangs", EngineUnavailable),
        ("stalls", EngineUnavailable),
        ("echoes_key", EngineRejected),
    ],
)
def test_what_fails_every_call_is_a_typed_error_and_never_an_answer(
    fault: Fault, error: type[EngineError]
) -> None:
    with pytest.raises(error) as caught:
        ask(Behaviour(fault=fault))
    assert len(caught.value.keys) == 8


@pytest.mark.parametrize("fault", ["echoes_key", "dies", "malformed", "stalls", "html"])
def test_one_bad_call_of_eight_leaves_at_least_seven(fault: Fault) -> None:
    result, _ = ask(Behaviour(fault=fault, fault_times=1))
    assert result.answer.text == "4"
    assert result.answer.votes[0].weight >= 7


def test_three_rate_limits_cost_time_and_no_sample() -> None:
    result, server = ask(Behaviour(fault="rate_limited", fault_times=3))
    assert result.answer.votes[0].weight == 8
    assert result.usage.calls == 8
    assert server.bill.refused == 3


def test_an_unreachable_server_is_unavailable() -> None:
    engine = Endpoint("http://127.0.0.1:9/v1", "m", api_key="", retries=FAST, timeouts=SHORT)

    async def main() -> None:
        try:
            await run(parse_strategy("single"), PROBLEM, engine)
        finally:
            await engine.aclose()

    with pytest.raises(EngineUnavailable, match=r"127\.0\.0\.1"):
        anyio.run(main)


def test_without_usage_the_tokens_are_bounded_and_the_count_is_marked() -> None:
    result, server = ask(Behaviour(usage="none"))
    sent = server.bill.completion_tokens
    assert sent <= result.work <= 8 * (len(Behaviour().text) + 1)  # bytes, and an end mark each
    assert [notice.code for notice in result.notices] == ["no_usage", "alike"]
    assert result.usage.source == "estimated"


def test_with_usage_the_account_equals_the_server_s_bill() -> None:
    result, server = ask(Behaviour(), "best_of_n(n=8)")
    assert result.usage.calls == server.bill.calls == 16
    assert result.work == server.bill.completion_tokens
    assert result.usage.input_tokens == server.bill.prompt_tokens
    assert result.usage.source == "measured"


def test_empty_answers_are_an_abstention() -> None:
    result, _ = ask(Behaviour(text=""))
    assert result.answer.best is None


def test_answers_cut_at_the_cap_abstain_and_are_charged() -> None:
    long = Behaviour(text="think " * 50 + "Answer: 4")
    result, server = ask(long, "grid(breadth=8, depth=10)")
    assert result.answer.best is None
    assert result.work == server.bill.completion_tokens == 80


def test_a_straggler_is_cut_when_the_time_is_up_and_the_others_answer() -> None:
    result, _ = ask(Behaviour(fault="hangs", fault_times=1), budget="0.5s", timeouts=Timeouts())
    assert result.seconds == pytest.approx(0.5)
    assert result.stop == "seconds"
    assert result.answer.votes[0].weight == 7


def test_long_caps_start_side_by_side_and_the_server_s_bill_stays_within_the_budget() -> None:
    paced = Behaviour(text="think " * 2000, delay_seconds=0.001)
    result, server = ask(paced, "self_consistency(n=4, max_tokens=4000)", "1500 work")
    assert result.stop == "work"
    assert result.work <= server.bill.completion_tokens <= 1500
    assert server.bill.completion_tokens <= result.work + result.usage.unseen_tokens
