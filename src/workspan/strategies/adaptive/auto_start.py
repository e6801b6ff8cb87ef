"""How `auto` begins: its lines as engine and problem allow, its rule by what its library knows."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.allocate.cold import Cold
from workspan.allocate.groups import Groups
from workspan.allocate.library import Library, read_library
from workspan.allocate.state import Policy
from workspan.budget import Budget
from workspan.session import Session
from workspan.strategies.adaptive.auto_lines import Lines
from workspan.types import Problem, Request
from workspan.verifiers.judge import Judge

if TYPE_CHECKING:
    from workspan.strategies.adaptive.auto import Auto


def open_lines(auto: Auto, problem: Problem, session: Session) -> Lines:
    """Open the lines; an answer that is a whole text, or a program, is not asked for early."""
    verifier = auto.verifier or (Judge() if problem.kind == "open" else None)
    logprobs = verifier is not None and "logprobs" in verifier.requires
    whole = Request(problem.prompt, "", auto.max_tokens, auto.temperature, logprobs=logprobs)
    can = "continue" in session.engine.capabilities
    ask = Request(problem.prompt, auto.probe, auto.probe_tokens, 0.0, stop=("\n",))
    is_asked = can and problem.kind not in ("open", "code")
    groups = Groups(problem.kind)
    return Lines(problem, whole, ask if is_asked else None, not can, verifier, auto.n, groups)


def rule_for(auto: Auto, library: Library | None, budget: Budget, *, is_judged: bool) -> Policy:  # noqa: ARG001
    """Make the rule that the dials ask for.

    Args:
        auto: the dials.
        library: what is known of the model.
        budget: of one problem.
        is_judged: a verifier scores what ends.
    """
    return Cold(auto.confidence, auto.floor, is_judged=is_judged)


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
