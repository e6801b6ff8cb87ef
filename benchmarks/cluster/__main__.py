"""What it costs to run on workers: how well two of them do, and what the scheduler takes by itself.

    python -m benchmarks.cluster efficiency [--workers 2] [--calls 800] [--seconds 0.2]
    python -m benchmarks.cluster scheduler [--workers 1000] [--problems 10000 100000 1000000]

*Efficiency*: real workers on Ray ask a loopback server that takes 200 ms for a call and is busy
with nothing. A sweep is timed from its first unit to its last on one worker, then on two, in turns;
efficiency is one worker's time over twice the two workers'. *Scheduler*: the real driver of sweeps,
the real pool, journals and store, on workers that are **simulated**: they answer at once, and no
engine is asked. It prints processor seconds a problem, and the memory that the process came to.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from workspan.app.sweeping import executing, opened_results, planned
from workspan.batch.trials import Away, TrialRunner
from workspan.cluster.pool import Pool, opened
from workspan.cluster.told import Ended, Line, Unit
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.data.types import Problem
from workspan.lab.sweeping.cell import Cell, problems_digest
from workspan.lab.sweeping.driving import Point, sweep
from workspan.lab.sweeping.here import Here, Lane, journal_path
from workspan.lab.sweeping.nested import Family
from workspan.lab.sweeping.written import sweep_of
from workspan.spec import parse_strategy
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine

PLACES = 8
"""Calls of a worker at a time."""
STRATEGY = "single(max_tokens=8)"
EACH = 1_000
"""Problems of a cell."""


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


@dataclass(eq=False)
class SimulatedWorker:
    """Answers every unit at once, with the lines of one real run. No engine stands behind it."""

    entries: Sequence[Entry]
    ended: Ended
    begun: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    number: int = 0
    news: anyio.Event = field(default_factory=anyio.Event)

    async def begin(self, unit: Unit) -> None:
        """Have done it already."""
        told: tuple[Entry | Ended, ...] = (*self.entries, self.ended)
        for what in told:
            self.number += 1
            self.lines.append(Line(self.number, unit.id, what))
        self.news.set()

    async def stop(self, unit: int) -> None:
        """There is nothing to stop."""

    async def exchange(self, kept: int) -> tuple[Line, ...]:
        """Tell what is new."""
        self.lines = [line for line in self.lines if line.number > kept]
        if not self.lines:
            self.news = anyio.Event()
            await self.news.wait()
        return tuple(self.lines)

    async def aclose(self) -> None:
        """There is nothing to end."""


class Forgetful(Here):
    """Removes the journals of cells that are kept: those of ten million runs would fill a disk."""

    calls: Path

    def release(self, family: Family) -> None:
        """Close them, and remove them."""
        super().release(family)
        for cell in family.cells:
            journal_path(self.calls, cell.id).unlink()


async def one_run(task: Task) -> tuple[list[Entry], Ended]:
    """Run for real once: what simulated workers say is what a real one said."""
    journal: list[Entry] = []
    runner = TrialRunner(
        ScriptedEngine(["4"]), Budget(work=8), 0, None, anyio.CapacityLimiter(1), EACH
    )
    trial = await runner.attempt(parse_strategy(STRATEGY), task, Journal((), journal.append))
    return journal, Ended.of(trial)


async def scheduled(problems: int, workers: int, folder: Path) -> tuple[float, float]:
    """Return processor and wall seconds of a sweep over so many problems."""
    each = min(EACH, problems)
    tasks = [
        Task(Problem.ask(f"{i}?", kind="number", id=f"p{i}"), "4", Equivalence())
        for i in range(each)
    ]
    engine = ScriptedEngine(["4"])
    lane = Lane(engine, {}, "simulated", {"t": tasks})
    digest = problems_digest(tasks)
    points = [
        Point(Cell("e", "simulated", "m", "t", digest, STRATEGY, "8 work", "", seed), each, ())
        for seed in range(problems // each)
    ]
    entries, ended = await one_run(tasks[0])

    async def hire() -> SimulatedWorker:
        return SimulatedWorker(entries, ended)

    async with opened_results(str(folder / "s.db")) as results, opened(hire, workers, 16) as pool:
        calls = folder / "calls"
        executor = Forgetful({("e", ""): lane}, calls, _away(pool), pool.workers)
        executor.calls = calls
        processor, wall = time.process_time(), time.perf_counter()
        rows = await sweep(
            "scheduled", points, results, executor, total=Budget.parse(f"{8 * problems} work")
        )
        spent = time.process_time() - processor, time.perf_counter() - wall
        executor.aclose()
    assert sum(row.graded for row in rows) == problems // each * each
    assert sum(row.spent_calls for row in rows) == problems // each * each
    return spent


def _away(pool: Pool) -> dict[tuple[str, str], Away]:
    return {("e", ""): pool.away(("e", ""))}


def scheduler(sizes: Sequence[int], workers: int) -> None:
    """Print what a problem costs, and the memory held, as problems grow tenfold."""
    print(f"scheduler: {workers} simulated workers of 16 places, {EACH} problems a cell")
    for problems in sizes:
        with tempfile.TemporaryDirectory() as folder:
            processor, wall = anyio.run(scheduled, problems, workers, Path(folder))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"  {problems} problems: {processor / problems * 1e6:.0f} us of one core each, "
            f"{wall:.0f} s in all, {peak:.0f} MiB at most",
            flush=True,
        )


def main() -> None:
    """Measure as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("efficiency", "scheduler"))
    parser.add_argument("--workers", type=int)
    parser.add_argument("--calls", type=int, default=800)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--problems", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    told = parser.parse_args()
    if told.what == "efficiency":
        efficiency(told.workers or 2, told.calls, told.seconds, told.rounds)
    else:
        scheduler(told.problems, told.workers or 1_000)


if __name__ == "__main__":
    main()
