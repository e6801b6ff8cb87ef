"""From drawn texts to candidates: the step that every strategy shares."""

from __future__ import annotations

from collections.abc import Iterable

from workspan.answers import extract
from workspan.types import Candidate, Problem, Sample


def read(problem: Problem, samples: Iterable[Sample]) -> list[Candidate]:
    """Extract each sample's answer, in order; None where a text holds none."""
    return [candidate(problem, sample.text, sample.key) for sample in samples]


def candidate(problem: Problem, text: str, key: str = "") -> Candidate:
    """Make a candidate of a text that may have been put together from several calls."""
    return Candidate(text, extract(text, problem.kind), key=key)
