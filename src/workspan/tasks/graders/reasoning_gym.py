"""Answers to the puzzles that reasoning-gym makes, by exact checks of our own.

The library's scorers give credit for less: any text is right for game_of_life_halting, a duration
that is off by a quarter of an hour scores 0.99, a long answer with one more character scores as
much, puzzle24 takes other numbers than those given, and two hand the answer to `eval`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from workspan.errors import GraderError
from workspan.tasks.base import NO_ANSWER, Grade, Task
from workspan.tasks.graders.puzzles import family


@dataclass(frozen=True, slots=True)
class ReasoningGym:
    """Check by the family that made the task; its entry is in ``task.data["entry"]``."""

    dataset: str

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer.

        Raises:
            GraderError: the family is not one that can be checked, or the task has no entry.
        """
        if answer is None or not answer.strip():
            return NO_ANSWER
        known, entry = family(self.dataset), task.data.get("entry")
        if known is None or not isinstance(entry, Mapping):
            raise GraderError(f"problem {task.problem.id}: {self.dataset} can't be checked")
        # In a thread: an antiderivative may take seconds, and other runs go on meanwhile.
        if await anyio.to_thread.run_sync(known.check, answer, entry):
            return Grade(1.0, "keeps the puzzle's rules and says what it asks for")
        return Grade(0.0, f"not what {self.dataset} asks for, such as {task.reference[:200]!r}")
