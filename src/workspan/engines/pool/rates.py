"""What one upstream may be asked within a minute: requests and tokens, as its provider counts.

Any sixty seconds are a minute: what was asked in the last sixty counts, so that no provider's own
window, wherever it begins, holds more.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from workspan.errors import InputError

MINUTE = 60.0


@dataclass(slots=True)
class Taken:
    """One call's share of a minute."""

    at: float
    tokens: int


@dataclass(slots=True)
class Rates:
    """The last minute of one upstream. Every method is told the time, in seconds."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    """Prompt and completion together; a call counts with the most that it may take until it has
    ended."""
    _taken: deque[Taken] = field(default_factory=deque)
    _tokens: int = 0

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through.

        Raises:
            InputError: one is below 1.
        """
        for name in ("requests_per_minute", "tokens_per_minute"):
            if (told := getattr(self, name)) is not None and told < 1:
                raise InputError(f"{name} is {told}: a whole number, 1 or more")

    @property
    def is_limited(self) -> bool:
        """There is something to be kept."""
        return self.requests_per_minute is not None or self.tokens_per_minute is not None

    def wait(self, now: float, tokens: int) -> float:
        """Return the seconds until a call of so many tokens may be begun; 0 is now.

        One that is larger than a whole minute's tokens waits until nothing else is in it.
        """
        self._forget(now)
        times = [0.0]
        most = self.requests_per_minute
        if most is not None and len(self._taken) >= most:
            times.append(self._taken[len(self._taken) - most].at + MINUTE - now)
        if self.tokens_per_minute is not None:
            times.append(self._until_room(now, max(0, self.tokens_per_minute - tokens)))
        return max(times)

    def _until_room(self, now: float, left: int) -> float:
        """Return the seconds until no more than `left` tokens are in the minute."""
        held, wait = self._tokens, 0.0
        for one in self._taken:
            if held <= left:
                break
            held, wait = held - one.tokens, one.at + MINUTE - now
        return wait

    def take(self, now: float, tokens: int) -> Taken:
        """Note that a call is begun."""
        taken = Taken(now, max(0, tokens))
        if self.is_limited:
            self._taken.append(taken)
            self._tokens += taken.tokens
        return taken

    def settle(self, taken: Taken, tokens: int) -> None:
        """Note what a call has taken in the end."""
        if self.is_limited and taken in self._taken:
            self._tokens += tokens - taken.tokens
        taken.tokens = tokens

    def _forget(self, now: float) -> None:
        while self._taken and self._taken[0].at + MINUTE <= now:
            self._tokens -= self._taken.popleft().tokens
