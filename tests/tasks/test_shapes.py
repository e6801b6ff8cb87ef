"""Rows in the shapes that people bring: each is read as it means, or refused with a word.

The rows are made up here; only the names of their columns are those of the field.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from workspan.data.content import Media
from workspan.errors import DataError
from workspan.tasks.choices import choices_of, right_place
from workspan.tasks.files import read_tasks
from workspan.tasks.graders.equivalence import Ungraded
from workspan.tasks.rows import read_row

ABC = ["red", "green", "blue"]

READ: list[tuple[str, dict[str, Any], str, str]] = [
    ("GSM8K", {"question": "?", "answer": "3*4=<<3*4=12>>12\n#### 1,018"}, "number", "1,018"),
    ("MATH", {"problem": "?", "level": "Level 3", "type": "Algebra",
              "solution": r"So $\boxed{\frac{1}{2}}$."}, "math", r"\frac{1}{2}"),
    ("MATH-500", {"problem": "?", "solution": r"$\boxed{3}$", "answer": "3", "subject": "x",
                  "unique_id": "a/1.json"}, "number", "3"),
    ("ARC", {"id": "Q1", "question": "?", "answerKey": "B",
             "choices": {"text": ABC, "label": ["A", "B", "C"]}}, "choice", "B"),
    ("ARC, numbered", {"question": "?", "answerKey": "3",
                       "choices": {"text": ABC, "label": ["1", "2", "3"]}}, "choice", "C"),
    ("ARC, original", {"question": {"stem": "?", "choices": [{"text": "x", "label": "A"},
                       {"text": "y", "label": "B"}]}, "answerKey": "B"}, "choice", "B"),
    ("MMLU", {"question": "?", "subject": "law", "choices": ABC, "answer": 2}, "choice", "C"),
    ("MMLU, CSV", {"question": "?", "A": "x", "B": "y", "C": "z", "answer": "C"}, "choice", "C"),
    ("MMLU-Pro", {"question_id": 7, "question": "?", "options": ABC, "answer": "B",
                  "answer_index": 1, "cot_content": ""}, "choice", "B"),
    ("HellaSwag", {"ind": 4, "ctx_a": "He", "ctx": "He sits", "endings": ABC, "label": "2"},
     "choice", "C"),
    ("SWAG", {"sent1": "He sits.", "sent2": "He", "ending0": "x", "ending1": "y", "label": 1},
     "choice", "B"),
    ("GPQA", {"Question": "?", "Correct Answer": "x", "Incorrect Answer 1": "y",
              "Incorrect Answer 2": "z", "Incorrect Answer 3": "w"}, "choice", "?x"),
    ("SciQ", {"question": "?", "correct_answer": "x", "distractor1": "y", "distractor2": "z",
              "distractor3": "w", "support": "s"}, "choice", "?x"),
    ("CommonsenseQA", {"id": "1", "question": "?", "question_concept": "c", "answerKey": "A",
                       "choices": {"label": ["A", "B"], "text": ["x", "y"]}}, "choice", "A"),
    ("OpenBookQA", {"question_stem": "?", "answerKey": "B",
                    "choices": {"text": ["x", "y"], "label": ["A", "B"]}}, "choice", "B"),
    ("BoolQ", {"question": "is it", "passage": "It is.", "answer": True}, "text", "True"),
    ("StrategyQA", {"question": "?", "answer": False, "facts": ["f"]}, "text", "False"),
    ("PIQA", {"goal": "open it", "sol1": "x", "sol2": "y", "label": 1}, "choice", "B"),
    ("WinoGrande", {"sentence": "The _ fell.", "option1": "cup", "option2": "table",
                    "answer": "2"}, "choice", "B"),
    ("COPA", {"premise": "It rained.", "choice1": "x", "choice2": "y", "question": "effect",
              "label": 1}, "choice", "B"),
    ("SIQA", {"context": "c", "question": "?", "answerA": "x", "answerB": "y", "answerC": "z",
              "answer": "B"}, "choice", "B"),
    ("SQuAD", {"id": "5", "title": "t", "context": "c", "question": "?",
               "answers": {"text": ["Paris", "paris city"], "answer_start": [1, 2]}},
     "text", "Paris"),
    ("TriviaQA", {"question": "?", "question_id": "x",
                  "answer": {"value": "Bonn", "aliases": ["City of Bonn"]}}, "text", "Bonn"),
    ("NQ-open", {"question": "?", "answer": ["Rome", "Roma"]}, "text", "Rome"),
    ("DROP", {"passage": "p", "question": "?", "answers_spans": {"spans": ["4"],
                                                                 "types": ["number"]}},
     "number", "4"),
    ("TruthfulQA", {"question": "?", "mc1_targets": {"choices": ABC, "labels": [0, 1, 0]}},
     "choice", "B"),
    ("RACE", {"article": "a", "question": "?", "options": ABC, "answer": "A"}, "choice", "A"),
    ("LogiQA", {"context": "c", "query": "?", "options": ABC, "correct_option": 0},
     "choice", "A"),
    ("MedQA", {"question": "?", "answer": "y", "options": {"A": "x", "B": "y"},
               "answer_idx": "B"}, "choice", "B"),
    ("MedMCQA", {"question": "?", "opa": "x", "opb": "y", "opc": "z", "opd": "w", "cop": 3},
     "choice", "D"),
    ("PubMedQA", {"question": "?", "context": {"contexts": ["c", "d"]},
                  "final_decision": "yes"}, "text", "yes"),
    ("AQuA", {"question": "?", "options": ["A)21", "B)22", "C)23"], "rationale": "r",
              "correct": "C"}, "choice", "C"),
    ("SVAMP", {"ID": "1", "Body": "He has 3.", "Question": "How many?", "Answer": 3.0},
     "number", "3"),
    ("ASDiv", {"body": "b", "question": "?", "answer": "9 (apples)"}, "number", "9"),
    ("BBH, options", {"input": "?\nOptions:\n(A) x\n(B) y", "target": "(B)"}, "choice", "B"),
    ("BBH, words", {"input": "not True is", "target": "False"}, "text", "False"),
    ("BIG-bench", {"input": "?", "target_scores": {"x": 0, "y": 1}}, "choice", "B"),
    ("AIME", {"ID": "2024-I-1", "Problem": "?", "Solution": "s", "Answer": 204}, "number", "204"),
    ("OlympiadBench", {"question": "?", "final_answer": ["2, 3"], "is_multiple_answer": True,
                       "answer_type": "Numerical"}, "math", "2, 3"),
    ("SimpleQA", {"problem": "?", "answer": "Ada Lovelace", "metadata": "{}"}, "text",
     "Ada Lovelace"),
    ("HotpotQA", {"id": "1", "question": "?", "answer": "no", "context": {
        "title": ["T"], "sentences": [["One.", "Two."]]}}, "text", "no"),
    ("GSM-Hard", {"input": "?", "code": "def f()", "target": 8.5}, "number", "8.5"),
    ("Inspect", {"input": "?", "target": "B", "choices": ABC, "metadata": {}}, "choice", "B"),
    ("Inspect, chat", {"input": [{"role": "user", "content": "?"}], "target": ["4"]},
     "number", "4"),
    ("lm-eval, log", {"doc_id": 3, "doc": {"question": "?", "answer": "#### 7"}, "target": "7",
                      "resps": [["x"]]}, "number", "7"),
    ("lm-eval, gold", {"query": "?", "choices": ABC, "gold": 1}, "choice", "B"),
    ("MILU", {"question": "?", "option1": "x", "option2": "y", "target": "option2"},
     "choice", "B"),
    ("OpenAI evals", {"input": [{"role": "system", "content": "s"},
                                {"role": "user", "content": "?"}], "ideal": "Oslo"},
     "text", "Oslo"),
    ("verl", {"data_source": "d", "prompt": [{"role": "user", "content": "?"}],
              "reward_model": {"ground_truth": "34", "style": "rule"}}, "number", "34"),
    ("lighteval", {"query": "?", "choices": ABC, "gold_index": 0}, "choice", "A"),
    ("HELM", {"input": {"text": "?"}, "references": [
        {"output": {"text": "x"}, "tags": []}, {"output": {"text": "y"}, "tags": ["correct"]}]},
     "choice", "B"),
    ("hub viewer", {"row_idx": 0, "row": {"question": "?", "answer": "5"}}, "number", "5"),
    ("HumanEval", {"task_id": "H/0", "prompt": "def f():\n", "canonical_solution": "  return 1",
                   "test": "def check(f):\n    assert f() == 1", "entry_point": "f"}, "code", ""),
    ("MBPP", {"task_id": 2, "text": "Write f.", "code": "def f(): ...",
              "test_list": ["assert f() == 1"]}, "code", ""),
    ("Alpaca", {"instruction": "Add.", "input": "2 and 3", "output": "5"}, "number", "5"),
    ("money", {"question": "?", "answer": "$29.00"}, "number", "$29.00"),
    ("percent", {"question": "?", "answer": "29%"}, "number", "29%"),
    ("a unit", {"question": "?", "answer": "-3.5 kg"}, "number", "-3.5 kg"),
    ("several", {"question": "?", "answer": "(1, 2)"}, "math", "(1, 2)"),
    ("a formula", {"question": "?", "answer": "x < 3"}, "math", "x < 3"),
    ("a name", {"question": "?", "answer": "C++"}, "text", "C++"),
    ("an address", {"question": "?", "answer": "10 Downing Street"}, "text", "10 Downing Street"),
]  # fmt: skip

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("LAMBADA", {"sentence": "The dog"}, "give one of prompt, question and messages"),
    ("NLI", {"premise": "p", "hypothesis": "h", "label": 1}, "nothing says what it stands for"),
    ("classes", {"text": "fine", "label": 1}, "nothing says what it stands for"),
    ("two right", {"question": "?", "choices": ABC, "answer": ["A", "B"]}, "names 2 choices"),
    ("0 or 1", {"question": "?", "choices": ABC, "answer": "2"}, "from 0 or from 1"),
    ("no such", {"question": "?", "choices": ABC, "answer": 7}, "no choice from 0 to 2"),
    ("at odds", {"question": "?", "choices": ABC, "answer": "A", "answer_index": 2},
     "names two choices as right"),
    ("no label", {"question": "?", "choices": {"text": ABC, "label": ["A"]}, "answer": "A"},
     "3 choices and 1 label"),
    ("many", {"question": "?", "choices": [str(i) for i in range(12)], "answer": 1}, "2 to 10"),
    ("an object", {"question": "?", "answer": {"x": 1, "y": 2}}, "an object with x, y"),
    ("lists", {"question": "?", "answer": [[1, 2], [3]]}, "a list of lists"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "kind", "right"), [r[1:] for r in READ], ids=[r[0] for r in READ])
def test_a_row_of_the_field_is_read(row: dict[str, Any], kind: str, right: str) -> None:
    task = read_row(row, "1")
    assert task.problem.kind == kind
    assert str(task.data["read"]).startswith(f"{kind}: ")
    if right.startswith("?"):  # the choices were put in an order: the text tells
        shown = task.problem.prompt[-1].text
        assert f"{task.reference}) {right[1:]}" in shown
    else:
        assert task.reference == right
    if kind != "code":
        assert anyio.run(task.grader, task, task.reference).correct == 1


@pytest.mark.parametrize(("row", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_row_that_can_not_be_read_is_refused_with_its_line(
    tmp_path: Path, row: dict[str, Any], said: str
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('\n{"question": "fine?"}\n'.lstrip() + json.dumps(row) + "\n")
    with pytest.raises(DataError, match=said) as error:
        read_tasks(path)
    assert error.value.line == 2


def test_any_of_a_list_is_right() -> None:
    task = read_row({"question": "?", "answer": ["Rome", "Roma"]}, "1")
    assert [anyio.run(task.grader, task, a).correct for a in ("roma", "Rome", "Milan")] == [1, 1, 0]
    task = read_row({"question": "?", "answer": True}, "1")
    assert [anyio.run(task.grader, task, a).correct for a in ("yes", "True", "no")] == [1, 1, 0]


@pytest.mark.parametrize("answer", ["word " * 80, "#### ", "", r"so \boxed{", []])
def test_what_no_answer_equals_is_not_graded(answer: Any) -> None:
    task = read_row({"question": "?", "answer": answer}, "1")
    assert isinstance(task.grader, Ungraded)


def test_a_context_stands_before_its_question() -> None:
    asked = read_row({"question": "Who?", "passage": "Ada wrote."}, "1").problem.prompt[0].text
    assert asked.startswith("Ada wrote.\n\nWho?")


@pytest.mark.parametrize(
    ("answers", "right"),
    [
        (["0", "2"], ["A", "C"]),
        (["3", "1"], ["C", "A"]),
        ([3, 1], ["C", "A"]),
        ([0, 1], ["A", "B"]),
    ],
)
def test_the_file_tells_where_numbers_count_from(
    tmp_path: Path, answers: list[Any], right: list[str]
) -> None:
    path = tmp_path / "mine.jsonl"
    rows = [{"question": f"{i}?", "choices": ABC, "answer": a} for i, a in enumerate(answers)]
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [task.reference for task in read_tasks(path)] == right
    assert "from " in str(read_tasks(path)[0].data["read"])


def test_a_file_that_counts_from_0_and_from_1_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    rows = [{"question": f"{a}?", "choices": ABC, "answer": a} for a in (1, 0, 3)]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="from 1, and line 2 from 0") as error:
        read_tasks(path)
    assert error.value.line == 3


def test_an_answer_of_another_type_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    rows: list[dict[str, Any]] = [{"question": f"{i}?", "answer": str(i)} for i in range(4)]
    rows[2]["answer"] = ["2"]
    path.write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(DataError, match="is a list, and on line 1 it is a text or number") as error:
        read_tasks(path)
    assert error.value.line == 3


ROWS = [{"question": "2 + 3?", "answer": "5"}, {"question": "1, or 2?", "answer": "2"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", json.dumps(ROWS, indent=2)),
        ("a.json", json.dumps({"version": 1, "data": ROWS})),
        ("a.json", json.dumps({"question": ["2 + 3?", "1, or 2?"], "answer": ["5", "2"]})),
        ("a.json", json.dumps({"question": {"0": "2 + 3?", "1": "1, or 2?"},
                               "answer": {"0": "5", "1": "2"}})),
        ("a.json", "\n".join(map(json.dumps, ROWS))),
        ("a.csv", 'question,answer\n2 + 3?,5\n"1, or 2?",2\n'),
        ("a.csv", "\ufeffquestion;answer\r\n2 + 3?;5\r\n1, or 2?;2\r\n"),
        ("a.tsv", "question\tanswer\n2 + 3?\t5\n1, or 2?\t2\n"),
        ("a.ndjson", "\n".join(map(json.dumps, ROWS))),
    ],
)  # fmt: skip
def test_files_of_other_kinds_hold_the_same_rows(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    tasks = read_tasks(path)
    assert [task.reference for task in tasks] == ["5", "2"]
    assert [task.problem.prompt[0].text.split("\n")[0] for task in tasks] == [
        "2 + 3?",
        "1, or 2?",
    ]


@pytest.mark.parametrize(
    ("name", "content", "line", "said"),
    [
        ("a.json", '[\n{"question": "?"},\n3]', 3, "expected a JSON object, found int"),
        ("a.json", '[{"question": "?"}\n{}]', 2, "a comma or the end"),
        ("a.json", '{"a": [{"x": 1}], "b": [{"x": 1}]}', None, "several lists"),
        ("a.json", '"text"', None, "not a JSON list|expected a JSON object"),
        ("a.csv", "question,answer\n1, or 2?,2\n", 2, "has 3 cells, and the header 2"),
        ("a.csv", "question,question\n1,2\n", 1, "names 'question' twice"),
        ("a.csv", 'question,answer\n"1?,2\n', 2, "not a sound CSV"),
    ],
)
def test_a_broken_file_names_the_line(
    tmp_path: Path, name: str, content: str, line: int | None, said: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DataError, match=said) as error:
        read_tasks(path)
    if line is not None:
        assert error.value.line == line


@pytest.mark.parametrize(
    ("choices", "answer", "base", "letter"),
    [
        (["8", "2", "24", "120"], 2, None, "C"),  # a class, as MMLU numbers them
        (["8", "2", "24", "120"], 24, None, "C"),
        (["8", "2", "24", "120"], "2", None, "B"),
        (["8", "2", "24", "120"], "2", 0, "C"),  # the file's other rows count from 0
        ([8, 2, 24, 120], 24, None, "C"),
        ([1, 0, 3, 2], 3, None, None),  # a value or a place
        ([0, 1, 2, 3], 2, None, "C"),
    ],
)
def test_a_number_among_numbers_is_a_place_or_a_value_or_refused(
    choices: list[object], answer: object, base: int | None, letter: str | None
) -> None:
    found = choices_of(choices)
    if letter is None:
        with pytest.raises(ValueError, match="value of a choice or its place"):
            right_place(answer, found, base)
    else:
        assert "ABCD"[right_place(answer, found, base)[0]] == letter


def test_a_message_of_a_file_may_hold_an_image(tmp_path: Path) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
    ]
    row = {"messages": [{"role": "user", "content": parts}], "answer": "a cat", "id": "x"}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    (task,) = read_tasks(tmp_path / "a.jsonl")
    (turn,) = task.problem.prompt
    assert (turn.text, turn.media[0]) == (
        "What is this?",
        Media("image", address="https://example.org/a.png"),
    )
    row["messages"][0]["content"] = [{"type": "text"}]  # type: ignore[index]
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    with pytest.raises(DataError, match=r"a\.jsonl:1: messages can't be read"):
        read_tasks(tmp_path / "a.jsonl")
