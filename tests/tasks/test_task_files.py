"""Files of the user's own: what is read, and what is said of a broken one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.answers import MARKED
from workspan.errors import DataError, GraderError, InputError
from workspan.tasks.base import Task
from workspan.tasks.catalogue import open_tasks
from workspan.tasks.files import read_tasks
from workspan.tasks.graders.code import Code
from workspan.tasks.graders.equivalence import Ungraded
from workspan.tasks.rows import FIELDS, read_row

SHARED = Path(__file__).parents[3] / "shared" / "data" / "problems"


def row(**fields: Any) -> Task:
    return read_row(fields, "1")


def written(folder: Path, *lines: str | bytes, name: str = "mine.jsonl") -> Path:
    path = folder / name
    path.write_bytes(b"\n".join(x.encode() if isinstance(x, str) else x for x in lines))
    return path


def test_a_question_is_asked_with_the_instruction_to_mark_and_a_prompt_as_it_stands() -> None:
    asked = row(question="2 + 3?", answer="5").problem
    assert asked.prompt[0].text == f"2 + 3?\n\n{MARKED}"
    assert row(prompt="2 + 3?", answer="5").problem.prompt[0].text == "2 + 3?"


def test_messages_are_sent_as_they_stand() -> None:
    turns = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 3?"}]
    prompt = row(messages=turns, answer="5").problem.prompt
    assert [(m.role, m.text) for m in prompt] == [("system", "Be brief."), ("user", "2 + 3?")]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"answer": "Paris"}, "text"),
        ({"answer": "1,234.5"}, "number"),
        ({"answer": 12}, "number"),
        ({"answer": "B", "choices": ["x", "y"]}, "choice"),
        ({"tests": ["assert f(1)"]}, "code"),
        ({"answer": "12", "kind": "text"}, "text"),
        ({"answer": "12", "answer_type": "integer"}, "number"),
        ({"answer": "x^2", "answer_type": "latex_expr"}, "math"),
        ({"answer": "no", "answer_type": "yesno"}, "text"),
        ({"answer": "C", "answer_type": "choice"}, "choice"),
        ({"answer": "3", "answer_type": "choice"}, "number"),
        ({"answer": "24", "answer_type": "expression24"}, "text"),
    ],
)
def test_the_kind_is_the_one_named_or_what_the_fields_show(
    fields: dict[str, Any], kind: str
) -> None:
    assert row(prompt="?", **fields).problem.kind == kind


def test_choices_are_lettered_and_the_reference_is_a_letter_or_a_choice() -> None:
    task = row(prompt="Which?", choices=["red", "blue"], answer="blue")
    assert task.problem.prompt[0].text == "Which?\nA) red\nB) blue"
    assert task.reference == "B"
    assert row(prompt="Which?", choices=["red", "blue"], answer="(a)").reference == "A"


def test_a_problem_without_a_reference_can_be_solved_and_not_graded() -> None:
    task = row(prompt="?", id="mine")
    with pytest.raises(GraderError, match="problem mine has no reference"):
        anyio.run(task.grader, task, "5")


def test_answers_that_need_a_checker_are_not_graded_by_comparing() -> None:
    task = row(prompt="?", answer="24", answer_type="expression24")
    assert isinstance(task.grader, Ungraded)


def test_tests_of_a_function_to_complete_are_called_and_its_head_stands_before_the_answer() -> None:
    meta = {"entry_point": "add", "test": "def check(f):\n    assert f(2, 3) == 5"}
    head = "def add(a, b):\n"
    task = row(prompt=head, answer_type="python_function", meta=json.dumps(meta))
    assert isinstance(task.grader, Code)
    assert task.tests == (f"{meta['test']}\n\ncheck(add)",)
    assert task.data["preamble"] == head


def test_meta_is_out_of_a_strategys_reach() -> None:
    task = row(prompt="?", answer="5", meta={"solution": "2 + 3 = 5"}, task="sums")
    assert dict(task.problem.metadata) == {"task": "sums"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"prompt": "?", "anwser": "5"}, "unknown field 'anwser': did you mean 'answer'"),
        ({"answer": "5"}, "give one of prompt, question and messages: there is none"),
        ({"prompt": "?", "question": "?"}, "there is prompt and question"),
        ({"prompt": ""}, "prompt must be the problem's text, not ''"),
        ({"prompt": 5}, "prompt must be the problem's text, not 5"),
        ({"messages": []}, "must end with what the model is to answer"),
        ({"messages": [{"role": "boss", "content": "?"}]}, "messages must be like"),
        ({"messages": "hello"}, "messages must be like"),
        ({"prompt": "?", "answer": [["5"]]}, "a list of lists or objects"),
        ({"prompt": "?", "answer": {"a": "5"}}, "an object with a: write the one"),
        ({"prompt": "?", "answer": "5", "reference": "5"}, "not both"),
        ({"prompt": "?", "kind": "maths"}, "unknown kind 'maths': did you mean 'math'"),
        ({"prompt": "?", "kind": 3}, "kind must be a text"),
        ({"prompt": "?", "choices": "ab"}, "choices must be a list of texts"),
        ({"prompt": "?", "choices": ["a"]}, "choices must be 2 to 10"),
        ({"prompt": "?", "choices": ["a", "b"], "answer": "C"}, "one of the choices or its letter"),
        ({"prompt": "?", "tests": [1]}, "tests must be a list of texts"),
        ({"prompt": "?", "meta": "{"}, "meta must be an object or its JSON text"),
        ({"prompt": "?", "meta": [1]}, "meta must be an object or its JSON text"),
        ({"prompt": "?", "id": 1.5}, "id must be a text or a whole number"),
        (
            {"problem": "p1", "answer": "5", "votes": [], "strategy": "single", "stop": "done"},
            "this is what a model answered .*workspan label judges answers",
        ),
        ({"labels": 1, "answers": "ab12", "n": 50, "seed": 0}, "which workspan certify takes"),
    ],
)
def test_a_wrong_field_says_what_would_be_right(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    path = written(tmp_path, '{"prompt": "fine"}', json.dumps(fields))
    with pytest.raises(DataError, match=said) as error:
        read_tasks(path)
    assert (error.value.path, error.value.line) == (str(path), 2)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"prompt": "caf\xe9"}', "byte 16 of the line is not UTF-8"),
        (b'{"prompt": "cut', "not a JSON object such as"),
        (b"[1]", "expected a JSON object, found list"),
        (b"[" * 100_000, "not a JSON object such as"),
        (b'{"prompt": "again", "id": "x"}', "the id 'x' is also on line 1"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, said: str) -> None:
    path = written(tmp_path, '{"prompt": "fine", "id": "x"}', "", line)
    with pytest.raises(DataError, match=said) as error:
        read_tasks(path)
    assert error.value.line == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jsonl", b"\n \n", "holds no problem"),
        ("wrong.parquet", b"PAR0", "not a sound Parquet file"),
        ("mine.csv", b"a,b", "holds no problem"),
        ("mine.xlsx", b"a,b", "unknown kind of file '.xlsx'"),
    ],
)
def test_a_file_that_holds_nothing_is_named(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = written(tmp_path, content, name=name)
    with pytest.raises(DataError, match=said) as error:
        read_tasks(path)
    assert error.value.path == str(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none.jsonl: can't be read: No such file"):
        read_tasks(tmp_path / "none.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(DataError, match="can't be read: Is a directory"):
        read_tasks(tmp_path / "folder.jsonl")


def test_parquet_rows_are_read_as_lines_are(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    rows = [
        {"id": "a", "question": "2 + 3?", "answer": "5", "choices": None},
        {"id": "b", "question": "Which?", "answer": "y", "choices": ["x", "y"]},
    ]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "mine.parquet")
    lines = written(tmp_path, *(json.dumps(r) for r in rows))
    assert [(t.problem, t.reference) for t in read_tasks(tmp_path / "mine.parquet")] == [
        (t.problem, t.reference) for t in read_tasks(lines)
    ]


def test_a_limit_chooses_by_the_seed_and_keeps_the_order(tmp_path: Path) -> None:
    path = written(tmp_path, *(json.dumps({"prompt": str(i), "id": i}) for i in range(50)))
    ids = [[t.problem.id for t in open_tasks(str(path)).load(10, seed)] for seed in (1, 1, 2)]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0] == sorted(ids[0], key=int)
    assert len(open_tasks(str(path)).load()) == 50
    with pytest.raises(InputError, match="limit is 0"):
        open_tasks(str(path)).load(0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(), json_values, max_size=5))
def test_any_row_is_a_task_or_a_value_error(fields: dict[str, Any]) -> None:
    try:
        task = read_row(fields, "1")
    except ValueError:
        return
    assert task.problem.prompt
    assert task.problem.id


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared problems are not here")
@pytest.mark.parametrize(
    ("name", "n", "kinds"),
    [
        ("gsm8k_test", 1319, {"number"}),
        ("math500", 500, {"math"}),
        ("humaneval_mbpp", 591, {"code"}),
        ("logic_llm", 1604, {"choice"}),
        ("multihop_qa", 1118, {"text"}),
        ("lineage_bench", 949, {"number"}),
    ],
)
def test_shared_problems_are_read_and_their_references_are_right(
    name: str, n: int, kinds: set[str]
) -> None:
    tasks = read_tasks(SHARED / f"{name}.parquet")
    assert len(tasks) == n
    assert {t.problem.kind for t in tasks} == kinds
    if kinds != {"code"}:
        assert all(anyio.run(t.grader, t, t.reference).correct == 1 for t in tasks[:20])
