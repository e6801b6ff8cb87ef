"""A second upstream takes over before the first token, never after; both are settled."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from gateway.rig import (
    DONE,
    GOOD,
    PAUSE,
    Answer,
    Scripted,
    Seen,
    gate,
    line,
    piece,
    replies,
    run,
    streams,
    until,
    upstream,
    whole,
)
from workspan.serve.config import Limits

ERROR = {"error": {"message": "no", "code": "c"}}


async def reset(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def silent(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


BEFORE: dict[str, tuple[Answer, int]] = {
    "429": (replies(ERROR, 429), 0),
    "503": (replies(ERROR, 503), 0),
    "401": (replies(ERROR, 401), 0),
    "500": (replies(ERROR, 500), 1),
    "an error in 200": (replies(ERROR), 1),
    "an error as first event": (streams(line(ERROR)), 1),
    "an error after the role": (streams(GOOD[0], PAUSE, line(ERROR)), 1),
    "a stream that ends at once": (streams(GOOD[0]), 1),
    "a reset": (reset, 1),
    "silence": (silent, 1),
}
"""How the first fails, and how many of its calls may have been charged for."""


@pytest.mark.parametrize("how", BEFORE)
@pytest.mark.parametrize("is_streamed", [True, False])
def test_before_the_first_token(how: str, is_streamed: bool) -> None:
    answer, charged = BEFORE[how]
    good = streams(*GOOD, DONE) if is_streamed else replies(whole())

    async def main() -> None:
        async with (
            Scripted(answer).serve() as a,
            Scripted(good).serve() as b,
            gate(
                upstream(a.url, "a"),
                upstream(b.url, "b"),
                failover=True,
                limits=Limits(first_byte_seconds=20, drain_seconds=1),
            ) as gw,
        ):
            got = await gw.ask(stream=is_streamed)
            assert got.status == 200, got
            assert got.text == "4" if is_streamed else got.value["choices"]
            assert (len(a.seen), len(b.seen)) == (1, 1)
            record = await gw.record()
            assert record.engine == "b"
            assert record.total.calls == 1 + charged

    run(main)


def test_nobody_at_the_address() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as b,
            gate(upstream("http://127.0.0.1:9/v1", "a"), upstream(b.url, "b"), failover=True) as gw,
        ):
            got = await gw.ask()
            assert got.value["workspan"]["engine"] == "b"
            assert (await gw.record()).total.calls == 1

    run(main)


def test_after_the_first_token_a_stream_dies_and_nobody_takes_over() -> None:
    async def main() -> None:
        async with (
            Scripted(streams(*GOOD[:2], PAUSE, line(ERROR))).serve() as a,
            Scripted(streams(*GOOD, DONE)).serve() as b,
            gate(upstream(a.url, "a"), upstream(b.url, "b"), failover=True) as gw,
        ):
            got = await gw.stream()
            assert "error" in got.events[-1]
            assert not b.seen

    run(main)


def test_what_the_client_has_to_mend_is_not_asked_elsewhere() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(ERROR, 400)).serve() as a,
            Scripted(replies(whole())).serve() as b,
            gate(upstream(a.url, "a"), upstream(b.url, "b"), failover=True) as gw,
        ):
            assert (await gw.ask()).status == 400
            assert not b.seen

    run(main)


def test_the_last_one_s_error_is_told_where_all_fail() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(ERROR, 503)).serve() as a,
            Scripted(replies(ERROR, 429, headers={"Retry-After": "3"})).serve() as b,
            gate(upstream(a.url, "a"), upstream(b.url, "b"), failover=True) as gw,
        ):
            got = await gw.ask()
            assert got.status == 429
            assert got.headers["retry-after"] == "3"
            assert got.error["message"].startswith("b answered")

    run(main)


UNKNOWN = {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}
NOBODY = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("model", ["m", "m:self_consistency(n=2)"])
@pytest.mark.parametrize("is_first", [True, False])
def test_all_that_failed_are_named_and_what_may_pass_decides(model: str, is_first: bool) -> None:
    async def main() -> None:
        async with Scripted(replies(UNKNOWN, 404)).serve() as up:
            told = [upstream(up.url, "a"), upstream(NOBODY, "b", retries__attempts="1")]
            async with gate(*(told if is_first else told[::-1]), failover=True) as gw:
                number = [{"role": "user", "content": "2 + 2? Reply with a single number."}]
                got = await gw.ask(model=model, messages=number)
                assert got.status == 502, got
                said = got.error["message"]
                assert said.startswith("b ")
                assert "a answered 404: The model `m` does not exist" in said
                assert "127.0.0.1" not in said

    run(main)


def test_the_soonest_of_those_that_say_when_decides() -> None:
    async def main() -> None:
        answers = [replies(ERROR, 429, headers={"Retry-After": str(s)}) for s in (7, 3)]
        async with (
            Scripted(answers[0]).serve() as a,
            Scripted(answers[1]).serve() as b,
            gate(*map(upstream, (a.url, b.url, NOBODY), "abc"), failover=True) as gw,
        ):
            got = await gw.ask()
            assert (got.status, got.headers["retry-after"]) == (429, "3")

    run(main)


def test_what_one_may_have_billed_is_not_to_be_asked_again_whoever_is_told_of() -> None:
    async def main() -> None:
        async with (
            Scripted(reset).serve() as a,
            gate(upstream(a.url, "a"), upstream(NOBODY, "b"), failover=True) as gw,
        ):
            got = await gw.ask()
            assert got.error["code"] == "upstream_unreachable"
            assert got.headers["x-should-retry"] == "false"
            assert (await gw.record()).total.calls == 1

    run(main)


@pytest.mark.parametrize("others", ["chat", "messages"])
def test_who_can_t_be_put_a_request_is_passed_over(others: str) -> None:
    """Where nobody else can be asked, that one's trouble is told, and not the request's."""
    named = {"type": "item_reference", "id": "x"}
    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}, named]}
    answer = replies({"id": "r", "object": "response", "status": "completed", "output": []})

    async def main() -> None:
        speaks = {"a": (others,), "b": ("responses",)}
        async with Scripted(replies(whole())).serve() as a, Scripted(answer).serve() as b:
            for url, status in ((b.url, 200), (NOBODY, 502)):
                told = [upstream(a.url, "a"), upstream(url, "b")]
                told = [replace(one, speaks=speaks[one.name]) for one in told]
                async with gate(*told, failover=True) as gw:
                    got = await gw.post(body, "/responses")
                    assert got.status == status, got
                    if status == 502:
                        assert "b can't be reached" in got.error["message"]
                        assert "a can't be asked: " in got.error["message"]
            assert not a.seen

    run(main)


def test_a_budget_without_room_for_a_second_call_hides_no_first_failure() -> None:
    async def main() -> None:
        async with (
            Scripted(reset).serve() as a,
            Scripted(replies(whole())).serve() as b,
            gate(upstream(a.url, "a"), upstream(b.url, "b"), failover=True) as gw,
        ):
            got = await gw.ask(workspan={"budget": "1 calls"})
            assert (got.status, b.seen) == (429, [])
            assert "b can't be asked: " in got.error["message"]
            assert "a broke off" in got.error["message"]
            assert got.headers["x-should-retry"] == "false"

    run(main)


def test_a_line_that_is_full_is_not_stood_in_where_another_is_not() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as a,
            Scripted(replies(whole())).serve() as b,
            gate(
                upstream(a.url, "a", concurrency="1"),
                upstream(b.url, "b"),
                failover=True,
                limits=Limits(waiting=1, drain_seconds=1),
            ) as gw,
        ):
            places = gw.serving.gateway.servers["a"].places
            await places.enter("")
            waiting = asyncio.create_task(places.enter("x"))
            await until(lambda: places.waiting == 1)
            got = await gw.ask()
            assert (got.status, got.headers["x-workspan-engine"]) == (200, "b")
            waiting.cancel()

    run(main)


def test_tokens_are_counted_by_whoever_does() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}

    async def main() -> None:
        async with Scripted(replies({"input_tokens": 9})).serve() as up:
            told = [upstream(NOBODY, "a"), upstream(up.url, "b")]
            told = [replace(one, speaks=("messages",)) for one in told]
            async with gate(*told, failover=True) as gw:
                got = await gw.post(body, "/messages/count_tokens")
                assert (got.status, got.value) == (200, {"input_tokens": 9})
            async with gate(*told[:1]) as gw:
                assert (await gw.post(body, "/messages/count_tokens")).status == 502

    run(main)


def test_where_nobody_can_be_asked_what_it_speaks_that_is_told() -> None:
    named = {"type": "item_reference", "id": "x"}

    async def main() -> None:
        async with gate(upstream(NOBODY)) as gw:
            got = await gw.post({"model": "m", "input": [named]}, "/responses")
            assert (got.status, got.error["code"]) == (502, "upstream_unreachable")

    run(main)


def test_no_request_is_asked_twice_that_may_have_been_billed() -> None:
    async def main() -> None:
        for answer in (reset, replies(ERROR, 500), streams(piece({}))):
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                got = await gw.stream()
                assert got.status >= 500
                assert len(up.seen) == 1

    run(main)


def test_a_kept_connection_that_was_closed_meanwhile_is_no_loss() -> None:
    """llama.cpp closes after each stream, whatever its Keep-Alive header says."""

    async def main() -> None:
        async def once(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            await replies(whole())(server, seen, writer)
            writer.close()

        async with Scripted(once).serve() as up, gate(up.url) as gw:
            for _ in range(4):
                assert (await gw.ask()).status == 200
            assert len(up.seen) == 4

    run(main)
