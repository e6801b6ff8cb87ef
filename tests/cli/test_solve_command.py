"""``workspan solve`` as a script sees it: output, errors and exit codes of the real process."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workspan.cli.main import main

pytestmark = pytest.mark.slow


def workspan(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "workspan", *arguments], capture_output=True, text=True, check=False
    )


def test_a_question_is_answered_with_its_account() -> None:
    done = workspan(
        "solve", "How many?", "--engine", "scripted", "--kind", "number", "--json",
        "--strategy", "self_consistency(n=6)", "--budget", "3k work, 1k span",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["answer"] in {"3", "4", "5"}
    assert sum(vote["weight"] for vote in record["votes"]) == record["calls"] == 6
    assert 0 < record["span"] <= record["work"] <= 3000
    assert "no model" in record["model"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["hi", "--strategy", "self_consistancy"], 2, "did you mean 'self_consistency'"),
        (["hi", "--budget", "8k wrok"], 2, "did you mean 'work'"),
        (["hi", "--engine", "embeded"], 2, "did you mean 'embedded'"),
        (["hi", "--kind", "numbr"], 2, "did you mean 'number'"),
        (["hi", "--price", "cheap"], 2, "0.15/0.60"),
        ([" "], 2, "the question is empty"),
        ([], 2, "give a question, or a file"),
        (["--input", "x.jsonl"], 2, "--input and --output go together"),
        (["hi", "--engine", "http://127.0.0.1:9/v1", "--model", "m"], 3, "127.0.0.1"),
        (["hi", "--engine", "embedded:no-such-model"], 2, "unknown model"),
        (["hi", "--engine", "embedded:/no/such/file.gguf"], 5, "file.gguf"),
    ],
)
def test_what_is_wrong_is_said_with_a_code(
    arguments: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "--engine" not in arguments:
        arguments = [*arguments, "--engine", "scripted"]
    with pytest.raises(SystemExit) as ended:
        main(["solve", *arguments])
    errors = capsys.readouterr().err
    assert ended.value.code == code, errors
    assert said in errors
    assert "Traceback" not in errors


def test_a_file_of_problems_is_answered_in_order_and_privately(tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [{"id": f"p{i}", "prompt": f"How many are {i}?", "kind": "number"} for i in range(7)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    target.touch(mode=0o644)
    command = [
        "solve", "--input", str(source), "--output", str(target), "--engine", "scripted",
        "--strategy", "self_consistency(n=3)",
    ]  # fmt: skip
    done = workspan(*command)
    assert done.returncode == 0, done.stderr
    first = target.read_text()
    assert [json.loads(line)["problem"] for line in first.splitlines()] == [r["id"] for r in rows]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert workspan(*command).returncode == 0
    assert target.read_text() == first


def test_a_broken_line_is_named_before_anything_is_asked(tmp_path: Path) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text('{"prompt": "a?"}\n{"prompt": \n')
    done = workspan(
        "solve", "--input", str(source), "--output", str(tmp_path / "o"), "--engine", "scripted"
    )
    assert done.returncode == 2
    assert "in.jsonl:2" in done.stderr.replace("\n", "")
    assert not (tmp_path / "o").exists()


def test_a_dry_run_spends_nothing_and_says_what_it_would_take() -> None:
    done = workspan("solve", "hi", "--engine", "scripted", "--budget", "1k work", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "calls" in done.stdout + done.stderr
