"""How well two real workers do beside one, where a server takes its time."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import anyio

from workspan.app.sweeping import executing, opened_results, planned
from workspan.lab.sweeping.driving import sweep
from workspan.lab.sweeping.written import sweep_of

PLACES = 8
"""Calls of a worker at a time."""
STRATEGY = "single(max_tokens=8)"


@contextmanager
def serving(seconds: float) -> Iterator[str]:
    """Run a server that waits so long before each answer."""
    command = [sys.executable, "-m", "workspan.testing.server", "--seeded", "--text", "4"]
    command += ["--latency", str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


async def timed(url: str, workers: int, calls: int, folder: Path) -> float:
    """Return the seconds that a sweep takes on so many workers that are there and warm."""
    tasks = folder / "tasks.jsonl"
    tasks.write_text("".join(f'{{"id": "{i}", "question": "{i}?"}}\n' for i in range(calls)))
    told = {
        "strategies": [STRATEGY],
        "budgets": ["8 work"],
        "tasks": [str(tasks)],
        "limit": calls,
        "engines": [{"engine": url, "model": "simulated", "set": {"concurrency": PLACES}}],
    }
    plan = sweep_of(told)
    store = str(folder / f"{workers}.db")
    async with (
        planned(plan) as ready,
        opened_results(store) as results,
        executing("ray", ready, folder / f"{workers} calls", workers) as executor,
    ):
        warm = replace(ready.points[0].cell, seed=1)
        async with anyio.create_task_group() as group:
            for place in range(workers * PLACES):
                group.start_soon(executor.measure, warm, place, "warm")
        began = time.perf_counter()
        rows = await sweep("timed", ready.points, results, executor)
        took = time.perf_counter() - began
        assert [row.graded for row in rows] == [0], "nobody says what is right"
        assert rows[0].spent_calls == calls
    return took


def efficiency(workers: int, calls: int, seconds: float, rounds: int) -> None:
    """Print how well workers do beside one alone."""
    shares, ideal = [], calls * seconds / PLACES
    with serving(seconds) as url:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                alone = anyio.run(timed, url, 1, calls, Path(folder))
                several = anyio.run(timed, url, workers, calls, Path(folder))
            shares.append(alone / several / workers)
            print(
                f"  1 worker {alone:.2f} s ({ideal / alone:.2f} of ideal), {workers} workers "
                f"{several:.2f} s ({ideal / workers / several:.2f} of ideal): "
                f"efficiency {shares[-1]:.3f}"
            )
    print(
        f"efficiency: {statistics.median(shares):.3f} at {workers} workers, {calls} calls of "
        f"{seconds * 1000:.0f} ms, {PLACES} at a time each, {rounds} rounds"
    )
