"""Cells run by this process: each with a journal of its own, so that a kill loses no call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from workspan.batch.compare import PARALLEL
from workspan.batch.trials import Away, Trial, TrialRunner
from workspan.core.engine import Engine
from workspan.core.journal import Journal, digest, seed_for
from workspan.core.session import Strategy
from workspan.data.entry import Entry, Header, RunId
from workspan.errors import EngineError, JournalError, WorkerLost, WorkspanError
from workspan.lab.sweeping.cell import Cell, limits
from workspan.lab.sweeping.executing import Measured, Recorded
from workspan.lab.sweeping.nested import Family, NobodyAsked, cut, drawn, reached
from workspan.lab.sweeping.outcome import TrialRow, trial_row
from workspan.lab.sweeping.paying import paid, payers_of, pays
from workspan.spec import parse_strategy
from workspan.store.journals import JournalFile, held_by_now
from workspan.store.killed import lost_of, set_aside
from workspan.tasks.base import Task

if TYPE_CHECKING:  # it needs the extra `lab`, and a sweep of models does not
    from workspan.lab.sweeping.recorded import Recorded as RecordedChains

_LOSSES = 3
"""How often what runs a problem may be lost in mid-run, until the problem is held to be why."""
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


@dataclass(frozen=True)
class _Kept:
    """One run of a cell, as its file holds it."""

    raw: Journal = field(default_factory=Journal)
    """With the calls that were in flight at a kill."""
    lost: Journal = field(default_factory=Journal)
    notes: Journal = field(default_factory=Journal)
    """Who paid."""

    def resumed(self, budget: str) -> tuple[Journal, Recorded]:
        """Set aside what was in flight; return the run's journal and what was spent by now."""
        now = set_aside(self.raw, self.lost)
        run, gone = now.journal.usage(), now.gone
        is_over = now.journal.end(budget) is not None
        known = Recorded(run, gone, is_over)
        if self.notes.entries:
            known = replace(known, paid=paid(self.notes, known.amount))
        return now.journal, known


@dataclass
class _Open:
    """A cell that is being run."""

    strategy: Strategy
    file: JournalFile | None
    kept: dict[int, _Kept] = field(default_factory=dict)
    """By the problem's place, for cells that share what was drawn."""
    losses: dict[int, int] = field(default_factory=dict)


