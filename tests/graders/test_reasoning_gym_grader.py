"""reasoning-gym's scorers: right means right, and no answer is ever run."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.errors import GraderError
from workspan.graders.base import Grade, Task
from workspan.graders.reasoning_gym import FORMULAS, LITERALS, ReasoningGym, is_harmless
from workspan.tasks.procedural import procedural
from workspan.types import AnswerKind, Message, Problem

EVALUATES = re.compile(r"(?<![\w.])(?:eval|exec|parse_expr|sympify)\(|(?:sympy|sp)\.parse_expr\(")


def grade(task: Task, answer: str | None) -> Grade:
    return anyio.run(task.grader, task, answer)


def task(score: Any, kind: AnswerKind = "text") -> Task:
    problem = Problem("p", (Message("user", "?"),), kind)
    return Task(problem, "7", ReasoningGym("chain_sum", score), data={"entry": {"answer": "7"}})


def test_the_reference_is_right_and_another_answer_and_none_are_wrong() -> None:
    one = procedural("chain_sum").load(1)[0]
    assert grade(one, one.reference).correct == 1
    assert grade(one, one.reference + "1").correct == 0
    assert grade(one, None).correct == 0


def test_partial_credit_for_containing_the_answer_is_wrong() -> None:
    one = procedural("caesar_cipher").load(1)[0]
    padded = f"it is {one.reference}"
    entry = one.data["entry"]
    assert isinstance(entry, Mapping)
    assert isinstance(one.grader, ReasoningGym)
    assert 0 < one.grader.score(padded, entry) < 0.99
    assert grade(one, padded).correct == 0


def test_numbers_are_right_in_any_form_that_votes_count_together() -> None:
    one = procedural("chain_sum").load(1)[0]
    assert grade(one, f"{one.reference}.0").correct == 1


def test_a_scorer_that_trips_over_an_answer_finds_it_wrong() -> None:
    def score(answer: str, entry: Mapping[str, Any]) -> float:
        return float(int(answer) == int(entry["answer"]))

    assert grade(task(score), "seven").correct == 0
    assert grade(task(score), "7").correct == 1


def test_a_scorer_that_trips_over_the_reference_gives_no_grade() -> None:
    def score(answer: str, entry: Mapping[str, Any]) -> float:
        raise KeyError("metadata")

    with pytest.raises(GraderError, match="chain_sum failed"):
        grade(task(score), "7")


def test_every_scorer_that_evaluates_answers_is_known() -> None:
    pytest.importorskip("reasoning_gym")
    from reasoning_gym.factory import DATASETS

    evaluating = {
        name
        for name, (maker, _) in DATASETS.items()
        if EVALUATES.search(inspect.getsource(maker.score_answer))
    }
    own_data_only = {"number_sorting"}  # it evaluates the entry's answer, not the model's
    assert evaluating - own_data_only == LITERALS | FORMULAS


@pytest.mark.parametrize("dataset", sorted(LITERALS | FORMULAS))
@pytest.mark.parametrize(
    "answer",
    [
        "__import__('os').getcwd()",
        " __import__('os').getcwd()",
        "[].__class__",
        "[x for x in (1,)]",
        "(lambda: 1)()",
        "f'{1}'",
        "exec('1')",
        "9" * 501,
    ],
)
def test_an_answer_that_would_run_is_not_read(dataset: str, answer: str) -> None:
    assert not is_harmless(answer, dataset)


@pytest.mark.parametrize(
    "answer", ["9**9**9", "(9**20)**20", "exp(exp(9))", "10**99", "99999!", "__x__!", "Symbol('x')"]
)
def test_a_formula_that_would_not_end_or_is_rewritten_before_it_runs_is_not_read(
    answer: str,
) -> None:
    assert not is_harmless(answer, "countdown")


@pytest.mark.parametrize("dataset", sorted(LITERALS | FORMULAS))
def test_the_references_of_evaluating_sets_are_read_and_right(dataset: str) -> None:
    tasks = procedural(dataset).load(6, seed=3)
    judged = [grade(one, one.reference).correct for one in tasks if "Integral" not in one.reference]
    assert judged
    assert all(judged)


formulas = st.recursive(
    st.integers(0, 10**9).map(str),
    lambda part: st.tuples(part, st.sampled_from(["+", "-", "*", "**"]), part).map(
        lambda parts: f"({''.join(parts)})"
    ),
    max_leaves=8,
)


@given(formulas)
def test_the_value_of_a_formula_that_is_read_fits_in_memory(formula: str) -> None:
    if is_harmless(formula, "countdown"):
        value = eval(formula, {"__builtins__": {}})  # noqa: S307  # made above
        assert abs(value) < 10 ** (9 * 20 * 8)
