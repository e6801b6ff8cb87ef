"""An event loop whose clock stands still while anything happens.

Where nothing is ready to run or to read, it jumps to the next timer: a server in the same process
that is silent for an hour takes none, and one that answers is never too late, however busy the
machine is. Threads and other processes are nothing that it sees: not for tests that wait for those.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")

_QUIET_SECONDS = 0.005
"""What the kernel may take to pass on a byte between two sockets of this process."""


class PatientLoop(asyncio.SelectorEventLoop):
    """Time is what its timers have waited for."""

    def __init__(self) -> None:
        self._skipped = 0.0
        super().__init__(_Selector(self.skip))

    def time(self) -> float:
        return self._skipped

    def skip(self, seconds: float) -> None:
        self._skipped += seconds


class _Selector(selectors.DefaultSelector):
    def __init__(self, skip: Callable[[float], None]) -> None:
        super().__init__()
        self._skip = skip

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready: list[tuple[selectors.SelectorKey, int]] = super().select(
            min(timeout, _QUIET_SECONDS)
        )
        if not ready:
            self._skip(timeout)
        return ready


RUN = anyio.run


def patiently(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run `main` on such a loop."""
    return RUN(main, *args, backend_options={"loop_factory": PatientLoop})


def now() -> float:
    """Return the running loop's time: what a run's clock shows."""
    return asyncio.get_running_loop().time()
