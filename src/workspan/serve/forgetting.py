"""The task of a worker that drops from the store what is too old, a little at a time.

Each part is a transaction of its own, and whoever talks with the store goes in between.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from workspan.errors import StoreError
from workspan.serve.store.base import Store

_log = logging.getLogger("workspan.serve")
_DAY = 86_400.0
LEAST_DAYS = 2
"""For which requests are kept at least: by then what a dead worker held is settled for good."""
_LOOK = 60.0
"""Seconds between two looks."""
_BETWEEN = 0.05
"""Seconds between two parts."""


class Forgetting:
    """Keeps a store from growing for ever; `start` it once the store is open."""

    def __init__(self, store: Store, days: int, utc: Callable[[], float]) -> None:
        """Drop requests that came more than so many days ago."""
        self._store, self._days, self._utc = store, days, utc
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look no more; a part that was begun is done whole or not at all."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                is_more = await self._store.forget(*self._times())
            except StoreError:
                is_more = False  # it is looked at again soon
            except Exception:  # noqa: BLE001  # a bug in one look ends no other
                _log.exception("old rows could not be dropped")
                is_more = False
            await asyncio.sleep(_BETWEEN if is_more else _LOOK)

    def _times(self) -> tuple[float, float]:
        now = self._utc()
        return now, now - self._days * _DAY
