"""Tries one after another until a verifier passes one: in which order, and how deep each.

A try is a new line to some cap, or an arm with some work. The next one is what most problems that
are still unsolved would pass a token, by the library: such a greedy schedule is within a factor of
four of the best in mean work, and of 1 - 1/e in what is solved within a budget (Streeter, Golovin
and Smith 2007, Combining Multiple Heuristics Online). Problems differ, so each try that fails tells
that the problem is of those on which it does. At the end of a budget greed may leave too little for
a deep try; so schedules that begin with another try, and restarts at one cap, are played on the
library as well, and the one that passes most is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.allocate.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from workspan.allocate.table import Table

    Floats = NDArray[np.float64]

MOST = 64
"""Tries of a schedule; what is still unsolved begins it again."""
SIZES = (0.25, 0.5, 0.75, 1.0)
"""Quantiles of an arm's work that its tries may have."""
_RUNS = 32
_TYPICAL = 8
"""Lines' worth of work that is planned for where there is no limit."""


class Try(NamedTuple):
    """One line, or one run of an arm."""

    tokens: int
    """At most."""
    arm: int = NONE
    """`NONE` is a line."""
    gain: float = 0.0
    """P(pass), of problems that no try before it solved."""
    cost: float = 0.0
    """Tokens, mean over the same."""


class _Known(NamedTuple):
    """What the library says of one kind of try; arrays [problem]."""

    what: Try
    rate: Floats
    cost: Floats


def best_schedule(
    table: Table, caps: Sequence[int], work: float | None = None, *, has_arms: bool = False
) -> tuple[Try, ...]:
    """Return the tries that pass most of the library's problems within a problem's work.

    Args:
        table: the library.
        caps: of lines, to choose from.
        work: tokens of a problem; None is without limit.
        has_arms: the library's arms can be used.
    """
    budget = _TYPICAL * table.scale if work is None else work
    known = [*_lines(table, [cap for cap in caps if cap <= budget] or [min(caps)])]
    alone = [(one,) for one in known]
    if has_arms:
        known += _arms(table)
        if work is None and table.arms is not None:
            budget += float(table.arms.work.max())
    found = [_greedy(known), *(_greedy(known, first) for first in known)]
    found += [tuple(one.what for one in same) for same in alone]
    return max(found, key=lambda tries: _played(table, tries, budget))


def _lines(table: Table, caps: Sequence[int]) -> Iterator[_Known]:
    passes = table.right[:, :, -1] & table.ended
    for cap in caps:
        rate = (passes & (table.tokens <= cap)).mean(axis=1)
        yield _Known(Try(cap), rate, np.minimum(table.tokens, cap).mean(axis=1))


def _arms(table: Table) -> Iterator[_Known]:
    if table.arms is None:
        return
    for arm in range(table.arms.work.shape[1]):
        work, right = table.arms.work[:, arm], table.arms.right[:, arm]
        passed = work[right] if right.any() else work
        for size in sorted({*map(int, np.ceil(np.quantile(passed, SIZES)))} - {0}):
            rate = (right & (work <= size)).astype(float)
            yield _Known(Try(size, arm), rate, np.minimum(work, size))


def _greedy(known: Sequence[_Known], first: _Known | None = None) -> tuple[Try, ...]:
    """Take what passes most a token among the problems that are left, again and again."""
    unsolved, tries = np.ones_like(known[0].rate), list[Try]()
    while len(tries) < MOST:
        gains = [float((unsolved * one.rate).sum()) for one in known]
        costs = [float((unsolved * one.cost).sum()) for one in known]
        ratios = [gain / max(cost, 1e-9) for gain, cost in zip(gains, costs, strict=True)]
        best = known.index(first) if first and not tries else int(np.argmax(ratios))
        if tries and gains[best] < 1e-6:
            break
        left = max(float(unsolved.sum()), 1e-9)
        tries.append(known[best].what._replace(gain=gains[best] / left, cost=costs[best] / left))
        unsolved = unsolved * (1 - known[best].rate)
    return tuple(tries)


def _played(table: Table, tries: Sequence[Try], budget: float) -> tuple[float, float]:
    """Return the share of runs that pass within the budget, and less their mean work."""
    n_problems, n = table.tokens.shape
    problem, rng = np.repeat(np.arange(n_problems), _RUNS), np.random.default_rng(0)
    passes = table.right[:, :, -1] & table.ended
    left, passed = np.full(len(problem), float(budget)), np.zeros(len(problem), dtype=bool)
    for i in range(MOST):
        tokens, arm = tries[i % len(tries)][:2]
        if arm == NONE:
            line = rng.integers(n, size=len(problem))
            size, right = table.tokens[problem, line].astype(float), passes[problem, line]
        else:
            assert table.arms is not None
            size, right = table.arms.work[problem, arm], table.arms.right[problem, arm]
        room = np.minimum(tokens, left)
        left = left - np.where(passed, 0.0, np.minimum(size, room))
        passed |= right & (size <= room)
        if (passed | (left <= 0)).all():
            break
    return round(float(passed.mean()), 9), float(left.mean())
