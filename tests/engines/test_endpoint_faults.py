from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import pytest

import patience
from endpoint_client import ASK, QUICK, SHORT, before, draw
from workspan.core.engine import Bill
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request, Usage
from workspan.engines.endpoint import Endpoint, Retries
from workspan.engines.endpoint.complaints import retry_after
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
)
from workspan.runner import run
from workspan.strategies.sequential.single import Single
from workspan.testing.server import Behaviour
from workspan.testing.turned import TurnedTime

pytestmark = pytest.mark.usefixtures("patient")

KEY = "sk-a-key-that-must-not-show"


def failure(
    behaviour: Behaviour, request: Request = ASK, **options: Any
) -> tuple[EngineError, Bill]:
    """Draw once and return the error and the bill."""

    async def main() -> tuple[EngineError, Bill]:
        bill = Bill()
        async with before(behaviour, **options) as (engine, _):
            with pytest.raises(EngineError) as caught:
                await draw(engine, request, bill=bill)
        return caught.value, bill

    return anyio.run(main)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("unauthorized", EngineRejected, "Incorrect API key"),
        ("unknown_model", EngineRejected, "did you mean 'simulated'"),
        ("context", ContextExceeded, "maximum context length is 16"),
        ("rate_limited", EngineUnavailable, "Rate limit reached"),
        ("overloaded", EngineUnavailable, "overloaded"),
        ("redirects", EngineRejected, "redirects are not followed"),
        ("html", EngineProtocolError, "a web page"),
    ],
)
def test_a_refusal_before_the_first_token_is_typed_and_bills_nothing(
    fault: Any, kind: type[EngineError], words: str
) -> None:
    error, bill = failure(Behaviour(fault=fault), timeouts=SHORT)
    assert type(error) is kind
    assert words in str(error)
    assert bill.usage == Usage()


def test_a_call_that_we_hang_up_on_may_have_been_decoded() -> None:
    error, bill = failure(Behaviour(fault="hangs"), timeouts=SHORT)
    assert type(error) is EngineUnavailable
    assert "silent" in str(error)
    assert bill.usage.calls == 1
    assert bill.usage.unseen_tokens == 64


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("malformed", EngineProtocolError),
        ("stream_error", EngineUnavailable),
        ("dies", EngineUnavailable),
        ("no_finish", EngineProtocolError),
        ("stalls", EngineUnavailable),
    ],
)
def test_an_answer_that_breaks_in_the_middle_is_an_error_with_what_streamed_on_the_bill(
    fault: Any, kind: type[EngineError]
) -> None:
    behaviour = Behaviour(text="a b c d e f", fault=fault, delay_seconds=0.01)
    error, bill = failure(behaviour, timeouts=SHORT)
    assert type(error) is kind
    assert bill.usage.calls == 1
    assert bill.usage.output_tokens == len("a b c")  # a token is a byte at least
    assert bill.usage.unseen_tokens == 64 - len("a b c")
    assert bill.usage.source == "estimated"


def test_an_answer_that_the_provider_withheld_is_no_answer() -> None:
    error, bill = failure(Behaviour(fault="filtered"))
    assert type(error) is EngineRejected
    assert "content filter" in str(error)
    assert bill.usage.output_tokens > 0


def test_a_server_that_nobody_runs_is_unavailable_and_named() -> None:
    async def main() -> None:
        engine = Endpoint("http://127.0.0.1:9/v1", "m", api_key="", retries=QUICK)
        with pytest.raises(EngineUnavailable, match=r"http://127\.0\.0\.1:9/v1"):
            await draw(engine)
        await engine.aclose()

    anyio.run(main)


@pytest.mark.parametrize("fault", ["rate_limited", "overloaded"])
def test_what_may_pass_is_asked_again_and_bills_one_call(fault: Any) -> None:
    async def main() -> None:
        behaviour = Behaviour(fault=fault, fault_times=2)
        async with before(behaviour, timeouts=SHORT) as (engine, server):
            drawn = await draw(engine)
            assert drawn.text == "The answer is 4."
            assert drawn.usage.calls == 1
            assert len(server.requests) == 3
            assert server.bill.calls == 1

    anyio.run(main)


