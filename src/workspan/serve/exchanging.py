"""The one task of a worker that talks with the store: charges, refills, give-backs, records."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

import anyio

from workspan.errors import StoreError, StoreGone
from workspan.serve.leases import Lease, Wish
from workspan.serve.store.base import Ask, Batch, Row, Standing, Store, Window
from workspan.serve.store.limits import Limit

T = TypeVar("T")
_log = logging.getLogger("workspan.serve")
Utc = Callable[[], float]
"""Says what time it is, in seconds of UTC's epoch."""
OnStore = Callable[[StoreError | None], None]
"""Told why the store can't be asked, once; and None, when it can be again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker does what, in seconds."""

    patience: float = 0.5
    """For which a call waits for what others hold before it is refused."""
    linger: float = 0.002
    """Between exchanges that nobody waits for: what comes meanwhile goes together."""
    retry: float = 0.02
    """Until what could not be had is asked for again."""
    tick: float = 0.1
    """Between looks at whether others wait for what is idle here."""
    idle: float = 1.0
    """After which a lease that nothing is drawn on is given back."""
    lost: float = 20.0
    """After which a worker without a sign of life counts as dead, and its leases as spent."""
    back_off: float = 2.0
    """At most, between tries to reach a store that is gone."""
    close: float = 5.0
    """That the end waits for the store to take the last accounts."""


NORMAL_PACE = Pace()


