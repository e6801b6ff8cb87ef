"""Candidates told in a few words, so that many of them, or long ones, can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workspan.core.session import Session
from workspan.data.types import Candidate, Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError
from workspan.strategies.asking import each
from workspan.strategies.listing import LONGEST, beside

SUMMARISE = (
    "Above is one attempt at this task. Summarise it for someone who will compare it with other "
    "attempts: which way it goes, what it establishes and how that was checked, where it may have "
    "gone wrong, and its final result, word for word. Do not solve the task again."
)


async def summarised(
    session: Session, problem: Problem, candidates: Sequence[Candidate], asked: Request
) -> list[str]:
    """Return a summary of each candidate, all written at once, with its answer below.

    Where there was no call, or it said nothing, the candidate's own text stands for it. `asked`
    gives the cap, temperature and engine of the calls.
    """
    requests = [
        replace(asked, prompt=beside(problem.prompt, f"{_shown(one)}\n\n{SUMMARISE}"))
        for one in candidates
    ]
    drawn: list[Sample | None] = [None] * len(candidates)
    try:
        drawn = await each(session, requests)
    except (BudgetExceeded, EngineError):
        session.notice("no_verdict", "no candidate could be summarised: whole texts are compared")
    return [
        one.text if sample is None or not sample.text.strip() else _told(one, sample)
        for one, sample in zip(candidates, drawn, strict=True)
    ]


def _shown(one: Candidate) -> str:
    """Lay out a text; of a long one both ends, where the way and the answer stand."""
    text = one.text.strip()
    if len(text) > 4 * LONGEST:
        text = f"{text[: 2 * LONGEST]}\n…\n{text[-2 * LONGEST :]}"
    return f"--- Attempt ---\n{text}\n--- end ---"


def _told(one: Candidate, sample: Sample) -> str:
    answer = "" if one.answer is None else f"\n\nIts final result: {one.answer}"
    return sample.text.strip() + answer
