"""All plans on the same problems: those that every effort left in the race was measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from workspan.lab.efforts.crossing import is_enough
from workspan.lab.efforts.race import Raced
from workspan.lab.efforts.seen import ladders_of
from workspan.search.betting import ahead_within
from workspan.strategies.auto.fit.ladders import Played, plain_plans, play
from workspan.strategies.auto.fit.seen import FEWEST, Ladders, Rung, even


class Ahead(NamedTuple):
    """How far one thing is ahead of another in accuracy, paired by problem."""

    mean: float
    low: float
    """Of an interval that holds with 95 % however long the race went on."""
    high: float


@dataclass(frozen=True, slots=True)
class Common:
    """Votes at one effort and plain ladders, each on all of these problems."""

    ladders: Ladders
    """`even` ones."""
    played: Played

    @classmethod
    def of(cls, raced: Raced, *, pooled: bool, seed: int) -> Common | None:
        """Play them; None where there are too few problems to choose by some and judge by others.

        Args:
            raced: the race.
            pooled: answers of different settings can be compared.
            seed: of the orders of samples.
        """
        alive = [place for place in raced.alive if raced.of(place)]
        held = ladders_of(raced, alive, pooled=pooled) if alive else None
        if held is None or sum(all(one.draws) for one in held.problems) < 2 * FEWEST:
            return None
        ladders = even(held)
        if not is_enough(ladders):
            return None
        return cls(ladders, play(ladders, plain_plans(ladders), seed=seed))

    @property
    def best(self) -> int:
        """The place of the votes at one effort that are most often right; the cheapest of those."""
        right, work = self.played.right.mean(axis=1), self.played.work.mean(axis=1)
        return max(self._fixed, key=lambda i: (right[i], -work[i]))

    def votes(self, rung: Rung) -> list[int]:
        """Return the places of the votes at one of its efforts."""
        at = self.ladders.rungs.index(rung)
        return [i for i in self._fixed if self.played.plans[i].stages[0].rung == at]

    @property
    def climbs(self) -> list[int]:
        """The places of the plain ladders."""
        return [i for i, plan in enumerate(self.played.plans) if len(plan.stages) > 1]

    @property
    def _fixed(self) -> list[int]:
        return [i for i, plan in enumerate(self.played.plans) if len(plan.stages) == 1]


def ahead_of(ours: Sequence[float], theirs: Sequence[float]) -> Ahead:
    """Return how far ours are ahead."""
    return Ahead(fmean(ours) - fmean(theirs), *ahead_within(ours, theirs))
