"""``calibrate``, ``solve --pooled`` and ``explain`` as a person meets them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workspan.cli.main import app
from workspan.errors import BudgetExceeded, InputError
from workspan.strategies.auto.fit.profile import read_held, read_profile

pytestmark = pytest.mark.slow


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    path = tmp_path / "problems.jsonl"
    rows = [{"id": f"p{i}", "question": f"What is {i} + 1?", "kind": "number"} for i in range(6)]
    for row in rows[:4]:
        row["answer"] = "4"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@contextmanager
def saying(text: str) -> Iterator[str]:
    command = [sys.executable, "-m", "workspan.testing.server", "--text", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        process.kill()


@pytest.fixture
def server() -> Iterator[str]:
    with saying("so Answer: 4") as url:
        yield url


def workspan(*arguments: str | Path) -> str:
    """Run a command in this process; an error is raised as it is."""
    done = CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def refused(*arguments: str | Path) -> str:
    with pytest.raises(InputError) as error:
        CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)
    return str(error.value)


def test_calibrate_pool_and_explain(server: str, problems: Path, tmp_path: Path) -> None:
    profile, answers = tmp_path / "profile.json", tmp_path / "answers.jsonl"
    engine = ("--engine", server, "--model", "simulated")
    said = workspan("calibrate", "--input", problems, *engine, "--chains", "3", "--to", profile)
    assert "18 chains of 6 problems" in said
    assert "4 labels: enough to show" in said
    found, _, evaluation = read_held(profile)
    assert b'"version":' in bytes(evaluation)  # plans were run, and are not again
    assert found.labelled == 4  # two have no answer: their lengths and votes still count
    assert [case.right for case in found.problems][3:] == [(0,), None, None]
    again = workspan("calibrate", "--input", problems, *engine, "--chains", "3", "--to", profile)
    assert again.splitlines()[-1] == said.splitlines()[-1]
    plan = f"auto(profile={str(profile)!r})"
    where = ("--input", problems, "--output", answers)
    workspan("solve", *where, *engine, "-s", plan, "--pooled", "-b", "200 work")
    rows = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [row["answer"] for row in rows] == ["4"] * 6
    assert sum(row["work"] for row in rows) <= 200
    assert rows[0]["why"]["knows"] == found.model
    listed = workspan("explain", answers)
    assert "p5" in listed
    page = tmp_path / "why.html"
    one = workspan("explain", answers, "--problem", "p5", "--report", page)
    assert "bought in order" in one
    assert "<svg" in page.read_text()
    assert page.stat().st_mode & 0o077 == 0
    (told,) = [
        json.loads(line) for line in workspan("explain", answers, "-p", "p5", "--json").splitlines()
    ]
    assert told["why"] == rows[5]["why"]


def test_calibrate_and_solve_with_an_arm(server: str, problems: Path, tmp_path: Path) -> None:
    profile, answers = tmp_path / "profile.json", tmp_path / "answers.jsonl"
    engine = ("--engine", server, "--model", "simulated")
    arm = "self_revision(turns=1)"
    where = ("--input", problems, "--chains", "3", "--to", profile)
    said = workspan("calibrate", *where, *engine, "--arm", arm)
    assert "; arms were right on 4" in said  # of the problems with an answer
    found = read_profile(profile)
    assert [case.arms[0] and case.arms[0].right for case in found.problems][2:5] == [
        True,
        True,
        None,
    ]
    plan = f"auto({arm}, profile={str(profile)!r})"
    workspan("solve", "--input", problems, "--output", answers, *engine, "-s", plan)
    assert {json.loads(line)["answer"] for line in answers.read_text().splitlines()} == {"4"}


def test_chains_of_which_none_ended_make_no_profile(problems: Path, tmp_path: Path) -> None:
    """No chain fits, however the chains of a problem share its budget."""
    profile = tmp_path / "profile.json"
    with saying("so " * 60 + "Answer: 4") as url:
        engine = ("--engine", url, "--model", "simulated", "--to", str(profile))
        asked = ["calibrate", "--input", str(problems), *engine, "-b", "20 work"]
        with pytest.raises(BudgetExceeded, match="came to its end within 20 work") as error:
            CliRunner().invoke(app, asked, catch_exceptions=False)
    assert "raise --budget" in str(error.value)
    assert not profile.exists()


def test_what_is_wrong_is_said_before_anything_is_spent(problems: Path, tmp_path: Path) -> None:
    to, nowhere = tmp_path / "x.json", tmp_path / "no" / "profile.json"
    assert "does not exist" in refused("calibrate", "--input", problems, "--to", nowhere)
    assert "--task NAME" in refused("calibrate", "--to", to)
    wrong = ("calibrate", "--input", problems, "--to", to, "-s", "single")
    assert "calibration is for auto" in refused(*wrong)
    assert "many problems" in refused("solve", "2 + 2?", "--pooled")
    assert "says why" in refused("explain", problems)
