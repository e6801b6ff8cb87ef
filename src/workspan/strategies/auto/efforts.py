"""`auto` where the depth dial is effort: the ladder that its library holds worth most."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from workspan.core.engine import EngineInfo
from workspan.core.session import Session
from workspan.errors import MissingDependency
from workspan.strategies.adaptive.ladder import Ladder, check_effort
from workspan.strategies.auto.library import known

if TYPE_CHECKING:
    from workspan.strategies.auto.auto import Auto


def check_rungs(path: str, info: EngineInfo) -> None:
    """Refuse a library of efforts that the run's own engine does not take.

    Raises:
        SpecError, UnsupportedCapability: see `check_effort`.
    """
    library = known(path)
    for rung in library.ladders.rungs if library and library.ladders else ():
        if not rung.engine:
            check_effort(rung.effort, info)


def ladder_of(auto: Auto, session: Session) -> Ladder | None:
    """Return the ladder that is worth most under the run's budget; None where none is known.

    The budget is hard: what a plan would not reach within it brings nothing, and it is chosen so.
    """
    library = known(auto.library)
    if library is None or library.ladders is None or auto.fitted is not None:
        return None
    left = session.left()
    place = Path(auto.library)
    stamp, price = place.stat().st_mtime_ns, auto.price / 1000
    found = _best(place, stamp, left.work, left.span, price, auto.prefers)
    depth = min(auto.max_tokens, library.ladders.depth)
    return replace(found, max_tokens=depth, temperature=auto.temperature)


@lru_cache(maxsize=64)
def _best(
    path: Path,
    _stamp: int,
    work: int | None,
    span: int | None,
    price: float,
    prefers: Literal["work", "span"],
) -> Ladder:
    try:
        from workspan.strategies.auto.fit.ladders import as_strategy, play
    except ImportError:
        raise MissingDependency("a calibration library", "lab") from None
    library = known(str(path))
    assert library is not None
    assert library.ladders is not None
    played = play(library.ladders, cap=work, longest=span)
    return as_strategy(played.best(price, prefers), library.ladders, played.weights)
