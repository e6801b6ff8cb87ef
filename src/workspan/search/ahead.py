"""First to be ahead by k: the sequential probability ratio test of the two leading answers."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, expm1, log


def lead(counts: Sequence[int]) -> int:
    """Return by how many votes the first answer is ahead of the second.

    Args:
        counts: votes of each answer, largest first.
    """
    first, second = [*counts, 0, 0][:2]
    return first - second


def chance_of_error(k: int, p: float) -> float:
    """Return the chance that the wrong one of two answers is ahead by k first.

    1 / (1 + (p / (1 - p))^k): Wald's test with both errors alike, the gambler's ruin.

    Args:
        k: the lead that ends it.
        p: of a vote that is for one of the two, the chance that it is for the right one.
    """
    return 1 / (1 + (p / (1 - p)) ** k)


def lead_needed(p: float, steps: int = 1, success: float = 0.95) -> int:
    """Return the least lead with which all of `steps` votes end right with this probability.

    ceil(ln(t^(-1/s) - 1) / ln((1 - p) / p)): MAKER's k, which grows as ln(steps)
    (arXiv:2511.09030, of one step a call).

    Args:
        p: chance that a vote is for the right step rather than for its one rival; above 1/2.
        steps: s.
        success: t, of all steps together.

    Raises:
        ValueError: no lead would do.
    """
    if not (0.5 < p < 1 and steps >= 1 and 0 < success < 1):
        raise ValueError(f"{p=} must be in (0.5, 1), {steps=} at least 1, {success=} in (0, 1)")
    odds = expm1(-log(success) / steps)
    return max(1, ceil(log(odds) / log((1 - p) / p)))
