"""Cells run by this process: each with a journal of its own, so that a kill loses no call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from workspan.batch.bench import Bench, Trial
from workspan.batch.compare import PARALLEL
from workspan.core.engine import Engine
from workspan.core.journal import Journal, digest, seed_for
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.entry import Entry, Header, RunId
from workspan.data.types import Usage
from workspan.errors import EngineError, JournalError, WorkspanError
from workspan.lab.sweeping.cell import Cell
from workspan.lab.sweeping.executing import Measured, Recorded
from workspan.lab.sweeping.nested import Family, NobodyAsked, cut, drawn, reached
from workspan.lab.sweeping.outcome import TrialRow, trial_row
from workspan.runner import identify
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile
from workspan.tasks.base import Task

if TYPE_CHECKING:  # it needs the extra `lab`, and a sweep of models does not
    from workspan.lab.sweeping.recorded import Recorded as RecordedChains

_MANY = 1_000_000
"""Runs that are planned, where no row of failures says that an engine is gone."""


@dataclass(frozen=True)
class Lane:
    """What the cells of one engine at one effort are run with."""

    engine: Engine
    engines: Mapping[str, Engine]
    identity: str
    tasks: Mapping[str, Sequence[Task]]
    """By the task's name."""
    recording: RecordedChains | None = None
    """What stands for the engine."""

    def of(self, cell: Cell, place: int) -> Engine:
        """Return the engine of a run: of a recording, its chains in an order of the cell's seed."""
        if self.recording is None:
            return self.engine
        return self.recording.engine(self.tasks[cell.task][place].problem, cell.seed)


@dataclass
class _Open:
    """A cell that is being run."""

    bench: Bench
    strategy: Strategy
    file: JournalFile | None
    runs: dict[int, Journal] = field(default_factory=dict)
    """By the problem's place, for cells that share what was drawn."""