class Exchange:
    """Holds a worker's leases, and lets one batch after the other do what is due.

    A batch whose reply was lost is sent again as it was: the store knows it by its number.
    """

    def __init__(
        self,
        store: Store,
        utc: Utc = time.time,
        pace: Pace = NORMAL_PACE,
        on_store: OnStore = lambda _: None,
    ) -> None:
        self._on_store = on_store
        self.worker = uuid.uuid4().hex
        self.store, self.utc, self.pace = store, utc, pace
        self.gone: StoreError | None = None
        """Why the store could not be asked the last time; see `_know`."""
        self._leases: dict[str, Lease] = {}
        self._rows: list[Row] = []
        self._number = self._applied = 0
        self._woken, self._turned = anyio.Event(), anyio.Event()
        self._sent: Batch | None = None
        self._ended = anyio.Event()
        self._is_closing = False
        self._reaped = -1e18
        self._beat = -1e18

    def lease(self, window: Window, limit: Limit) -> Lease:
        """Return the worker's lease of a window."""
        found = self._leases.get(window.id)
        if found is None:
            found = self._leases[window.id] = Lease(window, limit)
        return found

    def is_held(self, lease: Lease) -> bool:
        """Say whether a lease still is the worker's: idle ones are forgotten."""
        return self._leases.get(lease.window.id) is lease

    def record(self, row: Row) -> None:
        """Keep a request's row with the next batch."""
        self._rows.append(row)
        self.wake()

    def wake(self) -> None:
        """Let the task exchange soon."""
        self._woken.set()

    def now(self) -> float:
        """Return seconds for measuring how long something lies idle."""
        return self.utc()

    def check(self) -> None:
        """Refuse what would spend while the store can't be asked.

        Raises:
            StoreGone: so it is.
        """
        if self.gone is not None:
            raise StoreGone(f"{self.gone}; nothing was spent: try again soon")

    async def gain(self, wishes: Sequence[Wish], *, waits: bool = True) -> None:
        """Wait until the least of each wish can be drawn, asking for all of them at a time.

        Without `waits` only for the store's answer, not for what others hold.

        Raises:
            Refused: one can't be had, or not within the patience.
            StoreGone: the store can't be asked.
        """
        wished = [wish for wish in wishes if wish.need > 0]
        now = self.now()
        for wish in wished:
            wish.lease.touched = now
        if all(wish.lease.free >= wish.need for wish in wished):
            return
        with ExitStack() as stack:  # of all, so that none is given back while others are waited for
            for lease, need, least in wished:
                stack.enter_context(lease.waiting(need, least))
            await self._until_told(self._number)  # however long the store takes to answer
            with anyio.move_on_after(self.pace.patience if waits else 0):
                await self._until_met(wished)
        for lease, _, least in wished:
            if lease.free < least:
                raise lease.refuse(least, self.utc())

    async def _until_told(self, number: int) -> None:
        """Wait for the answer to a batch after one of a number: it told of what waits now."""
        self.check()
        while self._applied <= number:
            self.wake()
            await self._turned.wait()
            self.check()

    async def _until_met(self, wishes: Sequence[Wish]) -> None:
        """Return when the wishes are met, or when one can't be."""
        while any(lease.free < least for lease, _, least in wishes):
            if any(least > lease.remaining for lease, _, least in wishes):
                return
            self.wake()
            await self._turned.wait()
            self.check()

    async def run(self) -> None:
        """Exchange until the end."""
        try:
            while not self._is_closing:
                with anyio.move_on_after(self.pace.tick):
                    await self._woken.wait()
                self._woken = anyio.Event()
                await self._turn_once()
        finally:
            self._ended.set()

    async def _turn_once(self) -> None:
        """Do what is due, and let what comes meanwhile gather."""
        self._forget()
        if self._is_due():
            await self._send(self._batch())
            is_short = any(lease.is_unmet for lease in self._leases.values())
            await anyio.sleep(self.pace.retry if is_short else self.pace.linger)
            if is_short:
                self.wake()
        await self._reap()

    async def finish(self) -> None:
        """Tell the store the rest and give all leases back, as long as that may take.

        What could not be told is charged in full when the worker counts as dead.
        """
        self._is_closing = True
        self.wake()
        with anyio.move_on_after(self.pace.close, shield=True):
            await self._ended.wait()
            if self._sent is not None:
                await self._send(self._sent)  # its task was cut off before the reply
            if self._leases or self._rows:
                await self._send(self._batch())

    def _is_due(self) -> bool:
        leases = self._leases.values()
        if self._rows or any(one.is_due or one.free > 0 for one in leases):
            return True
        is_held = any(one.granted for one in leases)
        return is_held and self.utc() - self._beat > self.pace.lost / 4

    def _batch(self) -> Batch:
        """Put together what is due; from here on it is not drawn on."""
        now = self.utc()
        unmet = {one.window.owner for one in self._leases.values() if one.is_unmet}
        asks = [self._ask(lease, now, unmet) for lease in self._leases.values()]
        rows, self._rows = tuple(self._rows), []
        self._number += 1
        return Batch(self.worker, self._number, now, tuple(asks), rows)

    def _ask(self, lease: Lease, now: float, unmet: set[str]) -> Ask:
        end = lease.end()
        is_over = end is not None and now >= end and not lease.users
        is_unused = lease.is_idle and now - lease.touched > self.pace.idle
        give_back = self._is_closing or is_over or is_unused
        return lease.ask(give_back=give_back, is_unmet=lease.window.owner in unmet)

    def _forget(self) -> None:
        """Let go of leases that hold nothing and that no request may draw on."""
        idle = [
            id
            for id, one in self._leases.items()
            if one.is_known and one.is_idle and not one.users and not one.granted
        ]
        for id in idle:
            del self._leases[id]

    async def _send(self, batch: Batch) -> None:
        """Have a batch done, however often it takes."""
        self._sent = batch
        pause = self.pace.tick
        while (standings := await self._tried(batch)) is None:
            await anyio.sleep(pause)
            pause = min(2 * pause, self.pace.back_off)
        self._sent = None
        for standing in standings:
            self._leases[standing.window].apply(standing)
        self._know(None)
        self._applied, self._beat = batch.number, batch.now
        self._turn()

    async def _tried(self, batch: Batch) -> list[Standing] | None:
        standings = await self._answered(self.store.exchange(batch))
        if standings is None:
            self._turn()
        return standings

    async def _answered(self, asked: Awaitable[T]) -> T | None:
        """Await the store; None where it fails, and why is kept.

        Whatever it raises ends no more than this: requests that wait for it would wait for ever.
        """
        try:
            return await asked
        except StoreError as error:
            self._know(error)
        except Exception as error:  # noqa: BLE001  # a bug here or in a driver
            _log.exception("the store failed")
            name = type(error).__name__
            self._know(StoreError(f"the store {self.store.shown} failed: {name}"))
        return None

    def _know(self, gone: StoreError | None) -> None:
        """Remember how the store is, and say it where it was another way before."""
        before, self.gone = self.gone, gone
        if (before is None) != (gone is None):
            self._on_store(gone)

    def _turn(self) -> None:
        self._turned.set()
        self._turned = anyio.Event()

    async def _reap(self) -> None:
        """Charge what dead workers hold, now and then."""
        now = self.utc()
        if now - self._reaped > self.pace.lost:
            self._reaped = now
            await self._answered(self.store.reap(now, now - self.pace.lost))
