"""A problem with what grades it, who judges its answers, and where such problems come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from workspan.data.types import Problem

if TYPE_CHECKING:
    from workspan.retrieval.base import Passage


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


MOST = 1_000_000
"""Tasks that are asked of a set at a time: they are all in memory."""


class TaskSet(Protocol):
    """A source of tasks under one name."""

    @property
    def name(self) -> str:
        """How the user names it."""
        ...

    @property
    def summary(self) -> str:
        """What its problems are, in one line."""
        ...

    @property
    def source(self) -> str:
        """Who made it, or where it is kept."""
        ...

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Return up to `limit` tasks with different ids, the same for the same seed.

        Args:
            limit: None is all of them.
            seed: of the problems where they are generated, of their choice where they are stored.

        Raises:
            DataError: the source can't be read, or has problems without a reference.
            MissingDependency: an optional extra is not installed.
        """
        ...


@runtime_checkable
class BringsPassages(Protocol):
    """A source of tasks that comes with what they are to be answered from."""

    def passages(self, limit: int | None = None, seed: int = 0) -> list[Passage]:
        """Return the passages of the tasks that `load` returns: one corpus for all of them."""
        ...


@runtime_checkable
class KnowsSerialDepth(Protocol):
    """A source of tasks that knows how deep its problems are."""

    @property
    def serial_depth(self) -> int | None:
        """Steps of a problem that each need the one before; None where nobody can say."""
        ...
