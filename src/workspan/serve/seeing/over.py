"""Requests that are over: all of one turn of the event loop are told at once.

Whoever keeps figures of them is asked a few times as often then, and the log is one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from workspan.serve.seeing.record import Record


class Over:
    """The requests that ended since the loop last looked for something new."""

    def __init__(self, tell: Callable[[Sequence[Record]], None]) -> None:
        """Take what is told of them."""
        self._tell = tell
        self._records: list[Record] = []

    def add(self, record: Record, loop: asyncio.AbstractEventLoop) -> None:
        """Take one; it is told before the loop takes anything that comes after it."""
        if not self._records:
            loop.call_soon(self.tell)
        self._records.append(record)

    def tell(self) -> None:
        """Tell of all of them."""
        records, self._records = self._records, []
        if records:
            self._tell(records)
