"""The comparer: cut by its own clock, replaced when it dies, never believed when it babbles."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from workspan.answers import algebra

SLOW = (r"\sin(x)^{200}", r"\cos(x)^{200}")
"""Formulas that math-verify expands for minutes."""
UNEVALUATED = ("10^{10^{10}}", "9^{9^{9^9}}", "8^{8^{8^8}}")


@pytest.fixture(scope="module")
def shared() -> Iterator[algebra._Comparer]:
    comparer = algebra._Comparer()
    yield comparer
    comparer.close()


@pytest.fixture
def comparer(shared: algebra._Comparer) -> algebra._Comparer:
    """A running child that has no memory of other tests' formulas."""
    shared._known.clear()
    shared._slow.clear()
    shared.prepare()
    return shared


def pid(comparer: algebra._Comparer) -> int:
    assert comparer._child is not None
    return comparer._child.pid


def ask(comparer: algebra._Comparer, a: str, b: str, seconds: float | None = None) -> bool | None:
    return comparer.compared(min(a, b), max(a, b), seconds)


@pytest.mark.parametrize("when", ["between questions", "with a pipe that broke"])
def test_a_dead_child_is_replaced_and_asked_again(comparer: algebra._Comparer, when: str) -> None:
    before = pid(comparer)
    os.kill(before, signal.SIGKILL)
    if when == "between questions":
        assert comparer._child is not None
        comparer._child.wait()
    assert ask(comparer, "x+1", "1+x") is True
    assert pid(comparer) != before


def test_a_worker_that_was_killed_costs_no_new_child(comparer: algebra._Comparer) -> None:
    before = pid(comparer)
    assert ask(comparer, *SLOW, seconds=0.2) is None
    assert ask(comparer, "x+1", "1+x") is True
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
        assert ask(comparer, "x", "y", seconds=600) is None
    finally:
        comparer.close()
    # The pair, and each of its formulas alone, by two children each.
    assert next(starts) == 6


def test_without_time_nothing_is_asked_and_nothing_remembered(comparer: algebra._Comparer) -> None:
    assert ask(comparer, "x+1", "1+x", seconds=0) is None
    assert ask(comparer, "x+1", "1+x") is True


def test_a_cut_by_the_callers_clock_says_nothing_of_the_formulas(
    comparer: algebra._Comparer,
) -> None:
    assert ask(comparer, *SLOW, seconds=0.1) is None
    assert not comparer._slow
    assert not comparer._known


def test_slow_formulas_cost_for_each_of_them_not_for_each_pair(
    comparer: algebra._Comparer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []
    reply = comparer._reply

    def counted(a: str, b: str, seconds: float, effort: float) -> bool | None:
        asked.append((a, b))
        return reply(a, b, seconds, effort)

    monkeypatch.setattr(comparer, "_reply", counted)
    pairs = [*itertools.combinations(UNEVALUATED, 2)] * 3
    verdicts = {pair: ask(comparer, *pair) for pair in pairs}
    assert set(verdicts.values()) == {None}
    assert len(asked) == len({*asked})
    beside_plain = [b for _, b in asked].count(algebra._PLAIN)
    assert len(asked) - beside_plain <= beside_plain <= len(UNEVALUATED)
    assert ask(comparer, "y", "y+0") is True  # what stood beside them is compared as ever
