"""`workspan rollouts`: a stand-in agent in copies of a folder, one change chosen; killed, too."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rollouts.rig import git, need_a_sandbox, state
from workspan.app.rolling import chosen
from workspan.cli.rollouts import _unchosen
from workspan.data.types import Answer, Candidate, Usage
from workspan.runner import Result
from workspan.testing.stand_in_agent import Rule, make_problem, task

AGENT = f"{sys.executable} -m workspan.testing.stand_in_agent"
TEST = "cd p && python3 -B -m unittest -q test_seen"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need_a_sandbox()
    made = tmp_path / "mine"
    make_problem(made / "p", Rule(3, 4, rate=0.4))
    git(made, "init", "-q")
    git(made, "add", "-A")
    git(made, "commit", "-qm", "first")
    return made


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    told = ["rollouts", task("p"), "--folder", str(folder), "--usage", "file", *words]
    return subprocess.Popen(
        [sys.executable, "-m", "workspan", *told],
        cwd=folder.parent,
        env=os.environ | {"WORKSPAN_STATE": str(folder.parent / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(folder: Path, *words: str) -> tuple[int, str, str]:
    process = begin(folder, *words)
    out, err = process.communicate()
    return process.returncode, out, err


def test_best_of_n_by_tests_is_printed_and_applies(folder: Path) -> None:
    before = state(folder)
    limits = ("--tokens", "400", "-b", "4k work")
    code, out, err = done(folder, "--run", AGENT, "--test", TEST, "-n", "6", *limits)
    assert code == 0, err
    assert "passes" in err
    assert "fails" in err
    assert state(folder) == before
    applied = subprocess.run(["git", "apply"], cwd=folder, input=out, text=True)
    assert applied.returncode == 0
    assert "3 * x + 4" in (folder / "p" / "solution.py").read_text()


@pytest.mark.slow
def test_auto_stops_at_the_first_that_passes_and_writes_a_patch(folder: Path) -> None:
    patch = folder.parent / "fix.patch"
    words = (
        "--run",
        AGENT,
        "--test",
        TEST,
        "-s",
        "auto",
        "-n",
        "8",
        "--output",
        str(patch),
        "--json",
    )
    code, out, err = done(folder, *words)
    assert code == 0, err
    record = json.loads(out)
    assert record["calls"] < 8
    assert record["answer"].strip() in record["diff"]
    git(folder, "apply", "--check", str(patch))
    patch.write_text("mine")
    code, _, err = done(folder, *words)
    assert code == 2
    assert "not a patch of ours" in err
    assert patch.read_text() == "mine"


@pytest.mark.slow
def test_where_none_passes_none_is_chosen(folder: Path) -> None:
    limits = ("-n", "2", "--test", "exit 1")
    for strategy in ((), ("-s", "auto")):
        code, out, err = done(folder, "--run", AGENT, *limits, *strategy)
        assert (code, out) == (4, ""), err
        assert "no rollout passed" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-n", "2"), "--test"),
        (("-s", "auto"), "needs tests"),
        (("--test", TEST, "-b", "$1"), "cost="),
        (("--test", TEST, "--cost", "much"), "much"),
        (("--test", TEST, "--carry", "none"), "no such path"),
        (("--test", TEST, "-s", "best_of_n(n=2)"), "patch_tests"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_runs(
    folder: Path, words: tuple[str, ...], said: str
) -> None:
    mark = folder.parent / "ran"
    code, _, err = done(folder, "--run", f"touch {mark}", *words)
    assert code == 2
    assert said in err
    assert not mark.exists()


def test_a_dry_run_runs_nothing(folder: Path) -> None:
    mark = folder.parent / "ran"
    limits = ("--tokens", "400", "--cost", "0.50", "-b", "$9")
    words = ("--run", f"touch {mark}", "--test", TEST, *limits, "--dry-run", "--json")
    code, out, err = done(folder, *words)
    assert code == 0, err
    need = json.loads(out.splitlines()[0])
    assert (need["calls"]["high"], need["work"]["high"], need["cost"]["high"]) == (4, 1600, 2)
    assert not mark.exists()


@pytest.mark.slow
def test_a_killed_command_leaves_nobody_behind_and_goes_on(folder: Path) -> None:
    """The first two rollouts end, the others wait; then the command is killed."""
    gate, log = folder.parent / "gate", folder.parent / "log"
    gate.write_text("")
    waits = f"sleep 2718 & while [ $(wc -l < {log}) -gt 2 ] && [ -e {gate} ]; do sleep 0.1; done; "
    run = f"echo >> {log}; {waits}{AGENT}"
    words = ("--run", run, "--test", TEST, "-n", "4", "--tokens", "400", "--parallel", "2")
    log.write_text("")
    process = begin(folder, *words)
    while len(log.read_text().splitlines()) < 4 or _others() < 2:
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    until = time.monotonic() + 60
    while _others() and time.monotonic() < until:
        time.sleep(0.1)
    assert not _others()
    gate.unlink()
    code, out, err = done(folder, *words, "--json")
    assert code in (0, 4), err
    record = json.loads(out)
    assert len(log.read_text().splitlines()) == 6  # two were not done again
    assert record["calls"] == 6
    assert record["work"] + record["unseen"] >= 2 * 400  # those that were killed, at their most
    assert sum(vote["weight"] for vote in record["votes"]) <= 4


def test_another_budget_repeats_no_rollout_that_ended(folder: Path) -> None:
    """Two fit the first; the second has room for two more, and is charged all four."""
    count = folder.parent / "count"
    said = '{"input_tokens": 1, "output_tokens": 300}'
    run = f"""echo >> {count}; echo $WORKSPAN_SEED > fix.txt; echo '{said}' > $WORKSPAN_USAGE"""
    words = ("--run", run, "--test", "false", "-n", "4", "--tokens", "400", "--json")
    records = []
    for budget in ("800 work", "1600 work", "1600 work"):
        code, out, err = done(folder, *words, "-b", budget)
        assert code == 4, err
        records.append(json.loads(out))
    assert [record["work"] for record in records] == [600, 1200, 1200]
    assert [len(record["votes"]) for record in records] == [2, 4, 4]
    assert count.read_text() == "\n" * 4
    assert any("earlier run" in notice["text"] for notice in records[1]["notices"])
    assert not any(record["unjudged"] for record in records)  # each was, and failed


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((0.0, 0.0), "no rollout passed"),
        ((), "no rollout changed anything"),
        ((None, None), "no rollout was judged; under a larger --budget"),
        ((0.0, None), "no rollout passed, and 1 was not judged; under a larger --budget"),
    ],
)
def test_what_was_not_judged_is_not_said_to_have_failed(
    scores: tuple[float | None, ...], said: str
) -> None:
    candidates = tuple(Candidate("+fixed", "+fixed", score) for score in scores)
    candidates = candidates or (Candidate("", None),)
    answer = Answer(candidates[0], candidates)
    result = Result("task", "best_of_n", answer, Usage(2), 1, 1.0, "seconds", ())
    assert _unchosen(result).startswith(said)


@pytest.mark.parametrize(
    ("scores", "offered"),
    [
        ((None, None), 0),  # the time ended before its tests did
        ((0.0, None), 1),
        ((None, 1.0), 1),
        ((0.0, 0.0), None),
    ],
)
def test_a_finished_patch_is_offered_though_nobody_judged_it(
    scores: tuple[float | None, ...], offered: int | None
) -> None:
    candidates = tuple(Candidate(f"+{i}", f"+{i}", score) for i, score in enumerate(scores))
    best = max(candidates, key=lambda one: one.score or 0)
    found = chosen(Answer(best, candidates), is_judged=True)
    assert found == (None if offered is None else candidates[offered])
    assert chosen(Answer(best, candidates), is_judged=False) == best


@pytest.mark.heavy
def test_a_patch_that_nobody_judged_says_so(folder: Path) -> None:
    """The tests need longer than there is; the rollouts do not."""
    run = "echo done > made.txt"
    words = ("--run", run, "--test", "sleep 600", "--test-seconds", "900", "-n", "2", "-b", "60s")
    code, out, err = done(folder, *words, "--output", "a.patch")
    assert (code, out) == (4, ""), err
    assert "the patch is unjudged: no rollout was judged; under a larger --budget" in err
    text = (folder.parent / "a.patch").read_text()
    assert text.splitlines()[1].startswith("# Nobody judged it")
    git(folder, "apply", str(folder.parent / "a.patch"))
    assert (folder / "made.txt").read_text() == "done\n"


def _others() -> int:
    told = subprocess.run(["pgrep", "-cf", "^sleep 2718$"], capture_output=True, text=True)
    return int(told.stdout)


def test_the_gateway_serves_models_and_no_rollouts(tmp_path: Path) -> None:
    pytest.importorskip("uvicorn")
    words = ["-m", "workspan", "serve", "--port", "0", "-e", "rollout:touch ran"]
    done = subprocess.run(
        [sys.executable, *words, "--budget", "9 calls"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "no model to serve" in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("is_repository", [True, False])
def test_what_it_writes_into_the_folder_makes_it_no_other_folder(
    folder: Path, *, is_repository: bool
) -> None:
    """A journal and a patch may lie in it: the same command goes on, and runs nothing twice."""
    if not is_repository:
        shutil.rmtree(folder / ".git")
    count = folder.parent / "count"
    run = f"echo >> {count}; echo fixed > fix.txt"
    mine = ("--journal", str(folder / "kept.jsonl"), "--output", str(folder / "fix.patch"))
    for _ in range(2):
        code, _, err = done(folder, "--run", run, "--test", "test -e fix.txt", "-n", "2", *mine)
        assert code == 0, err
    assert count.read_text() == "\n\n"
    assert "fixed" in (folder / "fix.patch").read_text()
    assert "kept.jsonl" not in (folder / "fix.patch").read_text()
