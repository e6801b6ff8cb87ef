"""The depth at which a line is given up for a new one, where a verifier knows a right answer.

Expected work to the first pass with restarts at cap d is c(d) / q(d): c(d) what a line then takes,
q(d) the chance that it passes (Luby, Sinclair and Zuckerman 1993). Problems differ, and some never
pass, so what is made largest is the share of the library's problems that pass within the budget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from workspan.allocate.table import Table

_TYPICAL = 8
"""Lines' worth of work that is planned for where there is no limit."""


def best_cap(table: Table, caps: Sequence[int], work: float | None = None) -> int:
    """Return the cap with the most passes within a problem's work; the deepest of equals.

    Args:
        table: the library.
        caps: to choose from.
        work: tokens of a problem; None is without limit.
    """
    budget = _TYPICAL * table.scale if work is None else work
    passes = table.right[:, :, -1] & table.ended

    def passed(cap: int) -> tuple[float, int]:
        rate = (passes & (table.tokens <= cap)).mean(axis=1)
        cost = np.minimum(table.tokens, cap).mean(axis=1)
        return float((1 - (1 - rate) ** (budget / cost)).mean()), cap

    return max(map(passed, caps))[1]
