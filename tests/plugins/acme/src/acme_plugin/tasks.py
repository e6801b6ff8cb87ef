"""A set of tasks."""

from dataclasses import dataclass

from workspan.data.types import Problem
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence


@dataclass(frozen=True)
class Words:
    """Count the letters of made-up words."""

    longest: int = 6
    name: str = "words"
    summary: str = "how long a word is"
    source: str = "Acme"

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make tasks; the same for the same seed."""
        made = []
        for i in range(limit or 5):
            size = 1 + (seed + i) % self.longest
            question = f"How many letters has {'a' * size}? End with 'Answer: <number>'."
            problem = Problem.ask(question, id=f"words/{seed}/{i}", kind="number")
            made.append(Task(problem, str(size), Equivalence()))
        return made
