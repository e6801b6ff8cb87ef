from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endpoint_client import ASK, Drawn, before, draw
from workspan.core.engine import Bill
from workspan.data.types import Request
from workspan.engines.endpoint.events import EventStream
from workspan.engines.endpoint.meter import Meter
from workspan.engines.endpoint.pace import Pace
from workspan.engines.endpoint.wire import Choice, Delta, Report
from workspan.errors import EngineProtocolError
from workspan.testing.server import Behaviour, SimulatedServer

pytestmark = pytest.mark.usefixtures("patient")

WORDS = "one two three four five six seven eight"


def test_a_server_that_omits_usage_is_counted_by_its_bytes_until_its_pieces_are_known() -> None:
    async def main() -> None:
        async with before(Behaviour(text=WORDS, usage="none")) as (engine, server):
            usage = (await draw(engine)).usage
            assert (usage.output_tokens, usage.source) == (len(WORDS) + 1, "estimated")
            server.behaviour = Behaviour(text=f"{WORDS} {WORDS}")
            await draw(engine)  # with usage: a piece is a token
            server.behaviour = Behaviour(text=WORDS, usage="none")
            usage = (await draw(engine)).usage
            assert (usage.output_tokens, usage.source) == (9, "estimated")

    anyio.run(main)


def test_a_count_that_rests_on_log_probabilities_and_a_counted_prompt_is_tokenised() -> None:
    async def main() -> None:
        behaviour = Behaviour(text=WORDS, usage="none", tokens_per_chunk=3, counts_tokens=True)
        async with before(behaviour) as (engine, _):
            await engine.count(ASK)
            usage = (await draw(engine, replace(ASK, logprobs=True, max_tokens=8))).usage
            assert (usage.input_tokens, usage.output_tokens) == (6, 8)
            assert usage.source == "tokenised"

    anyio.run(main)


def test_several_tokens_in_a_chunk_do_not_make_the_servers_figure_implausible() -> None:
    async def main() -> None:
        async with before(Behaviour(text=WORDS, tokens_per_chunk=5)) as (engine, _):
            usage = (await draw(engine)).usage
            assert (usage.output_tokens, usage.source) == (8, "measured")

    anyio.run(main)


def ended(*words: str, report: Report | None, request: Request = ASK) -> Meter:
    """A choice that streamed these pieces and ended with this report."""
    meter = Meter(request, 10, 64, Pace())
    for word in words:
        meter.take(Choice(delta=Delta(content=word)))
    meter.take(Choice(finish_reason="stop"))
    if report is not None:
        meter.hear(report)
    meter.settle("the server")
    return meter


def test_a_long_chunk_without_usage_is_bounded_by_its_bytes_and_the_cap() -> None:
    assert ended("x" * 40, report=None).usage.output_tokens == 41
    assert ended("x" * 100, report=None).usage.output_tokens == ASK.max_tokens


def test_a_whole_answer_beyond_the_cap_is_charged_beyond_it() -> None:
    meter = ended("word " * 999, report=None)
    assert meter.usage.output_tokens == 4996
    assert [notice.code for notice in meter.notices] == ["no_usage", "ignores_cap"]


def test_choices_that_nobody_asked_for_are_charged_and_named() -> None:
    meter = Meter(ASK, 10, 64, Pace())
    meter.take(Choice(message=Delta(content="one two"), finish_reason="stop"))
    for index in range(1, 8):
        meter.take_unasked(Choice(index=index, message=Delta(content="three four five")))
    meter.hear(Report(prompt_tokens=6, completion_tokens=3))
    meter.settle("the server")
    assert meter.usage.output_tokens >= 2 + 7 * 3
    assert {notice.code for notice in meter.notices} >= {"contradiction"}
    assert meter.last_chunk().text == "one two"


def test_pieces_without_a_known_text_are_a_token_each() -> None:
    meter = Meter(ASK, 10, 64, Pace())
    for _ in range(9):
        meter.take(Choice(delta=Delta(content="")))
    assert meter.usage.output_tokens == 9
    meter.take(Choice(delta=Delta(content="ok"), finish_reason="stop"))
    meter.settle("the server")
    assert meter.usage.output_tokens == 9 + 2 + 1


