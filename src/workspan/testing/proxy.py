"""A proxy before a real llama.cpp server that counts what was really decoded, and can misreport it.

The truth is llama.cpp's own `timings.predicted_n`, asked for with every token and kept from the
client; it is per choice, and so also right where `usage` is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from workspan.testing.loopback import listening
from workspan.testing.server import ServerBill


@dataclass(slots=True)
class CountingProxy:
    """Passes everything on; counts and rewrites streamed completions."""

    upstream: str
    """Address of the server, without a path."""
    omits_usage: bool = False
    ignores_n: bool = False
    """Only the first choice is asked for."""
    reports_one_choice: bool = False
    """Only the first report of usage gets through."""
    bill: ServerBill = field(default_factory=ServerBill)
    port: int = 0

    @property
    def url(self) -> str:
        """What an engine is pointed at."""
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[CountingProxy]:
        """Listen on loopback until the block is left."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True)  # llama.cpp hangs up after a stream
        ) as client:

            async def handle(request: web.Request) -> web.StreamResponse:
                return await self._handle(request, client)

            app = web.Application()
            app.router.add_route("*", "/{path:.*}", handle)
            async with listening(app) as self.port:
                yield self

    async def _handle(
        self, request: web.Request, client: aiohttp.ClientSession
    ) -> web.StreamResponse:
        body = await request.read()
        asked = msgspec.json.decode(body) if body else {}
        is_streamed = asked.get("stream", False)
        if is_streamed:
            asked["timings_per_token"] = True
            if self.ignores_n:
                asked["n"] = 1
            body = msgspec.json.encode(asked)
        headers = {"Content-Type": "application/json"}
        async with client.request(
            request.method, self.upstream + request.path_qs, data=body, headers=headers
        ) as answer:
            if not is_streamed or answer.status != 200:
                return web.Response(
                    body=await answer.read(),
                    status=answer.status,
                    content_type=answer.content_type,
                )
            self.bill.calls += 1
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await response.prepare(request)
            await self._pass_on(answer, response)
            await response.write_eof()
            return response

    async def _pass_on(self, answer: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
        """Copy the events one by one; what left the server is counted before it is passed on."""
        last_ended, reports = 0, 0
        counted: dict[int, int] = {}
        is_prompt_counted = False
        async for line in answer.content:
            if not line.startswith(b"data: {"):
                if line.strip():
                    await response.write(line + b"\n")
                continue
            event: dict[str, Any] = msgspec.json.decode(line[6:])
            for choice in event["choices"]:
                if choice.get("finish_reason"):
                    last_ended = choice["index"]
            timings = event.pop("timings", None)
            if timings is not None:
                index = event["choices"][0]["index"] if event["choices"] else last_ended
                self.bill.completion_tokens += timings["predicted_n"] - counted.get(index, 0)
                counted[index] = timings["predicted_n"]
                if not is_prompt_counted:
                    self.bill.prompt_tokens += timings["prompt_n"] + timings["cache_n"]
                    is_prompt_counted = True
            if "usage" in event:
                reports += 1
                if self.omits_usage or (self.reports_one_choice and reports > 1):
                    del event["usage"]
            await response.write(b"data: " + msgspec.json.encode(event) + b"\n\n")
