"""An engine whose calls stand in the line of its server: drafts and relayed requests share it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing

from workspan.core.engine import Bill, Engine, EngineInfo
from workspan.data.types import Chunk, Request
from workspan.errors import EngineUnavailable
from workspan.serve.relay.places import Places
from workspan.serve.wire.errors import Failed


class LineFull(EngineUnavailable):
    """Too many calls wait: of this key, or of all."""


class InLine:
    """One key's way to an engine; whoever made the engine closes it."""

    def __init__(
        self,
        engine: Engine,
        places: Places,
        line: str,
        calling: Callable[[], AbstractContextManager[None]],
        *,
        is_behind: bool = False,
    ) -> None:
        """Let calls wait in `line` for one of the places; each is made within a `calling`."""
        self._engine, self._places, self._line = engine, places, line
        self._calling, self._is_behind = calling, is_behind

    @property
    def info(self) -> EngineInfo:
        """Of the engine itself."""
        return self._engine.info

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion once there is a place.

        Raises:
            LineFull: nothing was asked.
        """
        try:
            await self._places.enter(self._line, is_behind=self._is_behind)
        except Failed as full:
            raise LineFull(str(full), status=full.status, retry_after=1) from None
        try:
            with self._calling():
                async with aclosing(self._engine.stream(request, bill)) as chunks:
                    async for chunk in chunks:
                        yield chunk
        finally:
            self._places.leave(is_behind=self._is_behind)

    async def count(self, request: Request) -> int:
        """Count a prompt; see `Engine.count`."""
        return await self._engine.count(request)

    async def aclose(self) -> None:
        """Leave the engine open: others use it."""
