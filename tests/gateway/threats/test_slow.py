"""Slow clients: each is given so long, and holds nothing of an upstream while it dawdles."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.rig import DONE, Scripted, begin, end, gate, part, piece, replies, run, whole
from gateway.wires import BODY, head, send
from gateway.wires import whole as request
from workspan.serve.config import Limits

HEAD = head("/v1/chat/completions", f"Content-Length: {len(BODY)}")


def test_a_head_that_does_not_end_is_hung_up_on() -> None:
    async def main() -> None:
        limits = Limits(header_seconds=3, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            for start in (b"", b"POST /v1/chat/comp", HEAD[:-2]):
                loop = asyncio.get_running_loop()
                began = loop.time()
                got = await send(gw, start, quiet=60)
                assert got.data == b""
                assert loop.time() - began < 10  # the patient clock's
            assert not up.seen

    run(main)


def test_a_head_byte_by_byte_has_no_more_time() -> None:
    async def main() -> None:
        limits = Limits(header_seconds=3, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            port = int(gw.root.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            sent = 0
            for byte in HEAD:
                if reader.at_eof():
                    break
                writer.write(bytes([byte]))
                sent += 1
                await asyncio.sleep(0.5)
            assert sent < 20
            assert await reader.read() == b""
            writer.transport.abort()
            assert not up.seen

    run(main)


def test_heads_without_end_are_refused_by_their_size() -> None:
    async def main() -> None:
        limits = Limits(header_bytes=4_000, headers=20, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            many = head("/v1/models", *(f"X-{n}: 1" for n in range(30)), method="GET")
            long = head("/v1/models", "X: " + "a" * 10_000, method="GET")
            name = head("/v1/models", "X" * 10_000 + ": a", method="GET")
            url = head("/v1/models?" + "a" * 20_000, method="GET")
            behind = head("/healthz", method="GET") + long  # another, in one piece
            for one in (many, long, name, url, behind):
                assert (await send(gw, one)).status in (400, 431)

    run(main)


def test_a_body_byte_by_byte_has_its_time_and_no_more() -> None:
    async def main() -> None:
        limits = Limits(body_seconds=3, total_seconds=20, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            got = await send(gw, HEAD, BODY[:10], quiet=60)
            assert (got.status, got.error["code"]) == (408, "body_timeout")
            assert not up.seen
            assert len(gw.serving.gateway.watch.open) == 0

    run(main)


def test_a_stream_that_nobody_reads_is_ended_and_its_upstream_closed() -> None:
    big = "x" * 60_000

    sent: list[int] = []

    async def answer(server: Scripted, _: Any, writer: Any) -> None:
        await begin(writer)
        for place in range(2_000):
            await part(writer, piece({"content": big}))
            sent.append(place)
        await part(writer, DONE)
        await end(writer)

    async def main() -> None:
        limits = Limits(idle_seconds=3, drain_seconds=1)
        async with Scripted(answer).serve() as up, gate(up.url, limits=limits) as gw:
            port = int(gw.root.rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
            writer.write(request(BODY[:-1] + b',"stream":true}'))
            record = await gw.record()
            assert (record.status, record.code) == (499, "client_slow")
            assert len(sent) < 1_000  # back-pressure held it up, then it was left
            assert record.total.calls == 1
            writer.transport.abort()

    run(main)


def test_many_idle_connections_keep_nobody_out() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            port = int(gw.root.rpartition(":")[2])
            held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(200)]
            assert (await gw.ask()).status == 200
            for _, writer in held:
                writer.transport.abort()

    run(main)
