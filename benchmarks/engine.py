"""Tokens per second of the embedded engine, beside its runtimes and llama.cpp's own server.

All draw chains of one shared prompt at temperature 0.8, 1 to 64 at a time, equal in length or
unequal with a third closed early by their reader. Each system is a process of its own with the
model loaded; they take turns within a round and the order rotates, so that ratios are paired under
equal load. A warm-up load puts the prompt into every cache. Only tokens that someone was billed
for, or had read when it closed its stream, are counted.

Run with ``python -m benchmarks.engine``; ``--smoke`` for a small run, ``--output FILE`` for JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Protocol

import aiohttp
import anyio
import msgspec
from benchmarks.engine_direct import QUESTION, TEMPERATURE, Chain, Load, Result, completion
from benchmarks.paired import Ratio, ratio
from rich.console import Console
from rich.table import Table

from workspan.core.engine import Bill
from workspan.data.types import Message, Request
from workspan.engines import models
from workspan.engines.embedded import Embedded
from workspan.engines.embedded.gguf import read_header
from workspan.engines.embedded.requantise import exact

ROOT = Path(__file__).resolve().parent.parent
WIDTHS = (1, 8, 16, 32, 64)
SLOTS = 16
"""llama.cpp gains nothing from more."""
RATIOS = {
    "workspan": ("openvino direct", "llama.cpp server"),
    "workspan on llama.cpp": ("llama.cpp direct", "llama.cpp server"),
}


class System(Protocol):
    """Runs a load and says what it came to."""

    async def __call__(self, load: Load) -> Result: ...


class Workspan:
    """The embedded engine, through `Engine.stream` as a session calls it."""

    def __init__(self, engine: Embedded) -> None:
        self.engine = engine

    async def __call__(self, load: Load) -> Result:
        bills = [Bill() for _ in load.chains]
        before = await self.engine.decoded()
        began = time.perf_counter()
        async with anyio.create_task_group() as group:
            for chain, bill in zip(load.chains, bills, strict=True):
                group.start_soon(self.draw, chain, bill)
        seconds = time.perf_counter() - began
        tokens = sum(bill.usage.output_tokens for bill in bills)
        if tokens != await self.engine.decoded() - before:
            raise RuntimeError("the bills do not add up to what the worker decoded")
        return Result(tokens, seconds)

    async def draw(self, chain: Chain, bill: Bill) -> None:
        prompt = (Message("user", QUESTION),)
        request = Request(
            prompt, max_tokens=chain.max_tokens, temperature=TEMPERATURE, seed=chain.seed
        )
        async with aclosing(self.engine.stream(request, bill)) as chunks:
            async for _ in chunks:
                if chain.cut is not None and bill.usage.output_tokens >= chain.cut:
                    break


class Direct:
    """A runtime without Workspan, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.address = ""
        while (line := self.line()) != "ready":
            self.address = line

    def line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended")
        return line.strip()

    async def __call__(self, load: Load) -> Result:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(load).decode() + "\n")
        self.process.stdin.flush()
        return msgspec.json.decode(await anyio.to_thread.run_sync(self.line), type=Result)


