"""How lines are given up for new ones, and all of them for an arm, where a verifier judges.

Expected work to the first pass with restarts at cap d is c(d) / q(d): c(d) what a line then takes,
q(d) the chance that it passes (Luby, Sinclair and Zuckerman 1993). Problems differ, and some never
pass, so what is made largest is the share of the library's problems that pass within the budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.allocate.state import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from workspan.allocate.table import Table

_TYPICAL = 8
"""Lines' worth of work that is planned for where there is no limit."""


FEW = (0, 1, 2, 4, 8, 16, 32)
"""Lines before an arm."""


class Restarts(NamedTuple):
    """One line after another, each to a cap, until one passes; or an arm after some of them."""

    cap: int
    lines: int | None = None
    """Before the arm; None is as many as there is room for."""
    arm: int = NONE


def best_restarts(
    table: Table,
    caps: Sequence[int],
    work: float | None = None,
    *,
    noise: float | None = None,
) -> Restarts:
    """Return the restarts with the most passes within a problem's work.

    Of equal caps the deepest is taken; an arm only where it is ahead by more than `noise`, and of
    equal ways to it the cheapest.

    Args:
        table: the library.
        caps: to choose from.
        work: tokens of a problem; None is without limit.
        noise: of a share of the problems; None leaves the arms out.
    """
    typical = _TYPICAL * table.scale
    if work is None and table.arms is not None and noise is not None:
        typical = max(typical, float(table.arms.work.max()))
    budget = typical if work is None else work
    passes = table.right[:, :, -1] & table.ended
    rates = {cap: (passes & (table.tokens <= cap)).mean(axis=1) for cap in caps}
    costs = {cap: np.minimum(table.tokens, cap).mean(axis=1) for cap in caps}

    def passed(cap: int) -> tuple[float, int]:
        return float((1 - (1 - rates[cap]) ** (budget / costs[cap])).mean()), cap

    share, cap = max(map(passed, caps))
    found = Restarts(cap)
    if table.arms is None or noise is None:
        return found
    best = (share + noise, 0.0)
    for cap in caps:
        for lines in FEW:
            for arm in range(table.arms.work.shape[1]):
                then = (table.arms.work[:, arm], table.arms.right[:, arm])
                told = _with_arm(rates[cap], costs[cap], lines, *then, budget)
                if told > best:
                    best, found = told, Restarts(cap, lines, arm)
    return found


def _with_arm(
    rate: NDArray[np.float64],
    cost: NDArray[np.float64],
    lines: int,
    work: NDArray[np.float64],
    right: NDArray[np.bool_],
    budget: float,
) -> tuple[float, float]:
    """Return what passes by some lines, an arm, then lines again: its share, and less its work."""
    first = np.minimum(lines, budget / cost)
    left = budget - first * cost
    by_arm = right & (work <= left)
    rest = np.maximum(left - work, 0.0) / cost
    passed = (1 - (1 - rate) ** (first + rest) * ~by_arm).mean()
    fails = (1 - rate) ** first
    drawn = np.where(rate > 0, (1 - fails) / np.maximum(rate, 1e-9), first)
    after = np.minimum(work, left) + ~by_arm * rest * cost
    return round(float(passed), 9), -float((drawn * cost + fails * after).mean())
