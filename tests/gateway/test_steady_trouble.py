"""An upstream that goes on failing: clients hear of it soon, and are charged by what it can be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.rig import Answer, Scripted, gate, replies, run, upstream

SCALED = "up:self_consistency(n=2)"
NUMBER = [{"role": "user", "content": "What is 2 + 2? Reply with a single number."}]
BUSY = {"error": {"message": "slow down", "type": "rate_limit"}}
BROKEN = {"error": {"message": "the engine is dead", "type": "server_error"}}


async def asked(answer: Answer, **stated: Any) -> tuple[Any, float, int]:
    """Ask a strategy; return the reply, the seconds on the patient clock, and the upstream's."""
    async with (
        Scripted(answer).serve() as up,
        gate(upstream(up.url, **stated)) as gw,
    ):
        loop = asyncio.get_running_loop()
        began = loop.time()
        got = await gw.ask(model=SCALED, messages=NUMBER)
        return got, loop.time() - began, len(up.seen)


def test_a_wait_that_no_retry_can_help_is_told_at_once() -> None:
    async def main() -> None:
        got, seconds, tries = await asked(replies(BUSY, 429, headers={"Retry-After": "30"}))
        assert (got.status, got.headers["retry-after"]) == (429, "30")
        assert seconds < 2
        assert tries == 2  # of each draft once

    run(main)


@pytest.mark.parametrize("status", [429, 503])
def test_a_steady_refusal_is_told_within_seconds(status: int) -> None:
    async def main() -> None:
        got, seconds, tries = await asked(replies(BUSY, status))
        assert got.status == status
        assert seconds < 8
        assert tries > 2  # it was asked again for a while
        assert (await asked(replies(BUSY, status), retries__attempts="6"))[
            1
        ] > seconds  # as the operator says

    run(main)


def test_a_server_s_own_word_that_it_failed_is_not_charged_as_all_of_a_reply() -> None:
    async def main() -> None:
        async with Scripted(replies(BROKEN, 500)).serve() as up, gate(up.url) as gw:
            got = await gw.ask(max_tokens=4000)
            assert got.status == 500
            assert (
                0 < (await gw.record()).total.work + (await gw.record()).total.unseen_tokens <= 64
            )
            assert "x-should-retry" not in got.headers

    run(main)


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, BROKEN), (504, BROKEN), (500, b"<html>Internal Server Error</html>"), (500, b'{"err')],
)
def test_what_a_proxy_says_of_it_is(status: int, body: Any) -> None:
    async def main() -> None:
        async with Scripted(replies(body, status)).serve() as up, gate(up.url) as gw:
            got = await gw.ask(max_tokens=4000)
            assert got.status == status
            total = (await gw.record()).total
            assert total.output_tokens + total.unseen_tokens == 4000
            assert got.headers["x-should-retry"] == "false"

    run(main)


def test_a_reply_that_breaks_off_says_where() -> None:
    async def torn(_: Scripted, __: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 500\r\n")
        writer.write(b"\r\n" + b'{"choices": [' + b" " * 28)
        await writer.drain()
        writer.close()

    async def main() -> None:
        async with Scripted(torn).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert (got.status, got.error["code"]) == (502, "upstream_broke")
            assert got.error["message"] == "up broke off: the reply ended after 41 of 500 bytes"

    run(main)
