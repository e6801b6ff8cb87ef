"""Tests of programs that do all they can to pass: the verdict is out of their reach."""

from __future__ import annotations

import socket
import threading
import types
from collections import Counter, OrderedDict, deque
from contextlib import redirect_stdout
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.errors import SandboxUnavailable
from workspan.sandbox import Trial, available, run_tests
from workspan.sandbox.trial import tester as side
from workspan.sandbox.trial.host import Host
from workspan.sandbox.trial.wire import Closed, Peer
from workspan.tasks.graders.code import helpers


def tried(program: str, tests: list[str], helpers: str = "") -> str:
    """Try a program of ours in this process; "" if it passes, else what failed."""
    ours, its = socket.socketpair()
    module = types.ModuleType("__main__")
    with redirect_stdout(StringIO()):
        host = Host(its.detach(), module)
        exec(compile(program, "main.py", "exec"), vars(module))

        def serve() -> None:
            try:
                host.serve()
            except Closed:
                host.stream.close()

        thread = threading.Thread(target=serve)
        thread.start()
        place = 0
        tester = side.Tester(ours.detach(), tests, helpers)
        try:
            for place in range(len(tests)):
                tester.run(place)
        except BaseException as error:  # noqa: BLE001  # a test raises what it likes
            return f"{tests[place]}: {error!r}"
        finally:
            tester.stream.close()
            thread.join()
    return ""


