"""A client for each event loop, closed with the loop where nobody closed it before."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from workspan.engines.endpoint.client import Client


class KeptClient:
    """Makes a client when one is first asked for, and another where another loop runs.

    An asynchronous generator holds the client and closes it. A loop that ends, as `asyncio.run` and
    `anyio.run` end theirs, ends the generators that are open; one that is dropped before is ended
    by its loop. So an engine that nobody closed leaves no connection, and no warning of one.
    """

    def __init__(self, make: Callable[[], Client]) -> None:
        self._make = make
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: weakref.finalize[Any, Any] | None = None

    def get(self) -> Client:
        """Return the client of the loop that runs."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._take()
            self._loop, self._client = loop, self._make()
            closing = _closing(self._client)
            with suppress(StopIteration):
                closing.asend(None).send(None)  # begins it at once: the loop learns of it
            # Held from outside: what is collected with the engine would be warned of before.
            self._end = weakref.finalize(self, _drop, closing)
            self._end.atexit = False
        return self._client

    async def aclose(self) -> None:
        """Close the client; another is made where one is asked for again."""
        closing = self._take()
        if closing is not None and self._loop is asyncio.get_running_loop():
            await closing.aclose()

    def _take(self) -> AsyncGenerator[None, None] | None:
        """Let go of the client, and return what closes it; dropped, its own loop does."""
        end, self._end, self._client = self._end, None, None
        held = None if end is None else end.detach()
        closing: AsyncGenerator[None, None] | None = None if held is None else held[2][0]
        return closing


def _drop(_: AsyncGenerator[None, None]) -> None:
    """Hold a generator until its engine is gone."""


async def _closing(client: Client) -> AsyncGenerator[None, None]:
    try:
        yield
    finally:
        await client.aclose()
