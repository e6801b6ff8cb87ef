"""What the tests of files and batches share: a key's way to them, and a gateway of its own."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from gateway.rig import Gate, Scripted, Seen, gate, replies, reply, upstream, whole
from workspan.serve.store import store_at
from workspan.store.statement import Statement, Work

ERROR = {"error": {"message": "no", "code": "c"}}


def line(id: str, **body: Any) -> dict[str, Any]:
    """Write one request."""
    turns = [{"role": "user", "content": f"question {id}"}]
    asked = {"model": "m", "messages": turns, **body}
    return {"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": asked}


@dataclass
class Client:
    """One key's way to files and batches."""

    gw: Gate
    headers: Mapping[str, str]

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        url = self.gw.url + path
        async with self.gw.client.request(method, url, headers=self.headers, **more) as got:
            return got.status, json.loads(await got.read())

    async def upload(self, content: bytes | list[dict[str, Any]], **fields: str) -> tuple[int, Any]:
        data = content if isinstance(content, bytes) else b"".join(map(written, content))
        form = aiohttp.FormData()
        for name, value in {"purpose": "batch", **fields}.items():
            form.add_field(name, value)
        form.add_field("file", data, filename="asks.jsonl", content_type="application/jsonl")
        return await self.call("POST", "/files", data=form)

    async def begin(self, lines: bytes | list[dict[str, Any]], **more: Any) -> Any:
        status, file = await self.upload(lines)
        assert status == 200, file
        told = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **more}
        status, batch = await self.call(
            "POST", "/batches", json={"input_file_id": file["id"], **told}
        )
        assert status == 200, batch
        return batch

    async def ended(self, batch: Any) -> Any:
        while batch["status"] in ("in_progress", "cancelling"):
            await asyncio.sleep(0.2)
            _, batch = await self.call("GET", f"/batches/{batch['id']}")
        return batch

    async def results(self, id: str | None) -> list[Any]:
        if id is None:
            return []
        url = f"{self.gw.url}/files/{id}/content"
        async with self.gw.client.get(url, headers=self.headers) as got:
            assert got.status == 200
            assert got.content_type == "application/octet-stream"
            return [json.loads(one) for one in (await got.read()).splitlines()]


def written(value: Any) -> bytes:
    """Write a line of a file."""
    return json.dumps(value).encode() + b"\n"


async def echo(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
    await reply(writer, whole(seen.value["messages"][0]["content"].split()[-1]))


@asynccontextmanager
async def half_down(store: Path) -> AsyncIterator[tuple[Scripted, Scripted, Gate]]:
    """Serve two models: "d" of an upstream that is down for now, and "m" of one that echoes."""
    down, up = Scripted(replies(ERROR, 503)), Scripted(echo)
    async with (
        down.serve(),
        up.serve(),
        gate(upstream(down.url, "down", "d"), upstream(up.url, "up", "m"), store=str(store)) as gw,
    ):
        yield down, up, gw


async def spent(path: Path, key: str) -> int:
    """Return the work that a key has spent, once nothing is held for it."""
    store = store_at(str(path))
    await store.open()
    try:
        [usage] = await store.usage(time.time(), key.split("-")[1])
        return next(one.spent for one in usage.spendings if one.limit.quantity == "work")
    finally:
        await store.aclose()


def forget_beats() -> Work[None]:
    """Let a batch's dead worker count as silent for long."""
    yield Statement("UPDATE batches SET beat = 0")


@dataclass
class Address:
    """A gateway in a process of its own, as far as a client needs it."""

    url: str
    client: aiohttp.ClientSession


@asynccontextmanager
async def command(
    upstream: str, store: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run ``workspan serve`` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workspan", "serve", "--json", "--port", "0"),
        *("-e", upstream, "--model", "m", "--store", str(store), "--set", "concurrency=16"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield process, str(json.loads(await process.stdout.readline())["url"])
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