RIGHT = [
    (
        "def f(x): return x*2",
        [
            "assert f(4)==8",
            "assert f('a')=='aa'",
            "assert f([1])==[1,1]",
            "assert f(0.5)==1.0",
            "assert f(2**100)==2**101",
        ],
    ),
    (
        "def s(l): l.sort()",
        [
            """
a = [3, 1, 2]
s(a)
assert a == [1, 2, 3]
"""
        ],
    ),
    (
        """
def s(l):
    l[0].append(1)
    return l
""",
        [
            """
a = [[]]
r = s(a)
assert r is a and a == [[1]]
"""
        ],
    ),
    (
        "def d(d): d['x']={1,2}; return d",
        [
            """
a = {}
assert d(a) == {'x': {1, 2}} and a == {'x': {2, 1}}
"""
        ],
    ),
    (
        """
from collections import *

def c(s):
    return Counter(s)
""",
        ["assert c('aab')=={'a':2,'b':1}", "assert c('aab').most_common(1)==[('a',2)]"],
    ),
    (
        """
from collections import namedtuple
P = namedtuple('P', 'x y')

def f():
    return P(1, 2)
""",
        [
            "assert f()==(1,2)",
            "assert f().x==1",
            """
x, y = f()
assert x + y == 3
""",
            "assert isinstance(f(),tuple)",
            "assert f()[1]==2 and len(f())==2",
        ],
    ),
    (
        """
class Stack:

    def __init__(self):
        self.a = []

    def push(self, x):
        self.a.append(x)

    def pop(self):
        return self.a.pop()

    def __len__(self):
        return len(self.a)

    def __contains__(self, x):
        return x in self.a
""",
        [
            """
s = Stack()
s.push(3)
assert len(s) == 1 and 3 in s
assert isinstance(s, Stack)
assert s.pop() == 3 and (not s)
try:
    s.pop()
    assert False
except IndexError:
    pass
""",
            """
s = Stack()
s.a = [1]
assert s.a == [1]
""",
        ],
    ),
    (
        """
class V:

    def __init__(s, x):
        s.x = x

    def __add__(s, o):
        return V(s.x + o.x)

    def __mul__(s, k):
        return V(s.x * k)

    def __eq__(s, o):
        return s.x == o.x

    def __repr__(s):
        return f'V({s.x})'
""",
        [
            "assert V(1)+V(2)==V(3)",
            "assert V(1)*3==V(3)",
            "assert repr(V(1))=='V(1)' and str(V(2))=='V(2)'",
            "assert V(1)!=V(2)",
        ],
    ),
    (
        """
class E(ValueError):

    def __init__(self, code):
        super().__init__('bad')
        self.code = code

def f(x):
    if x < 0:
        raise E(7)
    return x
""",
        [
            """
try:
    f(-1)
    assert False
except E as e:
    assert e.code == 7 and 'bad' in str(e)
""",
            """
try:
    f(-1)
    ok = False
except ValueError:
    ok = True
assert ok
""",
        ],
    ),
    (
        """
def gen(n):
    yield from range(n)
""",
        [
            "assert list(gen(3))==[0,1,2]",
            """
g = gen(2)
assert next(g) == 0
""",
            "assert sum(gen(4))==6",
            "assert [x for x in gen(2)]==[0,1]",
        ],
    ),
    (
        "def m(f,l): return [f(x) for x in l]",
        [
            "assert m(lambda x:x+1,[1,2])==[2,3]",
            "assert m(str,[1])==['1']",
            "assert m(len,['ab'])==[2]",
            """
def sq(x):
    return x * x
assert m(sq, [3]) == [9]
""",
        ],
    ),
    (
        "def apply(f): return f",
        [
            """
k = lambda: 3
assert apply(k)() == 3 and apply(k) is k
"""
        ],
    ),
    (
        "def adder(n): return lambda x: x+n",
        ["assert adder(3)(4)==7"],
    ),
    (
        """
import math

def area(r):
    return math.pi * r * r
""",
        ["assert math.isclose(area(2), 12.566, abs_tol=.01)", "assert abs(area(1)-math.pi)<1e-9"],
    ),
    (
        """
from math import isclose, sqrt

def f(x):
    return x ** 0.5
""",
        ["assert isclose(f(2), sqrt(2))"],
    ),
    (
        "async def f(x): return x+1",
        [
            """
import asyncio
assert asyncio.run(f(1)) == 2
"""
        ],
    ),
    (
        """
def depth(n):
    return 0 if n is None else 1 + max(depth(n.left), depth(n.right))
""",
        [
            """
class Node:

    def __init__(s, v, l=None, r=None):
        s.val, s.left, s.right = (v, l, r)
assert depth(Node(1, Node(2))) == 2
"""
        ],
    ),
    (
        """
class Node:

    def __init__(s, v):
        s.val = v
        s.left = None
        s.right = None

def depth(n):
    return 0 if n is None else 1 + max(depth(n.left), depth(n.right))
""",
        [
            """
r = Node(1)
r.left = Node(2)
r.left.left = Node(3)
assert depth(r) == 3 and r.left.val == 2
"""
        ],
    ),
    (
        """
def rev(h):
    p = None
    while h:
        h.next, p, h = (p, h, h.next)
    return p
""",
        [
            """
class N:

    def __init__(s, v, n=None):
        s.v = v
        s.next = n
r = rev(N(1, N(2)))
assert r.v == 2 and r.next.v == 1 and (r.next.next is None)
"""
        ],
    ),
    (
        "def sum(a,b): return a+b+1",
        ["assert sum(1,2)==4"],
    ),
    (
        "def is_prime(n): return n>1 and all(n%i for i in range(2,n))",
        [
            """
def check(candidate):
    assert candidate(7) is True
    assert not candidate(8)
check(is_prime)
"""
        ],
    ),
    (
        """
import datetime as dt
from fractions import Fraction

def f():
    return Fraction(1, 3)

def g():
    return dt.date(2020, 1, 2)
""",
        [
            """
from fractions import Fraction
assert f() == Fraction(1, 3)
""",
            """
import datetime
assert g() == datetime.date(2020, 1, 2)
""",
        ],
    ),
    (
        "def f(): return float('nan'), float('inf')",
        [
            """
a, b = f()
assert a != a and b == float('inf')
"""
        ],
    ),
    (
        """
class C:

    def __enter__(s):
        return 5

    def __exit__(s, *a):
        return False
""",
        [
            """
with C() as x:
    assert x == 5
"""
        ],
    ),
    (
        """
from dataclasses import dataclass

@dataclass
class P:
    x: int
    y: int = 2
""",
        [
            "assert P(1)==P(1,2)",
            "assert P(1).y==2",
            "assert sorted([P(2),P(1)],key=lambda p:p.x)[0].x==1",
        ],
    ),
    (
        "def f(d): return d.keys()",
        ["assert list(f({'a':1}))==['a']", "assert set(f({'a':1}))=={'a'}"],
    ),
    (
        """
from enum import Enum

class Co(Enum):
    R = 1

def f():
    return Co.R
""",
        ["assert f()==Co.R and f() is Co.R and f().value==1"],
    ),
    (
        """
memo = {}

def fib(n):
    if n < 2:
        return n
    if n not in memo:
        memo[n] = fib(n - 1) + fib(n - 2)
    return memo[n]
""",
        ["assert fib(50)==12586269025", "assert len(str(fib(300)))>10"],
    ),
    (
        "def f(*a,**k): return a,k",
        ["assert f(1,b=2)==((1,),{'b':2})"],
    ),
    (
        "def f(x): return type(x)",
        ["assert f(1) is int and f('') is str"],
    ),
    (
        """
import re

def f(s):
    return re.match('a+', s)
""",
        ["assert f('aab').group()=='aa'", "assert f('b') is None"],
    ),
    (
        """
import itertools

def f():
    return itertools.count()
""",
        [
            """
g = f()
assert [next(g) for _ in range(3)] == [0, 1, 2]
"""
        ],
    ),
    (
        """
def poly_root(xs):
    return 1.0

def poly(xs, x):
    return 9
""",
        ["assert abs(poly([1, -1], poly_root([1, -1]))) < 1e-9"],
    ),
]
POLY = "def poly(xs, x): return xs[0] + xs[1] * x"
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


