"""Right is what says the same as the reference."""

from __future__ import annotations

from dataclasses import dataclass

from workspan.answers import equivalent
from workspan.errors import GraderError
from workspan.graders.base import NO_ANSWER, Grade, Task, references


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Compare with the reference and its aliases by the problem's kind, as votes are counted."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer; `workspan.answers` bounds the time that a comparison takes."""
        if answer is None:
            return NO_ANSWER
        if any(equivalent(answer, right, task.problem.kind) for right in references(task)):
            return Grade(1.0, "says the same as the reference")
        return Grade(0.0, f"the reference is {task.reference[:200]!r}")


@dataclass(frozen=True, slots=True)
class Ungraded:
    """Refuse to judge, for tasks whose right answers can't be told."""

    why: str
    """Completes "problem 7 …"."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:  # noqa: ARG002
        """Raise.

        Raises:
            GraderError: always.
        """
        raise GraderError(f"problem {task.problem.id} {self.why}")
