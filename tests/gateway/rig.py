"""What the gateway's tests share: a gateway and its upstreams on loopback, in one event loop.

The loop's clock stands still while anything happens (`patience`), so that what waits for seconds
takes none, and nothing is late on a busy machine.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp

import patience
from workspan.core.engine import Price
from workspan.data.budget import Budget
from workspan.engines.settings import Settings
from workspan.serve.config import Config, Limits, Upstream
from workspan.serve.running import Serving, serving
from workspan.serve.seeing.log import RequestLog
from workspan.serve.seeing.record import Record

T = TypeVar("T")
ASK: Mapping[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "What is 2 + 2?"}]}
KEY = "sk-upstream-0123456789abcdefghijklmnop"
"""The gateway's own, for its upstreams."""


def run(main: Callable[[], Awaitable[T]]) -> T:
    """Run a test on the patient clock."""
    return patience.patiently(main)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something that another task does."""
    while not is_so():  # noqa: ASYNC110  # whoever does it knows nothing of tests
        await asyncio.sleep(0.05)


class Kept(RequestLog):
    """A log that a test reads."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []

    def add(self, *records: Record) -> None:
        self.records += records


@dataclass(slots=True)
class Got:
    """A reply, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """What it says went wrong."""
        found: dict[str, Any] = self.value["error"]
        return found

    @property
    def lines(self) -> list[bytes]:
        """Its lines that are not empty."""
        return [line for line in self.body.split(b"\n") if line]

    @property
    def events(self) -> list[Any]:
        """The values of its events, without the last word."""
        data = [line[6:] for line in self.lines if line.startswith(b"data: ")]
        return [json.loads(one) for one in data if one != b"[DONE]"]

    @property
    def is_done(self) -> bool:
        """It ends with the last word."""
        return self.body.endswith(b"data: [DONE]\n\n")

    @property
    def text(self) -> str:
        """What its events say, put together."""
        choices = [choice for event in self.events for choice in event.get("choices") or ()]
        return "".join(
            (c.get("delta") or {}).get("content") or c.get("text") or "" for c in choices
        )


@dataclass(slots=True)
class Gate:
    """A gateway that runs, and a client of it."""

    serving: Serving
    log: Kept
    client: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return self.serving.url

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    async def post(
        self, body: Any, path: str = "/chat/completions", headers: Mapping[str, str] | None = None
    ) -> Got:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.post(self.url + path, data=data, headers=headers) as reply:
            return Got(reply.status, reply.headers, await reply.read())

    async def ask(self, **fields: Any) -> Got:
        """Ask for a chat."""
        return await self.post({**ASK, **fields})

    async def stream(self, **fields: Any) -> Got:
        """Ask for one as a stream."""
        return await self.post({**ASK, "stream": True, **fields})

    async def get(self, path: str) -> Got:
        async with self.client.get(self.root + path) as reply:
            return Got(reply.status, reply.headers, await reply.read())

    async def record(self, number: int = 1) -> Record:
        """Return what is remembered of a request, once it is."""
        await until(lambda: len(self.log.records) >= number)
        return self.log.records[number - 1]


def upstream(
    url: str, name: str = "up", model: str = "m", price: Price | None = None, **stated: str
) -> Upstream:
    """State an upstream."""
    written = {key.replace("__", "."): value for key, value in stated.items()}
    return Upstream(name, url, model, price, Settings(written, KEY))


@asynccontextmanager
async def gate(
    *upstreams: Upstream | str,
    limits: Limits | None = None,
    budget: str = "",
    **stated: Any,
) -> AsyncIterator[Gate]:
    """Run a gateway before upstreams."""
    told = tuple(
        upstream(one, f"up{place}" if place else "up") if isinstance(one, str) else one
        for place, one in enumerate(upstreams)
    )
    config = Config(
        told,
        port=0,
        limits=limits or Limits(drain_seconds=1),
        budget=Budget.parse(budget) if budget else Budget(),
        **stated,
    )
    log = Kept()
    async with serving(config, log) as running, aiohttp.ClientSession() as client:
        yield Gate(running, log, client)


@dataclass(slots=True)
class Seen:
    """A request as an upstream saw it."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


