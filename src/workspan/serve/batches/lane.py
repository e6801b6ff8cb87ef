"""The task of a worker that takes batches up, runs them, and ends those whose time is over."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from workspan.errors import StoreError
from workspan.serve.again import Again
from workspan.serve.batches import statements
from workspan.serve.batches.parts import purge
from workspan.serve.batches.running import Answer, Running
from workspan.serve.store.driven import DrivenStore

_log = logging.getLogger("workspan.serve")
AT_ONCE = 16
"""Lines of all batches that one process has under way."""
_BATCHES = 32
"""That one process runs at a time."""
TICK = 1.0
"""Seconds between two looks at what there is to do; each is a sign of life, too."""
_LOST = 20.0
"""Seconds without one after which another worker takes a batch up."""
_PURGE = 600.0
"""Seconds between two looks at what is too old to be kept."""


class Lane:
    """The batches of one process; `start` it once requests can be answered."""

    def __init__(
        self, store: DrivenStore, answer: Answer, utc: Callable[[], float] = time.time
    ) -> None:
        self._store, self._answer, self.utc = store, answer, utc
        self._database = store.database
        self._worker = uuid.uuid4().hex
        self._room = asyncio.Semaphore(AT_ONCE)
        self._running: dict[str, tuple[Running, asyncio.Task[None]]] = {}
        self._woken = asyncio.Event()
        self._looks = Again(self._look, self._wait, "batches could not be looked at")
        self._purged = 0.0

    def start(self) -> None:
        """Begin to look."""
        self._looks.start()

    def wake(self) -> None:
        """Look soon: there is something new."""
        self._woken.set()

    async def aclose(self, seconds: float = 0.0) -> None:
        """Ask nothing more, and let other workers go on.

        What is under way has some seconds to come to its end, and is settled in any case.
        """
        await self._looks.aclose()
        for running, _ in self._running.values():
            running.is_stopping = True
        tasks = [task for _, task in self._running.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)
        with suppress(StoreError):
            await self._database.transact(partial(statements.release, self._worker))

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TICK):
                await self._woken.wait()
        self._woken.clear()

    async def _look(self) -> None:
        """Give a sign of life, hear of cancellations, take up what is free."""
        now, transact = self.utc(), self._database.transact
        self._running = {id: one for id, one in self._running.items() if not one[1].done()}
        look = partial(statements.look, self._worker, now, now - _LOST, _BATCHES)
        mine = await transact(look)
        for id, (running, task) in self._running.items():
            if id in mine:
                running.status = mine[id]
            else:  # another worker has taken it up
                task.cancel()
        for id in mine:
            if id not in self._running:
                await self._take(id)
        if now - self._purged > _PURGE:
            self._purged = now
            await purge(self._database, int(now))

    async def _take(self, id: str) -> None:
        batch = await self._database.transact(partial(statements.batch, None, id))
        if batch is None or id in self._running:
            return
        running = Running(batch, self._store, self._database, self._answer, self._room, self.utc)
        self._running[id] = running, asyncio.create_task(self._ran(running))

    async def _ran(self, running: Running) -> None:
        try:
            await running.run()
        except* StoreError:
            pass  # it is taken up again where it stands
        except* Exception:  # noqa: BLE001  # a bug of one batch ends no other
            _log.exception("a batch could not go on")
        else:
            self.wake()
