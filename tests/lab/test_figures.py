"""Plots and tables at their edges: whatever a comparison can come to, it can be drawn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from lab_rig import execute, task, tasks
from workspan.cli.chart import draw
from workspan.cli.comparison import table
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.errors import ContextExceeded
from workspan.lab.records import Record, records
from workspan.lab.report.comparison import render
from workspan.lab.report.figures import accuracy_plot, difference_plot
from workspan.lab.stats import paired_difference, wilson
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single
from workspan.testing.scripted import FaultyEngine, ScriptedEngine

ONE = records(execute([Single()], tasks(1), ScriptedEngine(["Answer: 4"])))[0]
BOTH: list[Strategy] = [Single(), SelfConsistency(n=2)]


def shown(found: Sequence[Record]) -> str:
    """Draw everything that a terminal is shown of a comparison."""
    console = Console(width=140, file=StringIO())
    with console.capture() as out:
        console.print(table(found, console.width), draw(found))
    return out.get()


def drawn(found: Sequence[Record]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "<svg" in accuracy_plot(found)
        if any(record.difference is not None for record in found):  # else the page leaves it out
            assert "<svg" in difference_plot(found)
        assert shown(found)


@pytest.mark.parametrize("answer", ["4", "5"])
@pytest.mark.parametrize("n", [1, 2, 40])
def test_all_right_and_all_wrong_make_a_page(n: int, answer: str) -> None:
    done = execute(BOTH, tasks(n), ScriptedEngine([f"Answer: {answer}"]))
    assert f"2 strategies on {n} problem" in render(done)
    drawn(records(done))


def test_nothing_that_was_graded_makes_a_page() -> None:
    done = execute(BOTH, [task(i, "unjudged") for i in range(2)], ScriptedEngine(["Answer: 4"]))
    assert "2 strategies" in render(done)
    drawn(records(done))


def test_one_run_of_two_that_failed_makes_a_page() -> None:
    engine = FaultyEngine(["Answer: 4"], faults={1: (0, ContextExceeded("too long"))})
    done = execute([Single()], tasks(2), engine, parallel=1)
    assert "1 of 2 runs failed" in render(done)
    drawn(records(done))


def test_no_token_at_all_makes_a_page() -> None:
    done = execute(BOTH, tasks(2), ScriptedEngine([""]), Budget(work=1))
    assert "2 strategies" in render(done)
    drawn(records(done))


grades = st.integers(0, 60).flatmap(
    lambda n: (
        st.lists(st.booleans(), min_size=n, max_size=n) | st.sampled_from([[True] * n, [False] * n])
    )
)
amounts = st.sampled_from([0.0, 0.5, 1.0, 40.0, 1e9]) | st.floats(0, 1e12)


@st.composite
def any_records(draw_: Any) -> list[Record]:
    found = []
    for i in range(draw_(st.integers(1, 4))):
        own = [float(one) for one in draw_(grades)]
        low, high = wilson(own)
        ahead = paired_difference(own, [float(draw_(st.booleans())) for _ in own])
        found.append(
            replace(
                ONE,
                strategy=f"s{i}",
                accuracy=sum(own) / len(own) if own else None,
                low=low,
                high=high,
                difference=ahead.mean if ahead and i else None,
                difference_low=ahead.low if ahead and i else None,
                difference_high=ahead.high if ahead and i else None,
                work=draw_(amounts),
                span=draw_(amounts),
            )
        )
    return found


@settings(max_examples=6, deadline=None)
@given(any_records())
def test_any_records_can_be_drawn(found: list[Record]) -> None:
    drawn(found)
