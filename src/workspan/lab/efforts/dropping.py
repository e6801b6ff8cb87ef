"""Which settings a race need not pay for any more, by intervals that hold at every look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from workspan.search.betting import ALPHA, ahead_within

HOPELESS = 0.1
"""Accuracy by which a setting must surely be behind to be dropped though it is the cheaper one: so
far behind, its samples settle too little to be the lower rung of a ladder that pays."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One setting in the race."""

    place: int
    right: Mapping[int, float]
    """Mean over its samples, by places of problems in the order of the race."""
    cost: float
    """Of a sample, mean."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A setting that left the race."""

    place: int
    by: int
    """The place of the one that it is behind."""
    is_cheaper: bool
    """It is the cheaper one, and hopelessly behind; else it costs no less, and is surely behind."""
    low: float
    """By how much it is behind, at least."""
    high: float
    problems: int


def dropped(standing: Sequence[Standing], entrants: int, alpha: float = ALPHA) -> list[Dropped]:
    """Return the settings that can't pay, each with the one that shows it.

    The chance that a race ever drops one that is ahead is `alpha` at most, however often it looks:
    each of the entrants' ordered pairs has an equal share of it.

    Args:
        standing: those still in the race.
        entrants: how many there were at its start.
        alpha: of the whole race.
    """
    share = alpha / max(1, entrants * (entrants - 1))
    found: dict[int, Dropped] = {}
    for worse, better in permutations(standing, 2):
        places = sorted(worse.right.keys() & better.right.keys())
        if not places or worse.place in found:
            continue
        ours = [better.right[place] for place in places]
        ahead = ahead_within(ours, [worse.right[place] for place in places], share)
        is_cheaper = worse.cost < better.cost
        if ahead.low > (HOPELESS if is_cheaper else 0.0):
            one = Dropped(worse.place, better.place, is_cheaper, ahead.low, ahead.high, len(places))
            found[worse.place] = one
    return list(found.values())
