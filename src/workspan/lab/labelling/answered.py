"""Problems with the right answers that labellers know: what every other command can grade by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from workspan.boundary.outputs import replace_file
from workspan.data.types import AnswerKind, Problem
from workspan.errors import InputError, OutputError
from workspan.lab.labelling.labels import Head, Judged, Label, judged, latest
from workspan.protocol.chat_messages import write_messages
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Ungraded
from workspan.tasks.rows import read_row

ENDINGS = (".jsonl", ".ndjson")
"""Of a file of such problems."""
_BEGINS = b'{"labelled_by":'
_UNSAID = ("open", "code")
"""Kinds of answers of which one right answer tells nothing of the others."""


class Known(NamedTuple):
    """Problems of which the right answer is known now."""

    rows: tuple[dict[str, Any], ...]
    unknown: int
    """Further ones that were judged: their answer was wrong or doubtful, and nobody said what is
    right."""


def known_answers(tasks: Sequence[Task], head: Head, labels: Sequence[Label]) -> Known:
    """Put what was judged right, or said to be, with the problems that it answers.

    Args:
        tasks: the problems, without answers of their own.
        head: of the file of labels.
        labels: all that stands in it.

    Raises:
        InputError: the problems have answers of their own; their answers are programs or open
            texts; or an answer that was said to be right can't be read as their kind.
    """
    by_id = {task.problem.id: task for task in tasks}
    who: dict[str, list[str]] = {}
    for name, own in latest(labels).items():
        for problem in own:
            who.setdefault(problem, []).append(name)
    found = [
        (by_id[one.label.problem], one) for one in judged(labels) if one.label.problem in by_id
    ]
    rows = [
        _row(task, answer, who[task.problem.id], head)
        for task, one in found
        if (answer := _right(one)) is not None
    ]
    return Known(tuple(rows), len(found) - len(rows))


def _right(one: Judged) -> str | None:
    return one.label.answer if one.is_right else one.reference


def kind_of(task: Task, head: Head) -> AnswerKind:
    """Return the kind by which answers to a problem are graded, once one is known to be right.

    Raises:
        InputError: the problem has an answer of its own, or those to it can't be graded so.
    """
    problem = task.problem
    if not isinstance(task.grader, Ungraded):
        raise InputError(
            f"{problem.id} has a right answer of its own, as its file says: which, calibrate and "
            "compare take that file as it is"
        )
    kind = problem.kind if head.kind == "text" else head.kind
    if kind in _UNSAID:
        raise InputError(
            f"the answer to {problem.id} is of kind {kind}: one that is right tells of no other "
            "whether it is"
        )
    return kind


def _row(task: Task, answer: str, who: list[str], head: Head) -> dict[str, Any]:
    """Write a problem as files of problems have it, and see that it can be read."""
    problem, kind = task.problem, kind_of(task, head)
    row = {
        "labelled_by": sorted(who),
        "id": problem.id,
        "messages": write_messages(problem.prompt),
        "kind": kind,
        "answer": answer,
        **_task(problem),
    }
    try:
        read_row(row, problem.id)
    except (ValueError, InputError) as error:
        raise InputError(
            f"the right answer to {problem.id} can't be read as one of kind {kind}: {error}; the "
            "same command with another name (--as) judges it anew"
        ) from None
    return row


def _task(problem: Problem) -> dict[str, str]:
    return {"task": problem.metadata["task"]} if "task" in problem.metadata else {}


def is_answered(path: Path) -> bool:
    """Tell whether a file begins like one of such problems.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return file.read(len(_BEGINS)) == _BEGINS


def write_answered(found: Known, path: Path) -> None:
    """Write them, whole, readable by their owner only where the file is new.

    Raises:
        OutputError: it can't be written.
    """
    content = b"".join(msgspec.json.encode(row) + b"\n" for row in found.rows)
    try:
        replace_file(path, content)
    except OSError as error:
        raise OutputError(f"{path} can't be written: {error.strerror}") from error
