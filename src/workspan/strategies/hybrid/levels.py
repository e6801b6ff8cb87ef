"""Level-by-level search: all open paths grow by one step, then a rule says which go on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from workspan.errors import BudgetExceeded
from workspan.search.steps import Path
from workspan.strategies.hybrid.steps import Steps

Select: TypeAlias = Callable[[list[Path], int], list[Path]]
"""Given the open paths of a level and how many of the n are left to finish, returns those to
continue, each as often as it gets children."""


async def by_levels(steps: Steps, n: int, max_steps: int, select: Select) -> list[Path]:
    """Grow n paths until that many are finished, the steps are used up or the budget ends.

    Finished paths are set aside at once, as search-and-learn and REBASE do. Returned are these, in
    order, then the open paths of the last level.
    """
    finished, n = list[Path](), steps.session.branches(n)
    level = [Path()]
    chosen = level * n
    for _ in range(max_steps):
        try:
            grown = await steps.grow(chosen)
        except BudgetExceeded:
            break
        finished += [path for path in grown if path.is_finished]
        level = [path for path in grown if not path.is_finished]
        if not level or len(finished) >= n:
            break
        chosen = select(level, n - len(finished))
    return [*finished, *level]


def children(paths: Sequence[Path], counts: Sequence[int]) -> list[Path]:
    """Return each path as often as its count says."""
    return [path for path, count in zip(paths, counts, strict=True) for _ in range(count)]
