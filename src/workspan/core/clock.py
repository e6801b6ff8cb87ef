"""The work-span clock: logical time in decoded tokens along one path of dependent calls.

The work-span model of parallel algorithms (Brent 1974; Blumofe and Leiserson 1999): a call starts
at the clock of the session that makes it and moves it by the tokens decoded; a fork starts its
children at the parent's clock; a join moves the parent to the latest child that it waited for. A
child that nobody waited for stays in work, and does not count toward span.
"""

from __future__ import annotations

from dataclasses import dataclass

from workspan.data.types import Usage


@dataclass(slots=True)
class Clock:
    """Time on one path, in decoded tokens, and the span at which it must end."""

    now: int = 0
    limit: int | None = None

    @property
    def room(self) -> int | None:
        """Tokens left on this path; None is unlimited."""
        return None if self.limit is None else max(0, self.limit - self.now)

    def advance(self, tokens: int) -> None:
        """Move by the tokens of a call that was waited for."""
        self.now += tokens

    def fork(self, span: int | None = None) -> Clock:
        """Start a child here, with at most `span` tokens of its own."""
        own = None if span is None else self.now + span
        limits = [limit for limit in (self.limit, own) if limit is not None]
        return Clock(self.now, min(limits, default=None))

    def join(self, child: Clock) -> None:
        """Wait for `child`."""
        self.now = max(self.now, child.now)


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the trace of a run: a bar of the timeline.

    `key` tells what it had to wait for: ``/2.0/1`` is call 1 of branch 0 of step 2.
    """

    key: str
    start: int
    """Clock at the start, in decoded tokens."""
    usage: Usage
    outcome: str
    """sample, cut (cancelled), lost (asked again) or failed."""
    began: float
    """Seconds from the start of the run to the moment that the engine was asked."""
    ended: float
    waited: bool = True
    """False for a call that a race left behind: in work, not in span."""
    asked: float | None = None
    """Seconds from the start of the run to the moment that the strategy asked: until `began` the
    call stood in line for a place in flight and for room in the account. None is unknown."""
    member: str = ""
    """Who answered, where the engine is a pool."""

    @property
    def queued(self) -> float:
        """Seconds in line, which are not the engine's."""
        return 0.0 if self.asked is None else max(0.0, self.began - self.asked)

    @property
    def end(self) -> int:
        """Clock at the end, in decoded tokens."""
        return self.start + self.usage.output_tokens
