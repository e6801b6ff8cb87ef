"""Values of formulas that only a computer algebra system reads, by a child process.

Answers are untrusted, and no pattern foresees every formula that keeps a computer algebra system
busy for ever. The child imports latex2sympy (math-verify's parser) once and forks a worker that
computes. A worker that uses up its processor time, its memory or the caller's time is killed, and
the next is forked in milliseconds: a formula that was cut costs its own time, not another start. A
child that died, or says what it should not, is replaced by a fresh one, which is asked once more.

What comes back for one formula does not depend on any other, so equality stays an equivalence, and
a set of answers costs time for each of them, not for each pair. It is what `formula.key_of` makes
of
the values, so that it equals that of the same formula written in a way that is read without help.
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
from fractions import Fraction
from functools import cache
from threading import Lock
from typing import Any

from workspan.answers.formulas.keys import key_of, point
from workspan.errors import GraderError

SECONDS = 2.0
"""Processor time of one formula: what else the machine does then changes nothing."""
_PATIENCE = 15
"""A formula may take this many times as long by the wall clock, if nobody gives a limit."""
_GRACE = 5.0
"""Wall clock after which a child that owes a reply counts as dead."""
_SECONDS_TO_START = 60.0
"""Its imports take seconds."""
_MEMORY = 2 * 1024**3
_KEPT = 8192


CUT = "cut"
"""Says that there was not the time or the memory to compute a value."""


def key(formula: str, *, seconds: float | None = None) -> str | None:
    """Return what formulas of the same value share; None if it is not understood, or `CUT`.

    Args:
        formula: in LaTeX.
        seconds: wall clock that there is, waiting for other formulas included; starting the child
            is not. A formula gets `SECONDS` of processor time at most in any case.

    Raises:
        GraderError: math-verify can't be started.
    """
    return _comparer().key(formula, seconds)


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
        self._known: OrderedDict[str, str | None] = OrderedDict()

    def prepare(self) -> None:
        with self._lock:
            self._started()

    def key(self, formula: str, seconds: float | None) -> str | None:
        if formula in self._known:
            return self._known[formula]
        end = self._now() + (_PATIENCE * SECONDS if seconds is None else seconds)
        # The lock is held by one question at a time, each bounded like this one.
        if not self._lock.acquire(timeout=max(0.0, end - self._now())):
            return CUT
        try:
            if formula not in self._known:
                said = self._ask(formula, end)
                # Cut by the caller's clock, it may do better another time.
                if said != CUT or self._now() < end:
                    _keep(self._known, formula, said)
                return said
            return self._known[formula]
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the child; the next question starts another."""
        with self._lock:
            self._end()

    def _ask(self, formula: str, end: float) -> str | None:
        """Ask the child; a dead one is replaced once, and its start is not on the clock."""
        for _ in range(2):
            if self._now() >= end:
                return CUT
            began = self._now()
            self._started()
            end += self._now() - began
            try:
                return self._reply(formula, end - self._now())
            except _Died:
                self._end()
        return CUT  # it dies of this formula

    def _reply(self, formula: str, seconds: float) -> str | None:
        child = self._child
        assert child is not None
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps([formula, seconds]) + "\n")
            child.stdin.flush()
        except OSError as error:
            raise _Died from error
        said = _line(child, seconds + _GRACE)
        if said in ("none", CUT):
            return CUT if said == CUT else None
        if not said.startswith("key "):
            raise _Died
        return said[4:]

    def _started(self) -> None:
        if self._child is None or self._child.poll() is not None:
            self._end()
            self._child = _start()

    def _end(self) -> None:
        if self._child is not None:
            _end(self._child)
            self._child = None


def _keep(memory: OrderedDict[str, str | None], formula: str, said: str | None) -> None:
    memory[formula] = said
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
        formula, seconds = json.loads(line)
        worker = worker or _Worker()
        said = worker.said(formula, seconds)
        if said is None:
            worker.end()
            worker = None
        print(said or CUT, flush=True)  # noqa: T201
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

    def said(self, formula: str, seconds: float) -> str | None:
        """Let the worker compute; None if it died of it or is still busy."""
        try:
            os.write(self._out, (json.dumps(formula) + "\n").encode())
        except BrokenPipeError:
            return None
        said = b""
        end = time.monotonic() + seconds
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([self._in], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._in, 4096) if ready else b""
            if not part:
                return None
            said += part
        return said.decode().strip()

    def end(self) -> None:
        """Kill it, whatever it does."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._in)
        os.close(self._out)


def _work(source: int, target: int) -> None:
    """Compute until killed: by the timer, when a formula takes too much processor time."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    with os.fdopen(source) as questions:
        for line in questions:
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            try:
                said = _computed(json.loads(line))
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001  # the boundary to a foreign parser of untrusted text
                said = None
            signal.setitimer(signal.ITIMER_PROF, 0)
            reply = "none" if said is None else f"key {said}"
            os.write(target, (reply[:4000] + "\n").encode())


def _computed(text: str) -> str | None:
    """Return the key of a formula as sympy sees it; None where it has no value."""
    import mpmath
    import sympy
    from latex2sympy2_extended import latex2sympy

    found = latex2sympy(text, is_real=None, convert_degrees=False)
    if not isinstance(found, sympy.Expr):
        return None
    found = found.doit()
    names = {symbol: _plain_name(symbol.name) for symbol in found.free_symbols}
    floats = {one: sympy.Rational(str(one)) for one in found.atoms(sympy.Float)}
    imaginary = {symbol: sympy.I for symbol, name in names.items() if name == "i"}
    found = found.xreplace({**floats, **imaginary})
    if found.has(sympy.oo, sympy.zoo, sympy.nan) or (not found.is_number and not names):
        return None
    variables = [symbol for symbol in names if symbol not in imaginary]
    points: list[Any] = []
    with mpmath.mp.workdps(80):
        for i in range(3 if variables else 1):
            at = {symbol: sympy.Rational(*_ratio(point(names[symbol], i))) for symbol in variables}
            exact = found.subs(at)
            if exact.is_Rational:
                points.append(Fraction(int(exact.p), int(exact.q)))
                continue
            value = sympy.N(exact, 70)
            real, imaginary_part = value.as_real_imag()
            if not (real.is_number and imaginary_part.is_number):
                return None
            points.append(mpmath.mpc(mpmath.mpf(str(real)), mpmath.mpf(str(imaginary_part))))
        return repr(key_of(points))


def _plain_name(name: str) -> str:
    return name.replace("\\", "").replace("{", "").replace("}", "")


def _ratio(value: Fraction) -> tuple[int, int]:
    return value.numerator, value.denominator


if __name__ == "__main__":
    _serve()
