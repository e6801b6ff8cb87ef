"""Reported = decoded tokens on a real llama.cpp server, through the counting proxy."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread
import pytest

from endpoint_client import Drawn, draw
from real_servers import settled
from workspan.data.types import Message, Request
from workspan.engines.endpoint import Endpoint
from workspan.errors import ContextExceeded
from workspan.testing.proxy import CountingProxy

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


def assert_bounded(drawn: list[Drawn], proxy: CountingProxy, cap: int = ASK.max_tokens) -> None:
    """Hold counts to what is promised before a server's pace is known: a bound by bytes.

    Beside them a piece without a word, as of a part of a character, counts as a token.
    """
    for each in drawn:
        size = len((each.text + each.reasoning).encode())
        is_full = each.chunks[-1].finish == "length"
        blank = sum(not (chunk.text or chunk.reasoning) for chunk in each.chunks[:-1])
        least = cap if is_full else min(cap, size + 1)
        assert least <= each.usage.output_tokens <= min(cap, least + max(1, blank))
        assert each.usage.source == "estimated"
    assert sum(each.usage.output_tokens for each in drawn) >= proxy.bill.completion_tokens > 0
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
    ("fault", "calls"), [("", 1), ("reports_one_choice", 1), ("omits_usage", 1), ("ignores_n", 4)]
)
def test_joined_calls_report_what_was_decoded(llama: str, fault: str, calls: int) -> None:
    async def main() -> None:
        options = {"n_per_request": 4}
        async with behind(llama, options, **({fault: True} if fault else {})) as (engine, proxy):
            await engine.count(ASK)
            drawn = await draw_at_once(engine, 4)
            assert proxy.bill.calls == calls
            if fault in {"reports_one_choice", "omits_usage"}:
                assert_bounded(drawn, proxy)
            else:
                assert_true(drawn, proxy)

    anyio.run(main)


@pytest.mark.parametrize("logprobs", [False, True])
def test_calls_without_usage_report_what_was_decoded(llama: str, logprobs: bool) -> None:
    async def main() -> None:
        async with behind(llama, omits_usage=True) as (engine, proxy):
            await engine.count(ASK)
            drawn = await draw_at_once(engine, 4, replace(ASK, logprobs=logprobs))
            if logprobs:
                assert_true(drawn, proxy)
                assert {each.usage.source for each in drawn} == {"tokenised"}
            else:
                assert_bounded(drawn, proxy)

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


@pytest.mark.parametrize("is_known", [False, True])
def test_a_call_cut_in_the_middle_is_bounded_from_both_sides(llama: str, is_known: bool) -> None:
    """Of five pieces: their bytes bound them until a stream that ended has told their tokens."""

    async def main() -> None:
        engine = await Endpoint.discover(f"{llama}/v1", api_key="")
        try:
            request = replace(ASK, max_tokens=400, prefix="Once upon a time,", temperature=0)
            if is_known:
                await draw(engine, replace(request, max_tokens=40))
            before = await anyio.to_thread.run_sync(settled, llama)
            drawn = await draw(engine, request, chunks=5)
            after = await anyio.to_thread.run_sync(settled, llama)
        finally:
            await engine.aclose()
        truth, usage = after.since(before).decoded, drawn.usage
        assert 5 <= truth <= usage.output_tokens + usage.unseen_tokens
        assert usage.unseen_tokens == engine.overshoot
        assert usage.source == "estimated"
        if is_known:
            # What a piece holds is learnt from a stream with blank pieces: rounded up, one more.
            assert usage.output_tokens <= truth + 1
        else:
            assert usage.output_tokens >= len(drawn.text.encode())

    anyio.run(main)


def test_a_prompt_that_is_too_long_is_said_to_be(llama: str) -> None:
    async def main() -> None:
        async with behind(llama) as (engine, proxy):
            request = replace(ASK, prompt=(Message("user", "word " * 2000),))
            with pytest.raises(ContextExceeded, match="context"):
                await draw(engine, request)
            assert proxy.bill.completion_tokens == 0

    anyio.run(main)
