"""Where a trajectory stands as a turn begins, and how wide the turn may be. Pure.

A second draft pays where drafts disagree, and costs the same where they don't. What is known of
that is measured: of each state, the tool whose result came last and the tools that the first draft
calls, how often two drafts were drawn, and how often they differed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_AGREED, _DIFFERED = 4, 1
"""What a state is taken to have shown before anything is measured: one pair of five differs."""
_SAFE = 0.05
"""A rate of pairs that differ, below which one draft is enough."""
_CHECKED = 16
"""Of so many turns in a state that is safe, one draws a pair, so that a change is seen."""
_VOTE = 3
"""Drafts beside the first, of a turn whose drafts differ, as they are planned for."""
LEAST = 3
"""Drafts that a turn must be able to pay for before it draws a second: two that differ say nothing
of which is right."""
UNKNOWN_TURNS = 4
"""Taken to come, at least, where nobody said how many there are."""


class State(NamedTuple):
    """What is known of a step before a second draft of it is drawn."""

    after: str = ""
    """The tool whose result came last; empty after words of a person."""
    calls: tuple[str, ...] = ()
    """The tools that the first draft calls; none is an answer in words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was measured of one state."""

    turns: int = 0
    pairs: int = 0
    """Turns of which two drafts at least were drawn and could be read."""
    differed: int = 0
    """Pairs that differed."""

    @property
    def rate(self) -> float:
        """The part of pairs that differ, as far as is known."""
        return (self.differed + _DIFFERED) / (self.pairs + _AGREED + _DIFFERED)

    def and_one(self, *, differs: bool | None) -> Seen:
        """Return it with one more turn; None where no pair was drawn."""
        is_pair = differs is not None
        return Seen(self.turns + 1, self.pairs + is_pair, self.differed + bool(differs))


NOTHING = Seen()


@dataclass(frozen=True, slots=True)
class Course:
    """What a strategy may know of the trajectory that its turn is one of."""

    after: str = ""
    room: float | None = None
    """Drafts that what is left of the trajectory's budget pays for; None is no limit, or what a
    draft takes is not known yet: see `is_measured`."""
    is_measured: bool = True
    """A draft was drawn before, so that what one takes is known."""
    to_come: int = UNKNOWN_TURNS
    """Turns after this one."""
    seen: Mapping[State, Seen] = field(default_factory=dict)

    def width(self, calls: tuple[str, ...], most: int) -> int:
        """Return how many drafts a turn may draw whose first draft calls these tools.

        1 is that first draft alone. What is left is spread over the turns to come: each of them is
        to have its one draft, and those that are likely to need a vote have the rest alike.
        """
        state = State(self.after, calls)
        if not self.is_measured or self._is_safe(state):
            return 1
        if self.room is None:
            return most
        spare = self.room - 1 - self.to_come
        share = 1 + int(max(0.0, spare) / (1 + self.to_come * self._contested))
        if share < LEAST or not self._is_among_the_best(state, spare):
            return 1
        return min(share, most)

    def _is_safe(self, state: State) -> bool:
        """Say whether drafts agree here, and it is not this turn's part to see whether they do."""
        known = self.seen.get(state, NOTHING)
        return known.rate < _SAFE and known.turns % _CHECKED != 0

    @property
    def _contested(self) -> float:
        """The part of turns that are likely to need a vote."""
        turns = sum(one.turns for one in self.seen.values())
        if not turns:
            return NOTHING.rate
        return sum(one.turns * one.rate for one in self.seen.values()) / turns

    def _is_among_the_best(self, state: State, spare: float) -> bool:
        """Say whether a second draft is paid for here once it is where they differ more often."""
        rate = self.seen.get(state, NOTHING).rate
        turns = sum(one.turns for one in self.seen.values())
        dearer = sum(
            one.turns * (1 + _VOTE * one.rate)
            for other, one in self.seen.items()
            if other != state and one.rate > rate
        )
        planned = dearer / turns * self.to_come if turns else 0.0
        return planned + 1 + _VOTE * rate <= spare
