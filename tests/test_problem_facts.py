"""What a problem says beside its words: facts in fields, and seeds that stay where they were."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from workspan.core.journal import digest
from workspan.data.content import JsonObject
from workspan.data.types import Problem
from workspan.errors import InputError, SpecError
from workspan.spec.text import name_of
from workspan.tasks.catalogue import open_tasks
from workspan.tasks.rows import read_row

RECORDED = {
    "trip_planning": ("85a6406339b9", "713d8ce0ca1f"),
    "meeting_planning": ("cb8219296dd0", "979cbaaf655f"),
    "calendar_scheduling": ("747b5ca810e0", "c1a195df0102"),
    "steg_poet": ("db4783ad3c8d", "3c7a5d9a8f5d"),
    "deep(d=2, english=True)": ("3f0d82822a51", "3749970f8154"),
    "compose(t=2, english=True)": ("416db70e7935", "4ce569c0f44d"),
}
"""Digests from before choices and plans were fields: seeds, and so recorded runs, hang on them."""

ROWS = (
    ({"question": "Which?", "choices": ["x", "y"], "answer": "B", "task": "w"}, "6c1d159d26c0"),
    ({"question": "Choose one.\nOptions:\n- Yes\n- No", "answer": "No"}, "8747e99c5f4c"),
    ({"question": "Is it so?\n- a é\n- b", "answer": "x"}, "55e1686e0b2e"),
)


@pytest.mark.parametrize("name", RECORDED)
def test_a_set_of_tasks_has_the_digests_that_it_had(name: str) -> None:
    tasks = open_tasks(name).load(2, seed=1)
    assert tuple(digest(task.problem) for task in tasks) == RECORDED[name]
    assert not {"choices", "plan"} & tasks[0].problem.metadata.keys()


@pytest.mark.parametrize(("row", "recorded"), ROWS)
def test_a_row_has_the_digest_that_it_had(row: dict[str, Any], recorded: str) -> None:
    assert digest(read_row(row, "r").problem) == recorded


def test_other_facts_are_another_problem() -> None:
    texts = [(), ("",), ("a",), ("b",), ("a", "b"), ("a\nb",), ("", ""), ("\n",), ("a", "b\n")]
    both = itertools.product(texts, texts)
    problems = [Problem("p", (), choices=choices, tests=tests) for choices, tests in both]
    problems += [Problem("p", (), plan=JsonObject.of({"form": form})) for form in ("a", "b")]
    assert len({digest(problem) for problem in problems}) == len(texts) ** 2 + 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"metadata": {"choices": "a\nb"}}, "choices of a problem is a field of its own"),
        ({"metadata": {"plan": "{}"}}, "Problem(…, plan=…)"),
        ({"choices": ["a", "b"]}, "choices of a problem are a tuple of texts"),
        ({"choices": ("a", 7)}, "choices and tests are texts, not 7"),
        ({"tests": "assert 1"}, "tests of a problem are a tuple of texts"),
        ({"plan": {"form": "trip"}}, "planning.dump makes one"),
        ({"tests": ("\ud800",)}, "lone surrogate"),
    ],
)
def test_a_fact_in_no_place_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        Problem("p", (), **given)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("single", "single"),
        ("self_consistency(n=3)", "self_consistency"),
        ("then(single, majority(n=2))", "then"),
        ("mine.py:Majority(n=5)", "mine.py:Majority"),
        ("my.module:Majority", "my.module:Majority"),
        ("forced_choice(cue='single(')", "forced_choice"),
    ],
)
def test_a_written_strategy_is_known_by_what_it_calls(written: str, name: str) -> None:
    assert name_of(written) == name


@pytest.mark.parametrize("written", ["", "3", "single +", "a.b(1)", "[single]"])
def test_what_calls_no_name_has_none(written: str) -> None:
    with pytest.raises(SpecError):
        name_of(written)
