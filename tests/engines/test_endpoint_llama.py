"""Reported = decoded tokens on a real llama.cpp server, through the counting proxy."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import pytest

from endpoint_client import Drawn, draw
from workspan.engines.endpoint import Endpoint
from workspan.errors import ContextExceeded
from workspan.testing.proxy import CountingProxy
from workspan.types import Message, Request

pytestmark = [pytest.mark.slow, pytest.mark.peers]

ASK = Request((Message("user", "What is 17 + 25? Think."),), max_tokens=40, temperature=0.3)


@asynccontextmanager
async def behind(
    llama: str, options: dict[str, Any] | None = None, **faults: Any
) -> AsyncIterator[tuple[Endpoint, CountingProxy]]:
    async with CountingProxy(llama, **faults).serve() as proxy:
        engine = await Endpoint.discover(proxy.url, api_key="", **(options or {}))
        try:
            yield engine, proxy
        finally:
            await engine.aclose()


async def draw_at_once(engine: Endpoint, n: int, request: Request = ASK) -> list[Drawn]:
    drawn: list[Drawn] = []

    async def one(seed: int) -> None:
        drawn.append(await draw(engine, replace(request, seed=seed)))

    async with anyio.create_task_group() as group:
        for seed in range(n):
            group.start_soon(one, seed)
    return drawn


def assert_true(drawn: list[Drawn], proxy: CountingProxy) -> None:
    assert proxy.bill.completion_tokens > 0
    assert sum(each.usage.output_tokens for each in drawn) == proxy.bill.completion_tokens
    assert sum(each.usage.input_tokens for each in drawn) == proxy.bill.prompt_tokens


def test_the_server_is_recognised(llama: str) -> None:
    async def main() -> None:
        async with behind(llama) as (engine, _):
            assert engine.info.context == 1024
            assert "continue" in engine.info.capabilities
            assert await engine.count(ASK) < await engine.count(replace(ASK, prefix="It is"))

    anyio.run(main)


@pytest.mark.parametrize("logprobs", [False, True])
def test_plain_calls_report_what_was_decoded(llama: str, logprobs: bool) -> None:
    async def main() -> None:
        async with behind(llama) as (engine, proxy):
            drawn = await draw_at_once(engine, 4, replace(ASK, logprobs=logprobs))
            assert_true(drawn, proxy)
            assert {each.usage.source for each in drawn} == {"measured"}
            assert len({each.text for each in drawn}) > 1
            for each in drawn:
                unscored = each.usage.output_tokens - len(each.logprobs)
                assert unscored in ({0, 1} if logprobs else {each.usage.output_tokens})

    anyio.run(main)


@pytest.mark.parametrize("form", ["chat", "completion"])
def test_alternatives_come_with_every_token(llama: str, form: str) -> None:
    async def main() -> None:
        async with behind(llama, {"form": form}) as (engine, proxy):
            drawn = await draw(engine, replace(ASK, logprobs=True, top_logprobs=10))
            assert_true([drawn], proxy)
            assert len(drawn.confidences) == len(drawn.logprobs) > 0
            assert min(drawn.confidences) >= math.log(10)
            assert max(drawn.confidences) < 104

    anyio.run(main)


@pytest.mark.parametrize(
    ("faults", "sources"),
    [
        ({}, {"measured"}),
        ({"reports_one_choice": True}, {"estimated"}),
        ({"omits_usage": True}, {"estimated"}),
        ({"ignores_n": True}, {"measured"}),
    ],
)
def test_joined_calls_report_what_was_decoded(
    llama: str, faults: dict[str, bool], sources: set[str]
) -> None:
    async def main() -> None:
        options = {"n_per_request": 4}
        async with behind(llama, options, **faults) as (engine, proxy):
            await engine.count(ASK)
            drawn = await draw_at_once(engine, 4)
            assert_true(drawn, proxy)
            assert sources <= {each.usage.source for each in drawn}
            assert proxy.bill.calls == (4 if faults.get("ignores_n") else 1)

    anyio.run(main)


@pytest.mark.parametrize("logprobs", [False, True])
def test_calls_without_usage_report_what_was_decoded(llama: str, logprobs: bool) -> None:
    async def main() -> None:
        async with behind(llama, omits_usage=True) as (engine, proxy):
            await engine.count(ASK)
            drawn = await draw_at_once(engine, 4, replace(ASK, logprobs=logprobs))
            assert_true(drawn, proxy)
            assert {each.usage.source for each in drawn} == {
                "tokenised" if logprobs else "estimated"
            }

    anyio.run(main)


def test_a_continued_answer_is_counted_without_its_beginning(llama: str) -> None:
    async def main() -> None:
        async with behind(llama) as (engine, proxy):
            request = replace(ASK, prefix="The sum of 17 and 25 is", temperature=0)
            drawn = await draw(engine, request)
            assert_true([drawn], proxy)
            assert drawn.usage.input_tokens == await engine.count(request)
            assert not drawn.text.startswith("The sum of")

    anyio.run(main)


def test_a_call_cut_in_the_middle_is_bounded_from_both_sides(llama: str) -> None:
    async def main() -> None:
        async with behind(llama) as (engine, proxy):
            request = replace(ASK, max_tokens=400, prefix="Once upon a time,", temperature=0)
            usage = (await draw(engine, request, chunks=5)).usage
            await anyio.sleep(0.5)
            truth = proxy.bill.completion_tokens
            assert 5 <= usage.output_tokens <= truth <= usage.output_tokens + usage.unseen_tokens
            assert usage.unseen_tokens == engine.runahead

    anyio.run(main)


def test_a_prompt_that_is_too_long_is_said_to_be(llama: str) -> None:
    async def main() -> None:
        async with behind(llama) as (engine, proxy):
            request = replace(ASK, prompt=(Message("user", "word " * 2000),))
            with pytest.raises(ContextExceeded, match="context"):
                await draw(engine, request)
            assert proxy.bill.completion_tokens == 0

    anyio.run(main)
