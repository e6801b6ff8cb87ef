"""Intervals that hold however long one looks: a mean of values in [0, 1], watched as it grows.

A bet against a mean m that is true can't be expected to win: K = product of (1 + b (x - m)) over
the values, for any stake b that keeps it above 0, is a martingale that starts at 1, so that it ever
reaches 1/a with probability a at most (Ville 1939). The interval is what no bet has refuted: all m
for which the mean of K over some fixed stakes, in both directions, is below 1/a (Waudby-Smith and
Ramdas 2024, "Estimating means of bounded random variables by betting", JRSS B 86:1). It may be
looked at after each value, and one may stop for whatever it says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

ALPHA = 0.05
_STAKES = tuple(2.0**-power * 0.95 for power in range(7))
"""Shares of the most that may be staked."""
_STEPS = 500
"""Means that are tried; an interval is widened to the next, so that none is missed."""


class Range(NamedTuple):
    """From the lowest to the highest mean that was not refuted."""

    low: float
    high: float


def mean_within(values: Sequence[float], alpha: float = ALPHA) -> Range:
    """Return an interval of a mean that holds at all times together with probability 1 - `alpha`.

    Args:
        values: each in [0, 1], in the order in which they came; whatever their distribution, each
            has the same mean given those before it.
        alpha: above 0, below 1.

    Raises:
        ValueError: a value is out of range.

    Example:
        >>> [round(end, 2) for end in mean_within([1.0] * 30)]
        [0.85, 1.0]
    """
    if any(not 0 <= value <= 1 for value in values):
        raise ValueError("each value lies in [0, 1]")
    if not values:
        return Range(0.0, 1.0)
    counts = Counter(values)
    held = [m for m in range(_STEPS + 1) if _wealth(counts, m / _STEPS) < -math.log(alpha)]
    mean = math.fsum(values) / len(values)
    low = max(0.0, (held[0] - 1) / _STEPS) if held else mean
    high = min(1.0, (held[-1] + 1) / _STEPS) if held else mean
    return Range(min(low, mean), max(high, mean))


def ahead_within(ours: Sequence[float], theirs: Sequence[float], alpha: float = ALPHA) -> Range:
    """Return such an interval of how far ours are ahead of theirs on the same problems.

    Example:
        >>> ahead_within([1.0] * 40, [0.0] * 20 + [1.0] * 20).low > 0.1
        True
    """
    halves = [(a - b + 1) / 2 for a, b in zip(ours, theirs, strict=True)]
    low, high = mean_within(halves, alpha)
    return Range(2 * low - 1, 2 * high - 1)


def _wealth(counts: Counter[float], mean: float) -> float:
    """Return the logarithm of what bets against a mean have come to, on average over stakes."""
    logs = [
        math.fsum(n * math.log1p(stake * (value - mean)) for value, n in counts.items())
        for share in _STAKES
        for stake in (
            share / mean if mean else 0.0,
            -share / (1 - mean) if mean < 1 else 0.0,
        )
        if _is_open(stake, counts, mean)
    ]
    if not logs:
        return math.inf
    most = max(logs)
    return most + math.log(math.fsum(math.exp(one - most) for one in logs) / (2 * len(_STAKES)))


def _is_open(stake: float, counts: Counter[float], mean: float) -> bool:
    """Say whether such a bet can be paid; at a mean of 0 or 1 another value refutes it outright."""
    if mean in (0, 1):
        return all(value == mean for value in counts)
    return all(stake * (value - mean) > -1 for value in counts)
