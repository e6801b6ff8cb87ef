"""Right programs pass, with tests of many forms."""

from __future__ import annotations

import pytest

from trial.rig import tried
from workspan.tasks.graders.code import helpers

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


@pytest.mark.parametrize(("program", "tests"), RIGHT)
def test_right_programs_pass_tests_of_many_forms(program: str, tests: list[str]) -> None:
    assert tried(program, tests, POLY) == ""


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
