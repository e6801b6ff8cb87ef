"""What a client may take: sizes, counts, time. Nobody is waited for without end."""

from __future__ import annotations

import asyncio
import json

import pytest

from gateway.rig import (
    ASK,
    DONE,
    GOOD,
    Gate,
    Scripted,
    Seen,
    begin,
    gate,
    part,
    piece,
    replies,
    run,
    streams,
    whole,
)
from workspan.serve.config import Limits

SMALL = Limits(body_bytes=20_000, header_bytes=4_000, headers=30, drain_seconds=1, idle_seconds=30)


async def raw(gw: Gate, *parts: bytes | float) -> bytes:
    """Send bytes, with pauses of so many seconds between them; return all that comes back."""
    port = int(gw.root.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for one in parts:
            if isinstance(one, bytes):
                writer.write(one)
                await writer.drain()
            else:
                await asyncio.sleep(one)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (HEAD + b"X: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (HEAD + b"X: " + b"a" * 200_000, 431),
        (HEAD + b"".join(b"X%d: y\r\n" % i for i in range(60)) + b"\r\n", 431),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"nonsense\r\n\r\n", 400),
        (HEAD + b"Content-Length: x\r\n\r\n", 400),
        (HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    ],
)
def test_heads_that_are_too_large_or_none(sent: bytes, status: int) -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=SMALL) as gw:
            got = await raw(gw, sent)
            assert got.startswith(b"HTTP/1.1 %d " % status), got[:200]
            assert json.loads(got.partition(b"\r\n\r\n")[2])["error"]["message"]
            assert (await gw.get("/healthz")).status == 200

    run(main)


def test_bodies_that_are_too_large_told_or_not() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=SMALL) as gw:
            got = await gw.post(b'{"model":"m","x":"' + b"a" * 30_000 + b'"}')
            assert (got.status, got.error["code"]) == (413, "body_too_large")
            chunk = b"7d0\r\n" + b"a" * 2_000 + b"\r\n"
            said = await raw(gw, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 20)
            assert said.startswith(b"HTTP/1.1 413 ")
            assert not up.seen

    run(main)


MALFORMED = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b'{"model":"m","messages":' + b"[" * 20_000,
    b'{"model":null,"messages":[]}',
    b'{"model":"m"}',
    b'{"model":"m","messages":[],"stream":"yes"}',
    b'{"model":"m","messages":[],"n":0}',
    b'{"model":"m","messages":[],"n":1e9}',
    b'{"model":"m","messages":[],"max_tokens":-1}',
    b'{"model":"m","messages":[],"max_tokens":"9"}',
    b'{"model":"m","messages":[],"stream":true,"stream_options":5}',
    b'{"model":"' + b"m:" * 5_000 + b'","messages":[]}',
    b'{"model":"m:' + b"(" * 1_000 + b'","messages":[]}',
]


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_bodies_that_are_none_are_400_and_cost_nothing(body: bytes) -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(body)
            assert got.status in (400, 404), got
            assert got.error["message"]
            assert not up.seen

    run(main)


def test_a_client_that_says_nothing_is_hung_up_on() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=SMALL) as gw:
            assert await raw(gw) == b""
            assert await raw(gw, HEAD) == b""
            slow = [part for byte in HEAD for part in (bytes([byte]), 1.0)]
            assert await raw(gw, *slow) == b""

    run(main)


def test_a_body_that_does_not_come_is_408() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=SMALL) as gw:
            got = await raw(gw, HEAD + b"Content-Length: 100\r\n\r\n{")
            assert got.startswith(b"HTTP/1.1 408 ")
            assert (await gw.record()).code == "body_timeout"

    run(main)


def test_an_upstream_that_falls_silent_ends_with_an_error() -> None:
    async def main() -> None:
        async def stalls(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await begin(writer)
            await part(writer, GOOD[0] + GOOD[1])
            await asyncio.Event().wait()

        async with Scripted(stalls).serve() as up, gate(up.url, limits=SMALL) as gw:
            got = await gw.stream()
            assert got.text == "4"
            assert got.events[-1]["error"]["code"] == "upstream_timeout"
            assert b"[DONE]" not in got.body
            await up.closed.wait()
            assert (await gw.record()).total.calls == 1

    run(main)


def test_a_client_that_takes_nothing_holds_the_upstream_back_and_is_hung_up_on() -> None:
    """Buffers are bounded: a stream of 200 MB is not read for a client that does not read."""

    async def main() -> None:
        sent = 0
        big = piece({"content": "x" * 50_000})

        async def floods(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await begin(writer)
            for _ in range(4_000):
                await part(writer, big)
                sent += len(big)

        async with Scripted(floods).serve() as up, gate(up.url, limits=SMALL) as gw:
            port = int(gw.root.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            body = json.dumps({**ASK, "stream": True}).encode()
            writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            record = await gw.record()
            assert (record.status, record.code) == (499, "client_slow")
            await up.closed.wait()
            assert sent < 40_000_000
            writer.transport.abort()
            del reader

    run(main)


def test_unknown_addresses_and_methods_are_errors_in_the_same_form() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            for path in ("/v1", "/v1/chat", "/v1/models/none", "/v1/../etc/passwd", "/%00"):
                got = await gw.get(path)
                assert got.status == 404, path
                assert got.error["code"]
            async with gw.client.delete(f"{gw.url}/models") as reply:
                assert reply.status == 405
                assert reply.headers["allow"] == "GET"
            got = await gw.get("/v1/chat/completions")
            assert (got.status, got.error["code"]) == (405, "method_not_allowed")

    run(main)
