"""An aiohttp application that listens on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_QUEUE = 2_048
"""Connections that wait to be taken: clients come all at once."""


@asynccontextmanager
async def listening(app: web.Application, port: int = 0) -> AsyncIterator[int]:
    """Serve it until the block is left, and give its port; 0 takes a free one."""
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=_QUEUE).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
