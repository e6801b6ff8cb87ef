"""Lengths of which some were only seen to be longer than they were let grow."""

from __future__ import annotations

from collections.abc import Iterable


def median_length(lengths: Iterable[tuple[float, bool]]) -> float | None:
    """Return the median length by the product-limit estimator; None where over half were cut.

    Kaplan and Meier 1958: the share that is longer falls by 1/left at each end that is seen.

    Args:
        lengths: each with whether it ended by itself; one that was cut is longer than it is.
    """
    held = sorted(lengths, key=lambda one: (one[0], not one[1]))
    alive, left = 1.0, len(held)
    for length, has_ended in held:
        if has_ended:
            alive *= 1 - 1 / left
            if alive <= 0.5:
                return float(length)
        left -= 1
    return None
