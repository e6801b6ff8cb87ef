"""Values that pretend to be others pass no test."""

from __future__ import annotations

import pytest

from trial.rig import tried

LYING = [
    (
        """
class A:

    def __eq__(s, o):
        return True

    def __ne__(s, o):
        return False

    def __hash__(s):
        return 1

def f(x):
    return A()
""",
        "assert f(1)==2",
    ),
    (
        """
class A:

    def __eq__(s, o):
        return True

def f(x):
    return A()
""",
        "assert 2==f(1)",
    ),
    (
        """
class A:

    def __eq__(s, o):
        return True

    def __contains__(s, o):
        return True

    def __iter__(s):
        return iter([A()])

def f(x):
    return A()
""",
        "assert 2 in f(1)",
    ),
    (
        """
class A:

    def __eq__(s, o):
        return True

def f(x):
    return A()
""",
        "assert f(1) in [1,2]",
    ),
    (
        """
class A:

    def __eq__(s, o):
        return True

def f(x):
    return [A()]
""",
        "assert f(1)==[2]",
    ),
    (
        """
class A(int):

    def __eq__(s, o):
        return True

    def __sub__(s, o):
        return 0

def f(x):
    return A(5)
""",
        "assert f(1)==2",
    ),
    (
        """
class A(int):

    def __eq__(s, o):
        return True

    def __sub__(s, o):
        return 0

    def __rsub__(s, o):
        return 0

    def __abs__(s):
        return 0

def f(x):
    return A(5)
""",
        "assert abs(f(1)-2)<1e-6",
    ),
    (
        """
class A(str):

    def __eq__(s, o):
        return True
    __hash__ = str.__hash__

    def startswith(s, *a):
        return True

def f(x):
    return A('x')
""",
        "assert f(1).startswith('y')",
    ),
    (
        """
class A:

    def __sub__(s, o):
        return 0.0

    def __rsub__(s, o):
        return 0.0

    def __abs__(s):
        return 0.0

    def __lt__(s, o):
        return True
    __le__ = __lt__

    def __float__(s):
        return 0.0

def f(x):
    return A()
""",
        "assert abs(f(1)-2)<1e-6",
    ),
    (
        """
class A:

    def __lt__(s, o):
        return True
    __gt__ = __lt__

def f(x):
    return A()
""",
        "assert f(1)<2",
    ),
    (
        """
abs = lambda x: 0
all = lambda x: True
isinstance = lambda a, b: True

def f(x):
    return 9
""",
        "assert abs(f(1)-2)<1e-6",
    ),
    (
        """
class M:

    def isclose(*a, **k):
        return True
math = M()

def f(x):
    return 9
""",
        "assert math.isclose(f(1),2)",
    ),
    (
        """
import sys

def f(x):
    sys.exit(0)
""",
        "assert f(1)==2",
    ),
    (
        "def f(cb): return cb.__globals__",
        """
k = lambda: 1
assert f(k)
""",
    ),
    (
        "def f(n): n.__class__.__init__=None; return 1",
        """
class N:
    pass
assert f(N()) == 2
""",
    ),
    (
        """
class A:

    def __bool__(s):
        raise SystemExit(0)

def f(x):
    return A()
""",
        "assert f(1)",
    ),
]


@pytest.mark.parametrize(("program", "test"), LYING)
def test_no_value_passes_for_another(program: str, test: str) -> None:
    assert tried(program, [test])