class Here:
    """Runs cells in this process, on engines that are open."""

    def __init__(self, lanes: Mapping[tuple[str, str], Lane], folder: Path | None) -> None:
        """Take the lanes by engine and effort, and the folder of the journals; None keeps none."""
        self._lanes = lanes
        self._folder = folder
        self._limiters: dict[tuple[str, str], anyio.CapacityLimiter] = {}
        self._open: dict[str, _Open] = {}

    def places(self, cell: Cell) -> int:
        """Return how many runs go on side by side; one where the budget limits seconds."""
        if _budget(cell).seconds:
            return 1
        return min(PARALLEL, self._lane(cell).engine.info.concurrency)

    async def recorded(self, cell: Cell) -> Mapping[int, Recorded]:
        """Return what the cell's journal shows."""
        if not self._exists(cell):
            return {}
        with JournalFile(self._path(cell), self._header(cell)) as file:
            strategy, tasks = parse_strategy(cell.strategy, imports=True), self._tasks(cell)
            found = {}
            for place, task in enumerate(tasks):
                run = _identify(cell, strategy, task)
                journal, gone = _resumed(file, run)
                if journal.entries or gone.entries:
                    is_over = journal.end(run.budget) is not None
                    found[place] = Recorded(journal.usage(), gone.usage(), is_over)
        return found

    async def measure(self, cell: Cell, place: int) -> Measured:
        """Run and grade, with every call in the journal."""
        one, task = self._begun(cell), self._tasks(cell)[place]
        run, gone = _identify(cell, one.strategy, task), Usage()
        journal, bench = Journal(), one.bench
        if one.file is not None:
            journal, lost = _resumed(one.file, run)
            gone = lost.usage()
        one.runs[place] = journal
        if self._lane(cell).recording is not None:
            bench = self._bench(cell, self._lane(cell).of(cell, place), planned=_MANY)
        bench.owed[run] = journal
        try:
            trial = await bench.attempt(one.strategy, task)
        except JournalError:
            raise
        except WorkspanError as error:
            said = f"{type(error).__name__}: {error}"
            trial = Trial(cell.strategy, task, journal.usage(), error=said)
            row = trial_row(place, trial, is_shared=False, lost=gone)
            return Measured(row, said, isinstance(error, EngineError))
        is_cut = any(map(cut, journal.entries))
        return Measured(trial_row(place, trial, is_shared=False, is_cut=is_cut, lost=gone))

    async def share(self, cell: Cell, drawn: Cell, place: int) -> TrialRow | None:
        """Run on the recorded calls of the larger cell; None where they are not enough."""
        lane, task = self._lane(cell), self._tasks(cell)[place]
        strategy, engine = parse_strategy(cell.strategy, imports=True), lane.of(cell, place)
        run = _identify(cell, strategy, task)
        entries = self._drawn(drawn, place)
        if lane.engines or not entries:
            return None
        journal = await reached(strategy, task.problem, engine, run.seed, entries)
        if journal is None:
            return None
        bench = self._bench(cell, NobodyAsked(engine), planned=_MANY)
        bench.owed[run] = journal
        try:
            trial = await bench.attempt(strategy, task)
        except EngineError:  # within its budget it would ask for others
            return None
        is_same = trial.result is not None and not trial.result.failures
        return trial_row(place, trial, is_shared=True) if is_same else None

    def at_once(self, family: Family) -> Mapping[str, Sequence[TrialRow]] | None:
        """Vote on recorded chains for every number of them, on arrays."""
        lane = self._lane(family.largest)
        if lane.recording is None:
            return None
        return lane.recording.at_once(family, self._tasks(family.largest))

    def release(self, family: Family) -> None:
        """Close the journals of a family."""
        for cell in family.cells:
            one = self._open.pop(cell.id, None)
            if one is not None and one.file is not None:
                one.file.close()

    def aclose(self) -> None:
        """Close every journal that is still open."""
        for one in [*self._open.values()]:
            if one.file is not None:
                one.file.close()
        self._open.clear()

    def _drawn(self, cell: Cell, place: int) -> list[Entry]:
        """Return the calls that the larger cell made on a problem, if they are still known."""
        one = self._open.get(cell.id)
        if one is None:
            if not self._exists(cell):
                return []
            one = self._begun(cell)
        if place not in one.runs:
            if one.file is None:
                return []
            run = _identify(cell, one.strategy, self._tasks(cell)[place])
            one.runs[place], _ = _resumed(one.file, run)
        return drawn(one.runs[place].entries)

    def _begun(self, cell: Cell) -> _Open:
        if cell.id not in self._open:
            lane = self._lane(cell)
            bench = self._bench(cell, lane.engine, planned=len(self._tasks(cell)))
            strategy, file = parse_strategy(cell.strategy, imports=True), None
            if self._folder is not None and lane.recording is None:
                file = JournalFile(self._path(cell), self._header(cell))
            self._open[cell.id] = _Open(bench, strategy, file)
        return self._open[cell.id]

    def _bench(self, cell: Cell, engine: Engine, *, planned: int) -> Bench:
        lane = self._lane(cell)
        name = (cell.engine, cell.effort)
        limiter = self._limiters.get(name)
        if limiter is None:
            places = lane.engine.info.concurrency
            limiter = self._limiters[name] = anyio.CapacityLimiter(places)
        return Bench(engine, _budget(cell), cell.seed, None, limiter, planned, lane.engines)

    def _lane(self, cell: Cell) -> Lane:
        return self._lanes[cell.engine, cell.effort]

    def _tasks(self, cell: Cell) -> Sequence[Task]:
        return self._lane(cell).tasks[cell.task]

    def _exists(self, cell: Cell) -> bool:
        return self._folder is not None and self._path(cell).exists()

    def _path(self, cell: Cell) -> Path:
        assert self._folder is not None
        return journal_path(self._folder, cell.id)

    def _header(self, cell: Cell) -> Header:
        return Header(cell.identity, cell.seed, cell.model)


def journal_path(folder: Path, cell: str) -> Path:
    """Return where a cell's journal is kept: by its key, whichever sweep runs it."""
    return folder / cell[:2] / f"{cell}.jsonl"


def _budget(cell: Cell) -> Budget:
    return Budget() if cell.budget == str(Budget()) else Budget.parse(cell.budget)


def _identify(cell: Cell, strategy: Strategy, task: Task) -> RunId:
    seed = seed_for(cell.seed, digest(task.problem))
    return identify(strategy, task.problem, _budget(cell), seed)


def _resumed(file: JournalFile, run: RunId) -> tuple[Journal, Journal]:
    """Open a run as if no process had been killed in it, and what the kills had in flight.

    A call that was in flight is asked anew under its own key, so that the run is the one that
    nobody disturbed. Its bound was spent all the same: it stands in a journal of its own, and is
    charged to the sweep.
    """
    raw = file.journal(run)
    lost = file.journal(_lost_of(run))
    latest = {entry.key: place for place, entry in enumerate(raw.entries)}
    dead = {key for key, place in latest.items() if raw.entries[place].outcome == "open"}
    known = {entry.key for entry in lost.entries}
    for key in sorted(dead, key=latest.__getitem__):
        place = latest[key]
        if str(place) not in known:
            lost.append(Entry(str(place), "value", usage=raw.entries[place].usage))
    kept = [entry for entry in raw.entries if entry.key not in dead]
    return Journal(kept, raw.append), lost


KILLED = "(in flight when a process was killed)"
"""Stands for the strategy of what is lost."""


def _lost_of(run: RunId) -> RunId:
    """Return the name under which a run's lost calls are kept in the same file."""
    return RunId(KILLED, run.problem, run.digest, run.budget, run.seed)
