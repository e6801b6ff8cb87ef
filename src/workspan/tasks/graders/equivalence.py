"""Right is what says the same as the reference."""

from __future__ import annotations

from dataclasses import dataclass

import anyio

from workspan.answers import compared
from workspan.errors import GraderError
from workspan.tasks.base import NO_ANSWER, Grade, Task, references


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Compare with the reference and its aliases by the problem's kind, as votes are counted."""

    seconds: float = 30.0
    """Wall clock of a comparison; one of formulas has 2 seconds of processor time in any case."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer, in a thread: a slow formula holds no other run up.

        Raises:
            GraderError: it could not be compared in time, which makes it neither right nor wrong.
        """
        if answer is None:
            return NO_ANSWER
        unsure = False
        for right in references(task):
            verdict = await anyio.to_thread.run_sync(
                compared, answer, right, task.problem.kind, self.seconds
            )
            if verdict:
                return Grade(1.0, "says the same as the reference")
            unsure = unsure or verdict is None
        if unsure:
            raise GraderError(
                f"problem {task.problem.id}: {answer[:80]!r} could not be compared with "
                f"{task.reference[:80]!r} in time"
            )
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
