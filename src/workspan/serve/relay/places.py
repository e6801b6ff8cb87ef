"""The line before one upstream: its places go to the keys in turn, and the line has an end.

Those that have no deadline stand in a line of their own. They are let through where nobody else
waits, and never take more than half of the places: who comes then finds one.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

from workspan.serve.wire.errors import Failed

_RETRY_AFTER = 1
"""Seconds; a place is free as soon as any request ends."""
_Turn: TypeAlias = "asyncio.Future[None]"


@dataclass(slots=True)
class _Line:
    """Who waits, key by key."""

    keys: OrderedDict[str, deque[_Turn]] = field(default_factory=OrderedDict)
    waiting: int = 0

    def add(self, key: str, turn: _Turn) -> None:
        self.keys.setdefault(key, deque()).append(turn)
        self.waiting += 1

    def length(self, key: str) -> int:
        return len(self.keys.get(key, ()))

    def take(self) -> _Turn | None:
        """Return the turn of the key that waits longest for one."""
        while self.keys:
            key, line = self.keys.popitem(last=False)
            turn = line.popleft()
            if line:
                self.keys[key] = line  # at the end: the others come first
            self.waiting -= 1
            if not turn.cancelled():
                return turn
        return None

    def give_up(self, key: str, turn: _Turn) -> None:
        line = self.keys.get(key)
        if line is not None and turn in line:
            line.remove(turn)
            self.waiting -= 1
            if not line:
                del self.keys[key]


class Places:
    """So many requests at a time, the others in line, key by key."""

    def __init__(self, places: int, waiting: int, waiting_per_key: int) -> None:
        self._free = places
        self._most = waiting
        self._most_of_one = waiting_per_key
        self._spare: list[Callable[[], None]] = []
        self._line, self._behind = _Line(), _Line()
        self._behind_left = max(1, places // 2)
        """Places that those without a deadline may still take."""

    @property
    def waiting(self) -> int:
        """How many are in line, those without a deadline left out."""
        return self._line.waiting

    @asynccontextmanager
    async def place(self, key: str, *, is_behind: bool = False) -> AsyncIterator[None]:
        """Hold a place while the block runs.

        Raises:
            Failed: the line is full.
        """
        await self.enter(key, is_behind=is_behind)
        try:
            yield
        finally:
            self.leave(is_behind=is_behind)

    async def enter(self, key: str, *, is_behind: bool = False) -> None:
        """Wait for a place, behind all others if so; whoever is cancelled meanwhile has none.

        Raises:
            Failed: the line is full.
        """
        line = self._behind if is_behind else self._line
        may_pass = not self._line.waiting and (not is_behind or self._behind_left > 0)
        if self._free and may_pass and not line.waiting:
            self._free -= 1
            self._behind_left -= is_behind
            return
        if line.waiting >= self._most or line.length(key) >= self._most_of_one:
            told = {"retry-after": str(_RETRY_AFTER)}
            raise Failed(503, "too many requests are in line", code="queue_full", headers=told)
        turn: _Turn = asyncio.get_running_loop().create_future()
        line.add(key, turn)
        if self._spare and (not is_behind or self._behind_left > 0):
            self._spare.pop()()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(is_behind=is_behind)  # the place came, and nobody is there to take it
            else:
                line.give_up(key, turn)
            raise

    def leave(self, *, is_behind: bool = False) -> None:
        """Give a place back: to the key that waits longest for its turn."""
        self._behind_left += is_behind
        turn = self._line.take()
        if turn is None and self._behind_left > 0:
            turn = self._behind.take()
            self._behind_left -= turn is not None
        if turn is None:
            self._free += 1
        else:
            turn.set_result(None)

    def take_spare(self, give_way: Callable[[], None]) -> bool:
        """Take a place that nobody wants now; as soon as somebody does, `give_way` is called.

        False where there is none. Whoever takes one leaves it by `leave_spare`.
        """
        if not self._free or self._line.waiting or self._behind.waiting:
            return False
        self._free -= 1
        self._spare.append(give_way)
        return True

    def leave_spare(self, give_way: Callable[[], None]) -> None:
        """Give a place back that was taken as a spare one."""
        with suppress(ValueError):  # it was called on to give way
            self._spare.remove(give_way)
        self.leave()
