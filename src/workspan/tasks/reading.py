"""What was read of a set of tasks, for a person to see before anything is spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workspan.errors import DataError
from workspan.legible import counted
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Ungraded

SHOWN = 3
"""First tasks that are shown."""
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Seen:
    """One task as it was read."""

    problem: str
    """Its id."""
    kind: str
    reference: str
    """The start of it."""
    how: str
    """Which form the reference had, or why it can't be used."""


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of all tasks."""

    problems: int
    kinds: dict[str, int]
    """How many of each kind."""
    unread: int
    """Tasks whose answers can't be graded."""
    first_unread: str
    """Id of the first of these, and why."""
    shown: tuple[Seen, ...]

    @property
    def lines(self) -> list[str]:
        """What a person should know, a line each."""
        kinds = ", ".join(f"{n} {kind}" for kind, n in self.kinds.items())
        said = [f"read {counted(self.problems, 'problem')}: {kinds}"]
        said += [f"  {one.problem}: {one.reference!r} ({one.how})" for one in self.shown]
        if self.unread:
            said.append(
                f"{self.unread} of {counted(self.problems, 'reference')} could not be read: "
                f"{self.first_unread}"
            )
        return said


def reading(tasks: Sequence[Task]) -> Read:
    """Say what was read of tasks: kinds, the first references, and what can't be graded."""
    unread = [task for task in tasks if isinstance(task.grader, Ungraded)]
    first = unread[0] if unread else None
    why = f"{first.problem.id} {_why(first)}" if first else ""
    kinds = Counter(str(task.problem.kind) for task in tasks)
    shown = tuple(
        Seen(task.problem.id, task.problem.kind, _short(task.reference), _how(task))
        for task in tasks[:SHOWN]
    )
    return Read(len(tasks), dict(kinds), len(unread), why, shown)


def check_gradable(read: Read) -> None:
    """Refuse tasks of which none can be graded: every strategy would seem to fail.

    Raises:
        DataError: so it is.
    """
    if read.problems and read.unread == read.problems:
        raise DataError(
            f"none of {counted(read.problems, 'reference')} can be read: {read.first_unread}. Give "
            "each problem an answer that can be compared, or a grader of your own (docs/tasks.md)"
        )


def _how(task: Task) -> str:
    if isinstance(task.grader, Ungraded):
        return _why(task)
    return str(task.data.get("read", f"{task.problem.kind}: judged by {_name(task)}"))


def _name(task: Task) -> str:
    return type(task.grader).__name__


def _why(task: Task) -> str:
    return task.grader.why if isinstance(task.grader, Ungraded) else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
