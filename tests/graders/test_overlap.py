"""Exact match and F1 as question answering counts them, by hand."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.data.types import Problem
from workspan.errors import GraderError
from workspan.tasks.base import Task
from workspan.tasks.graders.overlap import F1, ExactMatch, exact_match, f1


@pytest.mark.parametrize(
    ("answer", "reference", "em", "overlap"),
    [
        ("The Eiffel Tower!", "eiffel tower", 1, 1.0),
        ("the U.S.", "US", 1, 1.0),
        ("George Washington", "Washington", 0, 2 / 3),  # precision 1/2, recall 1
        ("in the year 1812 or so", "1812", 0, 1 / 3),  # "the" is dropped: 1 of 5, and 1 of 1
        ("dog dog cat", "dog cat cat", 0, 2 / 3),  # repetitions count once each
        ("Paris", "Rome", 0, 0.0),
        ("the", "a", 1, 1.0),
        ("the", "Rome", 0, 0.0),
    ],
)
def test_values_by_hand(answer: str, reference: str, em: int, overlap: float) -> None:
    assert exact_match(answer, [reference]) == em
    assert f1(answer, [reference]) == pytest.approx(overlap)


@given(st.text(), st.text())
def test_exact_match_is_the_top_of_f1_and_both_ignore_order_of_references(a: str, b: str) -> None:
    assert 0 <= exact_match(a, [b]) <= f1(a, [b]) <= 1
    assert f1(a, [b]) == f1(b, [a])


def test_graders_take_the_best_of_reference_and_aliases() -> None:
    problem = Problem.ask("Who?")
    task = Task(problem, "G. Stanley Hall", F1(), data={"aliases": ["Stanley Hall"]})
    assert anyio.run(F1(), task, "Stanley Hall").correct == 1
    assert anyio.run(ExactMatch(), task, "stanley hall.").correct == 1
    assert anyio.run(F1(), task, "Hall").correct == pytest.approx(2 / 3)
    assert anyio.run(ExactMatch(), task, "Hall").correct == 0
    assert anyio.run(F1(), task, None).correct == 0
    with pytest.raises(GraderError, match="no reference"):
        anyio.run(F1(), Task(problem, "", F1()), "x")
