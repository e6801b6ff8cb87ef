"""A task of a process that looks again and again, and that no look ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from workspan.errors import StoreError

_log = logging.getLogger("workspan.serve")


class Again:
    """Looks, waits, and looks again, from `start` to `aclose`."""

    def __init__(
        self,
        look: Callable[[], Awaitable[None]],
        wait: Callable[[], Awaitable[None]],
        failed: str,
    ) -> None:
        """Take one look, one wait, and what the log says of a look that had a bug."""
        self._look, self._wait, self._failed = look, wait, failed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run())

    async def aclose(self) -> None:
        """Look no more; what was begun in a store is done whole or not at all."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                await self._look()
            except StoreError:
                pass  # it is looked at again soon
            except Exception:  # noqa: BLE001  # a bug in one look ends no other
                _log.exception(self._failed)
            await self._wait()
