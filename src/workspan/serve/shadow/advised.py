"""What was last advised, for the page: computed in another process, a minute apart."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from workspan.errors import MissingDependency, OutputError, StoreError
from workspan.lab.advising.apart import advise_apart
from workspan.lab.advising.kept import ShadowStore

DAYS = 7
_MOST = 5_000
"""Requests, the latest: the command takes all of them."""
_FRESH_SECONDS = 60.0
"""For which what was computed is told again."""


class Advised:
    """Advice on what a store holds, for all who ask."""

    def __init__(self, kept: ShadowStore) -> None:
        self._kept = kept
        self._lock = asyncio.Lock()
        self._told: dict[str, Any] = {}
        self._until = 0.0

    async def told(self) -> dict[str, Any]:
        """Return advice, at most a minute old, or why there is none."""
        async with self._lock:
            now = asyncio.get_running_loop().time
            if not self._told or now() >= self._until:
                self._told = await self._computed()
                self._until = now() + _FRESH_SECONDS
            return self._told

    async def _computed(self) -> dict[str, Any]:
        found, error = list[dict[str, Any]](), ""
        try:
            requests = await self._kept.since(time.time() - DAYS * 86_400, _MOST)
            found = await advise_apart(requests) if requests else []
        except (StoreError, OutputError, MissingDependency) as failure:
            error = str(failure)
        return {"is_on": True, "advice": found, "error": error}
