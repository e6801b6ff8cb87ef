"""A pass-through written by hand: aiohttp's client, uvicorn, nothing read. What any proxy costs.

``python -m benchmarks.gateway.bare --upstream URL --port N``; its first line is its address.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from typing import Any

import aiohttp
import uvicorn


class Bare:
    """Hands a body on, and its reply back as it comes."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._session.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, is_more = b"", True
        while is_more:
            message = await receive()
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
        assert self._session is not None
        headers = {"Content-Type": "application/json"}
        url = self._upstream + scope["path"].removeprefix("/v1")
        async with self._session.post(url, data=body, headers=headers) as reply:
            kind = reply.headers.get("Content-Type", "application/json").encode()
            told = [(b"content-type", kind)]
            await send({"type": "http.response.start", "status": reply.status, "headers": told})
            async for piece in reply.content.iter_any():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    sock = socket.create_server(("127.0.0.1", options.port), backlog=2048)
    config = uvicorn.Config(
        Bare(options.upstream), log_config=None, access_log=False, lifespan="on", ws="none"
    )
    server = uvicorn.Server(config)

    async def run() -> None:
        task = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:  # noqa: ASYNC110  # the library has no event for it
            await asyncio.sleep(0.01)
        print(f"http://127.0.0.1:{sock.getsockname()[1]}/v1", flush=True)
        await task

    import uvloop

    uvloop.run(run())


if __name__ == "__main__":
    main()
