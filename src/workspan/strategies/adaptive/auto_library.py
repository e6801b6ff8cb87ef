"""What a calibration library gives to `auto`: read and studied once, a plan for each budget."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.allocate.library import Library, read_library
from workspan.allocate.state import Policy
from workspan.budget import Budget
from workspan.errors import MissingDependency

if TYPE_CHECKING:
    from workspan.allocate.study import Study
    from workspan.strategies.adaptive.auto import Auto

LITTLE = 0.01
"""Accuracy that who prefers span gives for it."""


def planned(auto: Auto, study: Study, budget: Budget) -> Policy:
    """Choose the plan for a budget, the quickest of about the best where span is preferred."""
    from workspan.allocate.rules import fitted

    work, price = budget.work, auto.price / 1000
    span: float | None = budget.span
    if auto.prefers == "span":
        best = study.best(work, span, price, has_arms=bool(auto.arms))
        good = [one for one in study.outcomes if one.accuracy >= best.accuracy - LITTLE]
        span = min(one.span for one in (*good, best) if work is None or one.work <= work)
    judged, arms = auto.verifier is not None, bool(auto.arms)
    return fitted(
        study,
        work=work,
        span=span,
        price=price,
        floor=auto.floor,
        is_judged=judged,
        has_arms=arms,
    )


def known(path: str) -> Library | None:
    """Read a library once for each version of its file; None without a path.

    Raises:
        DataError: it can't be read.
    """
    if not path:
        return None
    place = Path(path)
    return _read(place, place.stat().st_mtime_ns if place.exists() else 0)


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int) -> Library:
    return read_library(path)


def study_of(path: str, limit: int | None) -> Study:
    """Study a library for runs of so much work each: seconds, once.

    Raises:
        MissingDependency: NumPy is not installed.
    """
    place = Path(path)
    return _studied(place, place.stat().st_mtime_ns, limit)


@lru_cache(maxsize=8)
def _studied(path: Path, stamp: int, limit: int | None) -> Study:
    try:
        from workspan.allocate.rules import studied
    except ImportError:
        raise MissingDependency("a calibration library", "lab") from None
    return studied(_read(path, stamp), limit)
