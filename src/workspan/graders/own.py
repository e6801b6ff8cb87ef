"""A grader of the user's own: a Python function, or a command that reads JSON and writes a number.

The function is called as ``grade(answer, reference, task)``, the command gets one JSON object on
standard input: ``problem``, ``question``, ``kind``, ``answer``, ``reference``, ``meta``. Either
gives a number from 0 to 1, true or false, or ``{"correct": …, "reason": …}``. Both run after a run
is over; nothing of what they are given reaches a strategy.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
import msgspec

from workspan.errors import GraderError, SpecError
from workspan.graders.base import Grade, Grader, Task

SECONDS = 60.0
"""That one grading may take."""
_MOST = 1_000_000
"""Characters of a command's output that are looked at."""


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
        try:
            with anyio.fail_after(self.seconds):
                done = await anyio.run_process(
                    self.command,
                    input=msgspec.json.encode(asked, enc_hook=str) + b"\n",
                    check=False,
                )
        except TimeoutError:
            raise GraderError(f"{self.command} took more than {self.seconds:g} seconds") from None
        except (BrokenPipeError, anyio.BrokenResourceError):
            raise GraderError(f"{self.command} did not read its input") from None
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
            raise GraderError(f"{self.command} ended with {done.returncode}: {last}")
        try:
            given = msgspec.json.decode(done.stdout[:_MOST].strip())
        except msgspec.DecodeError:
            wrote = done.stdout[:80].decode(errors="replace")
            raise GraderError(f"{self.command} wrote {wrote!r}, and not a number") from None
        return _grade(given, self.command)


def own_grader(text: str, seconds: float = SECONDS) -> Grader:
    """Open ``module:function``, ``file.py:function`` or ``sh:COMMAND``.

    Raises:
        SpecError: there is no such module, file or function.
    """
    if text.startswith("sh:"):
        if not text[3:].strip():
            raise SpecError("write the command after sh:, such as sh:./grade.sh", text=text)
        return OwnCommand(text[3:].strip(), seconds)
    return OwnFunction(text, own_function(text), seconds)


def graded_by(tasks: Sequence[Task], grader: Grader) -> list[Task]:
    """Return the tasks with another grader."""
    return [replace(task, grader=grader) for task in tasks]


def own_function(text: str) -> Callable[..., Any]:
    """Load the function that ``module:function`` or ``file.py:function`` names.

    Raises:
        SpecError: there is none.
    """
    where, _, name = text.rpartition(":")
    if not where or not name.isidentifier():
        said = "write it like module:function, file.py:function or sh:COMMAND"
        raise SpecError(said, text=text, column=0)
    try:
        module = _file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except Exception as error:  # the user's own module may raise anything
        raise SpecError(f"{where} can't be imported: {error!r}", text=text, column=0) from error
    found = getattr(module, name, None)
    if not callable(found):
        raise SpecError(f"{where} has no function {name!r}", text=text, column=len(where) + 1)
    loaded: Callable[..., Any] = found
    return loaded


def _file(path: Path) -> Any:
    """Import a file under a name of its own.

    Raises:
        OSError: it is not there.
    """
    name = f"_workspan_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


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
