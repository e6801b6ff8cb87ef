"""Whether a library fits a run: it speaks of one model, and of problems of some kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workspan.engines.base import EngineInfo
from workspan.errors import SpecError
from workspan.session import Session
from workspan.strategies.adaptive.auto_library import known
from workspan.types import Problem

if TYPE_CHECKING:
    from workspan.strategies.adaptive.auto import Auto


def check_library(auto: Auto, info: EngineInfo) -> None:
    """Refuse a library of another model, unless the user says whose it is.

    Raises:
        SpecError: it is, or it counts in characters what the engine counts in tokens.
    """
    path = auto.library
    library = known(path)
    if library is None:
        return
    if library.unit != "tokens" and info.name != "replay":
        raise SpecError(f"the library {path} counts {library.unit}, and a budget tokens")
    if library.model not in {*_names(info), auto.of}:
        raise SpecError(
            f"the library {path} is of {library.model!r}, and the engine serves "
            f"{info.model!r}: calibrate with it, or say that you want this: of={library.model!r}"
        )


def say_library(auto: Auto, problem: Problem, session: Session) -> None:
    """Say what a library that is used all the same was not made for."""
    library = known(auto.library)
    if library is None:
        return
    if library.model not in _names(session.engine):
        said = f"the library is of another model, {library.model}"
        session.notice("other_library", said)
    if library.kinds and problem.kind not in library.kinds:
        said = f"the library knows answers of kind {', '.join(library.kinds)}, not {problem.kind}"
        session.notice("other_library", said)


def model_of(path: str) -> str:
    """Return whose library it is; "" without a path."""
    return library.model if (library := known(path)) else ""


def _names(info: EngineInfo) -> set[str]:
    """Return what the engine's model is called: alone, or behind the engine."""
    return {info.recorded} if info.recorded else {info.model, f"{info.name} {info.model}"}
