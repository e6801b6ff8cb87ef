"""Tests of a program that can neither know nor write its own verdict.

The program runs within walls of its own, and the tests within others. All that goes between the
two is a socket for data: see `workspan.sandbox.trial.wire`. The program's walls hold no test, no
mark of success and no descriptor on which one is written: the tests' side compares plain data
itself, and writes the verdict where the program does not reach.

Covered by that: a program that reads its own files, frames, objects, memory, arguments or
environment; that replaces built-in functions, patches modules, ends early, prints, forks, or writes
to every descriptor it has; and a returned value whose class claims to equal, hold or begin with
anything. Not covered:

- tests that a wrong program passes as they are: of a class that the tests themselves name, what it
  says of its own instances is its own word, as ``__eq__`` between two of them is;
- helpers that tests use and neither define nor import: the program's own are taken, unless they are
  what the standard library calls by that name.

Tests see copies: a list or dictionary that is passed to a call is brought to the state that the
call left it in, once it is over. A test can give a program plain data, functions, iterators and
instances of its own classes. It can't subclass a class of the program, replace what the program
calls (as ``unittest.mock`` does), or give it standard input: such a test fails.
"""

from __future__ import annotations

import json
import socket
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files

import anyio

from workspan.errors import ungrouped
from workspan.sandbox.launch import Guest, Limits, Outcome, run
from workspan.sandbox.mechanisms import Mechanism

_ROOM = "workspan.sandbox.trial"
_BOOT = """
import sys, types
for name in {packages!r}:
    sys.modules[name] = types.ModuleType(name)
for name, text in {sources!r}:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
sys.modules[{main!r}].main({{channel}})
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of a program's tests."""

    passed: int
    """Tests that passed before the first that did not."""
    end: str
    """"passed" if all did; else "error", "ended early" or the limit that was broken."""
    said: str = ""
    """What failed, in the words of the test, or the last line of the program's own errors."""


async def trial(
    mechanism: Mechanism, program: str, tests: tuple[str, ...], helpers: str, limits: Limits
) -> Trial:
    """Run tests, one after another until one fails, on a program that runs apart from them.

    Raises:
        SandboxUnavailable: the walls could not be built.
    """
    ours, its = socket.socketpair()
    given = json.dumps({"tests": tests, "helpers": helpers})
    longer = replace(limits, seconds=limits.seconds + 1)  # the program's own end is told first
    outcomes: list[Outcome] = []
    ended = anyio.Event()

    async def play() -> None:
        outcomes.append(await run(mechanism, program, "", limits, Guest(_boot("host"), its)))
        ended.set()

    with ours, its:
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(play)
                judged = await run(mechanism, "", given, longer, Guest(_boot("tester"), ours))
                # the program may have been ended by a limit, which the tests saw as its end only
                with anyio.move_on_after(_MOMENT if "ended early" in judged.stdout else 0):
                    await ended.wait()
                group.cancel_scope.cancel()
        except BaseExceptionGroup as errors:
            raise ungrouped(errors) from errors
    return _read(judged, outcomes, len(tests))


_MOMENT = 10.0
"""Seconds in which a program that has gone must have been reaped, on a busy machine."""


def _read(judged: Outcome, outcomes: list[Outcome], n: int) -> Trial:
    """Make a result of what the tests wrote; the program's own end explains one that is missing."""
    try:
        ends = json.loads(judged.stdout) if judged.reason == "ok" else []
    except ValueError:
        ends = []
    passed = [end for end in ends if end == "passed"]
    if len(passed) == n:
        return Trial(n, "passed")
    its = outcomes[0] if outcomes else None
    if its is not None and its.reason not in ("ok", "error"):
        return Trial(len(passed), its.reason)
    last = ends[-1] if ends else ""
    if last.startswith("error"):
        return Trial(len(passed), "error", last.partition(": ")[2])
    if last == "ended early" and its is not None and its.reason == "error":
        return Trial(len(passed), "error", its.stderr.strip().rpartition("\n")[2][:200])
    return Trial(len(passed), last if ends else judged.reason)


@cache
def _boot(side: str) -> str:
    """Return a text that holds this side's modules and starts it."""
    names = [f"{_ROOM}.wire", f"{_ROOM}.{side}"]
    here = files(_ROOM)
    sources = [
        (name, here.joinpath(f"{name.rpartition('.')[2]}.py").read_text(encoding="utf-8"))
        for name in names
    ]
    parents = [_ROOM.rsplit(".", left)[0] for left in (2, 1)] + [_ROOM]
    boot = _BOOT.format(packages=parents, sources="SOURCES", main=names[-1])
    return boot.replace("'SOURCES'", repr(sources))
