"""Real workers on Ray, killed for real, against a server that keeps its own bill."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from counting_server import CountingServer, serving
from sweep_process import Sweep, plain, table

ON_RAY = ("--on", "ray", "--workers", "2")
TOTAL = 900_000


@pytest.fixture(autouse=True)
def _ray() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: pip install workspan[ray]")


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with serving("--delay", "0.002", "--text", "so " * 30 + "Answer: 4") as found:
        yield found


def actors(mark: str) -> list[int]:
    """Return the processes of the workers that a marked command has started."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            is_ours = entry.name.isdigit() and mark.encode() in (entry / "environ").read_bytes()
            if is_ours and (entry / "cmdline").read_bytes().startswith(b"ray::_Actor"):
                found.append(int(entry.name))
        except OSError:  # gone, or another user's
            continue
    return sorted(found)


def check_figures(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    """Hold what was found to an undisturbed sweep; what was lost is beside it, and charged."""
    assert plain(mine) == plain(theirs)
    for one, other in zip(mine, theirs, strict=True):
        assert one["spent_work"] - other["spent_work"] == one["lost_work"] >= 0


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_one_of_two_workers_killed_in_mid_sweep_loses_nothing(
    tmp_path: Path, server: CountingServer
) -> None:
    whole = Sweep(tmp_path / "whole", server)
    expected = whole.finish()
    undisturbed = server.bill()
    assert {cell["status"] for cell in expected} == {"done"}

    mark = uuid.uuid4().hex
    far = Sweep(tmp_path / "far", server, ON_RAY, {"MARK": mark})
    process = far.begun(after=whole.lines() // 3)
    first = actors(mark)
    assert len(first) == 2, "both workers are at work"
    os.kill(first[random.Random(0).randrange(2)], signal.SIGKILL)
    found = far.finish(process)

    check_figures(found, expected)
    assert plain(table(far.store, "trials")) == plain(table(whole.store, "trials"))
    assert sum(cell["lost_work"] for cell in found) > 0, "the worker had calls in flight"
    # what the server decoded for it is on its account, once, and within the total
    came_to = server.bill().completion_tokens - undisturbed.completion_tokens
    account = sum(cell["spent_work"] for cell in found)
    assert undisturbed.completion_tokens <= came_to <= account <= TOTAL
    assert sum(row["work"] for row in table(far.store, "spendings")) == account
    # once more, without Ray: nothing is asked
    before = server.bill()
    assert Sweep(tmp_path / "far", server).finish() == found
    assert server.bill() == before


@pytest.mark.heavy
@pytest.mark.timeout(1200)
def test_a_killed_client_is_gone_on_with_wherever(tmp_path: Path, server: CountingServer) -> None:
    whole = Sweep(tmp_path / "whole", server)
    expected, undisturbed = whole.finish(), server.bill()
    mark = uuid.uuid4().hex
    far = Sweep(tmp_path / "far", server, ON_RAY, {"MARK": mark})
    assert far.kill(after=whole.lines() // 3), "it was over too early to say anything"
    deadline = time.monotonic() + 300
    while actors(mark) and time.monotonic() < deadline:  # they end with their client
        time.sleep(0.2)
    assert not actors(mark)
    found = Sweep(tmp_path / "far", server).finish()
    check_figures(found, expected)
    came_to = server.bill().completion_tokens - undisturbed.completion_tokens
    assert came_to <= sum(cell["spent_work"] for cell in found) <= TOTAL


GRADER = """
def grade(answer, reference, task):
    return 1.0 if task.problem.kind == "number" else 0.0
"""


@pytest.mark.heavy
@pytest.mark.timeout(600)
def test_a_batch_and_a_users_own_grader_run_there(tmp_path: Path, server: CountingServer) -> None:
    rows = [{"id": f"{i}", "question": f"{i} + 1?", "kind": "number"} for i in range(5)]
    problems = tmp_path / "problems.jsonl"
    problems.write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked: list[str | Path] = [
        "solve",
        "--input",
        problems,
        "-e",
        server.url,
        "--model",
        "simulated",
        "--json",
    ]
    asked += ["-s", "self_consistency(n=3, max_tokens=90)", "-b", "2k work"]
    there = run(*asked, "--output", tmp_path / "there.jsonl", *ON_RAY)
    here = run(*asked, "--output", tmp_path / "here.jsonl")
    told = ("problem", "answer", "work", "span", "calls", "votes")
    assert [[one[name] for name in told] for one in there] == [
        [one[name] for name in told] for one in here
    ]
    (tmp_path / "mine.py").write_text(GRADER)
    plan = tmp_path / "plan.toml"
    plan.write_text(
        f'strategies = ["single(max_tokens=90)"]\nbudgets = ["2k work"]\ntasks = ["{problems}"]\n'
        f'grader = "{tmp_path / "mine.py"}:grade"\n'
        f'[[engines]]\nengine = "{server.url}"\nmodel = "simulated"\n'
    )
    cells = run("sweep", plan, "--store", tmp_path / "s.db", "--json", *ON_RAY)
    others = run("sweep", plan, "--store", tmp_path / "t.db", "--json")
    assert cells == others
    assert (cells[0]["status"], cells[0]["accuracy"]) == ("done", 1.0)


def run(*arguments: str | Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "workspan", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(rows, key=lambda row: str(row.get("problem", "")))
