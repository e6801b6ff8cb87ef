"""A second upstream takes over before the first token, never after; both are settled."""

from __future__ import annotations

import asyncio

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
