"""Graders and readers of the user's own: what they are given, and what is said when they fail."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner

from workspan.cli.main import app
from workspan.errors import DataError, GraderError, SpecError
from workspan.tasks.base import Task
from workspan.tasks.files import read_tasks
from workspan.tasks.graders.own import own_grader
from workspan.tasks.rows import read_row

RUN = CliRunner()
TASK = read_row({"id": "p", "question": "2 + 3?", "answer": "5", "meta": {"a": 1}}, "1")


def graded(text: str, answer: str | None = "5", task: Task = TASK, seconds: float = 60) -> float:
    return anyio.run(own_grader(text, seconds), task, answer).correct


def own(folder: Path, body: str, name: str = "grade") -> str:
    path = folder / "mine.py"
    path.write_text(f"import time\ndef {name}(answer=None, reference=None, task=None):\n {body}\n")
    return f"{path}:{name}"


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ("return answer == reference", 1),
        ("return 0.25", 0.25),
        ("return {'correct': 1, 'reason': 'so'}", 1),
        ("return task.problem.id == 'p' and task.data['meta'] == {'a': 1}", 1),
    ],
)
def test_a_function_grades(tmp_path: Path, body: str, right: float) -> None:
    assert graded(own(tmp_path, body)) == right


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('x')", "failed: KeyError"),
        ("return 2", "gave 2: a grade is a number from 0 to 1"),
        ("return None", "gave None"),
        ("return {'verdict': 1}", "gave None"),
        ("time.sleep(2)", "took more than 0.2 seconds"),
    ],
)
def test_a_function_that_gives_no_grade_is_no_verdict(tmp_path: Path, body: str, said: str) -> None:
    with pytest.raises(GraderError, match=said):
        graded(own(tmp_path, body), seconds=0.2 if "sleep" in body else 60)


def test_a_command_gets_the_task_and_writes_a_number(tmp_path: Path) -> None:
    kept = tmp_path / "asked.json"
    assert graded(f"sh:cat > {kept}; echo 0.5") == 0.5
    asked = json.loads(kept.read_text())
    assert asked == {
        "problem": "p",
        "question": TASK.problem.prompt[0].text,
        "kind": "number",
        "answer": "5",
        "reference": "5",
        "meta": {"a": 1},
    }
    assert graded("sh:cat > /dev/null; echo '{\"correct\": true}'", None) == 1


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("cat >/dev/null; echo broken >&2; exit 3", "ended with 3: broken"),
        ("cat >/dev/null; echo right", "wrote 'right"),
        ("cat >/dev/null", "wrote ''"),
        ("cat >/dev/null; echo 7", "gave 7"),
        ("sleep 5", "took more than 0.2 seconds"),
    ],
)
def test_a_command_that_gives_no_grade_is_no_verdict(command: str, said: str) -> None:
    with pytest.raises(GraderError, match=said):
        graded(f"sh:{command}", seconds=0.2 if "sleep" in command else 60)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing", "write it like module:Name"),
        ("no_such_module:f", "no_such_module can't be imported"),
        ("none.py:f", "none.py can't be imported"),
        ("json:no_such", r"json \(.*\) has no 'no_such'"),
        ("sh:", "write the command after sh:"),
    ],
)
def test_a_grader_that_is_not_there_is_said(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        own_grader(text)


def rows(folder: Path, *given: dict[str, Any]) -> Path:
    path = folder / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, given)))
    return path


def test_a_reader_turns_rows_into_fields(tmp_path: Path) -> None:
    path = rows(tmp_path, {"q": "2 + 3?", "a": 5}, {"skip": True})
    reader = tmp_path / "reader.py"
    reader.write_text(
        "def read(row):\n"
        " return None if 'skip' in row else {'question': row['q'], 'answer': row['a']}\n"
    )
    (task,) = read_tasks(path, f"{reader}:read")
    assert (task.reference, task.problem.kind) == ("5", "number")
    command = 'sh:sed \'s/"q"/"question"/; s/"a"/"answer"/; s/.*skip.*/null/\''
    (task,) = read_tasks(path, command)
    assert task.reference == "5"


def test_a_reader_that_fails_names_the_line(tmp_path: Path) -> None:
    path = rows(tmp_path, {"q": "2 + 3?"})
    reader = tmp_path / "reader.py"
    reader.write_text("def read(row):\n return row['none']\n")
    with pytest.raises(DataError, match="failed: KeyError") as error:
        read_tasks(path, f"{reader}:read")
    assert error.value.line == 1
    with pytest.raises(DataError, match="wrote 0 lines for 1 row"):
        read_tasks(path, "sh:cat > /dev/null")
    with pytest.raises(DataError, match="ended with 3"):
        read_tasks(path, "sh:exit 3")


def compared(folder: Path, path: Path, *more: str) -> Any:
    os.environ["WORKSPAN_STATE"] = str(folder)
    command = ["compare", "--input", str(path), "--engine", "scripted", "-s", "single", *more]
    return RUN.invoke(app, command)


def test_a_comparison_says_what_it_read(tmp_path: Path) -> None:
    path = rows(tmp_path, {"question": "a?", "answer": "so\n#### 18"}, {"question": "b?"})
    done = compared(tmp_path, path)
    assert "read 2 problems: 1 number, 1 text" in done.stderr
    assert "mine/1: '18' (number: what stands after #### is a number)" in done.stderr
    assert "1 of 2 references could not be read: mine/2" in done.stderr
    (event,) = (
        json.loads(line)
        for line in compared(tmp_path, path, "--json").stderr.splitlines()
        if line.startswith("{")
    )
    assert (event["event"], event["problems"], event["unread"]) == ("read", 2, 1)
    assert event["shown"][0]["reference"] == "18"


def test_problems_of_which_none_can_be_graded_are_refused_before_a_call(tmp_path: Path) -> None:
    path = rows(tmp_path, {"question": "a?"}, {"question": "b?", "answer": "word " * 90})
    done = compared(tmp_path, path)
    assert done.exit_code != 0
    assert not [*tmp_path.glob("*.journal"), *tmp_path.glob("compare-*")]
    assert "none of 2 references can be read" in str(done.exception) + done.stderr
    assert compared(tmp_path, path, "--grader", "sh:cat > /dev/null; echo 1").exit_code == 0
