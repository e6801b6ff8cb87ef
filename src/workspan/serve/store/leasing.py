"""How much of a limit's window a worker is leased: decided on a locked row, without I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workspan.serve.store.base import Ask

_SHARE = 8
"""Of what is free, a worker is leased one part in so many ahead of need: leases shrink as a budget
nears its end, and there are always some left for other workers."""
_WANTED_SECONDS = 0.1
"""For how long a wish that could not be met asks others to give back what lies idle."""


@dataclass(frozen=True, slots=True)
class Position:
    """One window's row, with one worker's lease of it."""

    spent: int
    leased: int
    most: int
    wanted_until: float
    granted: int
    """Of `leased`, this worker's."""

    @property
    def free(self) -> int:
        """What is neither spent nor leased; below 0 where an engine billed more than asked."""
        return self.most - self.spent - self.leased

    def told(self, ask: Ask) -> Position:
        """Charge what was used, by the lease as far as it goes, and take back what is idle."""
        covered = min(self.granted, ask.used)
        returned = min(self.granted - covered, ask.returned)
        gone = covered + returned
        return replace(
            self,
            spent=self.spent + ask.used,
            leased=self.leased - gone,
            granted=self.granted - gone,
        )

    def is_short(self, ask: Ask) -> bool:
        """Say whether the least that a call could go on with can't be leased now."""
        return ask.least > max(0, self.free)

    def is_busy(self, ask: Ask) -> bool:
        """Say whether it can't, and could if others gave back what they hold."""
        return self.is_short(ask) and ask.least <= self.most - self.spent

    def granting(self, ask: Ask, now: float, *, is_held_back: bool) -> Position:
        """Lease what is needed, else what is there; ahead of need only while nobody waits.

        With `is_held_back` nothing is leased: calls need some of each window of their key, and two
        workers that each held what the other waits for would never go on.
        """
        free = max(0, self.free)
        met = 0 if is_held_back or self.is_short(ask) else min(ask.need, free)
        is_wanting = ask.need > free
        ahead = 0
        if not (is_held_back or is_wanting or now < self.wanted_until):
            ahead = min(ask.ahead, (free - met) // _SHARE)
        return replace(
            self,
            leased=self.leased + met + ahead,
            granted=self.granted + met + ahead,
            wanted_until=now + _WANTED_SECONDS if is_wanting else self.wanted_until,
        )
