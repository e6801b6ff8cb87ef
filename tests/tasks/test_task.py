"""A task gives a strategy its problem and keeps the rest."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import fields, is_dataclass

import pytest

from workspan.data.types import Message, Problem
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.tasks.procedural import procedural

SECRET = "the-reference-4711"


def task() -> Task:
    problem = Problem("p", (Message("user", "?"),))
    return Task(problem, SECRET, Equivalence(), (f"assert '{SECRET}'",), {"entry": SECRET})


def reachable(value: object, seen: set[int]) -> Iterator[object]:
    """Yield everything that a program holding `value` can follow references to."""
    if id(value) in seen or isinstance(value, type):
        return
    seen.add(id(value))
    yield value
    for inner in gc.get_referents(value):
        yield from reachable(inner, seen)


def test_the_repr_shows_neither_reference_nor_tests_nor_data() -> None:
    assert SECRET not in repr(task())


def test_a_strategy_with_the_problem_can_not_reach_the_reference() -> None:
    one = task()
    found = [*reachable(one.problem, set())]
    assert one.problem.prompt[0].text in found
    assert SECRET not in found
    assert all(not isinstance(value, Task) for value in found)


def test_the_problems_of_a_procedural_set_do_not_carry_its_entries() -> None:
    for one in procedural("letter_jumble").load(3):
        strings = [v for v in reachable(one.problem, set()) if isinstance(v, str)]
        assert all(one.reference not in text for text in strings)


def test_a_task_is_frozen() -> None:
    one = task()
    assert is_dataclass(one)
    for item in fields(one):
        with pytest.raises(AttributeError):
            setattr(one, item.name, None)
