"""The reward engine in front of a simulated reward model on loopback."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio
import pytest

from endpoint_client import QUICK, SHORT
from workspan.core.engine import Bill
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.types import Message, Problem, Request, Usage
from workspan.engines.scoring import Reward
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    InputError,
    SpecError,
)
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.reward_server import SimulatedRewardServer
from workspan.testing.scripted import ScriptedEngine

pytestmark = pytest.mark.usefixtures("patient")

TWO_STEPS = Request(
    (Message("user", "What is 2 + 2?"), Message("assistant", "It is odd: 3\n\nAnswer: 4\n\n")),
    max_tokens=1,
)
READ = 5 + 1 + 6 + 1
"""Words of the question and the marked steps, and a frame each: the markers join two words."""


@asynccontextmanager
async def before(
    server: SimulatedRewardServer, **options: Any
) -> AsyncIterator[tuple[Reward, SimulatedRewardServer]]:
    options = {"api_key": "", "retries": QUICK, **options}
    async with server.serve():
        engine = Reward(server.url, "simulated", **options)
        try:
            yield engine, server
        finally:
            await engine.aclose()


async def score(engine: Reward, bill: Bill, request: Request = TWO_STEPS) -> list[float]:
    async with aclosing(engine.stream(request, bill)) as stream:
        (chunk,) = [chunk async for chunk in stream]
    assert chunk.finish == "stop"
    scores: list[float] = json.loads(chunk.text)
    return scores


def scored(server: SimulatedRewardServer, **options: Any) -> tuple[list[float], Usage]:
    async def main() -> tuple[list[float], Usage]:
        bill = Bill()
        async with before(server, **options) as (engine, _):
            return await score(engine, bill), bill.usage

    return anyio.run(main)


def test_pooling_scores_each_marked_step_and_decodes_nothing() -> None:
    server = SimulatedRewardServer()
    scores, usage = scored(server)
    assert scores == pytest.approx([0.2, 0.9])
    assert server.requests[0]["messages"][-1]["content"] == (
        "It is odd: 3<extra_0>Answer: 4<extra_0>"
    )
    assert usage == Usage(1, server.prompt_tokens)
    assert (usage.input_tokens, usage.output_tokens) == (READ - 1, 0)


@pytest.mark.parametrize("form", ["classify", "rerank"])
def test_an_outcome_model_scores_the_whole(form: str) -> None:
    server = SimulatedRewardServer()
    scores, usage = scored(server, form=form)
    assert scores == pytest.approx([0.9])
    assert usage == Usage(1, server.prompt_tokens)


def test_logits_are_refused_unless_their_sigmoid_is_asked_for() -> None:
    with pytest.raises(EngineProtocolError, match="does it give logits"):
        scored(SimulatedRewardServer(fault="logits"))
    scores, _ = scored(SimulatedRewardServer(fault="logits"), is_logit=True)
    assert scores == pytest.approx([0.0758581800, 0.9525741268])


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("unauthorized", EngineRejected, "is the key right"),
        ("overloaded", EngineUnavailable, "overloaded"),
        ("context", ContextExceeded, "maximum context"),
        ("malformed", EngineProtocolError, "something else than JSON"),
        ("html", EngineProtocolError, "something else than JSON"),
        ("no_scores", EngineProtocolError, "without scores"),
        ("hangs", EngineUnavailable, "silent"),
    ],
)
def test_faults_are_typed_and_only_what_was_answered_is_billed(
    fault: Any, kind: type[EngineError], words: str
) -> None:
    async def main() -> None:
        bill, server = Bill(), SimulatedRewardServer(fault=fault)
        async with before(server, timeouts=SHORT) as (engine, _):
            with pytest.raises(kind, match=words):
                await score(engine, bill)
        assert bill.usage.calls == server.calls

    anyio.run(main)


def test_a_server_that_is_overloaded_once_is_asked_again() -> None:
    server = SimulatedRewardServer(fault="overloaded", fault_times=1)
    assert len(scored(server)[0]) == 2
    assert (server.calls, len(server.requests)) == (1, 2)


def test_the_key_goes_into_the_header_and_nowhere_else() -> None:
    server = SimulatedRewardServer()
    scored(server, api_key="sk-secret")
    assert server.authorizations == ["Bearer sk-secret"]
    assert "sk-secret" not in repr(Reward("http://127.0.0.1:1", api_key="sk-secret"))


@pytest.mark.parametrize("counts", [True, False])
def test_the_count_bounds_what_is_read(counts: bool) -> None:
    async def main() -> None:
        bill = Bill()
        async with before(SimulatedRewardServer(counts_tokens=counts)) as (engine, _):
            bound = await engine.count(TWO_STEPS)
            await score(engine, bill)
        assert bill.usage.input_tokens <= bound
        assert (bill.usage.input_tokens == bound) is counts

    anyio.run(main)


def test_a_server_that_reports_no_usage_is_charged_the_bound() -> None:
    _, usage = scored(SimulatedRewardServer(reports_usage=False))
    assert usage.source == "estimated"
    assert usage.input_tokens > READ


def test_arguments_are_checked_before_anything_is_opened() -> None:
    with pytest.raises(InputError, match="did you mean 'pooling'"):
        Reward("http://127.0.0.1:1", form="poling")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="looks like"):
        Reward("127.0.0.1:1")
    assert Reward("http://127.0.0.1:1/v1/").url == "http://127.0.0.1:1"


def solve(
    server: SimulatedRewardServer, strategy: str, budget: str | None, journal: Journal
) -> Result:
    """Let a scripted model solve, and the simulated reward model judge."""
    problem = Problem.ask("What is 2 + 2?", kind="number")
    engine = ScriptedEngine(lambda r: f"Answer: {3 + r.seed % 3}")

    async def main() -> Result:
        async with before(server) as (prm, _):
            return await run(
                parse_strategy(strategy),
                problem,
                engine,
                budget=Budget.parse(budget) if budget else None,
                journal=journal,
                engines={"prm": prm},
            )

    return anyio.run(main)


BEST = "best_of_n(n=8, verifier=process_reward)"


def test_process_rewards_choose_and_their_reading_is_on_the_account() -> None:
    server, journal = SimulatedRewardServer(), Journal()
    result = solve(server, BEST, None, journal)
    assert result.answer.text == "4"
    assert (result.usage.calls, result.work) == (16, 16)
    assert result.usage.input_tokens == server.prompt_tokens + 8 * 5
    replayed = solve(server, BEST, None, Journal(journal.entries))
    assert replayed.answer == result.answer
    assert server.calls == 8, "a recorded score was asked again"


@pytest.mark.parametrize("counts", [True, False])
def test_a_prefill_limit_holds_for_what_a_reward_model_reads(counts: bool) -> None:
    verdicts = []
    for limit in (10, 60, 130, 3000):
        server = SimulatedRewardServer(counts_tokens=counts)
        result = solve(server, BEST, f"{limit} prefill", Journal())
        assert result.usage.prefill <= limit
        verdicts.append(server.calls)
    assert verdicts == sorted(verdicts)
    assert (verdicts[0], verdicts[-1]) == (0, 8)


def test_without_a_reward_engine_the_run_is_refused_before_any_spend() -> None:
    engine = ScriptedEngine(["Answer: 4"])
    with pytest.raises(SpecError, match="unknown engine 'prm'"):
        anyio.run(lambda: run(parse_strategy(BEST), Problem.ask("?"), engine))
    assert not engine.requests
