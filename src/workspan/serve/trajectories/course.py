"""Where a trajectory stands as a turn begins, and how wide the turn may be. Pure.

A second draft pays where drafts disagree, and costs the same where they don't. What is known of
that is measured: of each state, the tool whose result came last and the tools that the first draft
calls, how often two drafts were drawn, and how often they differed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_USUAL = 0.2
"""The part of pairs that are taken to differ before anything is measured."""
_PRIOR = 5
"""So many pairs weigh as much as what was thought before them."""
_SAFE = 0.03
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
        to have its one draft, and those where drafts are known to differ have the rest alike. Where
        that is too little for a vote each, those that come first have one.
        """
        state = State(self.after, calls)
        if not self.is_measured or self._is_safe(state):
            return 1
        if self.room is None:
            return most
        spare = max(0.0, self.room - 1 - self.to_come)
        need = 1 + _VOTE
        share = 1 + int(spare * need / (need + self.to_come * self._demand()))
        if spare < LEAST - 1 or not self._is_among_the_best(state, spare):
            return 1
        return min(max(share, LEAST), most)

    def rate(self, state: State) -> float:
        """Return the part of pairs that differ: at first as in others that call these tools."""
        calls = state.calls
        alike = [x for one, x in self.seen.items() if one.calls == calls and one != state]
        differed, pairs = sum(one.differed for one in alike), sum(one.pairs for one in alike)
        prior = (differed + _PRIOR * _USUAL) / (pairs + _PRIOR)
        own = self.seen.get(state, NOTHING)
        return (own.differed + _PRIOR * prior) / (own.pairs + _PRIOR)

    def _is_safe(self, state: State) -> bool:
        """Say whether drafts agree here, and it is not this turn's part to see whether they do."""
        turns = self.seen.get(state, NOTHING).turns
        return self.rate(state) < _SAFE and (turns + 1) % _CHECKED != 0

    def _demand(self, above: float = _SAFE) -> float:
        """Return the further drafts of an ordinary turn, if a second is drawn above some rate."""
        turns = sum(one.turns for one in self.seen.values())
        if not turns:
            return 1 + _VOTE * _USUAL
        rates = [(one.turns, self.rate(state)) for state, one in self.seen.items()]
        return sum(n * (1 + _VOTE * rate) for n, rate in rates if rate > above) / turns

    def _is_among_the_best(self, state: State, spare: float) -> bool:
        """Say whether a second draft is paid for here once it is where they differ more often."""
        rate = self.rate(state)
        return self._demand(rate) * self.to_come + 1 + _VOTE * rate <= spare
