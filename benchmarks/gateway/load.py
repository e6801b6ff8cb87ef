"""Load: as many as go (closed loop), or so many a second whatever comes back (open loop)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.gateway.spoken import MARK, Ask

_ENDS = (b"[DONE]\n\n", b"response.completed", b"message_stop")
"""How a stream ends that is whole."""


class Caller:
    """One connection, kept while the server keeps it, in HTTP by hand.

    A library's client would cost more than a gateway.
    """

    def __init__(self, url: str, sent: Ask) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        head = (
            f"POST {parts.path}/{sent.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Bearer {sent.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(sent.body)}\r\n\r\n"
        )
        self._sent = head.encode() + sent.body
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, number: int = 0) -> int:
        """Ask once, with such a number in the question; return the bytes of the reply's body.

        Raises:
            RuntimeError: the reply is no good one.
        """
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(
                self._host, self._port, limit=1 << 20
            )
        assert self._reader is not None
        self._writer.write(self._sent.replace(MARK, b"%08d" % number) if number else self._sent)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(head.decode(errors="replace"))
        if b"transfer-encoding: chunked" in head:
            size = await self._chunks(self._reader)
        else:
            size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await self._reader.readexactly(size)
        if b"connection: close" in head:  # optillm's server answers once a connection
            await self.aclose()
        return size

    async def _chunks(self, reader: asyncio.StreamReader) -> int:
        total, last = 0, b""
        while size := int(await reader.readline(), 16):
            last = (await reader.readexactly(size + 2))[:-2]
            total += size
        await reader.readline()
        if not last.endswith(b"}") and not any(end in last for end in _ENDS):
            raise RuntimeError(f"the stream ended with {last[-80:]!r}")
        return total

    async def aclose(self) -> None:
        """Hang up; the next question opens a connection anew."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None


@dataclass(frozen=True, slots=True)
class Throughput:
    """As many as go."""

    a_second: float
    count: int
    failed: int


async def closed(url: str, sent: Ask, connections: int, seconds: float) -> Throughput:
    """Ask on so many connections, each again as soon as it was answered."""
    done = failed = 0
    end = perf_counter() + seconds

    async def one() -> None:
        nonlocal done, failed
        caller = Caller(url, sent)
        while perf_counter() < end:
            try:
                await caller.ask()
                done += 1
            except (RuntimeError, OSError, asyncio.IncompleteReadError, ValueError):
                failed += 1
                await caller.aclose()
                caller = Caller(url, sent)
        await caller.aclose()

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(one())
    return Throughput(done / (perf_counter() - began), done, failed)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds, of requests that began when they were due: none waits for another."""

    median: float
    p99: float
    failed: int


async def opened(url: str, sent: Ask, a_second: float, seconds: float) -> Latency:
    """Ask so many times a second, whatever comes back; time counts from when each was due."""
    idle: list[Caller] = []
    taken: list[float] = []
    failed = 0

    async def one(due: float) -> None:
        nonlocal failed
        caller = idle.pop() if idle else Caller(url, sent)
        try:
            await caller.ask()
            taken.append(perf_counter() - due)
            idle.append(caller)
        except (RuntimeError, OSError, asyncio.IncompleteReadError, ValueError):
            failed += 1
            await caller.aclose()

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(a_second * seconds)):
            due = began + number / a_second
            if (wait := due - perf_counter()) > 0:
                await asyncio.sleep(wait)
            group.create_task(one(due))
    for caller in idle:
        await caller.aclose()
    return Latency(1000 * _at(taken, 0.5), 1000 * _at(taken, 0.99), failed)


def _at(values: Sequence[float], share: float) -> float:
    ordered = sorted(values) or [float("nan")]
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
