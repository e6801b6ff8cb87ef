"""Formulas compared by math-verify in a child process, since some would never end.

Answers are untrusted, and no pattern foresees every formula that keeps a computer algebra system
busy for ever. The child imports math-verify once and forks a worker that compares. A worker that
uses up its processor time, its memory or the caller's time is killed, and the next is forked in
milliseconds: a comparison that was cut costs its own time, not another start. A child that died,
or says what it should not, is replaced by a fresh one, which is asked once more.

A formula that is too slow beside a plain number too is slow by itself: it is not compared again, so
that a set of answers costs time for each slow one in it, not for each pair.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from workspan.errors import GraderError

SECONDS = 2.0
"""Processor time of one comparison: what else the machine does then changes no verdict."""
_PROBE_SECONDS = 0.5
"""Processor time of a formula beside a plain number: more, and it is slow by itself."""
_PATIENCE = 5
"""A comparison may take this many times as long by the wall clock, if nobody gives a limit."""
_GRACE = 5.0
"""Wall clock after which a child that owes a reply counts as dead."""
_SECONDS_TO_START = 60.0
"""Its imports take seconds."""
_MEMORY = 2 * 1024**3
_KEPT = 8192
_PLAIN = "7919"
"""What a formula is compared with to see whether it is slow by itself."""


def equal(a: str, b: str, *, seconds: float | None = None) -> bool:
    """Say whether two formulas in LaTeX have the same value, as math-verify sees it.

    A pair that could not be compared in time counts as different: see `compared`.
    """
    return compared(a, b, seconds=seconds) is True


def compared(a: str, b: str, *, seconds: float | None = None) -> bool | None:
    """Compare two formulas in LaTeX; None if there was not the time or the memory for it.

    Args:
        a: a formula.
        b: another; the order does not matter.
        seconds: wall clock that there is, waiting for other comparisons included; starting the
            child is not. A comparison gets `SECONDS` of processor time at most in any case.

    Raises:
        GraderError: math-verify can't be started.
    """
    return _comparer().compared(min(a, b), max(a, b), seconds)


def prepare() -> None:
    """Start the child, so that no comparison has to wait for it; costs nothing if it runs.

    Raises:
        GraderError: math-verify can't be started.
    """
    _comparer().prepare()


class _Died(Exception):
    """The child is gone, or talks nonsense."""


class _Comparer:
    """The child, started when first needed; it ends when this process does."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._lock = Lock()
        self._now = now
        self._known: OrderedDict[tuple[str, str], bool] = OrderedDict()
        self._slow: OrderedDict[str, None] = OrderedDict()

    def prepare(self) -> None:
        with self._lock:
            self._started()

    def compared(self, a: str, b: str, seconds: float | None) -> bool | None:
        if a == b:
            return True
        known = self._known.get((a, b))
        if known is not None:
            return known
        end = self._now() + (_PATIENCE * SECONDS if seconds is None else seconds)
        # The lock is held by one comparison at a time, each bounded like this one.
        if not self._lock.acquire(timeout=max(0.0, end - self._now())):
            return None
        try:
            return self._compare(a, b, end)
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the child; the next question starts another."""
        with self._lock:
            self._end()

    def _compare(self, a: str, b: str, end: float) -> bool | None:
        if a in self._slow or b in self._slow:
            return None
        verdict = self._learnt(a, b, end, SECONDS)
        if verdict is None:
            for formula in (a, b):
                self._probe(formula, end)
        return verdict

    def _probe(self, formula: str, end: float) -> None:
        """See whether a formula is slow by itself; a cut by the caller's clock says nothing."""
        verdict = self._learnt(formula, _PLAIN, end, _PROBE_SECONDS)
        if verdict is None and self._now() < end:
            _keep(self._slow, formula, None)

    def _learnt(self, a: str, b: str, end: float, effort: float) -> bool | None:
        """Look it up or ask, and remember a verdict."""
        verdict = self._known.get((a, b))
        if verdict is None and (verdict := self._ask(a, b, end, effort)) is not None:
            _keep(self._known, (a, b), verdict)
        return verdict

    def _ask(self, a: str, b: str, end: float, effort: float) -> bool | None:
        """Ask the child; a dead one is replaced once, and its start is not on the clock."""
        for _ in range(2):
            if self._now() >= end:
                return None
            began = self._now()
            self._started()
            end += self._now() - began
            try:
                return self._reply(a, b, end - self._now(), effort)
            except _Died:
                self._end()
        return None  # it dies of this pair

    def _reply(self, a: str, b: str, seconds: float, effort: float) -> bool | None:
        child = self._child
        assert child is not None
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps([a, b, seconds, effort]) + "\n")
            child.stdin.flush()
        except OSError as error:
            raise _Died from error
        said = _line(child, seconds + _GRACE)
        if said not in _VERDICTS:
            raise _Died
        return _VERDICTS[said]

    def _started(self) -> None:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = _start()

    def _end(self) -> None:
        if self._child is not None:
            _end(self._child)
            self._child = None


_VERDICTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


def _keep(memory: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    memory[key] = value
    if len(memory) > _KEPT:
        memory.popitem(last=False)


@cache
def _comparer() -> _Comparer:
    comparer = _Comparer()
    atexit.register(comparer.close)
    return comparer


def _start() -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "workspan.answers.algebra"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # so that its worker can be ended with it
    )
    if _line(child, _SECONDS_TO_START) != "ready":
        _end(child)
        raise GraderError("math-verify did not start: is it installed and whole?")
    return child


def _line(child: subprocess.Popen[str], seconds: float) -> str:
    """Return the next line; "" if the child ended or took too long."""
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], seconds)
    return child.stdout.readline().strip() if ready else ""


def _end(child: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    # What was never sent can't be flushed to a dead child.
    with contextlib.suppress(BrokenPipeError), child:
        pass


# In the child


def _serve() -> None:
    """Answer each line on standard input, by a worker that may be killed over it."""
    import math_verify  # noqa: F401  # once, here: workers are forked from what it left in memory

    logging.disable()  # it warns that its own time-outs, which are signals, are off
    print("ready", flush=True)  # noqa: T201
    worker: _Worker | None = None
    for line in sys.stdin:
        a, b, seconds, effort = json.loads(line)
        worker = worker or _Worker()
        verdict = worker.compared(a, b, seconds, effort)
        if verdict is None:
            worker.end()
            worker = None
        print(json.dumps(verdict), flush=True)  # noqa: T201
    if worker is not None:
        worker.end()


class _Worker:
    """A fork of the child; it dies of a question that takes too much."""

    def __init__(self) -> None:
        (theirs_in, self._out), (self._in, theirs_out) = os.pipe(), os.pipe()
        self._pid = os.fork()
        if not self._pid:
            os.close(self._in)
            os.close(self._out)
            try:
                _work(theirs_in, theirs_out)
            finally:
                os._exit(0)
        os.close(theirs_in)
        os.close(theirs_out)

    def compared(self, a: str, b: str, seconds: float, effort: float) -> bool | None:
        """Let the worker compare; None if it died of it or is still busy."""
        try:
            os.write(self._out, (json.dumps([a, b, effort]) + "\n").encode())
        except BrokenPipeError:
            return None
        ready, _, _ = select.select([self._in], [], [], seconds)
        said = os.read(self._in, 1) if ready else b""
        return {b"1": True, b"0": False}.get(said)

    def end(self) -> None:
        """Kill it, whatever it does."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._in)
        os.close(self._out)


def _work(source: int, target: int) -> None:
    """Compare until killed: by the timer, when a comparison takes too much processor time."""
    from math_verify import parse, verify

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)

    @lru_cache(maxsize=1024)
    def read(formula: str) -> list[Any]:
        found: list[Any] = parse(f"${formula}$", parsing_timeout=None, raise_on_error=False)
        return found

    with os.fdopen(source) as questions:
        for line in questions:
            *pair, effort = json.loads(line)
            signal.setitimer(signal.ITIMER_PROF, effort)
            left, right = (read(formula) for formula in pair)
            same = any(  # it is not symmetric
                verify(gold, target, timeout_seconds=None, raise_on_error=False)
                for gold, target in ((left, right), (right, left))
                if gold and target
            )
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.write(target, b"1" if same else b"0")


if __name__ == "__main__":
    _serve()
