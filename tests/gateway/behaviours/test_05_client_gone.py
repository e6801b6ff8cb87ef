"""5: a client that is gone frees its upstream at once, and what ran is charged: 499."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.rig import ASK, GOOD, Gate, Scripted, Seen, begin, gate, part, reply, run, until, whole
from workspan.serve.config import Limits


async def leave(gw: Gate, *, after: bytes = b"", stream: bool = True) -> None:
    """Ask, read up to some bytes, and hang up."""
    port = int(gw.root.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = json.dumps({**ASK, "stream": stream}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
    if after:
        await reader.readuntil(after)
    else:
        await asyncio.sleep(0.2)
    writer.transport.abort()


def test_after_the_first_token() -> None:
    async def main() -> None:
        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await begin(writer)
            await part(writer, b"".join(GOOD[:2]))
            await asyncio.Event().wait()

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            await leave(gw, after=b'"4"')
            await up.closed.wait()
            record = await gw.record()
            assert (record.status, record.code) == (499, "client_gone")
            assert record.total.calls == 1
            assert record.total.output_tokens >= 1
            assert record.total.unseen_tokens > 0

    run(main)


@pytest.mark.parametrize("stream", [True, False])
def test_before_the_upstream_has_said_anything(stream: bool) -> None:
    async def main() -> None:
        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            await leave(gw, stream=stream)
            await up.closed.wait()
            record = await gw.record()
            assert record.status == 499
            assert record.total.calls == 1  # it was asked, and may charge for it

    run(main)


def test_while_it_stands_in_line_nothing_is_asked_for_it() -> None:
    async def main() -> None:
        gone = asyncio.Event()

        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await gone.wait()
            await reply(writer, whole())

        from gateway.rig import upstream

        async with (
            Scripted(answer).serve() as up,
            gate(upstream(up.url, concurrency="1"), limits=Limits(drain_seconds=1)) as gw,
        ):
            first = asyncio.create_task(gw.ask())
            await until(lambda: bool(up.seen))
            await leave(gw)
            record = await gw.record()
            assert record.status == 499
            assert record.total.calls == 0
            gone.set()
            assert (await first).status == 200
            assert (await gw.ask()).status == 200  # the place was given back
            assert len(up.seen) == 2

    run(main)
