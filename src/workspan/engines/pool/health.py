"""How one upstream has answered lately: up, resting until a time, or probed by one call.

    up       -- a failure, or some strikes in a row -->     resting
    resting  -- its time is over, and a call is begun -->   probed
    probed   -- the call's answer begins -->                up
    probed   -- the call fails or strikes -->               resting, for twice as long

A strike is an answer that came, but late, or with figures that can't be true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

State: TypeAlias = Literal["up", "resting", "probed"]
Wrong: TypeAlias = Literal["failed", "slow", "lying"]
Reason: TypeAlias = Literal["", "failed", "limited", "slow", "lying"]
"""Why an upstream rests: its calls fail; it said to wait; it answers late; its figures lie."""

FIRST_REST, LONGEST_REST = 1.0, 60.0
"""Seconds; each rest is twice as long as the one before, until a call is answered well."""
CERTAIN = frozenset({401, 503, 529})
"""Statuses of one that answers nobody, whatever is asked: its key is wrong, it is overloaded."""
STRIKES = 3
"""In a row, after which an upstream rests."""
_LONGEST_WAIT = 3600.0
"""Seconds that an upstream is believed to want."""


@dataclass(slots=True)
class Health:
    """The state of one upstream. Every method is told the time, in seconds."""

    state: State = "up"
    why: Reason = ""
    until: float = 0.0
    """When a rest is over."""
    rest: float = 0.0
    """Seconds of the last one; 0 while all is well."""
    strikes: int = 0
    lies: int = 0
    """Answers whose figures could not be true, in all."""

    def may_be_asked(self, now: float) -> bool:
        """Say whether a call may be begun now."""
        return self.state == "up" or (self.state == "resting" and now >= self.until)

    def begin(self, now: float) -> bool:
        """Note that a call is begun; True if it is the one that probes."""
        if self.state == "resting" and now >= self.until:
            self.state = "probed"
            return True
        return False

    def speaks(self, *, is_probe: bool) -> None:
        """Note that an answer has begun: the upstream is there, and others need not wait."""
        if is_probe and self.state == "probed":
            self.state, self.why = "up", ""

    def answered(self) -> None:
        """Note that a call was answered well; one begun before a rest says nothing of now."""
        if self.state == "up":
            self.rest, self.strikes = 0.0, 0

    def failed(self, now: float, *, is_probe: bool, wait: float | None = None) -> None:
        """Note that a call failed; `wait` is the time that the upstream named, in seconds.

        One that names next to none rests all the same, and longer each time.
        """
        if wait is not None:
            least = self._longer() if wait < FIRST_REST else 0.0
            self._rest(now, "limited", max(least, min(wait, _LONGEST_WAIT)))
        else:
            self.rests_for(now, "failed", is_probe=is_probe)

    def strike(self, now: float, why: Wrong, *, is_probe: bool) -> None:
        """Note that a call was answered late, or with figures that can't be true."""
        self.lies += why == "lying"
        self.strikes += 1
        if is_probe or (self.state == "up" and self.strikes >= STRIKES):
            self._rest(now, why, self._longer())

    def rests_for(self, now: float, why: Wrong, *, is_probe: bool) -> None:
        """Note that it went wrong for several clients."""
        if is_probe or self.state == "up":
            self._rest(now, why, self._longer())

    def give_up(self, now: float, *, is_probe: bool) -> None:
        """Note that a call ended before it told anything: the next one may probe."""
        if is_probe and self.state == "probed":
            self.state, self.until = "resting", now

    def _longer(self) -> float:
        self.rest = min(LONGEST_REST, max(FIRST_REST, 2 * self.rest))
        return self.rest

    def _rest(self, now: float, why: Reason, seconds: float) -> None:
        self.until = max(self.until, now + seconds) if self.state == "resting" else now + seconds
        self.state, self.why, self.strikes = "resting", why, 0
