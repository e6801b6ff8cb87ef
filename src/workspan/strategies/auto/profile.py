"""The calibration profile of a run: read and evaluated once, and whether it fits the run."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.core.engine import EngineInfo
from workspan.core.session import Session
from workspan.data.types import Problem
from workspan.errors import MissingDependency, SpecError
from workspan.strategies.auto.fit.profile import Held, Profile, read_held

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.evaluation import Evaluation, Evaluations


def known(path: str) -> Profile | None:
    """Read a profile once for each version of its file; None without a path.

    Raises:
        DataError: it can't be read.
    """
    if not path:
        return None
    place = Path(path)
    return _read(place, place.stat().st_mtime_ns if place.exists() else 0).profile


@lru_cache(maxsize=8)
def _read(path: Path, _stamp: int) -> Held:
    return read_held(path)


def evaluation_of(path: str, limit: int | None) -> Evaluation:
    """Evaluate plans on a profile for runs of so much work each: once, whatever the limits.

    It takes a second or two, and far less where the file holds what was found before.

    Raises:
        MissingDependency: NumPy is not installed.
        SpecError: it holds efforts alone.
    """
    place, profile = Path(path), known(path)
    if profile is not None and profile.ladders is not None and not profile.problems:
        raise SpecError(
            f"the profile {path} is of efforts, which `auto` climbs within a budget of each "
            "problem: it has no chains to plan one budget of many problems by, or to replay"
        )
    return _evaluations(place, place.stat().st_mtime_ns).within(limit or float("inf"))


@lru_cache(maxsize=8)
def _evaluations(path: Path, stamp: int) -> Evaluations:
    try:
        from workspan.strategies.auto.fit.kept import evaluations_of
    except ImportError:
        raise MissingDependency("a calibration profile", "lab") from None
    return evaluations_of(_read(path, stamp))


def model_of(path: str) -> str:
    """Return whose profile it is; "" without a path."""
    return profile.model if (profile := known(path)) else ""


def check_fits(path: str, of: str, info: EngineInfo) -> None:
    """Refuse a profile of another model, unless the user says whose it is.

    Raises:
        SpecError: it is, or it counts in characters what the engine counts in tokens.
    """
    profile = known(path)
    if profile is None:
        return
    if profile.unit != "tokens" and info.name != "replay":
        raise SpecError(f"the profile {path} counts {profile.unit}, and a budget tokens")
    if profile.model not in {*names_of(info), of}:
        raise SpecError(
            f"the profile {path} is of {profile.model!r}, and the engine serves "
            f"{info.model!r}: calibrate with it, or say that you want this: of={profile.model!r}"
        )


def say_misfit(path: str, problem: Problem, session: Session) -> None:
    """Say what a profile that is used all the same was not made for."""
    profile = known(path)
    if profile is None:
        return
    if profile.model not in names_of(session.engine):
        said = f"the profile is of another model, {profile.model}"
        session.notice("other_library", said)
    if profile.kinds and problem.kind not in profile.kinds:
        said = f"the profile knows answers of kind {', '.join(profile.kinds)}, not {problem.kind}"
        session.notice("other_library", said)


def names_of(info: EngineInfo) -> set[str]:
    """Return what the engine's model is called: alone, or behind the engine."""
    return {info.recorded} if info.recorded else {info.model, f"{info.name} {info.model}"}