def test_what_a_server_said_until_the_time_was_up_is_in_the_result() -> None:
    async def main() -> None:
        time = TurnedTime()
        patient = Retries(attempts=10_000, seconds=1e6, wait_initial=0.001, wait_max=0.002)
        async with before(Behaviour(fault="overloaded"), retries=patient) as (engine, server):

            async def clock() -> None:
                while server.bill.refused < 3:  # noqa: ASYNC110  another's counter
                    await anyio.sleep(0.001)
                time.turn(10)

            problem, budget = Problem.ask("2 + 2?", kind="number"), Budget(seconds=5)
            async with anyio.create_task_group() as group:
                group.start_soon(clock)
                result = await run(Single(), problem, engine, budget=budget, time=time)
            assert result.unanswered.startswith("no call was answered")
            assert [notice.code for notice in result.notices] == ["unavailable"]
            assert "overloaded" in result.notices[0].text
            assert (result.usage.calls, result.usage.unseen_tokens) == (0, 0)  # nothing was out

    anyio.run(main)


@pytest.mark.parametrize("fault", ["unauthorized", "context", "unknown_model"])
def test_what_cannot_pass_is_asked_once(fault: Any) -> None:
    async def main() -> None:
        async with before(Behaviour(fault=fault)) as (engine, server):
            with pytest.raises(EngineError):
                await draw(engine)
            assert len(server.requests) == 1

    anyio.run(main)


def test_the_server_says_how_long_to_wait() -> None:
    async def main() -> float:
        behaviour = Behaviour(fault="rate_limited", fault_times=1, retry_after="0.4")
        async with before(behaviour) as (engine, _):
            began = patience.now()
            await draw(engine)
            return patience.now() - began

    assert anyio.run(main) == pytest.approx(0.4)


def test_a_wait_beyond_the_limit_is_not_waited_for() -> None:
    async def main() -> None:
        async with before(Behaviour(fault="rate_limited", retry_after="3600")) as (engine, server):
            with pytest.raises(EngineUnavailable) as caught:
                await draw(engine)
            assert caught.value.retry_after == 3600
            assert len(server.requests) == 1
            assert patience.now() < 1

    anyio.run(main)


def test_retry_after_is_read_in_seconds_and_as_a_date() -> None:
    now = datetime(2026, 5, 1, tzinfo=UTC)
    assert retry_after({"Retry-After": "2.5"}) == 2.5
    date = format_datetime(now + timedelta(seconds=90), usegmt=True)
    assert retry_after({"Retry-After": date}, now) == 90
    assert retry_after({"Retry-After": date}, now + timedelta(hours=1)) == 0
    assert retry_after({"Retry-After": "soon"}) is None
    assert retry_after({}) is None


def test_a_key_is_sent_but_shown_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error, _ = failure(Behaviour(fault="echoes_key"), api_key=KEY)
    assert "Bad header Bearer ***" in str(error)
    engine = Endpoint("http://host/v1", "m", api_key=KEY)
    shown = f"{engine!r} {engine} {engine.info} {vars(engine)} {error!r} {caplog.text}"
    assert KEY not in shown


def test_the_key_comes_from_the_environment_the_own_variable_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def sent(key: str | None) -> str:
        async def main() -> str:
            async with before(Behaviour(), api_key=key) as (engine, server):
                await draw(engine)
                return str(server.authorizations[-1])

        return anyio.run(main)

    monkeypatch.setenv("OPENAI_API_KEY", "sk-theirs")
    assert sent(None) == "Bearer sk-theirs"
    monkeypatch.setenv("WORKSPAN_API_KEY", "sk-ours")
    assert sent(None) == "Bearer sk-ours"
    assert sent("sk-named") == "Bearer sk-named"
    assert sent("") == ""


def test_log_probabilities_that_never_come_are_an_error_but_billed() -> None:
    error, bill = failure(Behaviour(honours_logprobs=False), replace(ASK, logprobs=True))
    assert type(error) is EngineRejected
    assert "log-probabilities" in str(error)
    assert bill.usage.output_tokens == 4
