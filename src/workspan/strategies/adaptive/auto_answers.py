"""What a run of `auto` has to answer with: ends of lines and of arms."""

from __future__ import annotations

from workspan.allocate.state import NONE
from workspan.strategies.adaptive.auto_lines import Lines
from workspan.types import Candidate


def leading(run: Lines, group: int) -> Candidate | None:
    """Return who stands for an answer: what scored best of it, then what ended, then first."""
    lines = zip(run.lines, run.chains, strict=True)
    of = [(one.score or 0, one.ended, chain.now) for one, chain in lines if one.group == group]
    arms = zip(run.tried, run.found, strict=True)
    of += [(one.score or 0, True, found) for one, found in arms if found and one.group == group]
    return None if group == NONE else max(of, key=lambda one: one[:2], default=(None,))[-1]


def candidates(run: Lines) -> list[Candidate]:
    """Return all that was found, lines before arms."""
    return [*(chain.now for chain in run.chains), *filter(None, run.found)]
