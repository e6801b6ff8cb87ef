"""From drawn texts to candidates: the steps that strategies share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from math import fsum

from workspan.answers import read as read_answer
from workspan.core.session import Session
from workspan.data.types import AnswerKind, Candidate, Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError


def read(problem: Problem, samples: Iterable[Sample]) -> list[Candidate]:
    """Extract each sample's answer, in order; None where a text holds none."""
    return [candidate(problem, sample) for sample in samples]


def candidate(problem: Problem, sample: Sample, before: str = "") -> Candidate:
    """Make a candidate of a sample, and of the text `before` that it continued."""
    text = before + sample.text
    form = problem.request.response_format if problem.request else None
    if sample.tool_calls or sample.refusal or (form is not None and problem.kind == "json"):
        return turn(problem, sample)
    read_as = _read_short if len(text) <= _SHORT and not sample.reasoning else _read
    asked = problem.metadata.get("function", "")
    answer = read_as(text, problem.kind, sample.finish == "stop", sample.reasoning, asked)
    return Candidate(text, answer, logprob=_logprob(sample), key=sample.key)


def turn(problem: Problem, sample: Sample) -> Candidate:
    """Make a candidate of a sample that a program will read.

    Calls of tools are an answer by their value, structured output is one if it is as was asked for;
    what was cut is none, nor is a refusal.
    """
    from workspan.answers.turn import calls_said, formed  # what few problems need

    asked, answer = problem.request, None
    if sample.tool_calls:
        answer = calls_said(sample.tool_calls, asked.tools if asked else ())
    elif asked and asked.response_format is not None and sample.finish == "stop":
        answer = formed(sample.text, asked.response_format)
    said = (sample.text, answer if sample.tool_calls else "", sample.refusal)
    text = "\n".join(filter(None, said))
    return Candidate(text, answer, logprob=_logprob(sample), key=sample.key, turn=sample.message)


def _logprob(sample: Sample) -> float | None:
    """Return the mean of its tokens; None where there is none."""
    values = sample.logprobs  # summed by `math`: `statistics` costs a process megabytes
    return fsum(values) / len(values) if values else None


def _read(
    text: str,
    kind: AnswerKind,
    finished: bool,  # noqa: FBT001
    reasoning: str,
    asked: str,
) -> str | None:
    found = read_answer(text, kind, finished=finished, reasoning=reasoning, asked=asked)
    return None if found is None else found.answer


_SHORT = 256
"""Characters of a text that may come again, such as an interim answer: what it holds is kept."""
_read_short = lru_cache(maxsize=4096)(_read)


async def begin(problem: Problem, session: Session, request: Request, n: int) -> list[Candidate]:
    """Return up to `n` drafts: those that the session was given, then samples of `request`.

    Raises:
        BudgetExceeded, EngineError: none was given, and none could be drawn.
    """
    given = list(session.drafts[:n])
    if len(given) == n:
        return given
    try:
        return given + read(problem, await session.samples(request, n - len(given)))
    except (BudgetExceeded, EngineError):
        if not given:
            raise
        return given
