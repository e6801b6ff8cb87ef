"""What every grader must keep: a grade or an error, the same each time; no answer is no pass."""

from __future__ import annotations

from workspan.errors import GraderError
from workspan.tasks.base import Grade, Grader, Task

HOSTILE = ("", " ", "nan", "1e999", "\\frac{1}{0}", "(" * 500, "\u202e4", "{" + "a" * 2_000)
"""Answers that are none, or ask too much."""


async def check_grader(grader: Grader, task: Task, right: str, wrong: str) -> None:
    """Run every check.

    Args:
        grader: as a user would write it.
        task: one that it can grade.
        right: an answer that it must pass.
        wrong: one that it must not.
    """
    assert (await grader(task, right)).correct == 1, "a right answer did not pass"
    assert (await grader(task, wrong)).correct < 1, "a wrong answer passed"
    assert (await grader(task, None)).correct == 0, "an abstention was graded"
    for answer in (right, wrong):
        assert await _graded(grader, task, answer) == await _graded(grader, task, answer)
    for answer in HOSTILE:
        grade = await _graded(grader, task, answer)
        assert grade is None or grade.correct < 1, f"{answer[:20]!r} passed"


async def _graded(grader: Grader, task: Task, answer: str) -> Grade | None:
    """Grade an answer; None where the grader says that it can't."""
    try:
        return await grader(task, answer)
    except GraderError:
        return None
