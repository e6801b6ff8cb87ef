"""`auto` where the depth dial is effort: the ladder that its library holds worth most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from workspan.core.engine import EngineInfo
from workspan.core.session import Session
from workspan.errors import MissingDependency, SpecError
from workspan.strategies.adaptive.ladder import Ladder, check_effort
from workspan.strategies.auto.library import known

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.ladders import Climb, Played
    from workspan.strategies.auto.fit.seen import Ladders


class Dials(Protocol):
    """What of `auto` bears on a ladder."""

    @property
    def library(self) -> str:
        """A file of `workspan which`."""
        ...

    @property
    def climbs(self) -> Ladder | None:
        """The ladder itself, where one was chosen."""
        ...

    @property
    def price(self) -> float:
        """Accuracy that a thousand tokens must be worth."""
        ...

    @property
    def floor(self) -> float | str:
        """Of confidence, or what is promised."""
        ...

    @property
    def prefers(self) -> Literal["work", "span"]:
        """What is dear."""
        ...

    @property
    def max_tokens(self) -> int:
        """Of a sample."""
        ...

    @property
    def temperature(self) -> float:
        """Of all samples."""
        ...


def check_rungs(auto: Dials, info: EngineInfo) -> None:
    """Refuse a library of efforts that the run's own engine does not take.

    Raises:
        SpecError: see `check_effort`; or a floor is asked for, which no ladder keeps.
        UnsupportedCapability: see `check_effort`.
    """
    library = known(auto.library)
    if library and library.ladders and auto.floor:
        raise SpecError(
            f"the library {auto.library} is of efforts: a ladder of them keeps no floor; leave "
            "floor out, or give a library of `workspan calibrate`"
        )
    for rung in library.ladders.rungs if library and library.ladders else ():
        if not rung.engine:
            check_effort(rung.effort, info)


def ladder_of(auto: Dials, session: Session) -> Ladder | None:
    """Return the ladder that is worth most under the run's budget; None where none is known.

    The budget is hard: what a plan would not reach within it brings nothing, and it is chosen so.
    """
    library = known(auto.library)
    if library is None or library.ladders is None:
        return None
    if auto.climbs is not None:
        return auto.climbs
    left = session.left()
    place = Path(auto.library)
    stamp, price = place.stat().st_mtime_ns, auto.price / 1000
    found = _best(place, stamp, left.work, left.span, price, auto.prefers)
    depth = min(auto.max_tokens, found.max_tokens)
    return replace(found, max_tokens=depth, temperature=auto.temperature)


@lru_cache(maxsize=64)
def _best(
    path: Path,
    stamp: int,
    work: int | None,
    span: int | None,
    price: float,
    prefers: Literal["work", "span"],
) -> Ladder:
    played = _played(path, stamp, work, span)
    return _ladder(path, played.best(price, prefers), played.weights)


@lru_cache(maxsize=8)
def _played(path: Path, _stamp: int, work: int | None = None, span: int | None = None) -> Played:
    try:
        from workspan.strategies.auto.fit.ladders import play
    except ImportError:
        raise MissingDependency("a calibration library", "lab") from None
    return play(_seen(path), cap=work, longest=span)


def _ladder(path: Path, plan: Climb, weights: Sequence[float]) -> Ladder:
    from workspan.strategies.auto.fit.ladders import as_strategy  # needs NumPy

    return as_strategy(plan, _seen(path), weights)


def _seen(path: Path) -> Ladders:
    library = known(str(path))
    assert library is not None
    assert library.ladders is not None
    return library.ladders


def has_ladders(path: str) -> bool:
    """Say whether a library is of efforts."""
    library = known(path)
    return library is not None and library.ladders is not None


def pooled_ladder(auto: Dials, work: float, place: float) -> Ladder:
    """Return the ladder of one problem of many that may take so much work on the mean.

    Args:
        auto: with a library of efforts.
        work: of a problem, on the mean.
        place: of the problem, drawn from [0, 1): between two corners of the hull one part of the
            problems has the cheaper plan, and the other the dearer one.
    """
    file = Path(auto.library)
    played = _played(file, file.stat().st_mtime_ns)
    mix = played.mix(work)
    found = _ladder(file, mix.second if place < mix.share else mix.first, played.weights)
    depth = min(auto.max_tokens, found.max_tokens)
    return replace(found, max_tokens=depth, temperature=auto.temperature)
