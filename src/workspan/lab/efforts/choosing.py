"""What to run: the plan that does best, among no more than the problems can tell apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from workspan.lab.efforts.crossing import Choose, crossed
from workspan.strategies.auto.fit.ladders import SLACK, Each, Mix, Played, play
from workspan.strategies.auto.fit.laid import Climb
from workspan.strategies.auto.fit.seen import Ladders


class Chosen(NamedTuple):
    """What to run."""

    plan: Climb
    each: Each
    """What such a choice came to on problems that it was not made by."""


def chosen(played: Played, budget: float | None) -> Mix:
    """Return the plan within a mean budget that is most often right, or one about as right.

    A budget below the cheapest plan is met by that.
    """
    if budget is None:
        plan = played.best()
        return Mix(plan, plan)
    work, right = played.work.mean(axis=1), played.right.mean(axis=1)
    fits = [i for i in range(len(work)) if work[i] <= budget] or [int(work.argmin())]
    most = max(right[i] for i in fits)
    best = min((i for i in fits if right[i] >= most - SLACK), key=lambda i: work[i])
    return Mix(played.plans[best], played.plans[best])


_FAMILIES: tuple[Callable[[Climb], bool], ...] = (
    lambda plan: len(plan.stages) == 1,
    lambda plan: plan.is_plain,
    lambda _: True,
)
"""Votes at one effort, plain ladders too, all ladders: the more there are to choose among, the more
of what looks best is chance."""


def choose(ladders: Ladders, budget: float | None, seed: int) -> Chosen:
    """Choose the family whose choice does best on problems that it was not made by, and the plan.

    Of those that do about as well, the one that takes the least work.
    """

    def choosing(fits: Callable[[Climb], bool]) -> Choose:
        return lambda played: chosen(played.keep(fits), budget)

    found = crossed(ladders, [choosing(fits) for fits in _FAMILIES], seed=seed)
    most = max(float(one.right.mean()) for one in found)
    good = [i for i, one in enumerate(found) if one.right.mean() >= most - SLACK]
    best = min(good, key=lambda i: float(found[i].work.mean()))
    return Chosen(choosing(_FAMILIES[best])(play(ladders, seed=seed)).first, found[best])
