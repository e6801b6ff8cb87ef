"""What a library without labels and without interim answers gives to `auto`: when votes settle."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.allocate.library import read_library
from workspan.allocate.state import Policy
from workspan.errors import MissingDependency
from workspan.strategies.adaptive.auto_library import known

if TYPE_CHECKING:
    from workspan.allocate.votes import VoteRule
    from workspan.strategies.adaptive.auto import Auto

SIDE_BY_SIDE = 8
"""Samples at the start where time is dear."""


def by_votes(auto: Auto) -> Policy | None:
    """Return the rule of the library's vote shapes; None where more is known, or less.

    Raises:
        MissingDependency: NumPy is not installed.
    """
    library = known(auto.library)
    if library is None or library.asked or library.labelled or auto.verifier is not None:
        return None
    many = [len(case.lines) for case in library.problems if len(case.lines) > 1]
    if not many or min(many) < min(auto.n, SIDE_BY_SIDE):
        return None
    path = Path(auto.library)
    rule = _settled(path, path.stat().st_mtime_ns, auto.price)
    width = SIDE_BY_SIDE if auto.prefers == "span" else 1
    return replace(rule, floor=auto.floor, width=min(width, auto.n))


@lru_cache(maxsize=8)
def _settled(path: Path, _stamp: int, price: float) -> VoteRule:
    """Find the rule, once a library and price; a price is for a thousand tokens."""
    try:
        from workspan.allocate.votes import PRICE, VoteShapes, settled
    except ImportError:
        raise MissingDependency("a calibration library", "lab") from None
    shapes = VoteShapes.of_library(read_library(path))
    return settled(shapes.shuffled(), price * shapes.tokens / 1000 if price else PRICE)
