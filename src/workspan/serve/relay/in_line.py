"""An engine whose calls stand in the line of its server: drafts and relayed requests share it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from time import monotonic

from workspan.core.engine import Bill, Engine, EngineInfo
from workspan.data.content import JsonObject
from workspan.data.types import Chunk, Request
from workspan.errors import EngineUnavailable
from workspan.serve.prices import IN_BATCHES, PriceRow, price_served
from workspan.serve.relay.places import Places
from workspan.serve.wire.errors import Failed


class LineFull(EngineUnavailable):
    """Too many calls wait: of this key, or of all."""

    is_asked = False


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
        began = monotonic()
        try:
            await self._places.enter(self._line, is_behind=self._is_behind)
        except Failed as full:
            raise LineFull(str(full), status=full.status, retry_after=1) from None
        bill.stood = monotonic() - began
        try:
            row = self._in_batches(request)
            if row is not None:
                asked = {**request.extra.value, "service_tier": IN_BATCHES}
                request = replace(request, extra=JsonObject.of(asked))
            with self._calling():
                async with aclosing(self._engine.stream(request, bill)) as chunks:
                    async for chunk in chunks:
                        if row is not None and chunk.finish is not None:
                            bill.price = price_served(row, row, bill.tier or IN_BATCHES)
                        yield chunk
        finally:
            self._places.leave(is_behind=self._is_behind)

    def _in_batches(self, request: Request) -> PriceRow | None:
        """Return the prices of a call without a deadline, where it may be asked for as batches are.

        What is held is the ordinary price; what it costs is known by its end.
        """
        row = self._engine.info.price if self._is_behind else None
        if not isinstance(row, PriceRow) or row.batch is None or "service_tier" in request.extra:
            return None
        return row

    async def count(self, request: Request) -> int:
        """Count a prompt; see `Engine.count`."""
        return await self._engine.count(request)

    async def aclose(self) -> None:
        """Leave the engine open: others use it."""
