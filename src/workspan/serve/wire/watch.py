"""The one clock of a process: stops what takes too long, keeps silent streams alive.

A timer for each read and write would cost more than the request; a look at all that is open, some
times a second, costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from workspan.serve.again import Again
from workspan.serve.config import Limits
from workspan.serve.wire.exchange import Exchange, Why

_LOOKS = 20
"""At the open exchanges in the shortest of the limits."""
_SLOWEST, _FASTEST = 0.5, 0.01
"""Seconds between two looks."""


class Watch(Again):
    """All open exchanges of a process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.open: set[Exchange] = set()
        self.also: list[Callable[[float], None]] = []
        """Further things to be looked at, given the time."""
        shortest = min(
            *(limits.comment_seconds, limits.idle_seconds, limits.body_seconds),
            *(limits.header_seconds, limits.first_byte_seconds),
        )
        self._pause = min(_SLOWEST, max(_FASTEST, shortest / _LOOKS))
        self._is_hurried = False
        self._writing: set[asyncio.Task[None]] = set()
        super().__init__(self._see, self._rest, "open requests could not be looked at")

    async def _see(self) -> None:
        self.look(asyncio.get_running_loop().time())

    async def _rest(self) -> None:
        await asyncio.sleep(self._pause)

    def look(self, now: float) -> None:
        """Stop what is overdue; comment where nothing was sent for long."""
        if self._is_hurried:
            self.stop("draining")
        for exchange in list(self.open):
            exchange.look(now)
            if why := self._overdue(exchange, now):
                exchange.stop(why)
            elif exchange.is_stream and exchange.silent_for(now) >= self.limits.comment_seconds:
                task = asyncio.create_task(exchange.comment())
                self._writing.add(task)
                task.add_done_callback(self._writing.discard)
        for one in self.also:
            one(now)

    def _overdue(self, exchange: Exchange, now: float) -> Why | None:
        limits = self.limits
        if exchange.has_deadline and now - exchange.asked_at > limits.total_seconds:
            return "total"
        waits_for = exchange.waits_for
        if waits_for == "total":
            return None
        patience = limits.body_seconds if waits_for == "body" else limits.idle_seconds
        return waits_for if now - exchange.progress > patience else None

    def hurry(self) -> None:
        """Stop all that is open at the next look, and all that comes; from a signal, too."""
        self._is_hurried = True

    def stop(self, why: Why, exchanges: Iterable[Exchange] | None = None) -> None:
        """Stop all that is open, or some of it."""
        for exchange in list(self.open if exchanges is None else exchanges):
            exchange.stop(why)
