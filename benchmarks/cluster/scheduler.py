"""What the scheduler takes by itself: a sweep of millions, on workers that are simulated."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from workspan.app.sweeping import opened_results
from workspan.batch.trials import TrialRunner
from workspan.cluster.pool import opened
from workspan.cluster.told import Ended, Line, Unit
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.entry import Entry
from workspan.data.types import Problem
from workspan.lab.sweeping.cell import Cell, problems_digest
from workspan.lab.sweeping.driving import Point, Progress, sweep
from workspan.lab.sweeping.here import Here, Lane, journal_path
from workspan.lab.sweeping.nested import Family
from workspan.spec import parse_strategy
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine

STRATEGY = "single(max_tokens=8)"
PLACES = 16
"""Runs of a worker at a time."""
EACH = 1_000
"""Problems of a cell."""
_TOLD_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Mark:
    """How a sweep stood when so many problems were through."""

    problems: int
    processor: float
    """Seconds of one core, from the sweep's beginning, those of the store's thread included."""
    wall: float
    resident: float
    """MiB that the process held at that moment."""
    peak: float
    """MiB that it had held at most."""


@dataclass(eq=False)
class SimulatedWorker:
    """Answers every unit at once, with the lines of one real run. No engine stands behind it."""

    entries: Sequence[Entry]
    ended: Ended
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


@dataclass
class _Watch:
    """Notes how a sweep stands at each mark, shows a line of progress, and ends it in time."""

    marks: Sequence[int]
    ends: float
    """When to stop, on `time.monotonic`."""
    on_mark: Callable[[Mark], None]
    processor: float = field(default_factory=time.process_time)
    wall: float = field(default_factory=time.monotonic)
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    reached: int = 0
    shown: float = 0.0
    runs: int = 0

    def note(self, progress: Progress) -> None:
        """Take what the sweep says after each run."""
        self.runs = progress.runs
        if self.reached < len(self.marks) and self.runs == self.marks[self.reached]:
            self.reached += 1
            self.on_mark(self.mark())
        if self.runs % EACH:
            return
        now = time.monotonic()
        if now - self.shown > _TOLD_SECONDS:
            self.shown = now
            _show(self.mark(), progress.of_runs)
        if now > self.ends and not self.scope.cancel_called:
            self.on_mark(self.mark())
            self.scope.cancel()

    def mark(self) -> Mark:
        """Return how it stands now."""
        processor, wall = time.process_time() - self.processor, time.monotonic() - self.wall
        held = resident()
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        # The system brings its own record up to date only now and then.
        return Mark(self.runs, processor, wall, held, max(held, most))


def _show(mark: Mark, of: int) -> None:
    """Write the line of progress over itself."""
    said = f"{mark.problems:,} of {of:,} problems, {each(mark):.0f} us each, "
    sys.stderr.write(f"\r{said}{mark.resident:.0f} MiB, {mark.wall:.0f} s ")
    sys.stderr.flush()


def resident() -> float:
    """Return the MiB of memory that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def each(mark: Mark, before: Mark | None = None) -> float:
    """Return the microseconds of one core that a problem took, since another mark."""
    problems, processor = (before.problems, before.processor) if before else (0, 0.0)
    return (mark.processor - processor) / max(1, mark.problems - problems) * 1e6


def marks(problems: int) -> list[int]:
    """Return 1, 2 and 5 times the powers of ten from 10,000 on, and the number itself."""
    powers = [m * 10**e for e in range(4, 10) for m in (1, 2, 5)]
    return [*(n for n in powers if n < problems), problems]


async def scheduled(
    problems: int, workers: int, folder: Path, seconds: float, on_mark: Callable[[Mark], None]
) -> int:
    """Sweep over so many problems, or as many as fit into the seconds; return how many did.

    Args:
        problems: a multiple of `EACH`.
        workers: simulated ones.
        folder: of the store and the journals.
        seconds: of wall clock, after which the sweep is stopped.
        on_mark: told how it stands at each of `marks`, and where it was stopped.
    """
    tasks = [
        Task(Problem.ask(f"{i}?", kind="number", id=f"p{i}"), "4", Equivalence())
        for i in range(EACH)
    ]
    lane = Lane(ScriptedEngine(["4"]), {}, "simulated", {"t": tasks})
    digest = problems_digest(tasks)
    points = [
        Point(Cell("e", "simulated", "m", "t", digest, STRATEGY, "8 work", "", seed), EACH, ())
        for seed in range(problems // EACH)
    ]
    entries, ended = await one_run(tasks[0])

    async def hire() -> SimulatedWorker:
        return SimulatedWorker(entries, ended)

    total = Budget.parse(f"{8 * problems} work")
    calls, store = folder / "calls", str(folder / "s.db")
    async with opened_results(store) as results, opened(hire, workers, PLACES) as pool:
        away = {("e", ""): pool.away(("e", ""))}
        executor = Forgetful({("e", ""): lane}, calls, away, pool.workers)
        executor.calls = calls
        watch = _Watch(marks(problems), time.monotonic() + seconds, on_mark)
        with watch.scope:
            rows = await sweep(
                "scheduled", points, results, executor, total=total, on_progress=watch.note
            )
            assert sum(row.graded for row in rows) == watch.runs == problems
            assert sum(row.spent_calls for row in rows) == watch.runs
        executor.aclose()
    return watch.runs


def measure(
    problems: int, workers: int, seconds: float, keep: Callable[[Sequence[Mark]], None]
) -> None:
    """Sweep, and at each mark print it and keep all by now."""
    found: list[Mark] = []

    def note(mark: Mark) -> None:
        before = found[-1] if found else None
        found.append(mark)
        print(
            f"\r{mark.problems:,} problems: {each(mark, before):.0f} us of one core each since "
            f"the last, {mark.wall:.0f} s in all, {mark.resident:.0f} MiB, {mark.peak:.0f} at most",
            flush=True,
        )
        keep(found)

    print(f"{workers:,} simulated workers of {PLACES} places, {EACH:,} problems a cell")
    with tempfile.TemporaryDirectory() as folder:
        done = anyio.run(scheduled, problems, workers, Path(folder), seconds, note)
        size = sum(one.stat().st_size for one in Path(folder).glob("s.db*")) / 2**20
    print(f"\r{done:,} of {problems:,} problems; the store holds {size:,.0f} MiB")
