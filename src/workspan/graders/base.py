"""What is graded, by whom, and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from workspan.types import Problem


@dataclass(frozen=True, slots=True)
class Grade:
    """How right an answer is."""

    correct: float
    """1 is right, 0 is wrong or no answer; between them only where a grader says what it means."""
    reason: str = ""
    """For a person; empty where the answer and the reference say it all."""

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if not 0.0 <= self.correct <= 1.0:
            raise ValueError(f"correct is {self.correct}: must be between 0 and 1")


class Grader(Protocol):
    """Judges answers with the reference at hand."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Grade an answer; None, no answer, is graded 0.

        Raises:
            GraderError: the grader failed; this says nothing about the answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Task:
    """A problem with what is needed to grade an answer. Strategies get the problem alone."""

    problem: Problem
    reference: str = field(repr=False)
    grader: Grader = field(repr=False)
    tests: tuple[str, ...] = field(default=(), repr=False)
    """Python statements, each of which raises where a program is wrong."""
    data: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """What the grader alone understands."""


NO_ANSWER = Grade(0.0, "no answer")
"""The grade of an abstention."""


def references(task: Task) -> tuple[str, ...]:
    """Return the task's reference and its aliases, which ``task.data["aliases"]`` may hold."""
    aliases = task.data.get("aliases", ())
    others = aliases if isinstance(aliases, list | tuple) else ()
    return (task.reference, *(str(alias) for alias in others))
