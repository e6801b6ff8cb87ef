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

    def after(self, ask: Ask, now: float, *, is_told: bool) -> Position:
        """Return how it stands after an exchange; with `is_told` the batch's facts are in it."""
        return (self if is_told else self._told(ask))._granting(ask, now)

    def _told(self, ask: Ask) -> Position:
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

    def _granting(self, ask: Ask, now: float) -> Position:
        """Lease what is needed, else what calls could go on with; ahead only while nobody waits."""
        free = max(0, self.free)
        met = min(ask.need, free) if ask.least <= free else 0
        is_short = met < ask.need
        is_wanted = is_short or now < self.wanted_until
        ahead = 0 if is_wanted else min(ask.ahead, (free - met) // _SHARE)
        return replace(
            self,
            leased=self.leased + met + ahead,
            granted=self.granted + met + ahead,
            wanted_until=now + _WANTED_SECONDS if is_short else self.wanted_until,
        )
