"""Programs that do all they can to pass: the verdict is out of their reach."""

from __future__ import annotations

import anyio
import pytest

from workspan.errors import SandboxUnavailable
from workspan.sandbox import Trial, available, run_tests


@pytest.fixture
def sandbox() -> None:
    try:
        available()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


def trial(program: str, *tests: str) -> Trial:
    return anyio.run(lambda: run_tests(program, tests, seconds=2.0))


ATTACKS = [
    pytest.param(
        """
import builtins
builtins.abs = lambda x: 0
builtins.AssertionError = Exception

def f(x):
    return 9
""",
        "error",
        id="builtins",
    ),
    pytest.param(
        """
import os

def f(x):
    os._exit(0)
""",
        "ended early",
        id="exit",
    ),
    pytest.param(
        "raise SystemExit(0)",
        "ended early",
        id="sysexit2",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        """
import os
for fd in range(64):
    try:
        os.write(fd, b'["passed"]')
    except OSError:
        pass

def f(x):
    return 9
""",
        "ended early",
        id="fds",
    ),
    pytest.param(
        """
import sys, gc

def f(x):
    for o in gc.get_objects():
        if type(o).__name__ == 'Host':
            o.send(['!', [True, [], '']])
            o.send(['?', ['t', ['perform']]])
    return 9
""",
        "error",
        id="frames",
    ),
    pytest.param(
        """
import sys, gc

def f(x):
    for o in gc.get_objects():
        if type(o).__name__ == 'Host':
            o.send(['!', [['t', ['ok', ['l', []]]], [], '']])
    return 9
""",
        "error",
        id="reply early",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        """
import os, signal

def f(x):
    os.kill(-1, 9)
""",
        "error",
        id="kill",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        """
import os
if os.fork():
    os._exit(0)

def f(x):
    return 2
""",
        "gone",
        id="fork",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        """
import threading, os
threading.Thread(target=lambda: os._exit(0)).start()
import time
time.sleep(1)
""",
        "ended early",
        id="thread",
        marks=pytest.mark.slow,
    ),
    pytest.param(
        """
import gc

def f(x):
    for o in gc.get_objects():
        if type(o).__name__ == 'Host':
            return o.ask('get', o.foreign and 0, '__globals__')
""",
        "error",
        id="spoof tester exec",
    ),
    pytest.param(
        """
def f():
    return exec

def g():
    return 'import os; os.write(3,b"x")'
""",
        "error",
        id="exec return",
    ),
    pytest.param(
        """
def f(x):
    while True:
        pass
""",
        "time",
        id="endless",
    ),
    pytest.param(
        """
def f(x):
    while True:
        print('x' * 9999)
""",
        "output",
        id="flood",
    ),
    pytest.param(
        "def f(x): return bytearray(10<<30)",
        "memory",
        id="mem",
    ),
    pytest.param(
        """
def f(x):
    a = []
    for i in range(100000):
        a = [a]
    return a
""",
        "error",
        id="deep",
        marks=pytest.mark.slow,
    ),
]


_GONE = {"error", "ended early"}
"""Its first process ends in good order, and whoever is quicker ends the second."""


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(("program", "end"), ATTACKS)
def test_a_program_can_not_write_its_verdict(program: str, end: str) -> None:
    found = trial(program, "assert f(1) == 3" if "exec" not in program else "assert f()(g()) == 3")
    ends = _GONE if end == "gone" else {end}
    assert found.passed == 0, found
    assert found.end in ends, found


@pytest.mark.usefixtures("sandbox")
def test_all_tests_count_up_to_the_first_that_fails() -> None:
    program = "def f(x):\n    print('f of', x)\n    return 2 * x"
    look = (
        "import io, contextlib\nbuffer = io.StringIO()\n"
        "with contextlib.redirect_stdout(buffer):\n    f(1)\n"
        "assert buffer.getvalue() == 'f of 1\\n'"
    )
    assert trial(program, "assert f(1) == 2", look) == Trial(2, "passed")
    found = trial(program, "assert f(1) == 2", "assert f(1) == 3, 'not three'", "assert f(1) == 2")
    assert found == Trial(1, "error", "AssertionError: not three")


@pytest.mark.usefixtures("sandbox")
def test_a_program_sees_no_test() -> None:
    program = """
import gc, glob
seen = []
for path in [*glob.glob("*"), *glob.glob("/proc/*/cmdline"), *glob.glob("/proc/*/environ")]:
    try:
        seen.append(open(path, encoding="latin-1").read())
    except OSError:
        pass
seen += [o for o in gc.get_objects() if isinstance(o, str)]
def f(x):
    return any("forty" + "-two" in text for text in seen)
"""
    assert trial(program, "assert f(1) is False and 'forty-two'").end == "passed"
