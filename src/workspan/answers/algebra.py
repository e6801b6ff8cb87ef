"""Formulas compared by math-verify in a child process, since some would never end.

Answers are untrusted, and no pattern foresees every formula that keeps a computer algebra system
busy for ever. The child has bounded memory, and is killed when a comparison takes too long; the
pair then counts as different.
"""

from __future__ import annotations

import atexit
import json
import logging
import resource
import select
import subprocess
import sys
from functools import cache, lru_cache
from threading import Lock

from workspan.errors import GraderError

_SECONDS = 2.0
_SECONDS_TO_START = 60.0
"""Its imports take seconds."""
_MEMORY = 2 * 1024**3


@lru_cache(maxsize=8192)
def equal(a: str, b: str) -> bool:
    """Say whether two formulas in LaTeX have the same value, as math-verify sees it."""
    return _comparer().ask(a, b)


class _Comparer:
    """The child, started when first needed; it ends when this process does."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def ask(self, a: str, b: str) -> bool:
        with self._lock:
            child = self._child = self._child or _start()
            assert child.stdin is not None
            child.stdin.write(json.dumps([a, b]) + "\n")
            child.stdin.flush()
            answer = _line(child, _SECONDS)
            if not answer:  # too long, or too much memory
                _end(child)
                self._child = None
            return answer == "true"

    def close(self) -> None:
        """End the child; the next question starts another."""
        with self._lock:
            if self._child is not None:
                _end(self._child)
                self._child = None


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
    )
    if not _line(child, _SECONDS_TO_START):
        _end(child)
        raise GraderError("math-verify did not start: is it installed and whole?")
    return child


def _line(child: subprocess.Popen[str], seconds: float) -> str:
    """Return the next line; "" if the child ended or took too long."""
    assert child.stdout is not None
    ready, _, _ = select.select([child.stdout], [], [], seconds)
    return child.stdout.readline().strip() if ready else ""


def _end(child: subprocess.Popen[str]) -> None:
    child.kill()
    with child:
        pass


def _serve() -> None:
    """Answer each pair of lines on standard input, in the child."""
    from math_verify import parse, verify

    logging.disable()  # it warns that its own time-outs, which are signals, are off
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        left, right = (
            parse(f"${formula}$", parsing_timeout=None, raise_on_error=False)
            for formula in json.loads(line)
        )
        same = any(  # it is not symmetric
            verify(gold, target, timeout_seconds=None, raise_on_error=False)
            for gold, target in ((left, right), (right, left))
            if gold and target
        )
        sys.stdout.write(json.dumps(same) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
