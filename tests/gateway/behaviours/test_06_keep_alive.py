"""6: a silent stream is kept alive by comments, between events only."""

from __future__ import annotations

import asyncio

from gateway.rig import (
    DONE,
    GOOD,
    Scripted,
    Seen,
    begin,
    end,
    gate,
    part,
    reply,
    run,
)

COMMENT = b": keep-alive"


def test_comments_come_while_the_upstream_thinks_and_never_inside_an_event() -> None:
    torn = GOOD[1]

    async def main() -> None:
        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await begin(writer)
            await part(writer, GOOD[0] + GOOD[1] + torn[:20])
            await asyncio.sleep(40)  # an event is half here
            await part(writer, torn[20:] + GOOD[2] + DONE)
            await end(writer)

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert 2 <= got.lines.count(COMMENT) <= 4
            without = got.body.replace(COMMENT + b"\n\n", b"")
            assert without == GOOD[0] + GOOD[1] + torn + GOOD[2] + DONE

    run(main)


def test_they_come_before_the_first_token_too_and_an_error_after_them_is_an_event() -> None:
    async def main() -> None:
        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(30)
            await reply(writer, {"error": {"message": "overloaded"}}, 503)

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.status == 200
            assert got.lines.count(COMMENT) >= 1
            assert got.events == [got.events[-1]]
            assert "overloaded" in got.events[-1]["error"]["message"]
            assert b"[DONE]" not in got.body
            assert (await gw.record()).status == 503

    run(main)


def test_a_quick_stream_and_a_whole_reply_have_none() -> None:
    async def main() -> None:
        async def answer(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(40)
            from gateway.rig import whole

            await reply(writer, whole())

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert COMMENT not in got.body
            assert got.value["choices"]

    run(main)
