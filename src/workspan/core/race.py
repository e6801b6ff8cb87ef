"""Samples in order of arrival: what a strategy that stops early waits on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
from anyio.abc import TaskGroup

from workspan.core.attempt import Halt
from workspan.core.call import draw, replay
from workspan.core.clock import Clock
from workspan.core.context import Context
from workspan.core.journal import fingerprint, seed_for
from workspan.core.ledger import Ledger
from workspan.data.entry import Entry
from workspan.data.types import Request, Sample
from workspan.errors import BudgetExceeded, EngineError, first_error, ungrouped


@dataclass(slots=True)
class Lane:
    """One runner: a call with a clock of its own."""

    key: str
    clock: Clock
    request: Request


class Race:
    """An asynchronous iterator over samples as they finish.

    What an earlier run recorded comes first, in the recorded order and without a call; only when
    that is used up are the missing calls made. A race that was decided before makes none.
    """

    def __init__(
        self,
        run: Context,
        ledger: Ledger,
        clock: Clock,
        base: str,
        requests: Sequence[Request],
        halt: Halt | None = None,
    ) -> None:
        self._run, self._ledger, self._clock, self._base = run, ledger, clock, base
        self._halt = halt
        asked = map(run.shape, requests)
        lanes = [Lane(f"{base}.{i}/0", clock.fork(), r) for i, r in enumerate(asked)]
        decided = run.journal.attempts(base, "")
        self._is_decided = bool(decided)
        self._refused = decided[-1][1].refused if decided else ""
        """The limit that kept a call of a race that was decided before from being made."""
        ended = {lane.key: self._position(lane) for lane in lanes}
        self._recorded = sorted(
            (lane for lane in lanes if ended[lane.key] is not None),
            key=lambda lane: ended[lane.key] or 0,
        )
        self._missing = [lane for lane in lanes if ended[lane.key] is None]
        self._running = 0
        self._given: list[str] = []
        self._first_call = len(run.trace)
        self._errors: list[BudgetExceeded | EngineError] = []
        self._group: TaskGroup
        self._send, self._receive = anyio.create_memory_object_stream[tuple[Lane, Sample] | None](
            len(lanes) + 1
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Race]:
        """Run the calls while the block is open; leaving it cancels and settles the rest."""
        with self._send, self._receive:
            try:
                async with anyio.create_task_group() as self._group:
                    yield self
                    self._group.cancel_scope.cancel()
            except BaseExceptionGroup as errors:
                self._close()
                raise ungrouped(errors) from errors
        self._close()

    def _close(self) -> None:
        """Account for what was recorded and not given, and mark the race as decided."""
        for lane in [*self._recorded, *self._missing]:
            for _, entry in self._run.journal.attempts(lane.key, self._asked(lane)):
                replay(self._run, self._ledger, lane.clock, entry)
        if not self._is_decided:
            refusals = [e.limit for e in self._errors if isinstance(e, BudgetExceeded)]
            self._run.journal.append(Entry(self._base, "closed", refused=next(iter(refusals), "")))
        self._mark_left_behind()

    async def __aiter__(self) -> AsyncGenerator[Sample, None]:
        """Give each sample as it finishes.

        Raises:
            BudgetExceeded: not even one fits.
            EngineError: every call failed.
        """
        while self._recorded:
            lane = self._recorded.pop(0)
            sample = await self._draw(lane)
            if sample is not None:
                yield self._join(lane, sample)
        if self._refused:
            self._errors.append(self._run.refuse("a call did not fit", self._refused))
        if not self._is_decided:
            self._start()
            while self._running:
                arrival = await self._receive.receive()
                self._running -= 1
                if arrival is not None:
                    yield self._join(*arrival)
        if not self._given and self._errors:
            raise first_error(self._errors)

    def _start(self) -> None:
        while self._missing:
            self._running += 1
            self._group.start_soon(self._enter, self._missing.pop(0))

    async def _enter(self, lane: Lane) -> None:
        sample = await self._draw(lane)
        self._send.send_nowait(None if sample is None else (lane, sample))

    async def _draw(self, lane: Lane) -> Sample | None:
        try:
            return await draw(
                self._run, self._ledger, lane.clock, lane.key, lane.request, self._halt, races=True
            )
        except (BudgetExceeded, EngineError) as error:
            self._errors.append(error)
            return None

    def _join(self, lane: Lane, sample: Sample) -> Sample:
        self._given.append(lane.key)
        self._clock.join(lane.clock)
        return sample

    def _mark_left_behind(self) -> None:
        """Tell, in the trace, the calls that were waited for from the others."""
        trace = self._run.trace
        for i in range(self._first_call, len(trace)):
            key = trace[i].key
            if key.startswith(f"{self._base}.") and key.rstrip("+") not in self._given:
                trace[i] = replace(trace[i], waited=False)

    def _asked(self, lane: Lane) -> str:
        return fingerprint(lane.request, seed_for(self._run.seed, lane.key))

    def _position(self, lane: Lane) -> int | None:
        """Return where the journal holds the lane's end; None if it was not reached."""
        attempts = self._run.journal.attempts(lane.key, self._asked(lane))
        if not attempts or attempts[-1][1].outcome not in ("sample", "failed"):
            return None
        return attempts[-1][0]
