"""What a store of keys and accounts is asked, and what it says. Plain data, and the seam."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from workspan.lab.map.rows import Row as Verdict
from workspan.serve.store.keys import StoredKey
from workspan.serve.store.limits import Limit, Period, Quantity
from workspan.serve.store.trajectories import StoredTrajectory


@dataclass(frozen=True, slots=True)
class Window:
    """One window of one limit: all workers together spend at most the limit in it."""

    key: str
    quantity: Quantity
    period: Period
    start: int
    """In seconds of UTC's epoch."""
    parent: str = ""
    """The key that it lies below, where `key` is a trajectory."""

    @property
    def id(self) -> str:
        """What the store's rows know it by; nothing reads it apart."""
        return f"{self.key}/{self.quantity}/{self.period}/{self.start}"

    @property
    def owner(self) -> str:
        """Whose calls draw on it: they need some of all windows of one owner."""
        return self.parent or self.key

    @property
    def of(self) -> str:
        """Whose it is, in words."""
        return "the trajectory" if self.parent else "the key"


@dataclass(frozen=True, slots=True)
class Ask:
    """What a worker tells of one window, and asks of it. Amounts as the store counts them."""

    window: Window
    used: int = 0
    """Spent since the last time, to be charged against the worker's lease."""
    returned: int = 0
    """Of the lease, what the worker gives back."""
    need: int = 0
    """What calls wait for; with `least` of it they could go on."""
    least: int = 0
    ahead: int = 0
    """What the worker would like to hold beyond, so that its next calls need not wait."""
    most: int = 0
    """The limit, as the worker knows it: a trajectory that was dropped meanwhile has it anew."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one window stands after an exchange."""

    window: str
    """Its id."""
    granted: int
    """What this worker's lease holds now."""
    spent: int
    leased: int
    """By all workers, this one among them."""
    most: int
    """The limit."""
    is_wanted: bool
    """Another worker waits for what idle leases may hold."""


class Row(msgspec.Struct, frozen=True):
    """One request as it is kept: no prompt, no answer, no secret."""

    id: str
    at: float
    """When it came, in seconds of UTC's epoch."""
    key: str = ""
    route: str = ""
    model: str = ""
    strategy: str = ""
    status: int = 0
    """As the client was told it: 499 where it had left."""
    work: int = 0
    """Decoded tokens that its account was charged, those that a cut left unseen among them."""
    span: int = 0
    calls: int = 0
    prefill: int = 0
    cached: int = 0
    cost: int | None = None
    """In 10^-12 USD; None is unknown."""
    source: str = "measured"
    overhead_ms: float = 0.0
    seconds: float = 0.0
    trajectory: str = ""
    """The id of the one that it is a turn of; empty is none."""


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one worker has to tell and to ask at a time: done whole, once, or not at all."""

    worker: str
    number: int
    """Counts a worker's batches: one that comes again, since its reply was lost, changes nothing
    more, and is told how things stand."""
    now: float
    asks: Sequence[Ask] = ()
    rows: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class Spending:
    """How a limit's present window stands, for people."""

    limit: Limit
    start: int
    spent: int
    held: int
    """Leased by workers: calls in flight, and what they may draw on next."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What was recorded of a key's requests."""

    requests: int = 0
    failed: int = 0
    """With a status of 400 or above."""
    work: int = 0
    calls: int = 0
    prefill: int = 0
    cached: int = 0
    cost: int = 0
    """In 10^-12 USD, of those whose cost is known."""
    unpriced: int = 0
    """Requests whose cost is not."""


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What one key has spent."""

    stored: StoredKey
    spendings: tuple[Spending, ...]
    totals: Totals


class Store(Protocol):
    """Keys, what they spent, and what workers hold of it, shared by all workers.

    Every method raises `StoreGone` where the database can't be reached or is too busy, and
    `StoreError` where it can't be used at all.
    """

    @property
    def shown(self) -> str:
        """The address as it may be shown: without a password."""
        ...

    async def open(self) -> None:
        """Connect, and bring the tables up to this version's; several may do so at once.

        Raises:
            StoreError: a newer version wrote it, or it holds something else.
        """
        ...

    async def aclose(self) -> None:
        """Give everything back; idempotent."""
        ...

    async def add(self, stored: StoredKey) -> None:
        """Keep a new key."""
        ...

    async def find(self, id: str) -> StoredKey | None:
        """Return a key by its id."""
        ...

    async def keys(self) -> list[StoredKey]:
        """Return all keys, the oldest first."""
        ...

    async def revoke(self, id: str, now: int) -> bool:
        """Let a key hold no longer; False where there is none. One that is revoked stays so."""
        ...

    async def begin(
        self, trajectory: StoredTrajectory, *, is_stated: bool = False
    ) -> StoredTrajectory:
        """Begin a turn: keep its trajectory, unless it is there, and return it as it was begun.

        With `is_stated` the limits are its client's word: where it was begun with others no turn
        is counted.

        Raises:
            Refused: its key has too many.
        """
        ...

    async def remember(self, prefixes: Sequence[str], trajectory: str, now: float) -> None:
        """Keep what a turn left behind: a prefix an answer."""
        ...

    async def follow(self, prefixes: Sequence[str], *, in_pairs: bool = False) -> str | None:
        """Return the trajectory of the first of some prefixes that is known."""
        ...

    async def exchange(self, batch: Batch) -> list[Standing]:
        """Charge what a worker used, take back and grant leases, keep rows: all or nothing."""
        ...

    async def reap(self, now: float, silent_since: float) -> int:
        """Charge in full what workers hold that gave no sign since; return how many there were."""
        ...

    async def usage(self, now: float, key: str | None = None) -> list[KeyUsage]:
        """Return what each key, or one, has spent."""
        ...

    async def standings(self, now: float) -> list[tuple[StoredKey, tuple[Spending, ...]]]:
        """Return how each key's limits stand; of its requests nothing is read."""
        ...

    async def forget(self, now: float, before: float) -> bool:
        """Drop some of what is too old, requests from before a moment among it; totals stay.

        Returns:
            Whether more of it may be left.
        """
        ...

    async def rows(self, since: float, most: int) -> list[Row]:
        """Return requests that came after a moment, the latest first, at most so many."""
        ...

    async def verdicts(self) -> list[Verdict]:
        """Return what claims and sweeps found, for the evidence map."""
        ...


Standings = Mapping[str, Standing]
