"""Which rule decides for `auto`: by what its library knows, or by nothing but the run itself."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.allocate.cold import Cold
from workspan.allocate.library import Library, read_library
from workspan.allocate.state import Policy

if TYPE_CHECKING:
    from workspan.strategies.adaptive.auto import Auto


def rule_for(auto: Auto, *, is_judged: bool) -> Policy:
    """Make the rule that the dials ask for."""
    return Cold(auto.confidence, auto.floor, is_judged=is_judged)


def known(path: str) -> Library | None:
    """Read a library once for each version of its file; None without a path.

    Raises:
        DataError: it can't be read.
    """
    if not path:
        return None
    place = Path(path)
    stamp = place.stat().st_mtime_ns if place.exists() else 0
    return _read(place, stamp)


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int) -> Library:
    return read_library(path)
