"""A grader of the user's own: a name, a Python function or class, or a command that reads JSON.

A function is called as ``grade(answer, reference, task)``, a command gets one JSON object on
standard input: ``problem``, ``question``, ``kind``, ``answer``, ``reference``, ``meta``. Either
gives a number from 0 to 1, true or false, or ``{"correct": …, "reason": …}``. Both run after a run
is over; nothing of what they are given reaches a strategy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import anyio
import msgspec

from workspan.boundary.shell import CommandError, ask
from workspan.errors import GraderError, SpecError
from workspan.legible import one_line, quoted
from workspan.registry.table import written
from workspan.spec import make
from workspan.tasks.base import Grade, Grader, Task

SECONDS = 60.0
"""That one grading may take."""


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """Ask a Python function; it may be a coroutine."""

    name: str
    call: Callable[..., Any]
    seconds: float = SECONDS

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer, None included.

        A function that does not end in time goes on in its thread, and its verdict is dropped.

        Raises:
            GraderError: it raised, took too long or gave no grade.
        """
        try:
            with anyio.fail_after(self.seconds):
                if inspect.iscoroutinefunction(self.call):
                    given = await self.call(answer, task.reference, task)
                else:
                    given = await anyio.to_thread.run_sync(
                        self.call, answer, task.reference, task, abandon_on_cancel=True
                    )
        except TimeoutError:
            raise GraderError(f"{self.name} took more than {self.seconds:g} seconds") from None
        except Exception as error:  # the boundary to the user's own code
            raise GraderError(f"{self.name} failed: {error!r}") from error
        return _grade(given, self.name)


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """Ask a shell command: JSON on standard input, a grade as JSON on standard output."""

    command: str
    seconds: float = SECONDS

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        """Judge one answer, null included.

        Raises:
            GraderError: it failed, took too long or wrote no grade.
        """
        asked = {
            "problem": task.problem.id,
            "question": task.problem.prompt[-1].text,
            "kind": task.problem.kind,
            "answer": answer,
            "reference": task.reference,
            "meta": task.data.get("meta", {}),
        }
        encoded = msgspec.json.encode(asked, enc_hook=str) + b"\n"
        try:
            told = await ask(self.command, encoded, seconds=self.seconds)
        except CommandError as error:
            raise GraderError(str(error)) from None
        try:
            given = msgspec.json.decode(told.strip())
        except (msgspec.DecodeError, RecursionError):
            wrote = one_line(told[:400].decode(errors="replace"), 80)
            raise GraderError(f"{self.command} wrote {wrote!r}, and not a number") from None
        return _grade(given, self.command)


def own_grader(given: str | Callable[..., Any], seconds: float = SECONDS) -> Grader:
    """Open a grader.

    Args:
        given: a text that the user wrote: a name of the registry, ``module:Name``,
            ``file.py:Name``, with parameters or without, or ``sh:COMMAND``; or a function.
        seconds: that one grading of a function or command may take.

    Raises:
        SpecError: there is no such name, module, file or function.
        PluginError: a distribution brings it, and it can't be used.
    """
    if not isinstance(given, str):
        return _grader(given, written(given), seconds)
    if not given.startswith("sh:"):
        return _grader(make(given, "graders", imports=True), given, seconds)
    if not given[3:].strip():
        raise SpecError("write the command after sh:, such as sh:./grade.sh", text=given)
    return OwnCommand(given[3:].strip(), seconds)


def _grader(made: Any, name: str, seconds: float) -> Grader:
    """Tell a function from an object that grades by itself."""
    if inspect.isroutine(made):
        return OwnFunction(name, made, seconds)
    if not inspect.iscoroutinefunction(getattr(type(made), "__call__", None)):  # noqa: B004
        raise SpecError(f"{quoted(name)} is no grader: it has no async def __call__(task, answer)")
    found: Grader = made
    return found


def graded_by(tasks: Sequence[Task], grader: Grader) -> list[Task]:
    """Return the tasks with another grader."""
    return [replace(task, grader=grader) for task in tasks]


def _grade(given: Any, who: str) -> Grade:
    """Read what a grader gave.

    Raises:
        GraderError: it is no grade.
    """
    if isinstance(given, Grade):
        return given
    reason = ""
    if isinstance(given, Mapping):
        reason = str(given.get("reason", ""))[:500]
        given = given.get("correct", given.get("score"))
    if not isinstance(given, int | float) or not 0 <= given <= 1:
        raise GraderError(f"{who} gave {given!r:.80}: a grade is a number from 0 to 1")
    return Grade(float(given), reason)
