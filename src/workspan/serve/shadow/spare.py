"""Engines as shadow calls ask them: where nobody waits, once, and not a moment longer than that."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager

from workspan.core.engine import Bill, Engine, EngineInfo
from workspan.data.types import Chunk, Request
from workspan.engines.endpoint import Endpoint, Retries
from workspan.errors import EngineUnavailable
from workspan.serve.config import Upstream
from workspan.serve.relay.places import Places


class GaveWay(EngineUnavailable):
    """Clients want the place."""


def asked_once(stated: Upstream, model: str) -> Endpoint:
    """Return an endpoint of its own: nothing that shadow calls teach it changes what clients get.

    It is asked once, whatever it says: a shadow call is never in the way twice.
    """
    settings = {**stated.settings.for_completions(), "retries": Retries(attempts=1)}
    return Endpoint(stated.engine, model, price=stated.price, **settings)


class Presence:
    """The clients that an engine in this process works for: it has no places to spare."""

    def __init__(self) -> None:
        self._present = 0
        self._spare: list[Callable[[], None]] = []

    @contextmanager
    def here(self) -> Iterator[None]:
        """Be there while the block runs; whoever is not a client gives way."""
        self._present += 1
        for give_way in self._spare:
            give_way()
        try:
            yield
        finally:
            self._present -= 1

    def take_spare(self, give_way: Callable[[], None]) -> bool:
        """Take a place while no client is there; see `Places.take_spare`."""
        if self._present:
            return False
        self._spare.append(give_way)
        return True

    def leave_spare(self, give_way: Callable[[], None]) -> None:
        """Give the place back."""
        self._spare.remove(give_way)


class Spare:
    """One shadow's way to an engine; whoever made the engine closes it."""

    def __init__(
        self, engine: Engine, places: Places | Presence, give_way: Callable[[], None]
    ) -> None:
        self._engine, self._places, self._give_way = engine, places, give_way

    @property
    def info(self) -> EngineInfo:
        """Of the engine itself."""
        return self._engine.info

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion, if a place is free.

        Raises:
            GaveWay: none is; nothing was asked, and the whole shadow ends.
        """
        if not self._places.take_spare(self._give_way):
            self._give_way()
            raise GaveWay("clients want the place")
        try:
            async with aclosing(self._engine.stream(request, bill)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            self._places.leave_spare(self._give_way)

    async def count(self, request: Request) -> int:
        """Count a prompt; see `Engine.count`."""
        return await self._engine.count(request)

    async def aclose(self) -> None:
        """Leave the engine open: other shadows use it."""
