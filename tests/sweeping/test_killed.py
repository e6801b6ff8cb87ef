"""A sweep that is killed at ten moments and goes on comes to what an undisturbed one comes to."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from counting_server import CountingServer, serving

PLAN = """
name = "killed"
strategies = [
    "single(max_tokens=90)",
    {of = "self_consistency(max_tokens=90)", n = [1, 3, 6]},
    "adaptive_consistency(n=5, max_tokens=90)",
    "self_refine(turns=2, max_tokens=90)",
]
budgets = ["4k work", "4k work, 40 span"]
seeds = [0, 1]
tasks = ["TASKS"]
limit = 5
total = "900k work"

[[engines]]
name = "simulated"
engine = "http://127.0.0.1:PORT/v1"
model = "simulated"
set = {concurrency = 4}
"""
"""Neither budget is one for which calls at once compete: which of them such a budget cuts hangs on
the server's timing, in an undisturbed sweep as well."""
KILLS = 10


@pytest.fixture
def server() -> Iterator[CountingServer]:
    with serving("--delay", "0.001", "--text", "so " * 30 + "Answer: 4") as found:
        yield found


@dataclass(frozen=True)
class Sweep:
    """One sweep's command in a folder of its own."""

    folder: Path
    server: CountingServer

    def start(self) -> subprocess.Popen[str]:
        self.folder.mkdir(exist_ok=True)
        rows = [
            {"id": f"sum {i}", "question": f"What is {i} + 1?", "answer": "4", "kind": "number"}
            for i in range(5)
        ]
        tasks = self.folder.parent / "tasks.jsonl"
        tasks.write_text("".join(json.dumps(row) + "\n" for row in rows))
        plan = PLAN.replace("PORT", str(self.server.port)).replace("TASKS", str(tasks))
        (self.folder / "plan.toml").write_text(plan)
        command = [sys.executable, "-m", "workspan", "sweep", str(self.folder / "plan.toml")]
        command += ["--store", str(self.store), "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def finish(self) -> list[dict[str, Any]]:
        process = self.start()
        out, said = process.communicate(timeout=280)
        assert process.returncode == 0, said
        return [json.loads(line) for line in out.splitlines()]

    def lines(self) -> int:
        """Count what the journals hold: how far it has come, whatever the clock says."""
        paths = (self.folder / "store.db.calls").rglob("*.jsonl")
        return sum(path.read_bytes().count(b"\n") for path in paths)

    def kill(self, *, after: int) -> bool:
        """Kill it when its journals have grown by so many lines; False if it ended before."""
        goal = self.lines() + after
        process = self.start()
        while self.lines() < goal and process.poll() is None:
            time.sleep(0.005)
        is_running = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        return is_running


def table(store: Path, name: str) -> list[dict[str, Any]]:
    with sqlite3.connect(store) as database:
        database.row_factory = sqlite3.Row
        rows = database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()
    database.close()
    return [dict(row) for row in rows]


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what only a kill adds: the bounds of the calls that it cut, charged beside."""
    lost = ("lost_", "spent_")
    return [{k: v for k, v in row.items() if not k.startswith(lost)} for row in rows]


@pytest.mark.heavy
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("seed", [0, 1])
def test_ten_kills_change_no_cell_and_no_figure(
    tmp_path: Path, server: CountingServer, seed: int
) -> None:
    os.environ.setdefault("COLUMNS", "120")
    whole = Sweep(tmp_path / "whole", server)
    expected = whole.finish()
    undisturbed = server.bill()
    assert {cell["status"] for cell in expected} == {"done"}
    spent = sum(cell["spent_work"] for cell in expected)
    assert spent >= undisturbed.completion_tokens > 0

    rng, killed = random.Random(seed), Sweep(tmp_path / "killed", server)
    each = whole.lines() // (KILLS + 2)
    kills = sum(killed.kill(after=rng.randint(1, 2 * each)) for _ in range(KILLS))
    assert kills >= KILLS // 2, "it was over too early to say anything"
    found = killed.finish()
    assert plain(found) == plain(expected)
    assert plain(table(killed.store, "trials")) == plain(table(whole.store, "trials"))
    for mine, theirs in zip(found, expected, strict=True):
        lost = mine["spent_work"] - theirs["spent_work"]
        assert lost == mine["lost_work"] >= 0
        assert theirs["lost_work"] == 0
    # all that the server decoded for it is on its account, and within the total
    came_to = server.bill().completion_tokens - undisturbed.completion_tokens
    account = sum(cell["spent_work"] for cell in found)
    assert came_to <= account <= 900_000
    assert account - spent == sum(cell["lost_work"] for cell in found)
    # once more: nothing is asked
    before = server.bill()
    assert killed.finish() == found
    assert server.bill() == before
