"""Planning task sets: every difficulty by name, the same for the same seed, graded by a program."""

from __future__ import annotations

import random
from itertools import permutations

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.answers import extract
from workspan.errors import InputError, SpecError
from workspan.planning import read
from workspan.planning.calendar import Calendar
from workspan.planning.meeting import Meetings
from workspan.planning.meeting import write as write_meetings
from workspan.registry.table import table
from workspan.tasks.catalogue import catalogue, open_tasks
from workspan.tasks.planning.meeting import MeetingPlanning, optimal

MAKERS = [row.name for row in table("tasks").ours.values() if "tasks.planning" in row.path]
SIZES = (
    *(f"trip_planning(cities={n})" for n in range(3, 11)),
    *(f"meeting_planning(friends={n})" for n in range(1, 11)),
    *(f"calendar_scheduling(people={n})" for n in range(2, 8)),
    *(f"calendar_scheduling(people=2, days={n}, minutes=60)" for n in range(1, 6)),
    *(f"steg_poet(numbers={n}, between={b})" for n, b in ((10, 3), (20, 5), (30, 7))),
)


@pytest.mark.parametrize("name", SIZES)
def test_every_published_size_can_be_made_and_its_reference_is_right(name: str) -> None:
    for task in open_tasks(name).load(2, seed=7):
        assert task.problem.kind == "open"
        assert extract(task.reference, "open") == task.reference
        grade = anyio.run(task.grader, task, task.reference)
        assert grade.correct == 1


@pytest.mark.parametrize("name", MAKERS)
def test_a_set_is_the_same_for_the_same_seed_and_a_smaller_limit(name: str) -> None:
    few, many, others = (open_tasks(name).load(n, s) for n, s in ((2, 3), (5, 3), (2, 4)))
    assert [task.problem for task in few] == [task.problem for task in many[:2]]
    assert not {t.problem.prompt for t in few} & {t.problem.prompt for t in others}


@pytest.mark.slow  # the catalogue reads all of reasoning-gym
def test_the_catalogue_lists_them() -> None:
    assert set(MAKERS) <= {tasks.name for tasks in catalogue()}


@pytest.mark.parametrize("name", MAKERS)
def test_a_strategy_sees_the_constraints_and_no_solution(name: str) -> None:
    for task in open_tasks(name).load(5):
        seen = repr(task.problem)
        assert task.reference not in seen
        assert task.reference.splitlines()[-1] not in task.problem.prompt[0].text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("trip_planning(towns=3)", "did you mean|known: cities"),
        ("trip_planning(cities=1)", "cities is 1: must be 2 to"),
        ("meeting_planning(friends=40)", "friends is 40"),
        ("calendar_scheduling(minutes=45)", "must be a multiple of 30"),
        ("steg_poet(numbers='ten')", "numbers must be int"),
        ("trip_planning(5)", "give trip_planning its parameters by name"),
        ("trip_plannin", "did you mean 'trip_planning'"),
    ],
)
def test_wrong_parameters_are_refused(name: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        open_tasks(name)


def test_a_limit_is_asked_for() -> None:
    with pytest.raises(InputError, match="how many problems"):
        open_tasks("trip_planning").load()


def test_an_abstention_and_a_wrong_plan_are_graded_wrong() -> None:
    task = open_tasks("calendar_scheduling").load(1)[0]
    assert anyio.run(task.grader, task, None).correct == 0
    grade = anyio.run(task.grader, task, "Sunday, 9:00 - 9:30")
    assert grade.correct == 0
    assert "Sunday is not among the days" in grade.reason


def test_a_made_calendar_has_one_time_only() -> None:
    for task in open_tasks("calendar_scheduling(people=4, days=2)").load(5):
        calendar = read(task.problem.metadata)
        assert isinstance(calendar, Calendar)
        assert len([*calendar.free()]) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 5), st.integers())
def test_the_optimum_is_what_trying_every_order_finds(friends: int, seed: int) -> None:
    day = MeetingPlanning(friends).make(random.Random(seed)).instance
    assert isinstance(day, Meetings)
    names = [friend.name for friend in day.friends]
    orders = (p for n in range(1, friends + 1) for p in permutations(names, n))
    kept = [len(o) for o in orders if day.evaluate(write_meetings(day, o)).raw == len(o)]
    assert len(optimal(day)) == max(kept) == day.optimum
