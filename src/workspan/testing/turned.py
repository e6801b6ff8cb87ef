"""A clock that stands still until a test turns it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class TurnedTime:
    """Time for runs under test: `turn` moves it, and ends what was to end by then.

    It is turned from the event loop's thread, such as from an engine's script: each word may take
    a second without the test taking one.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._ends: dict[anyio.CancelScope, float] = {}

    def now(self) -> float:
        """Return the seconds that it was turned by."""
        return self._now

    def turn(self, seconds: float) -> None:
        """Let `seconds` pass; blocks whose time is up are cancelled at their next checkpoint."""
        self._now += seconds
        for scope, end in [*self._ends.items()]:
            if end <= self._now:
                scope.cancel()

    @contextmanager
    def move_on_after(self, seconds: float) -> Iterator[anyio.CancelScope]:
        """Cancel the block when the clock was turned by so much."""
        with anyio.CancelScope() as scope:
            self._ends[scope] = self._now + seconds
            if seconds <= 0:
                scope.cancel()
            try:
                yield scope
            finally:
                del self._ends[scope]