class Here:
    """Runs cells on engines that are open, and keeps their journals in this process."""

    def __init__(
        self,
        lanes: Mapping[tuple[str, str], Lane],
        folder: Path | None,
        away: Mapping[tuple[str, str], Away] | None = None,
        width: int = 1,
    ) -> None:
        """Take the lanes by engine and effort.

        Args:
            lanes: what cells are run with.
            folder: of the journals; None keeps none.
            away: runs the cells of a lane on other machines, in place of this process.
            width: as many of them.
        """
        self._lanes = lanes
        self._folder = folder
        self._limiters: dict[tuple[str, str], anyio.CapacityLimiter] = {}
        self._open: dict[str, _Open] = {}
        self._runners: dict[str, TrialRunner] = {}
        self._digests: dict[str, dict[int, str]] = {}
        """Of problems, by their place in a set: cells share sets."""
        self._away, self._width = away or {}, width

    def places(self, cell: Cell) -> int:
        """Return how many runs go on side by side; one each where the budget limits seconds."""
        machines = self._width if (cell.engine, cell.effort) in self._away else 1
        if limits(cell.budget).seconds:
            return machines
        return machines * min(PARALLEL, self._lane(cell).engine.info.concurrency)

    async def recorded(self, cell: Cell) -> Mapping[int, Recorded]:
        """Return what the cell's journal shows."""
        if not self._exists(cell):
            return {}
        held = held_by_now(self._path(cell), self._header(cell))
        kept = self._kept(cell, held, lambda run: Journal(held.get(run, ())))
        return self._recorded(cell, kept)

    def take(self, family: Family, cells: Sequence[Cell]) -> Mapping[str, Mapping[int, Recorded]]:
        """Open the journals of the cells, and of the one whose calls they share."""
        found = {}
        try:
            if self._exists(family.largest):
                self._begun(family.largest)
            for cell in cells:
                one = self._begun(cell)
                if one.file is not None:
                    one.kept = self._kept(cell, one.file.runs, one.file.journal)
                    found[cell.id] = self._recorded(cell, one.kept)
        except BaseException:
            self.release(family)
            raise
        return found

    def _kept(
        self, cell: Cell, runs: Iterable[RunId], journal: Callable[[RunId], Journal]
    ) -> dict[int, _Kept]:
        """Take those runs of a cell of which something is known, by the problem's place."""
        known = {*runs}
        if not known:
            return {}
        asked = {place: self._identify(cell, place) for place in range(len(self._tasks(cell)))}
        return {
            place: _Kept(*map(journal, _names(run)))
            for place, run in asked.items()
            if not known.isdisjoint(_names(run))
        }

    def _recorded(self, cell: Cell, kept: Mapping[int, _Kept]) -> dict[int, Recorded]:
        found = {}
        for place, one in kept.items():
            journal, known = one.resumed(cell.budget)
            if journal.entries or known.lost.calls:
                found[place] = known
        return found

    async def measure(self, cell: Cell, place: int, sweep: str) -> Measured:
        """Run and grade, with every call in the journal."""
        one, task = self._begun(cell), self._tasks(cell)[place]
        run = self._identify(cell, place)
        if place not in one.kept:
            one.kept[place] = _kept_in(one.file, run)
        kept = one.kept[place]
        journal, known = kept.resumed(run.budget)
        pays(kept.notes, sweep, known.amount)
        lost, said, is_engine = known.lost, "", False
        try:
            trial = await self._attempt(cell, place, journal)
        except JournalError:
            raise
        except WorkerLost as error:
            one.losses[place] = one.losses.get(place, 0) + 1
            now, later = kept.resumed(run.budget)
            if one.losses[place] < _LOSSES:
                return Measured(None, later)
            trial, lost = Trial(cell.strategy, task, now.usage(), error=_said(error)), later.lost
        except WorkspanError as error:
            said, is_engine = _said(error), isinstance(error, EngineError)
            trial = Trial(cell.strategy, task, journal.usage(), error=said)
        is_cut = any(map(cut, journal.entries))
        row = trial_row(place, trial, is_shared=False, is_cut=is_cut, lost=lost)
        return Measured(row, known, said, is_engine)

    async def _attempt(self, cell: Cell, place: int, journal: Journal) -> Trial:
        """Run and grade, here or away."""
        lane, task, strategy = (
            self._lane(cell),
            self._tasks(cell)[place],
            self._begun(cell).strategy,
        )
        if lane.recording is not None:
            runner = self._runner(cell, lane.of(cell, place), planned=_MANY)
            return await runner.attempt(strategy, task, journal)
        if cell.id not in self._runners:
            planned = len(self._tasks(cell))
            self._runners[cell.id] = self._runner(cell, lane.engine, planned=planned)
        runner = self._runners[cell.id]
        if (away := self._away.get((cell.engine, cell.effort))) is not None:
            return await away(runner, strategy, task, journal)
        return await runner.attempt(strategy, task, journal)

    async def share(self, cell: Cell, drawn: Cell, place: int) -> TrialRow | None:
        """Run on the recorded calls of the larger cell; None where they are not enough."""
        lane, task = self._lane(cell), self._tasks(cell)[place]
        strategy, engine = parse_strategy(cell.strategy, imports=True), lane.of(cell, place)
        run = self._identify(cell, place)
        entries = self._drawn(drawn, place)
        if lane.engines or not entries:
            return None
        journal = await reached(strategy, task.problem, engine, run.seed, entries)
        if journal is None:
            return None
        runner = self._runner(cell, NobodyAsked(engine), planned=_MANY)
        try:
            trial = await runner.attempt(strategy, task, journal)
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

    def passed(self, family: Family, place: int) -> None:
        """Forget the calls: the file has them."""
        for cell in family.cells:
            if (one := self._open.get(cell.id)) is not None:
                one.kept.pop(place, None)
                one.losses.pop(place, None)

    def release(self, family: Family) -> None:
        """Close the journals of a family."""
        for cell in family.cells:
            self._runners.pop(cell.id, None)
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
        if cell.id not in self._open and not self._exists(cell):
            return []
        one = self._begun(cell)
        run = self._identify(cell, place)
        if place not in one.kept:
            if one.file is None:
                return []
            one.kept[place] = _kept_in(one.file, run)
        return drawn(one.kept[place].resumed(run.budget)[0].entries)

    def _begun(self, cell: Cell) -> _Open:
        if cell.id not in self._open:
            strategy, file = parse_strategy(cell.strategy, imports=True), None
            if self._folder is not None and self._lane(cell).recording is None:
                file = JournalFile(self._path(cell), self._header(cell))
            self._open[cell.id] = _Open(strategy, file)
        return self._open[cell.id]

    def _runner(self, cell: Cell, engine: Engine, *, planned: int) -> TrialRunner:
        lane = self._lane(cell)
        name = (cell.engine, cell.effort)
        limiter = self._limiters.get(name)
        if limiter is None:
            places = lane.engine.info.concurrency
            limiter = self._limiters[name] = anyio.CapacityLimiter(places)
        return TrialRunner(
            engine, limits(cell.budget), cell.seed, None, limiter, planned, lane.engines
        )

    def _lane(self, cell: Cell) -> Lane:
        return self._lanes[cell.engine, cell.effort]

    def _tasks(self, cell: Cell) -> Sequence[Task]:
        return self._lane(cell).tasks[cell.task]

    def _identify(self, cell: Cell, place: int) -> RunId:
        """Return what `runner.identify` does: strategy and budget are written in the cell."""
        problem = self._tasks(cell)[place].problem
        digests = self._digests.setdefault(cell.problems, {})
        if (known := digests.get(place)) is None:
            known = digests[place] = digest(problem)
        seed = seed_for(cell.seed, known)
        return RunId(cell.strategy, problem.id, known, cell.budget, seed)

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


def _said(error: WorkspanError) -> str:
    return f"{type(error).__name__}: {error}"


def _kept_in(file: JournalFile | None, run: RunId) -> _Kept:
    if file is None:
        return _Kept()
    return _Kept(*map(file.journal, _names(run)))


def _names(run: RunId) -> tuple[RunId, RunId, RunId]:
    """Return what a run is kept under: its own calls, those that kills lost, and who paid."""
    return run, lost_of(run), payers_of(run)
