"""How much the votes for an answer count, by how short its samples are among their siblings.

Where a model's short answers are the right ones a vote for them counts for more, and for less where
its short answers are the wrong ones. Which it is is learnt (`fit.weighing`), never assumed.
"""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING, NamedTuple

from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterable


class Tally(NamedTuple):
    """Who leads a vote."""

    leader: int
    """`NONE` without answers; the first drawn of equals."""
    first: int
    """Votes of the leader, weighed and rounded."""
    second: int
    """Of the runner-up."""


class Weigher(NamedTuple):
    """Votes by length: c samples that say the same count as (1 + c) e^(by s) - 1.

    s is how much shorter than the samples so far they are, in mean log tokens.
    """

    by_length: float = 0.0
    """0 where each sample counts as one; below 0 where long ones are right more often."""

    def reach(self, left: int) -> float:
        """Return the lead that so many further samples might still make up for."""
        return left * exp(abs(self.by_length))

    def tally(self, said: Iterable[tuple[int, float]]) -> Tally:
        """Count samples, each its group and its tokens, in the order in which they were drawn."""
        drawn = [(group, log(max(1.0, tokens))) for group, tokens in said]
        own: dict[int, list[float]] = {}
        for group, length in drawn:
            if group != NONE:
                own.setdefault(group, []).append(length)
        if not own:
            return Tally(NONE, 0, 0)
        mean = sum(length for _, length in drawn) / len(drawn)
        counts = {
            group: (1 + len(all_)) * exp(self.by_length * (mean - sum(all_) / len(all_))) - 1
            for group, all_ in own.items()
        }
        leader = max(counts, key=lambda group: counts[group])
        second = max((votes for group, votes in counts.items() if group != leader), default=0.0)
        return Tally(leader, max(1, round(counts[leader])), max(0, round(second)))


PLAIN = Weigher()
"""Each sample counts as one."""