def test_a_usage_without_figures_is_none() -> None:
    meter = ended("a ", "b", report=Report(prompt_tokens=6))
    assert [notice.code for notice in meter.notices] == ["no_usage"]


def test_usage_below_what_was_streamed_is_not_believed() -> None:
    meter = ended("a ", "b ", "c", report=Report(prompt_tokens=6, completion_tokens=2))
    assert (meter.usage.output_tokens, meter.usage.source) == (6, "estimated")
    assert [notice.code for notice in meter.notices] == ["contradiction"]


def test_hidden_thinking_is_believed_above_what_was_streamed() -> None:
    meter = ended("a", report=Report(prompt_tokens=6, completion_tokens=50))
    assert (meter.usage.output_tokens, meter.usage.source) == (50, "measured")
    assert not meter.notices


def test_a_price_that_the_provider_charges_is_kept() -> None:
    meter = ended("a", report=Report(prompt_tokens=6, completion_tokens=2, cost=0.00125))
    assert str(meter.usage.cost) == "0.00125"


def test_a_closed_stream_stops_the_server_and_bounds_what_it_decoded_unseen() -> None:
    async def main() -> None:
        behaviour = Behaviour(text=f"{WORDS} " * 10, delay_seconds=0.002)
        async with before(behaviour, overshoot=5) as (engine, server):
            whole = (await draw(engine)).usage  # from which a piece is known to be a token
            usage = (await draw(engine, chunks=3)).usage
            await anyio.sleep(0.2)
            served = server.bill.completion_tokens - whole.output_tokens
            assert usage.source == "estimated"
            assert 3 <= usage.output_tokens <= served
            assert served <= usage.output_tokens + usage.unseen_tokens
            assert usage.unseen_tokens == 5

    anyio.run(main)


def test_a_call_cancelled_before_its_first_token_is_billed_as_what_it_may_have_cost() -> None:
    async def main() -> None:
        async with before(Behaviour(fault="hangs"), overshoot=5) as (engine, _):
            bill = Bill()
            with anyio.move_on_after(0.1):
                await draw(engine, bill=bill)
            assert (bill.usage.calls, bill.usage.output_tokens, bill.usage.unseen_tokens) == (
                1,
                0,
                5,
            )

    anyio.run(main)


async def draw_many(
    behaviour: Behaviour, n: int, **options: Any
) -> tuple[list[Drawn], SimulatedServer]:
    """Draw n times at once with n choices a request, each with its own seed."""
    drawn: list[Drawn] = []
    options = {"n_per_request": n, "overshoot": 64, **options}

    async with before(behaviour, **options) as (engine, server):

        async def one(seed: int) -> None:
            drawn.append(await draw(engine, replace(ASK, seed=seed)))

        async with anyio.create_task_group() as group:
            for seed in range(n):
                group.start_soon(one, seed)
    return drawn, server


@pytest.mark.parametrize("usage", ["full", "one_choice", "none"])
def test_equal_requests_are_asked_as_one_and_billed_as_decoded(usage: Any) -> None:
    async def main() -> None:
        drawn, server = await draw_many(Behaviour(text=WORDS, usage=usage), 4)
        assert [body.get("n") for body in server.requests] == [4]
        assert sorted(each.text for each in drawn) == [
            f"1 {WORDS}", f"2 {WORDS}", f"3 {WORDS}", WORDS,
        ]  # fmt: skip
        billed = sum(each.usage.output_tokens for each in drawn)
        if usage == "full":
            assert billed == server.bill.completion_tokens
        else:  # bytes, with an end token each
            assert billed == sum(len(each.text) + 1 for each in drawn)
        assert {each.usage.source for each in drawn} <= {"tokenised", "estimated"}
        assert sum(each.usage.input_tokens > 0 for each in drawn) == 1
        if usage != "none":
            assert sum(each.usage.input_tokens for each in drawn) == server.bill.prompt_tokens

    anyio.run(main)


