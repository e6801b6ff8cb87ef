"""Right is a timetable that violates no clash."""

from __future__ import annotations

from dataclasses import dataclass

from workspan.tasks.base import NO_ANSWER, Grade, Task
from workspan_evidence.verifiers.timetable_check import judged


@dataclass(frozen=True, slots=True)
class Timetables:
    """Evaluate the plan; any that keeps all clashes apart is right."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer."""
        if answer is None:
            return NO_ANSWER
        score = judged(task.problem, answer)
        return Grade(float(score.value == 1), score.reason)
