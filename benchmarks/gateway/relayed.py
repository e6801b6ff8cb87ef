"""Streams through the gateway itself, its workers and a server that decodes at a pace.

Whoever reads them asks again with its key until nothing is left of it. What counts is the server's
own bill, tokens that it decodes for nobody after a hang-up included.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from urllib.parse import urlsplit

_BUSY_SECONDS = 0.3
_MEAN = 700.0
"""Tokens of an answer, exponentially distributed."""
_LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Relayed:
    """What is run."""

    store: str
    bill: str
    keys: Sequence[tuple[str, str]]
    """Ids, and the keys themselves."""
    workers: int
    streams: int
    """Of each key, over all workers."""
    piece: int
    piece_seconds: float
    overshoot: int
    """Tokens that the server decodes after a hang-up, at most."""
    stated: int
    """The same, as the gateway is told: what is under way counts, too."""
    price: Decimal
    """USD a token."""
    seed: int


def told_of(relayed: Relayed) -> Counter[str]:
    """Run it; return how the streams ended."""
    upstream = [
        *("benchmarks.gateway.decoding", "--bill", relayed.bill, "--seed", str(relayed.seed)),
        *("--piece", str(relayed.piece), "--piece-seconds", str(relayed.piece_seconds)),
        *("--overshoot", str(relayed.overshoot)),
    ]
    with _started(*upstream) as (_, server):
        gateway = [
            *("workspan", "serve", "--json", "--port", "0", "-e", server, "--model", "m"),
            *("--store", relayed.store, "--workers", str(relayed.workers)),
            *("-o", f"overshoot={relayed.stated}", "-o", "concurrency=100000"),
            *("--price", f"0/{relayed.price * 1_000_000:f}"),
        ]
        with _started(*gateway) as (process, line):
            told = asyncio.run(_Clients(relayed, json.loads(line)["url"]).run())
            process.send_signal(signal.SIGTERM)
            process.wait()
    return told


@contextmanager
def _started(*module: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a module until the block ends; yield it with its first line."""
    process = subprocess.Popen(
        [sys.executable, "-m", *module],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "OPENAI_API_KEY": "sk-none"},
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


@dataclass
class _Clients:
    relayed: Relayed
    url: str
    told: Counter[str] = field(default_factory=Counter)

    async def run(self) -> Counter[str]:
        async with asyncio.TaskGroup() as group:
            for id, key in self.relayed.keys:
                for place in range(self.relayed.streams):
                    rng = random.Random(f"{self.relayed.seed} {id} {place}")
                    group.create_task(self._one(id, key, rng))
        return self.told

    async def _one(self, id: str, key: str, rng: random.Random) -> None:
        """Ask for one answer after the other until nothing is left."""
        while True:
            tokens = min(_LONGEST, 1 + int(rng.expovariate(1 / _MEAN)))
            code = await self._asked(key, f"{id} {tokens}")
            self.told[code] += 1
            if code == "budget_exceeded":
                return
            if code not in ("stop", "length"):
                await asyncio.sleep(_BUSY_SECONDS * (1 + rng.random()))

    async def _asked(self, key: str, prompt: str) -> str:
        """Return how an answer ended, or why there is none."""
        parts = urlsplit(self.url)
        turns = [{"role": "user", "content": prompt}]
        body = json.dumps({"model": "m", "stream": True, "messages": turns}).encode()
        head = (
            f"POST {parts.path}/chat/completions HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(head.encode() + body)
        last = b""
        while part := await reader.read(1 << 16):
            last = (last + part)[-4096:]
        writer.close()
        if b"[DONE]" in last:
            return "length" if b'"finish_reason":"length"' in last.replace(b" ", b"") else "stop"
        at = last.rfind(b'{"error"')
        if at < 0:
            return "torn"
        told, _ = json.JSONDecoder().raw_decode(last[at:].decode())
        return str(told["error"]["code"])
