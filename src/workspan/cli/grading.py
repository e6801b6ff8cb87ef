"""Before a run: what was read of the problems, and who grades the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

if TYPE_CHECKING:
    from workspan.tasks.base import Task
    from workspan.tasks.reading import Read

GraderOption = Annotated[
    str | None,
    typer.Option(help="Your own: module:function, file.py:function or 'sh:COMMAND'."),
]


ReaderOption = Annotated[
    str | None,
    typer.Option(
        help="Reads rows of another form: module:function, file.py:function, 'sh:COMMAND'."
    ),
]


def said_reading(tasks: Sequence[Task], grader: str | None, *, json: bool) -> list[Task]:
    """Say what was read, as an event with `json`, and return the tasks with their graders.

    Raises:
        DataError: none of the references can be read, and there is no grader of the user's own.
        SpecError: that grader is not there.
    """
    from workspan.tasks.graders.own import graded_by, own_grader
    from workspan.tasks.reading import check_gradable, reading

    tasks = [*tasks]
    if grader is not None:
        tasks = graded_by(tasks, own_grader(grader))
    read = reading(tasks)
    check_gradable(read)
    _say(read, json=json)
    return tasks


def say_references(tasks: Sequence[Task], *, json: bool) -> None:
    """Say what was read of problems to solve, if any comes with a reference."""
    if any(task.reference for task in tasks):
        from workspan.tasks.reading import reading

        _say(reading(tasks), json=json)


def _say(read: Read, *, json: bool) -> None:
    """Say it beside the results, so that those stay a record a line."""
    if json:
        typer.echo(msgspec.json.encode({"event": "read", **asdict(read)}).decode(), err=True)
        return
    from workspan.cli.terminal import Terminal

    for line in read.lines:
        Terminal(stderr=True).print(line, soft_wrap=True)
