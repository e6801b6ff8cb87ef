"""Dividing what is left of a budget among parts that run side by side."""

from __future__ import annotations

from workspan.data.budget import Budget


def evenly(left: Budget, parts: int, share: float = 1.0) -> Budget:
    """Return each part's equal share of the work; side by side, each has the whole span."""
    return Budget(work=None if left.work is None else int(left.work * share / parts))
