"""What any rule that stops one chain by these signals could reach: a bound, no strategy.

The signals are all that `auto` sees of a chain alone: how deep it is, whether it has ended, what it
says, for how long it has said so, and how many answers it has left. A dynamic program over them
finds the best stopping at a price of tokens, *on the very chains and labels that it is judged by*,
and probes are free. So it flatters: who must learn on other problems, or pays for probes, is below.
A mean budget is met by mixing two prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.lab.calibrating import calibrate
from workspan.strategies.auto.fit.ladders import hull_of
from workspan.strategies.auto.fit.table import Table, tabulate
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from workspan.recordings.recording import Recording

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_PRICES = 0.1 / 2 ** np.arange(0, 24, 0.5)
"""Accuracy that a hundred tokens must be worth."""
_STREAKS, _CHANGES = 6, 4


class Stopped(NamedTuple):
    """The best stopping at a price; arrays [problem], means over chains."""

    right: Floats
    work: Floats


def stopping_bound(recording: Recording, budgets: Sequence[int]) -> list[Floats]:
    """Return how right each problem is at best within each mean budget."""
    table = tabulate(calibrate([recording]))
    none = Stopped(*np.zeros((2, len(table.tokens))))
    found = [none, *_frontier(table)]
    work, right = (np.array([one[i].mean() for one in found]) for i in (1, 0))
    corners = [found[i] for i in hull_of(work, right)]
    return [_mixed(corners, budget) for budget in budgets]


def _mixed(corners: Sequence[Stopped], budget: float) -> Floats:
    work = [float(one.work.mean()) for one in corners]
    above = next((i for i, spent in enumerate(work) if spent > budget), None)
    if above is None:
        return corners[-1].right
    low, high = corners[above - 1], corners[above]
    share = (budget - work[above - 1]) / (work[above] - work[above - 1])
    return (1 - share) * low.right + share * high.right


def _frontier(table: Table) -> Iterator[Stopped]:
    """Yield the best stopping at each price, by backward induction over all chains."""
    depth = np.minimum(np.arange(table.steps + 1) * table.block, table.tokens[..., None])
    states = _states(table)
    for price in _PRICES / 100:
        value, spent = table.right[..., -1].astype(float), np.zeros(table.tokens.shape)
        for step in range(table.steps - 1, 0, -1):
            is_open = depth[..., step] < table.tokens
            now = table.right[..., step].astype(float)
            more = (depth[..., step + 1] - depth[..., step]) + spent
            gain = (value - now - price * more)[is_open]
            kind = states[..., step][is_open]
            mean = np.bincount(kind, gain) / np.maximum(1, np.bincount(kind))
            stops = np.zeros_like(is_open)
            stops[is_open] = mean[kind] <= 0
            value = np.where(stops, now, value)
            spent = np.where(stops, 0.0, np.where(is_open, more, spent))
        work = depth[..., 1] + spent
        yield Stopped(value.mean(axis=1), work.mean(axis=1))


def _states(table: Table) -> Ints:
    """Number what a chain shows at each depth [problem, line, step]."""
    group = table.group
    depth = np.arange(table.steps + 1) * table.block
    stood = np.log2(np.maximum(1, (depth - table.since) / table.block)).astype(int)
    is_new = (group[..., 1:] != group[..., :-1]) & (group[..., :-1] != NONE)
    left = np.concatenate([np.zeros_like(is_new[..., :1]), is_new], axis=-1).cumsum(axis=-1)
    found = np.minimum(stood, _STREAKS - 1) * _CHANGES + np.minimum(left, _CHANGES - 1)
    states: Ints = np.where(group == NONE, _STREAKS * _CHANGES, found)
    return states