Answer = Callable[["Scripted", Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Scripted:
    """An upstream that does byte for byte what a test tells it. No model stands behind it."""

    answer: Answer
    seen: list[Seen] = field(default_factory=list)
    gone: int = 0
    """Clients that hung up before their reply was written."""
    port: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Scripted]:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 26)
        self.port = server.sockets[0].getsockname()[1]
        tasks = self._tasks
        try:
            yield self
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                seen = await _request(reader)
                self.seen.append(seen)
                if not await self._answered(seen, reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answered(
        self, seen: Seen, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer, and notice meanwhile that the client hangs up."""
        answering = asyncio.create_task(_awaited(self.answer(self, seen, writer)))
        watching = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait([answering, watching], return_when=asyncio.FIRST_COMPLETED)
            if answering.done() and not isinstance(answering.exception(), ConnectionError):
                answering.result()
                return not writer.is_closing() and await _idle(watching, reader)
            self.gone += 1
            self.closed.set()
            return False
        finally:
            answering.cancel()
            watching.cancel()


async def _idle(watching: asyncio.Task[bytes], reader: asyncio.StreamReader) -> bool:
    """Wait for a next request on the same connection; its first byte was read already."""
    first = await watching
    if first:
        reader._buffer[:0] = first  # type: ignore[attr-defined]
    return bool(first)


async def _awaited(answer: Awaitable[None]) -> None:
    await answer


async def _request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rest = head.split("\r\n")
    named = (one.partition(":") for one in rest if one)
    headers = {name.lower(): value.strip() for name, _, value in named}
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readline()
    else:
        body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Seen(line.split()[1], headers, body)


async def reply(
    writer: asyncio.StreamWriter,
    body: bytes | Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    kind: str = "application/json",
) -> None:
    """Write a whole reply."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data)
    await writer.drain()


async def begin(writer: asyncio.StreamWriter) -> None:
    """Write the head of a stream."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    writer.write(head + b"\r\n")
    await writer.drain()


async def part(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Write a part of a stream."""
    writer.write(b"%x\r\n%b\r\n" % (len(data), data))
    await writer.drain()


async def end(writer: asyncio.StreamWriter) -> None:
    """End a stream cleanly, as HTTP has it."""
    writer.write(b"0\r\n\r\n")
    await writer.drain()


def piece(delta: Any, finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    """Write an event."""
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    frame = {"id": "c-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
    return line({**frame, "choices": [choice], **more})


def line(value: Any) -> bytes:
    """Write a value as an event."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


PAUSE = b"a pause"
"""In place of a part: nothing is sent for a second."""
DONE = b"data: [DONE]\n\n"


def usage(prompt: int, completion: int, **more: Any) -> dict[str, Any]:
    """Write usage as servers do."""
    total = {"total_tokens": prompt + completion}
    return {"prompt_tokens": prompt, "completion_tokens": completion, **total, **more}


def streams(*parts: bytes, ends: bool = True) -> Answer:
    """Answer with these parts; without `ends` the connection is reset after them."""

    async def answer(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
        await begin(writer)
        for one in parts:
            if one is PAUSE:
                await asyncio.sleep(1)
            else:
                await part(writer, one)
        if ends:
            await end(writer)
        else:
            await asyncio.sleep(0.05)
            writer.transport.abort()

    return answer


def replies(body: bytes | Mapping[str, Any], status: int = 200, **more: Any) -> Answer:
    """Answer with a whole reply."""

    async def answer(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
        await reply(writer, body, status, **more)

    return answer


def whole(text: str = "4", completion: int = 1, **message: Any) -> dict[str, Any]:
    """Write a whole chat reply."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, **message},
        "finish_reason": "stop",
    }
    return {
        "id": "c-1",
        "object": "chat.completion",
        "created": 7,
        "model": "m-2026",
        "choices": [choice],
        "usage": usage(9, completion),
    }


GOOD = (piece({"role": "assistant", "content": ""}), piece({"content": "4"}), piece({}, "stop"))
"""A short stream without its last word."""
