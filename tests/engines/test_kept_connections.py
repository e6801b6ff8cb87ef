"""What a server sends behind a reply is read as the beginning of the next on that connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from endpoint_client import QUICK, draw
from workspan.core.engine import Bill
from workspan.engines.endpoint import Endpoint
from workspan.errors import EngineError, EngineUnavailable

ANSWER = (
    b'{"choices":[{"index":0,"message":{"content":"4"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":10,"completion_tokens":2}}'
)
JUNK = b'{"error":"nothing to say"}'


def reply(body: bytes, status: int = 200) -> bytes:
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


@asynccontextmanager
async def leaving(*told: bytes) -> AsyncIterator[tuple[str, list[int]]]:
    """Send these in turn, the next whenever a request has come; count requests by connection."""
    left, counts = list(told), list[int]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place = len(counts)
        counts.append(0)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
                await reader.readexactly(int(length or 0))
                counts[place] += 1
                writer.write(left.pop(0))
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", counts


async def failed(engine: Endpoint) -> tuple[EngineError, Bill]:
    bill = Bill()
    with pytest.raises(EngineError) as caught:
        await draw(engine, bill=bill)
    return caught.value, bill


@pytest.mark.parametrize("status", [204, 304])
def test_a_connection_is_not_kept_after_a_reply_that_can_have_no_body(status: int) -> None:
    async def main() -> None:
        empty = reply(JUNK, status).removesuffix(JUNK)  # its body comes when it likes
        async with leaving(empty, reply(ANSWER), reply(ANSWER)) as (url, counts):
            engine = Endpoint(url, "m", api_key="", retries=QUICK)
            _, bill = await failed(engine)
            assert bill.usage.calls == 0
            for _ in range(2):
                assert (await draw(engine)).text == "4"
            await engine.aclose()
            assert counts == [1, 1, 1]

    anyio.run(main)


def test_a_call_whose_reply_cannot_be_read_may_have_been_decoded() -> None:
    """The server had taken it, and says something: what it came to is not known."""

    async def main() -> None:
        async with leaving(reply(ANSWER), JUNK + reply(ANSWER), reply(ANSWER)) as (url, counts):
            engine = Endpoint(url, "m", api_key="", retries=QUICK)
            assert (await draw(engine)).text == "4"
            error, bill = await failed(engine)
            assert type(error) is EngineUnavailable
            assert "something else than an HTTP reply" in str(error)
            assert bill.usage.calls == 1
            assert bill.usage.unseen_tokens == 64
            assert (await draw(engine)).text == "4"
            await engine.aclose()
            assert counts == [2, 1]

    anyio.run(main)
