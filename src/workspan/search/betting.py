"""Intervals that hold however long one looks: a mean of values in [0, 1], watched as it grows.

A bet that the mean is above m can't be expected to win where it is not: K = product over the values
of (1 - b) + b x / m, for any stake b below 1, is a supermartingale that starts at 1, and so ever
reaches 2/a with probability a/2 at most (Ville 1939). The lower end is the least m that no such bet
has refuted, on average over some fixed stakes; the upper end that of bets on 1 - x. Each factor
falls with m, so both ends are found by bisection. (Waudby-Smith and Ramdas 2024, "Estimating means
of bounded random variables by betting", JRSS B 86:1.) It may be looked at after each value, and one
may stop for whatever it says.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

ALPHA = 0.05
_STAKES = tuple(2.0**-power * 0.95 for power in range(7))
"""Shares of the most that may be staked."""
_HALVINGS = 24
"""Of the range of means, where an end is sought; the outer half is kept."""


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
        [0.82, 1.0]
    """
    if any(not 0 <= value <= 1 for value in values):
        raise ValueError("each value lies in [0, 1]")
    if not values:
        return Range(0.0, 1.0)
    low = _least(Counter(values), alpha)
    high = 1 - _least(Counter(1 - value for value in values), alpha)
    mean = math.fsum(values) / len(values)
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


def _least(counts: Counter[float], alpha: float) -> float:
    """Return the least mean that no bet on a higher one has refuted at `alpha` / 2."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        is_refuted = _wealth(counts, middle) >= math.log(2 / alpha)
        low, high = (middle, high) if is_refuted else (low, middle)
    return low


def _wealth(counts: Counter[float], mean: float) -> float:
    """Return the logarithm of what bets on a higher mean have come to, on average over stakes."""
    logs = [
        math.fsum(n * math.log((1 - stake) + stake * value / mean) for value, n in counts.items())
        for stake in _STAKES
    ]
    most = max(logs)
    return most + math.log(math.fsum(math.exp(one - most) for one in logs) / len(logs))
