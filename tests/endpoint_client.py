"""What the endpoint's tests share: drawing from an endpoint in front of a simulated server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from workspan.core.engine import Bill
from workspan.data.types import Chunk, Message, Request, Usage
from workspan.engines.endpoint import Endpoint, Retries, Timeouts
from workspan.testing.server import Behaviour, SimulatedServer

QUICK = Retries(attempts=3, seconds=5, wait_initial=0.01, wait_max=0.02)
ASK = Request((Message("user", "What is 2 + 2?"),), max_tokens=64, seed=7)


@dataclass(slots=True)
class Drawn:
    """A whole stream and its bill."""

    chunks: list[Chunk]
    usage: Usage

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def reasoning(self) -> str:
        return "".join(chunk.reasoning for chunk in self.chunks)

    @property
    def logprobs(self) -> list[float]:
        return [value for chunk in self.chunks for value in chunk.logprobs]

    @property
    def confidences(self) -> list[float]:
        return [value for chunk in self.chunks for value in chunk.confidences]


async def draw(
    engine: Endpoint, request: Request = ASK, *, bill: Bill | None = None, chunks: int | None = None
) -> Drawn:
    """Read a stream to its end, or close it after so many chunks."""
    bill = bill or Bill()
    drawn: list[Chunk] = []
    async with aclosing(engine.stream(request, bill)) as stream:
        async for chunk in stream:
            drawn.append(chunk)
            if len(drawn) == chunks:
                break
    return Drawn(drawn, bill.usage)


@asynccontextmanager
async def before(
    behaviour: Behaviour, **options: Any
) -> AsyncIterator[tuple[Endpoint, SimulatedServer]]:
    """Serve a behaviour and open an endpoint for it."""
    options = {"api_key": "", "retries": QUICK, **options}
    async with SimulatedServer(behaviour).serve() as server:
        engine = Endpoint(server.url, "simulated", **options)
        try:
            yield engine, server
        finally:
            await engine.aclose()


SHORT = Timeouts(connect=1, first_token=0.2, between_chunks=0.2)


@asynccontextmanager
async def answering(
    replies: Sequence[bytes], seen: list[dict[str, Any]], kind: str = "text/event-stream"
) -> AsyncIterator[str]:
    """Answer each completion asked for with the next body, and note what was asked."""
    left = list(replies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split("\r\n")[0] or 0)
        asked = json.loads(await reader.readexactly(length)) if length else {}
        is_completion = head.split(" ")[1].endswith("/chat/completions")
        status, body = (200, left.pop(0)) if is_completion and left else (404, b"{}")
        if is_completion:
            seen.append(asked)
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


def streamed(*deltas: dict[str, Any], finish: str = "stop", usage: object = None) -> bytes:
    """Write a stream of one choice: a delta an event, its end, its usage."""
    choices: list[dict[str, Any]] = [{"index": 0, "delta": delta} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    events: list[dict[str, Any]] = [{"choices": [choice]} for choice in choices]
    if usage is not None:
        events.append({"choices": [], "usage": usage})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()
