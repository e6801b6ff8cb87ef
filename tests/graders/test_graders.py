"""What graders say, and what they refuse to say."""

from __future__ import annotations

import anyio
import pytest

from workspan.data.types import AnswerKind, Message, Problem
from workspan.errors import GraderError, SandboxUnavailable
from workspan.tasks.base import Grade, Grader, Task
from workspan.tasks.graders.code import Code
from workspan.tasks.graders.equivalence import Equivalence, Ungraded

ADD = "assert add(2, 3) == 5"


def task(
    grader: Grader, reference: str = "", kind: AnswerKind = "text", tests: tuple[str, ...] = ()
) -> Task:
    return Task(Problem("p", (Message("user", "?"),), kind), reference, grader, tests)


def grade(one: Task, answer: str | None) -> Grade:
    return anyio.run(one.grader, one, answer)


@pytest.fixture
def sandbox() -> None:
    from workspan.sandbox import available

    try:
        available()
    except SandboxUnavailable as error:
        pytest.skip(str(error))


@pytest.mark.parametrize(
    ("kind", "reference", "right", "wrong"),
    [
        ("text", "New York", "new york.", "York"),
        ("number", "1200", "1,200.0", "120"),
        ("math", r"\frac{1}{2}", "0.5", "0.25"),
        ("choice", "B", "(b)", "A"),
    ],
)
def test_an_answer_that_says_the_same_as_the_reference_is_right(
    kind: AnswerKind, reference: str, right: str, wrong: str
) -> None:
    one = task(Equivalence(), reference, kind)
    assert grade(one, right).correct == 1
    assert grade(one, wrong).correct == 0


def test_an_abstention_is_wrong_even_where_the_reference_is_none() -> None:
    assert grade(task(Equivalence(), "None"), None).correct == 0
    assert grade(task(Code(), tests=(ADD,)), None).correct == 0


def test_a_task_without_a_reference_gets_no_grade() -> None:
    with pytest.raises(GraderError, match="problem p has no reference answer"):
        grade(task(Ungraded("has no reference answer to grade by")), "7")


def test_a_grade_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"correct is 1.5: must be in \[0, 1\]|between 0 and 1"):
        Grade(1.5)


def test_code_without_tests_gets_no_grade() -> None:
    with pytest.raises(GraderError, match="has no tests"):
        grade(task(Code()), "def add(a, b): return a + b")


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("program", "correct", "reason"),
    [
        ("def add(a, b):\n    return a + b", 1, "all tests pass"),
        ("def add(a, b):\n    return a - b", 0, "AssertionError"),
        ("def add(a, b) return", 0, "SyntaxError"),
        ("import sys; sys.exit(0)", 0, "ended before its tests"),
        ("import os; os._exit(0)", 0, "ended before its tests"),
        ("while True: pass", 0, "time"),
    ],
)
def test_code_is_right_that_passes_all_tests(program: str, correct: float, reason: str) -> None:
    judged = grade(task(Code(seconds=2.0), kind="code", tests=(ADD,)), program)
    assert judged.correct == correct
    assert reason in judged.reason


@pytest.mark.usefixtures("sandbox")
def test_a_preamble_takes_a_whole_function_or_its_body() -> None:
    head = 'def add(a, b):\n    """Add."""\n'
    one = Task(
        Problem("p", (Message("user", head),), "code"), "", Code(), (ADD,), {"preamble": head}
    )
    assert grade(one, "    return a + b").correct == 1
    assert grade(one, "def add(a, b):\n    return a + b").correct == 1
    assert grade(one, "    return a").correct == 0
