"""The reasoner's problems as tasks: the same ones in its grammar and in English."""

from __future__ import annotations

import re
from random import Random

import anyio
import pytest

from workspan.answers import extract
from workspan.errors import InputError, SpecError
from workspan.registry._rows import OFFICIAL
from workspan.registry.table import table
from workspan.tasks import Task, open_tasks
from workspan.tasks.catalogue import serial_depth
from workspan_evidence.families.planning import OK, PlanInstance, propose, written
from workspan_evidence.families.serial import rule110
from workspan_evidence.grammar import ANSWER, decode, encode

FAMILIES = OFFICIAL["workspan-evidence"]["tasks"]


def text(task: Task) -> str:
    return task.problem.prompt[0].text


def both(name: str) -> list[tuple[Task, Task]]:
    english = open_tasks(f"{name}(english=True)").load(20, seed=3)
    return list(zip(open_tasks(name).load(20, seed=3), english, strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_is_a_task_set_in_the_grammar(name: str) -> None:
    tasks = open_tasks(name).load(5, seed=1)
    assert table("tasks").find(name).path.startswith("workspan_evidence.")
    assert len({task.problem.id for task in tasks}) == len({text(task) for task in tasks}) == 5
    for task in tasks:
        assert encode(text(task)) == task.data["instance"].prompt  # type: ignore[attr-defined]
        right = f"n1 < n2 = {task.reference} </s>"
        if isinstance(instance := task.data["instance"], PlanInstance):
            rng = Random(0)
            while instance.violated(plan := propose(instance, rng)):
                pass
            right = decode((*written(instance, plan), ANSWER, OK))
        grade = anyio.run(task.grader, task, extract(right, task.problem.kind))
        assert grade.correct == 1
        assert anyio.run(task.grader, task, extract("n1 = ?", task.problem.kind)).correct == 0
    assert tasks[:2] == open_tasks(name).load(2, seed=1)
    assert tasks != open_tasks(name).load(5, seed=2)


def test_a_timetable_is_not_told_in_english() -> None:
    with pytest.raises(SpecError, match="not told in English"):
        open_tasks("timetable(english=True)")


@pytest.mark.parametrize("name", ["path", "deep", "bridge", "heavy"])
def test_the_english_graph_has_the_same_answer(name: str) -> None:
    for task, english in both(name):
        links = {
            a: b.split(", ")
            for a, b in re.findall(r"^(\d+) leads to ([\d, ]+)$", text(english), re.M)
        }
        said = re.search(r"at node (\d+) .* node (\d+) and node (\d+)\. Which", text(english))
        assert said is not None
        reached, frontier = {said[1]}, [said[1]]
        while frontier:
            fresh = [b for a in frontier for b in links.get(a, []) if b not in reached]
            reached.update(fresh)
            frontier = fresh
        assert {said[2], said[3]} & reached == {english.reference}
        assert task.reference == f"n{english.reference}"
        assert extract(f"So: Answer: {english.reference}", english.problem.kind)


def test_the_english_cells_have_the_same_answer() -> None:
    for task, english in both("rule110"):
        cells = re.search(r"now: ([01 ]+)", text(english))
        steps = re.search(r"after (\d+) steps", text(english))
        assert cells is not None
        assert steps is not None
        row = tuple(map(int, cells[1].split()))
        for _ in range(int(steps[1])):
            row = rule110(row)
        assert str(row[0]) == english.reference == task.reference


def test_the_english_moves_have_the_same_answer() -> None:
    places = ["first", "second", "third", "fourth", "fifth"]
    for task, english in both("compose"):
        things = re.search(r"row: ([A-E ]+)\.", text(english))
        assert things is not None
        row = things[1].split()
        for move in re.findall(r"^\d+\. (.*)$", text(english), re.M):
            row = [row[places.index(place)] for place in move.split(", ")]
        assert row[0] == english.reference
        assert task.reference == f"n{60 + 'ABCDE'.index(row[0])}"


@pytest.mark.parametrize("name", ["parity", "majority"])
def test_the_english_bits_have_the_same_answer(name: str) -> None:
    for task, english in both(name):
        bits = [int(bit) for bit in re.findall(r"\b[01]\b", text(english).partition("\n")[0])]
        right = sum(bits) % 2 if name == "parity" else int(2 * sum(bits) > len(bits))
        assert str(right) == english.reference == task.reference


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("deep(d=0)", "at least 1"),
        ("path(d=60)", "names for so many"),
        ("deep(depth=3)", "no parameter 'depth'"),
        ("deep(format='dsf')", "did you mean 'dfs'"),
        ("majority(n=4)", "even number"),
        ("deep(d=2.5)", "must be int"),
    ],
)
def test_wrong_parameters_are_named(wrong: str, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        open_tasks(wrong)


def test_there_is_no_end_to_these_problems() -> None:
    with pytest.raises(InputError, match="how many"):
        open_tasks("deep").load()


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        *(("path(d=5)", 5), ("deep(d=10)", 10), ("bridge(d=2, short=3)", 6)),
        *(("heavy(m=1, h=4)", 5), ("rule110(t=3)", 3), ("compose(t=7)", 7)),
        *(("parity(n=8)", None), ("majority(n=9)", None), ("timetable", None)),
    ],
)
def test_a_set_says_how_deep_its_problems_are(name: str, steps: int | None) -> None:
    assert serial_depth(name) == steps
