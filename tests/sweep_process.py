"""A sweep as a command in a process of its own, which may be killed, and what its store holds."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from counting_server import CountingServer

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


@dataclass(frozen=True)
class Sweep:
    """One sweep's command in a folder of its own."""

    folder: Path
    server: CountingServer
    options: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Beside this process's own."""

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
        command += ["--store", str(self.store), "--json", *self.options]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"COLUMNS": "120"} | {**self.environment},
        )

    @property
    def store(self) -> Path:
        return self.folder / "store.db"

    def finish(self, process: subprocess.Popen[str] | None = None) -> list[dict[str, Any]]:
        process = process or self.start()
        out, said = process.communicate(timeout=280)
        assert process.returncode == 0, said
        return [json.loads(line) for line in out.splitlines()]

    def lines(self) -> int:
        """Count what the journals hold: how far it has come, whatever the clock says."""
        paths = (self.folder / "store.db.calls").rglob("*.jsonl")
        return sum(path.read_bytes().count(b"\n") for path in paths)

    def begun(self, *, after: int) -> subprocess.Popen[str]:
        """Start it, and wait until its journals have grown by so many lines or it has ended."""
        goal = self.lines() + after
        process = self.start()
        while self.lines() < goal and process.poll() is None:
            time.sleep(0.005)
        return process

    def kill(self, *, after: int) -> bool:
        """Kill it when its journals have grown by so many lines; False if it ended before."""
        process = self.begun(after=after)
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
