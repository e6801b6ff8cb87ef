"""The task of a worker that drops from the store what is too old, a little at a time.

Each part is a transaction of its own, and whoever talks with the store goes in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from workspan.serve.again import Again
from workspan.serve.store.base import Store

_DAY = 86_400.0
LEAST_DAYS = 2
"""For which requests are kept at least: by then what a dead worker held is settled for good."""
_LOOK = 60.0
"""Seconds between two looks."""
_BETWEEN = 0.05
"""Seconds between two parts."""


class Forgetting(Again):
    """Keeps a store from growing for ever; `start` it once the store is open."""

    def __init__(self, store: Store, days: int, utc: Callable[[], float]) -> None:
        """Drop requests that came more than so many days ago."""
        self._store, self._days, self._utc = store, days, utc
        self._is_more = False
        """Of what is too old, after the last look."""
        super().__init__(self._drop, self._pause, "old rows could not be dropped")

    async def _drop(self) -> None:
        self._is_more, now = False, self._utc()
        self._is_more = await self._store.forget(now, now - self._days * _DAY)

    async def _pause(self) -> None:
        await asyncio.sleep(_BETWEEN if self._is_more else _LOOK)
