"""Partial solutions that grow step by step, and when one is finished. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from workspan.answers import extract
from workspan.data.types import AnswerKind, Candidate, Sample

DELIMITER = "\n\n"
"""What ends a step, as in search-and-learn and its-hub."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A partial solution, and the one that it continues."""

    candidate: Candidate = field(default_factory=lambda: Candidate("", None))
    parent: Path | None = None
    depth: int = 0
    """Steps so far."""
    is_finished: bool = False
    """An answer is marked, or the model has ended."""
    logprobs: tuple[float, ...] = ()
    """Of all tokens so far, where they were asked for."""

    @property
    def score(self) -> float:
        """The last verdict on it or on what it continues; 0.5 where there is none at all."""
        return 0.5 if self.candidate.score is None else self.candidate.score

    def at(self, depth: int) -> Path:
        """Return this path as it was after so many steps; itself if it is not that long."""
        path = self
        while path.depth > depth and path.parent is not None:
            path = path.parent
        return path

    def longer(self, step: Sample, kind: AnswerKind) -> Path:
        """Add a step; where it was not cut, the next one starts after a blank line.

        Engines leave the delimiter out and report "stop" for it as for the model's own end. So a
        path is finished when its text marks an answer, or else when the step after it is empty: the
        model had ended already. An empty first step may be drawn again.
        """
        before, is_whole = self.candidate.text, step.finish == "stop"
        is_end = is_whole and not step.text.strip() and bool(before)
        text = before if is_end else before + step.text
        closed = text + "\n" if is_whole else text  # either end closes the last line
        is_marked = kind != "open" and extract(closed, kind, finished=False) is not None
        if is_whole and not is_marked and text.strip():
            text = text.rstrip() + DELIMITER
        logprobs = self.logprobs + (step.logprobs or ())
        drawn = replace(
            self.candidate,
            text=text,
            answer=extract(closed, kind, finished=is_whole),
            logprob=fmean(logprobs) if logprobs else None,
            key=step.key,
        )
        return Path(drawn, self, self.depth + 1, is_end or is_marked, logprobs)


def answered(paths: Sequence[Path]) -> list[Path]:
    """Return the finished paths that hold an answer; if there are none, the open ones that do.

    An open path whose last step was whole may be the model's last word, which only one more draw
    could tell.
    """
    found = [path for path in paths if path.candidate.answer is not None]
    return [path for path in found if path.is_finished] or found