class Server:
    """llama.cpp's own server over HTTP, streaming."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def __call__(self, load: Load) -> Result:
        counts: list[int] = []
        connector = aiohttp.TCPConnector(limit=0)
        began = time.perf_counter()
        async with aiohttp.ClientSession(connector=connector) as client:
            async with anyio.create_task_group() as group:
                for chain in load.chains:
                    group.start_soon(self.draw, client, chain, counts)
            seconds = time.perf_counter() - began
        return Result(sum(counts), seconds)

    async def draw(self, client: aiohttp.ClientSession, chain: Chain, counts: list[int]) -> None:
        seen = 0
        url = f"{self.address}/v1/chat/completions"
        timeout = aiohttp.ClientTimeout(total=None)
        async with client.post(url, json=completion(chain), timeout=timeout) as answer:
            async for line in answer.content:
                if not line.startswith(b"data: {"):
                    continue
                chunk = json.loads(line[6:])
                if usage := chunk.get("usage"):
                    seen = usage["completion_tokens"]
                elif chunk["choices"] and chunk["choices"][0]["delta"].get("content"):
                    seen += 1
                if chain.cut is not None and seen >= chain.cut:
                    break
        counts.append(seen)


@contextmanager
def systems(path: Path) -> Iterator[Mapping[str, System]]:
    """Load the model once for each; ends their processes."""
    same = exact(
        path, read_header(path).tensor_types
    )  # the weights that Workspan has OpenVINO read
    with ExitStack() as stack:
        processes = {
            "openvino": stack.enter_context(direct("openvino", same, max(WIDTHS))),
            "llama": stack.enter_context(direct("llama", path, SLOTS)),
        }
        llama = Direct(processes["llama"])
        yield {
            "workspan": Workspan(Embedded(str(path), runtime="openvino", width=max(WIDTHS))),
            "openvino direct": Direct(processes["openvino"]),
            "workspan on llama.cpp": Workspan(
                Embedded(str(path), runtime="llama", width=SLOTS, context=2048)
            ),
            "llama.cpp direct": llama,
            "llama.cpp server": Server(llama.address),
        }


@contextmanager
def direct(runtime: str, path: Path, width: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "benchmarks.engine_direct", runtime, str(path), str(width)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def equal(width: int, tokens: int) -> Load:
    """Chains of one length; the prompt is such that hardly one ends before."""
    return Load([Chain(tokens, None, seed) for seed in range(width)])


def unequal(width: int, tokens: int) -> Load:
    """Lengths from an eighth of `tokens` to twice as many, every third closed half-way."""
    rng = random.Random(width)
    caps = [rng.randint(tokens // 8, tokens * 2) for _ in range(width)]
    return Load([Chain(cap, cap // 2 if i % 3 == 0 else None, i) for i, cap in enumerate(caps)])


LOADS = {"equal": equal, "unequal": unequal}


@dataclass(frozen=True, slots=True)
class Row:
    """One system on one kind of load at one width."""

    load: str
    width: int
    system: str
    rates: list[float]
    """Tokens per second, one for each round."""


async def measure(names: Mapping[str, System], rounds: int, tokens: int) -> list[Row]:
    """Let all systems run all loads, in turn."""
    for system in names.values():
        await system(equal(2, 8))
    rows = [
        Row(load, width, name, [])
        for load in LOADS
        for width in WIDTHS
        if load == "equal" or width >= SLOTS
        for name in names
    ]
    for turn in range(rounds):
        for row in rows[turn % len(names) :] + rows[: turn % len(names)]:
            result = await names[row.system](LOADS[row.load](row.width, tokens))
            row.rates.append(result.tokens / result.seconds)
    for system in names.values():
        if isinstance(system, Workspan):
            await system.engine.aclose()
    return rows


def ratios(rows: list[Row], row: Row) -> dict[str, Ratio]:
    """Compare a row with those that it is held against."""
    others = {
        other.system: other for other in rows if (other.load, other.width) == (row.load, row.width)
    }
    return {name: ratio(row.rates, others[name].rates) for name in RATIOS.get(row.system, ())}


def table(rows: list[Row]) -> Table:
    """Medians, ranges and ratios for the terminal."""
    table = Table("load", "chains", "system", "tokens/s", "range", "/ direct", "/ server")
    for column in table.columns:
        column.no_wrap = True
    for row in rows:
        shown = [str(value) for value in ratios(rows, row).values()] or ["", ""]
        span = f"{min(row.rates):.0f}–{max(row.rates):.0f}"
        table.add_row(
            row.load, str(row.width), row.system, f"{median(row.rates):.0f}", span, *shown
        )
    return table


def main() -> None:
    """Measure, show and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=128, help="length of a chain")
    parser.add_argument("--smoke", action="store_true", help="one short round")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    if options.smoke:
        options.rounds, options.tokens = 1, 16
    with systems(models.fetch(models.DEFAULT).path) as names:
        rows = anyio.run(measure, names, options.rounds, options.tokens)
    Console(width=120).print(table(rows))
    if options.output:
        report = {
            "processors": len(os.sched_getaffinity(0)),
            "tokens": options.tokens,
            "rows": [
                asdict(row) | {"ratios": {name: asdict(r) for name, r in ratios(rows, row).items()}}
                for row in rows
            ],
        }
        options.output.write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
