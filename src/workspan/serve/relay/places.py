"""The line before one upstream: its places go to the keys in turn, and the line has an end."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from workspan.serve.wire.errors import Failed

_RETRY_AFTER = 1
"""Seconds; a place is free as soon as any request ends."""


class Places:
    """So many requests at a time, the others in line, key by key."""

    def __init__(self, places: int, waiting: int, waiting_per_key: int) -> None:
        self._free = places
        self._most = waiting
        self._most_of_one = waiting_per_key
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self._spare: list[Callable[[], None]] = []
        self.waiting = 0

    @asynccontextmanager
    async def place(self, key: str) -> AsyncIterator[None]:
        """Hold a place while the block runs.

        Raises:
            Failed: the line is full.
        """
        await self.enter(key)
        try:
            yield
        finally:
            self.leave()

    async def enter(self, key: str) -> None:
        """Wait for a place; whoever is cancelled meanwhile has none.

        Raises:
            Failed: the line is full.
        """
        if self._free and not self.waiting:
            self._free -= 1
            return
        line = self._lines.get(key)
        if self.waiting >= self._most or (line and len(line) >= self._most_of_one):
            told = {"retry-after": str(_RETRY_AFTER)}
            raise Failed(503, "too many requests are in line", code="queue_full", headers=told)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(turn)
        self.waiting += 1
        if self._spare:
            self._spare.pop()()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place came, and nobody is there to take it
            else:
                self._give_up(key, turn)
            raise

    def leave(self) -> None:
        """Give a place back: to the key that waits longest for its turn."""
        while self._lines:
            key, line = self._lines.popitem(last=False)
            turn = line.popleft()
            if line:
                self._lines[key] = line  # at the end: the others come first
            self.waiting -= 1
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._free += 1

    def take_spare(self, give_way: Callable[[], None]) -> bool:
        """Take a place that nobody wants now; as soon as somebody does, `give_way` is called.

        False where there is none. Whoever takes one leaves it by `leave_spare`.
        """
        if not self._free or self.waiting:
            return False
        self._free -= 1
        self._spare.append(give_way)
        return True

    def leave_spare(self, give_way: Callable[[], None]) -> None:
        """Give a place back that was taken as a spare one."""
        with suppress(ValueError):  # it was called on to give way
            self._spare.remove(give_way)
        self.leave()

    def _give_up(self, key: str, turn: asyncio.Future[None]) -> None:
        line = self._lines.get(key)
        if line is not None and turn in line:
            line.remove(turn)
            self.waiting -= 1
            if not line:
                del self._lines[key]
