"""Problems as callers bring them: names of sets, files, questions, rows, data frames."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from workspan import tasks as task_sets
from workspan.app.specs import as_kind, as_problem, check_count, check_seed
from workspan.core.journal import digest
from workspan.core.session import Strategy
from workspan.data.types import AnswerKind, Problem
from workspan.errors import InputError
from workspan.retrieval import Passage
from workspan.strategies.sequential.single import Single
from workspan.tasks.base import BringsPassages, Task
from workspan.tasks.files import TaskFile
from workspan.tasks.graders.equivalence import Ungraded

LIMIT = 20
"""Problems of a task set that has no end, unless told otherwise."""


@runtime_checkable
class Frame(Protocol):
    """A data frame, such as pandas'."""

    def to_dict(self, orient: Any) -> Any:
        """Return a list of rows for "records"."""
        ...


ProblemsLike: TypeAlias = (
    str | Path | Frame | Iterable["str | Problem | Task | Mapping[str, object]"]
)
"""A file's path; the name of a task set; questions, problems, tasks or rows; or a data frame."""


def as_tasks(
    problems: ProblemsLike,
    *,
    kind: str = "text",
    limit: int | None = None,
    seed: int = 0,
    reader: str | None = None,
    strategy: Strategy | None = None,
) -> list[Task]:
    """Return the tasks that are meant, in their order.

    Args:
        problems: see `ProblemsLike`; rows have the fields of a file's (docs/tasks.md).
        kind: how the answers to plain questions are read.
        limit: the first so many; of a task set by name, a choice by `seed`, and `LIMIT` if None.
        seed: of the choice.
        reader: of rows in a form of the user's own; for a file.
        strategy: what they are for: one that searches says itself how to answer.

    Raises:
        InputError: there is none, or what is given is none; a limit or a seed that can't be.
        DataError: a file or a row can't be read; the line is named.
        SpecError: there is no such set or kind.
    """
    check_count("limit", limit)
    check_seed(seed)
    if isinstance(problems, Path) or reader is not None:
        return task_sets.read_tasks(str(problems), reader)[:limit]
    if isinstance(problems, str):
        named = task_sets.open_tasks(problems, imports=True)
        if isinstance(named, TaskFile):  # it has an end, and whoever names it means all of it
            return named.load()[:limit]
        return named.load(limit or LIMIT, seed)
    if isinstance(problems, Mapping | Problem | Task) or not isinstance(problems, Frame | Iterable):
        raise InputError(
            "problems are a file's path, a set's name, a data frame, or a list of questions, rows, "
            f"problems or tasks: not one of type {type(problems).__name__}"
        )
    if isinstance(problems, Frame):
        found = _of_rows(_rows_of(problems))
    else:
        found = _of_items([*problems], kind, strategy or Single())
    if not found:
        raise InputError("there is no problem to solve")
    return found[:limit]


def repeated(tasks: Sequence[Task]) -> int:
    """Return how many of the problems ask what another one before them asks."""
    return len(tasks) - len({digest(replace(task.problem, id="")) for task in tasks})


def named_tasks(
    names: Sequence[str],
    source: Path | None,
    limit: int | None,
    seed: int,
    reader: str | None = None,
    *,
    kind: AnswerKind | None = None,
) -> list[Task]:
    """Load the problems of named sets, or all of a file.

    Raises:
        InputError: neither is given, or both; or a reader or a kind without a file.
        DataError: a file can't be read.
    """
    if reader is not None and source is None:
        raise InputError("--reader reads the rows of a file: give it with --input FILE")
    if kind is not None and source is None:
        raise InputError("--kind is of a file's problems: give them with --input FILE")
    if bool(names) == (source is not None):
        raise InputError("say which problems: --task NAME (such as demo), or --input FILE")
    if source is not None:
        return task_sets.read_tasks(source, reader, kind=kind)[:limit]
    sets = [task_sets.open_tasks(name, imports=True) for name in names]
    return [task for one in sets for task in one.load(limit or LIMIT, seed)]


def brought_passages(names: Sequence[str], limit: int | None, seed: int) -> list[Passage]:
    """Return the passages of the task sets that come with a corpus of their own."""
    sets = [task_sets.open_tasks(name, imports=True) for name in names]
    bringing = [one for one in sets if isinstance(one, BringsPassages)]
    corpora = [one.passages(limit or LIMIT, seed) for one in bringing]
    return [passage for corpus in corpora for passage in corpus]


def _rows_of(frame: Frame) -> list[Mapping[str, object]]:
    """Return the rows of a data frame: pandas' and polars' are asked differently.

    Raises:
        InputError: it gives none.
    """
    ask = getattr(frame, "to_dicts", None)
    try:
        rows = ask() if ask is not None else frame.to_dict("records")
    except Exception as error:  # the boundary to the frame's own library
        raise InputError(f"the data frame gives no rows: {error}") from error
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("the data frame gives no list of rows")
    return rows


def _of_rows(rows: Sequence[Mapping[str, object]]) -> list[Task]:
    return task_sets.tasks_of_rows(enumerate(map(_plain, rows), 1), "the rows", "row")


def _plain(value: Any) -> Any:
    """Return a row in plain values: what numpy and data frames hold is asked for them."""
    if isinstance(value, Mapping):
        return {_plain(name): _plain(held) for name, held in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(held) for held in value]
    if hasattr(value, "dtype") and callable(told := getattr(value, "tolist", None)):
        value = told()
    return None if isinstance(value, float) and math.isnan(value) else value


def _of_items(items: Sequence[object], kind: str, strategy: Strategy) -> list[Task]:
    """Make tasks of questions, problems and tasks; rows are read together, as a file's."""
    rows = [item for item in items if isinstance(item, Mapping)]
    if rows and len(rows) == len(items):
        return _of_rows(rows)
    found: list[Task] = []
    for place, item in enumerate(items, 1):
        if isinstance(item, Task):
            found.append(item)
        elif isinstance(item, Problem):
            found.append(_ungraded(item))
        elif isinstance(item, str):
            asked = as_problem(str(item), as_kind(kind), strategy)
            found.append(_ungraded(replace(asked, id=f"question {place}")))
        else:
            raise InputError(
                f"problem {place} is of type {type(item).__name__}: give questions, problems, "
                "tasks, or rows alone"
            )
    return found


def _ungraded(problem: Problem) -> Task:
    return Task(problem, "", Ungraded("has no right answer to grade by"))