def test_choices_that_a_server_leaves_out_are_asked_for_one_by_one() -> None:
    async def main() -> None:
        drawn, server = await draw_many(Behaviour(text=WORDS, honours_n=False), 3)
        assert [body.get("n", 1) for body in server.requests] == [3, 1, 1]
        assert [each.text for each in drawn] == [WORDS] * 3
        assert sum(each.usage.output_tokens for each in drawn) == server.bill.completion_tokens
        assert sum(each.usage.input_tokens for each in drawn) == server.bill.prompt_tokens
        assert {each.usage.source for each in drawn} == {"measured"}

    anyio.run(main)


def test_requests_longer_than_the_overshoot_are_not_joined() -> None:
    async def main() -> None:
        _, server = await draw_many(Behaviour(), 3, overshoot=63)
        assert [body.get("n", 1) for body in server.requests] == [1, 1, 1]

    anyio.run(main)


def test_a_failure_of_a_joined_request_is_a_failure_of_each() -> None:
    async def main() -> None:
        failed = []
        behaviour = Behaviour(text=WORDS, fault="no_finish", delay_seconds=0.01)
        async with before(behaviour, n_per_request=2) as (engine, _):

            async def one(seed: int) -> None:
                bill = Bill()
                with pytest.raises(EngineProtocolError) as caught:
                    await draw(engine, replace(ASK, seed=seed), bill=bill)
                failed.append((caught.value, bill.usage))

            async with anyio.create_task_group() as group:
                group.start_soon(one, 1)
                group.start_soon(one, 2)
        assert failed[0][0] is not failed[1][0]
        assert all(usage.output_tokens > 0 for _, usage in failed)

    anyio.run(main)


def test_one_choice_closed_early_leaves_the_others_and_bounds_its_own_tokens() -> None:
    async def main() -> None:
        usages = {}
        behaviour = Behaviour(text=WORDS, delay_seconds=0.01)
        async with before(behaviour, n_per_request=2) as (engine, server):

            async def one(seed: int, chunks: int | None) -> None:
                usages[seed] = await draw(engine, replace(ASK, seed=seed), chunks=chunks)

            async with anyio.create_task_group() as group:
                group.start_soon(one, 1, 2)
                group.start_soon(one, 2, None)
            kept, closed = usages[2].usage, usages[1].usage
            assert usages[2].text == f"1 {WORDS}"
            assert kept.output_tokens >= 9
            spent = closed.output_tokens + closed.unseen_tokens + kept.output_tokens
            assert spent >= server.bill.completion_tokens

    anyio.run(main)


EVENTS = (
    b'data: {"choices":[{"delta":{"content":"a\\u00e9"}}]}\n\n'
    b': a comment\n\ndata:{"choices":[{"text":"b"}]}\r\n\r\n'
    b'event: message\ndata: {"choices":[],\ndata: "usage":{"completion_tokens":3}}\n\n'
    b"data: [DONE]\n\n"
)


@given(st.lists(st.integers(0, len(EVENTS)), max_size=8))
def test_events_are_the_same_however_their_bytes_are_torn(cuts: list[int]) -> None:
    whole, torn = EventStream(), EventStream()
    edges = [0, *sorted(cuts), len(EVENTS)]
    events = []
    for start, end in pairwise(edges):
        events += torn.feed(EVENTS[start:end])
    assert events == whole.feed(EVENTS)
    assert len(events) == 3
    assert torn.is_done


def test_a_data_line_that_is_no_completion_is_kept_as_the_failure_after_what_was_good() -> None:
    for line in (b"data: 7\n\n", b"data: {\n\n", b'data: {"choices": {}}\n\n', b"data: \xff\n\n"):
        stream = EventStream()
        assert len(stream.feed(b'data: {"choices":[]}\n\n' + line + EVENTS)) == 1
        assert "malformed stream" in str(stream.failure)


@given(st.integers(1, 50), st.integers(1, 30), st.integers(0, 80))
def test_a_bill_is_never_below_what_was_streamed(chunks: int, cap: int, reported: int) -> None:
    report = Report(prompt_tokens=1, completion_tokens=reported)
    meter = ended(*["a "] * chunks, report=report, request=Request((), max_tokens=cap))
    assert meter.usage.output_tokens >= chunks