@pytest.mark.parametrize(("program", "tests"), RIGHT)
def test_right_programs_pass_tests_of_many_forms(program: str, tests: list[str]) -> None:
    assert tried(program, tests, POLY) == ""


@pytest.mark.parametrize(("program", "test"), LYING)
def test_no_value_passes_for_another(program: str, test: str) -> None:
    assert tried(program, [test])


def test_the_program_does_not_stand_in_for_a_helper() -> None:
    program = "def helper(x): return True\ndef f(x): return 0"
    assert tried(program, ["assert helper(f(1))"], "def helper(x): return x == 1")


def test_helpers_are_what_a_preamble_defines_besides_what_is_asked_for() -> None:
    head = "import math\n\ndef poly(xs, x):\n    return 1\n\ndef root(xs):\n"
    assert helpers(head + '    """Find it."""\n') == helpers(head)
    assert "def poly" in helpers(head)
    assert "root" not in helpers(head)
    assert helpers("def f(:") == ""
    assert helpers("") == ""


class Plain(Peer):
    """One end that has nothing but data."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def by_value(self, thing: Any) -> list[Any] | None:
        raise TypeError(f"{thing!r} is no plain data")


DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.fractions()
    | st.dates()
    | st.builds(Decimal, st.integers())
    | st.builds(range, st.integers(), st.integers()),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner).map(deque)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.integers(), inner).map(OrderedDict)
        | st.sets(st.text(), max_size=1)
        | st.binary().map(bytearray)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(DATA)
def test_plain_data_arrives_as_it_was(thing: Any) -> None:
    peer = Plain()
    found = peer.decode(peer.encode(thing, {}, []), [])
    assert found == thing
    assert type(found) is type(thing)
    assert repr(found) == repr(thing)


def test_one_list_in_two_places_stays_one() -> None:
    peer, inner = Plain(), [1]
    first, second = peer.decode(peer.encode([inner, inner], {}, []), [])
    assert first is second
    loop: list[Any] = []
    loop.append(loop)
    found = peer.decode(peer.encode(loop, {}, []), [])
    assert found[0] is found
    assert peer.decode(peer.encode(Counter("aab"), {}, []), []) == Counter("aab")
    assert peer.decode(peer.encode(Fraction(1, 3), {}, []), []) == Fraction(1, 3)


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
