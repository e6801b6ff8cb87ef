"""Before a real server: the rest of each stream is held back until its client has gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import ClientSession, web

from peers.gateway.listening import listening

_EVENTS = 16
"""Of a stream, handed on at once: more than any client here reads before it leaves."""


@contextmanager
def held_back(server: str) -> Iterator[str]:
    """Pass all requests on to `server`; yield the address, of no path either.

    A stream goes on past any end of the answer, and then waits for nothing but the hang-up: however
    fast the server is or slow the client, the client goes first.
    """

    async def passed(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read() or "{}")
        headers = {"Authorization": request.headers.get("Authorization", "")}
        body |= {"ignore_eos": True} if request.method == "POST" else {}
        async with (
            ClientSession(server) as session,
            session.request(request.method, request.path, json=body, headers=headers) as reply,
        ):
            if not body.get("stream"):
                told = await reply.read()
                return web.Response(status=reply.status, body=told, content_type=reply.content_type)
            response = web.StreamResponse(
                status=reply.status, headers={"Content-Type": reply.headers["Content-Type"]}
            )
            await response.prepare(request)
            sent = 0
            async for line in reply.content:
                await response.write(line)
                sent += line.startswith(b"data:")
                if sent == _EVENTS:
                    await asyncio.Event().wait()  # until it is cancelled
            return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", passed)
    with listening(app) as port:
        yield f"http://127.0.0.1:{port}"
