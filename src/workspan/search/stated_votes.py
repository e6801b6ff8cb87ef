"""Votes that end at a stated risk: answered where a rule holds, given up where it hardly can."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from typing import Literal, Protocol

from workspan.search.mode_set import BET, ModeSet, at_least

Verdict = Literal["draw", "answer", "abstain"]
NO_ANSWER = -1
"""A draw that held no answer: it is one of the n, and a vote for nobody."""
HOPELESS = 0.02
"""A vote is given up where it ends well with a smaller chance."""
_NEAR = 1e-9


class StatedVotes(Protocol):
    """Takes in draws one after the other; what it says holds at any look."""

    @property
    def leader(self) -> int:
        """The answer of most votes, of equals the one there first; `NO_ANSWER` without a vote."""
        ...

    def vote(self, answer: int) -> None:
        """Take in one draw."""
        ...

    @property
    def verdict(self) -> Verdict:
        """What to do next."""
        ...


@dataclass
class ModeVotes:
    """Answer once the leader is certified as the mode: see `mode_set`."""

    delta: float
    n: int
    """Draws, at most."""
    hopeless: float = HOPELESS
    """0 never gives up."""
    bet: float = BET
    drawn: int = 0
    _mode: ModeSet = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a vote."""
        self._mode = ModeSet(self.delta, self.bet)

    @property
    def leader(self) -> int:
        """The answer of most votes; `NO_ANSWER` without a vote."""
        return NO_ANSWER if self._mode.leader is None else self._mode.leader

    def vote(self, answer: int, weight: float = 1.0) -> None:
        """Take in one draw, of a weight in [0, 1]."""
        self.drawn += 1
        if answer != NO_ANSWER:
            self._mode.vote(answer, weight)

    @property
    def verdict(self) -> Verdict:
        """Answer, if the leader is certified; certified once, it stays so until the next draw."""
        if self._mode.is_certain:
            return "answer"
        left = self.n - self.drawn
        is_over = left <= 0 or self._mode.hope(left, self.drawn) < self.hopeless
        return "abstain" if is_over else "draw"


@dataclass
class AgreementVotes:
    """Answer once the leader has so many votes of all draws and one more.

    votes / (draws + 1): draws without an answer count as disagreement, and one is always taken to
    disagree, so that few votes weigh less than many: 1 of 1 is 0.5, 3 of 3 are 0.75, 9 of 9 0.9.
    """

    threshold: float
    n: int
    """Draws, at most."""
    hopeless: float = HOPELESS
    leader: int = NO_ANSWER
    """The answer of most votes, of equals the one that was there first."""
    drawn: int = 0
    _votes: dict[int, int] = field(default_factory=dict)

    def vote(self, answer: int) -> None:
        """Take in one draw."""
        self.drawn += 1
        if answer == NO_ANSWER:
            return
        held = self._votes[answer] = self._votes.get(answer, 0) + 1
        if held > self._first:
            self.leader = answer

    @property
    def _first(self) -> int:
        return self._votes.get(self.leader, 0)

    @property
    def score(self) -> float:
        """The leader's votes / (draws + 1), in [0, 1)."""
        return self._first / (self.drawn + 1)

    @property
    def verdict(self) -> Verdict:
        """Answer, if the score is at the threshold."""
        if self._first and self.score >= self.threshold - _NEAR:
            return "answer"
        left = self.n - self.drawn
        hope = _hope(self.threshold, self._first, self.drawn, left) if left > 0 else 0.0
        is_over = left <= 0 or hope < self.hopeless
        return "abstain" if is_over else "draw"


@lru_cache(maxsize=1 << 14)
def _hope(threshold: float, first: int, drawn: int, left: int) -> float:
    """Return about how likely the threshold is still reached, under a flat prior (beta-binomial).

    The better of two ways: all draws from here for the leader, or enough of all that are left.
    """
    soonest = max(1, ceil((threshold * (drawn + 1) - first) / (1 - threshold) - _NEAR))
    if soonest > left:
        return 0.0
    wins = ceil(threshold * (drawn + left + 1) - first - _NEAR)
    a, b = first + 1, drawn - first + 1
    return max(at_least(soonest, soonest, a, b), at_least(left, wins, a, b))
