"""What one worker holds of the limits of keys: leased from the store, drawn on without it.

A request's ledger stands below one account for each limit of its key, from the shortest window to
the longest. Each draws on a lease. One task of the worker talks with the store: what was used is
charged, leases are filled ahead of need and given back when they lie idle or others wait.

A request is charged to the windows in which it began.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple, Protocol

from workspan.core.ledger import Ledger
from workspan.data.budget import Budget
from workspan.data.types import Amount, Usage
from workspan.errors import BudgetExceeded, Refused, StoreGone
from workspan.serve.store.base import Ask, Standing, Window
from workspan.serve.store.limits import Limit, Quantity, amount_of, shown, units, window_end

AHEAD = 4
"""Times what was drawn since the last exchange that a lease is filled to."""
BUSY_SECONDS = 1.0
"""After which it is worth trying again what is held by calls in flight."""


def busy(limit: str, of: str = "the key") -> Refused:
    """Return what a request is told where others hold what is left of a limit."""
    said = f"what is left of {of}'s budget of {limit} is held by calls in flight"
    return Refused(said, code="budget_busy", limit=limit, retry_after=BUSY_SECONDS)


def exceeded(
    quantity: Quantity, limit: str, left: int, of: str, turns: float | None = None
) -> Refused:
    """Return what a request is told that a limit has no room for, whoever ends.

    Args:
        quantity: what is limited.
        limit: how it is written.
        left: what nobody has spent of it, as the store counts it.
        of: whose it is, in words.
        turns: seconds until there is room again; None is never.
    """
    has = shown(quantity, max(0, left))
    said = f"{of}'s budget of {limit} has {has} left, the request needs more"
    return Refused(said, code="budget_exceeded", limit=limit, retry_after=turns)


class Lease:
    """What a worker holds of one window, and what of it was used and not told to the store yet."""

    def __init__(self, window: Window, limit: Limit) -> None:
        self.window, self.limit = window, limit
        self.granted = 0
        """By the store, less what is about to be given back."""
        self.used = 0
        """Not told yet."""
        self.held = 0
        """By calls in flight."""
        self.left = limit.most
        """What was not spent, by all workers, when the store was last asked."""
        self.is_known = False
        """The store was asked at least once."""
        self.is_wanted = False
        """Other workers wait for what is idle here."""
        self.is_unmet = False
        """What waits here was asked for in vain, and may be there later."""
        self.drawn = 0
        """Since the last exchange."""
        self.users = 0
        """Open requests that may draw on it."""
        self.touched = 0.0
        """When it was last drawn on, by the worker's clock."""
        self._told = 0
        self._waiting: dict[object, tuple[int, int]] = {}

    @property
    def free(self) -> int:
        """What can be drawn now, without the store; below 0 where an engine billed too much."""
        return self.granted - self.used - self._told - self.held

    @property
    def written(self) -> str:
        """The limit, as people write it: a trajectory's has no window to name."""
        limit = self.limit
        return shown(limit.quantity, limit.most) if self.window.parent else str(limit)

    @property
    def need(self) -> int:
        """What calls wait for."""
        return sum(need for need, _ in self._waiting.values())

    @property
    def remaining(self) -> int:
        """What is not spent, as far as is known here."""
        return self.left - self.used - self._told

    @property
    def is_due(self) -> bool:
        """Say whether the store is to be told or asked something."""
        return bool(self.used or self._waiting or self.needs_more)

    @property
    def is_idle(self) -> bool:
        """Nothing is held, untold or waited for."""
        return not (self.held or self.used or self._told or self._waiting)

    def end(self) -> int | None:
        """Return when the window turns; None is never."""
        return window_end(self.window.period, self.window.start)

    @contextmanager
    def waiting(self, need: int, least: int) -> Iterator[None]:
        """Let the next exchange ask for so much, in the store's counts."""
        token = object()
        self._waiting[token] = (need, least)
        try:
            yield
        finally:
            del self._waiting[token]

    def ask(self, *, give_back: bool, is_unmet: bool = False) -> Ask:
        """Return what the next batch says; what it gives back can't be drawn from here on.

        With `is_unmet` a call waits in vain for some of this key's leases: all is asked for anew,
        and what is free given back with it. Two workers that each hold half of what a call needs
        would wait for one another.
        """
        free = max(0, self.free)
        wanted = self.need
        least = min((least for _, least in self._waiting.values()), default=0)
        over = max(0, -self.free)
        is_returning = give_back or is_unmet or (self.is_wanted and not wanted)
        returned = free if is_returning else 0
        kept = free - returned
        ahead = 0
        if not give_back and not self.is_wanted:
            ahead = max(self.held, AHEAD * max(self.drawn, wanted)) - kept
        ask = Ask(
            self.window,
            self.used,
            returned,
            max(0, wanted - kept) + over,
            max(0, least - kept) + over if wanted else over,
            max(0, ahead),
            self.limit.most,
        )
        self.granted -= returned
        self._told, self.used, self.drawn = self.used, 0, 0
        return ask

    def apply(self, standing: Standing) -> None:
        """Take over how things stand after the batch that the last `ask` was of."""
        self.granted, self._told = standing.granted, 0
        self.left = standing.most - standing.spent
        self.is_wanted = standing.is_wanted
        self.is_unmet = any(
            self.free < least <= self.remaining for _, least in self._waiting.values()
        )
        self.is_known = True

    @property
    def needs_more(self) -> bool:
        """Say whether the lease should be filled before it is used up."""
        is_drawn = self.drawn > 0 and not self.is_wanted
        return is_drawn and 2 * self.free < max(self.held, self.drawn)

    def refuse(self, need: int, now: float) -> Refused:
        """Return what a request is told that the limit has no room for."""
        end = self.end()
        turns = None if end is None else max(0.0, end - now)
        if self.limit.quantity == "requests":
            after = turns if need > self.remaining else BUSY_SECONDS
            said = f"the key may send {self.limit}: try again in {math.ceil(after or 0)} s"
            return Refused(
                said, code="rate_limit_exceeded", limit=str(self.limit), retry_after=after
            )
        if need > self.remaining:
            return exceeded(
                self.limit.quantity, self.written, self.remaining, self.window.of, turns
            )
        return busy(self.written, self.window.of)


