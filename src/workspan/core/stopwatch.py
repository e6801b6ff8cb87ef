"""The wall clock as a run sees it: what time it is, and what ends when it is up.

Runs ask this and not the machine, so that a test turns a clock by hand
(`workspan.testing.turned`) and does not hang on how busy the machine is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

import anyio

Limit: TypeAlias = Callable[[], float]
"""Says how many seconds are left: less each time, below 0 when the time is up."""


class Time(Protocol):
    """A clock that never goes back."""

    def now(self) -> float:
        """Return seconds since some fixed moment; may be asked from any thread."""
        ...

    def move_on_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        """Cancel the block when so many seconds have passed; a scope tells whether it was."""
        ...


class WallTime:
    """The machine's own clock."""

    def now(self) -> float:
        """Return seconds since the machine was started or so."""
        return time.monotonic()

    def move_on_after(self, seconds: float) -> AbstractContextManager[anyio.CancelScope]:
        """Cancel the block by the event loop's timer."""
        return anyio.move_on_after(seconds)


WALL: Time = WallTime()
"""What runs go by, unless told otherwise."""
