"""The computing child: cut by its clock, replaced when it dies, never believed when it babbles."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction

import pytest

from workspan.answers import algebra
from workspan.answers.formulas.computed import TooLarge
from workspan.answers.formulas.keys import formula_key
from workspan.answers.formulas.tokens import NotRead

SLOW = r"\sum_{i=1}^{10^{10^{10}}} i!"
"""A formula that has a value, and no time is enough for it."""


@pytest.fixture(scope="module")
def shared() -> Iterator[algebra._Comparer]:
    comparer = algebra._Comparer()
    yield comparer
    comparer.close()


@pytest.fixture
def comparer(shared: algebra._Comparer) -> algebra._Comparer:
    """A running child that has no memory of other tests' formulas."""
    shared._known.clear()
    shared.prepare()
    return shared


def pid(comparer: algebra._Comparer) -> int:
    assert comparer._child is not None
    return comparer._child.pid


@pytest.mark.parametrize("when", ["between questions", "with a pipe that broke"])
def test_a_dead_child_is_replaced_and_asked_again(comparer: algebra._Comparer, when: str) -> None:
    before = pid(comparer)
    os.kill(before, signal.SIGKILL)
    if when == "between questions":
        assert comparer._child is not None
        comparer._child.wait()
    assert comparer.key("x+1", None) == repr(formula_key("1+x"))
    assert pid(comparer) != before


def test_a_worker_that_was_killed_costs_no_new_child(comparer: algebra._Comparer) -> None:
    before = pid(comparer)
    assert comparer.key(SLOW, 0.3) == algebra.CUT
    assert comparer.key("x+1", None) == repr(formula_key("1+x"))
    assert pid(comparer) == before


@pytest.mark.parametrize("said", ["maybe", "", "[1]", "ready"])
def test_a_child_that_babbles_is_replaced_once_then_given_up(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    script = f"import sys\nfor line in sys.stdin: print({said!r}, flush=True)"
    starts = itertools.count()

    def start() -> subprocess.Popen[str]:
        next(starts)
        pipe = subprocess.PIPE
        command = [sys.executable, "-c", script]
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)

    monkeypatch.setattr(algebra, "_start", start)
    comparer = algebra._Comparer()
    try:
        assert comparer.key("x", 600) == algebra.CUT
    finally:
        comparer.close()
    assert next(starts) == 2


def test_without_time_nothing_is_asked_and_nothing_remembered(comparer: algebra._Comparer) -> None:
    assert comparer.key("x+1", 0) == algebra.CUT
    assert not comparer._known
    assert comparer.key("x+1", None) == repr(formula_key("1+x"))


def test_the_child_and_the_reader_here_agree(comparer: algebra._Comparer) -> None:
    for formula in (
        r"\frac{x}{2}",
        r"\sqrt{8}",
        "2x+1",
        r"\sin x",
        r"\frac{1}{3}",
        "x^2y",
        r"\pi",
        "3+4i",
    ):
        assert comparer.key(formula, None) == repr(formula_key(formula)), formula


@pytest.mark.parametrize(
    "bomb",
    [
        "9^{9^{9^9}}",
        "9**9**9**9",
        "(1000000!)!",
        "2^{99999999}",
        "9^{999999}",
        r"\binom{9999999}{99999}",
        "((((" * 100,
        "x" * 700,
        r"\sqrt{" * 100,
        "10^{10^{10}}",
        "0^0",
        "1/0",
    ],
)
def test_numbers_that_would_not_fit_are_refused_before_they_are_made(bomb: str) -> None:
    with pytest.raises(NotRead):
        formula_key(bomb)


def test_values_are_exact_where_they_are_fractions() -> None:
    assert formula_key("2^{100}+1") == ("n", Fraction(2**100 + 1))
    assert formula_key(r"(\sqrt{2})^2") == ("n", Fraction(2))
    assert formula_key(r"\frac{1}{3}+\frac{1}{6}") == ("n", Fraction(1, 2))
    assert issubclass(TooLarge, NotRead)