class Wish(NamedTuple):
    """What a call would draw of one lease, as the store counts it."""

    lease: Lease
    need: int
    least: int
    """With so much it could go on."""


class Gains(Protocol):
    """How an account of a lease reaches the task that talks with the store."""

    def wake(self) -> None:
        """Let it exchange soon."""
        ...

    def now(self) -> float:
        """Return the worker's clock, in seconds."""
        ...

    async def gain(self, wishes: Sequence[Wish], *, waits: bool = True) -> None:
        """Wait until the least of each can be drawn; without `waits` for the store alone.

        Raises:
            Refused: one can't be had, or not soon.
            StoreGone: the store can't be asked.
        """
        ...


class LeaseRefused(BudgetExceeded):
    """A call does not fit a key's account, or the store can't be asked: `why` says which."""

    def __init__(self, why: Refused | StoreGone, column: str) -> None:
        super().__init__(str(why), limit=column)
        self.why = why


class LeasedLedger(Ledger):
    """The account of one limit's window: what it may hold is what was leased from the store."""

    def __init__(self, lease: Lease, parent: Ledger | None, gains: Gains) -> None:
        self.column = lease.limit.quantity
        most = {self.column: amount_of(self.column, lease.limit.most)}
        super().__init__(Budget(**most), parent)  # type: ignore[arg-type]  # a column's own type
        self.lease, self.gains = lease, gains
        self.chain: Sequence[LeasedLedger] = (self,)
        """The accounts that a call of this one draws on, this one among them."""
        self._noted = 0
        """Of what the lease has noted as held, what is held by this account."""

    def wish(self, amount: Amount, least: Amount) -> Wish:
        """Return what an amount, or the least of it, takes of the lease."""
        return Wish(self.lease, self._counted(amount), self._counted(least))

    def _wishes(self, amount: Amount) -> list[Wish]:
        """Wish for some of each limit.

        What is had of one is given back while another is waited for: calls that wished for one at
        a time would take turns for ever.
        """
        return [node.wish(amount, amount) for node in self.chain]

    def _counted(self, amount: Amount) -> int:
        return units(self.column, getattr(amount, self.column))

    def _left(self, column: str) -> int | Decimal | None:
        if column != self.column:
            return None
        return amount_of(self.column, max(0, self.lease.remaining))

    def _unheld(self, column: str) -> int | Decimal | None:
        return None if column != self.column else amount_of(self.column, max(0, self.lease.free))

    def _lacking(self, bound: Amount) -> str | None:
        asked = self._counted(bound)
        return None if not asked or asked <= self.lease.free else self.column

    async def _wait_for(self, amount: Amount, column: str) -> None:
        try:
            await self.gains.gain(self._wishes(amount))
        except (Refused, StoreGone) as why:
            raise LeaseRefused(why, column) from None

    async def _fetched(self, more: Amount, column: str) -> bool:  # noqa: ARG002  # has one alone
        """Fetch more for a call that is decoded meanwhile: what others hold is not waited for."""
        try:
            await self.gains.gain(self._wishes(more), waits=False)
        except (Refused, StoreGone):
            return False
        return True

    def _take(self, amount: Amount) -> None:
        super()._take(amount)
        self._note(self._counted(amount))

    def _release(self, held: Amount, used: Usage) -> None:
        super()._release(held, used)
        self.lease.used += self._counted(used.amount)
        self._note(0)
        self.gains.wake()

    def _note(self, drawn: int) -> None:
        lease, held = self.lease, self._counted(self._held)
        lease.held += held - self._noted  # another account may draw on the same lease
        self._noted = held
        lease.drawn += drawn
        lease.touched = self.gains.now()
        if lease.needs_more:
            self.gains.wake()
