"""Columns as data sets name them, on rows as the hub gives them; nothing is fetched."""

from __future__ import annotations

from typing import Any

import pytest

from workspan.errors import DataError, MissingDependency, SpecError
from workspan.tasks.catalogue import open_tasks
from workspan.tasks.hub import HubTasks, tasks_of


def read(**row: Any) -> tuple[str, str]:
    task = tasks_of([row], "set")[0]
    return task.problem.kind, task.reference


def test_a_worked_solution_is_reduced_to_its_answer() -> None:
    assert read(question="?", answer="2 + 3 = 5\n#### 1,005") == ("number", "1,005")
    assert read(problem="?", solution=r"so \boxed{\frac{1}{2}}.") == ("math", r"\frac{1}{2}")


def test_a_choice_is_named_by_place_letter_or_text() -> None:
    choices = ["red", "green", "blue"]
    assert read(question="?", choices=choices, answer=2) == ("choice", "C")
    assert read(question="?", options=choices, answer="B") == ("choice", "B")
    assert read(question="?", choices={"text": choices, "label": ["A", "B", "C"]}, answer="C") == (
        "choice",
        "C",
    )


def test_columns_are_found_whatever_their_case_and_others_are_left_out() -> None:
    assert read(Problem="?", Answer=204, Year=2024) == ("number", "204")


def test_a_set_without_a_question_or_an_answer_says_what_it_has() -> None:
    with pytest.raises(DataError, match=r"no column for the question \(question, .*it has words"):
        tasks_of([{"words": "?"}], "set")
    with pytest.raises(DataError, match=r"no column for the answer .*it has question, level"):
        tasks_of([{"question": "?", "level": 1}], "set")
    with pytest.raises(DataError, match="holds no rows"):
        tasks_of([], "set")


def test_a_row_that_does_not_fit_is_named() -> None:
    rows = [{"question": "?", "answer": "5"}, {"question": "", "answer": "5"}]
    with pytest.raises(DataError, match="set:2: question must be the problem's text"):
        tasks_of(rows, "set")


def test_a_data_set_is_named_with_config_and_split() -> None:
    opened = open_tasks("hf:openai/gsm8k:main:test")
    assert opened == HubTasks("hf:openai/gsm8k:main:test", "openai/gsm8k", ("main", "test"))


@pytest.mark.parametrize("spec", ["hf:gsm8k", "hf:", "hf:a/b/c", "hf:a/b:", "hf:a/b:c:d:e"])
def test_a_name_of_another_form_is_refused(spec: str) -> None:
    with pytest.raises(SpecError, match="write it like hf:OWNER/NAME"):
        open_tasks(spec)


def test_without_the_library_the_extra_is_named() -> None:
    try:
        import datasets  # noqa: F401
    except ImportError:
        with pytest.raises(MissingDependency, match=r"workspan\[hub\]"):
            open_tasks("hf:openai/gsm8k").load(1)
    else:
        pytest.skip("datasets is installed")


def test_rows_of_the_library_are_read() -> None:
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"question": ["2 + 3?"], "answer": ["#### 5"]})
    assert tasks_of(rows, "set")[0].reference == "5"
