"""Which HTTP library should carry the streams? Wall and CPU time a call, four libraries.

A streaming chat completion is asked of an instant loopback server in a process of its own. Every
run is a fresh process; runs are interleaved, and the first round is thrown away. Run with
``python -m benchmarks.http_clients``.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from workspan.testing.environments import environment

Call: TypeAlias = Callable[[], Awaitable[int]]
"""Asks once and returns how many tokens came."""

LIBRARIES = ("aiohttp", "httpx", "httpx2", "openai")
ROOT = Path(__file__).parents[1]
TEXT = " ".join(f"word{i}" for i in range(32))
BODY: dict[str, Any] = {
    "model": "simulated",
    "messages": [{"role": "user", "content": "What is 2 + 2?"}],
    "max_tokens": 64,
    "stream": True,
    "stream_options": {"include_usage": True},
}


@contextmanager
def loopback_server(*arguments: str) -> Iterator[str]:
    """Run the simulated server in a process of its own and give its address."""
    command = [sys.executable, "-m", "workspan.testing.server", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.terminate()


async def over_aiohttp(
    url: str, concurrency: int, drive: Callable[[Call], Awaitable[None]]
) -> None:
    """The official way to stream with aiohttp, lines decoded by the standard library."""
    aiohttp = importlib.import_module("aiohttp")
    connector = aiohttp.TCPConnector(limit=concurrency)
    async with aiohttp.ClientSession(connector=connector) as client:

        async def call() -> int:
            tokens = 0
            async with client.post(f"{url}/chat/completions", json=BODY) as response:
                async for line in response.content:
                    tokens += token_of(line)
            return tokens

        await drive(call)


async def over_httpx(
    url: str, concurrency: int, drive: Callable[[Call], Awaitable[None]], library: str = "httpx"
) -> None:
    """The same over httpx, or over its successor."""
    httpx = importlib.import_module(library)
    limits = httpx.Limits(max_connections=concurrency)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def call() -> int:
            tokens = 0
            async with client.stream("POST", f"{url}/chat/completions", json=BODY) as response:
                async for line in response.aiter_lines():
                    tokens += token_of(line.encode())
            return tokens

        await drive(call)


async def over_openai(
    url: str, _concurrency: int, drive: Callable[[Call], Awaitable[None]]
) -> None:
    """The same over the official client library."""
    openai = importlib.import_module("openai")
    async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

        async def call() -> int:
            tokens = 0
            async for event in await client.chat.completions.create(**BODY):
                tokens += sum(bool(choice.delta.content) for choice in event.choices)
            return tokens

        await drive(call)


def token_of(line: bytes) -> int:
    """Count the content of one line of the stream: 1 or 0."""
    if not line.startswith(b"data: {"):
        return 0
    return sum(bool(choice["delta"].get("content")) for choice in json.loads(line[6:])["choices"])


def measure(library: str, url: str, calls: int, concurrency: int) -> dict[str, float]:
    """Ask `calls` times in this process; seconds of wall and CPU time a call."""
    taken: dict[str, float] = {}

    async def drive(call: Call) -> None:
        async def worker(share: int) -> None:
            for _ in range(share):
                tokens = await call()
                if tokens != len(TEXT.split()):
                    raise RuntimeError(f"{tokens} tokens of {len(TEXT.split())} came")

        async def wave(share: int) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(worker(share))

        await wave(1)  # connections are made, modules imported
        share = max(1, calls // concurrency)
        wall, cpu = time.perf_counter(), time.process_time()
        await wave(share)
        asked = share * concurrency
        taken["wall"] = (time.perf_counter() - wall) / asked
        taken["cpu"] = (time.process_time() - cpu) / asked

    if library in {"httpx", "httpx2"}:
        asyncio.run(over_httpx(url, concurrency, drive, library))
    else:
        asyncio.run(
            {"aiohttp": over_aiohttp, "openai": over_openai}[library](url, concurrency, drive)
        )
    return taken


def compare(calls: int, rounds: int) -> list[dict[str, Any]]:
    """Run every library at both widths, interleaved; medians in milliseconds a call."""
    python = environment("http-clients", ("aiohttp", "httpx", "httpx2", "openai"))
    taken: dict[tuple[int, str], list[dict[str, float]]] = {}
    with loopback_server("--text", TEXT) as url:
        for turn in range(rounds + 1):
            for concurrency in (64, 512):
                for library in LIBRARIES[turn % 4 :] + LIBRARIES[: turn % 4]:
                    command = [str(python), "-m", "benchmarks.http_clients", "--worker", library]
                    command += [
                        "--url",
                        url,
                        "--calls",
                        str(calls),
                        "--concurrency",
                        str(concurrency),
                    ]
                    output = subprocess.run(
                        command, check=True, capture_output=True, cwd=ROOT
                    ).stdout
                    if turn:
                        taken.setdefault((concurrency, library), []).append(json.loads(output))
    return [
        {
            "concurrency": concurrency,
            "library": library,
            "wall_ms": 1000 * median(run["wall"] for run in runs),
            "cpu_ms": 1000 * median(run["cpu"] for run in runs),
        }
        for (concurrency, library), runs in taken.items()
    ]


def main() -> None:
    """Print the table; with ``--json`` the records."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--worker", choices=LIBRARIES)
    parser.add_argument("--url")
    parser.add_argument("--concurrency", type=int)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(options.worker, options.url, options.calls, options.concurrency)))
        return
    records = compare(options.calls, options.rounds)
    if options.json:
        print(json.dumps(records, indent=1))
        return
    print(f"{'at a time':>9}  {'library':8} {'wall ms/call':>12} {'CPU ms/call':>12}")
    for record in sorted(records, key=lambda r: (r["concurrency"], r["cpu_ms"])):
        print("{concurrency:9}  {library:8} {wall_ms:12.2f} {cpu_ms:12.2f}".format(**record))


if __name__ == "__main__":
    main()
