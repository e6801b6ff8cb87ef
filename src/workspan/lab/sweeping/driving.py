"""A sweep from its cells to what is kept of them: within one budget, resumed wherever it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial, reduce

import anyio

from workspan.batch.compare import side_by_side
from workspan.core.engine import FREE, Price
from workspan.core.ledger import Hold, Ledger
from workspan.data.budget import Budget
from workspan.data.types import Amount, Usage
from workspan.errors import BudgetExceeded, InputError, JournalInUse
from workspan.lab.sweeping.cell import Cell, limits, sweep_digest
from workspan.lab.sweeping.executing import Executor, Measured, Recorded
from workspan.lab.sweeping.nested import Family, families
from workspan.lab.sweeping.outcome import FINAL, NOTHING, CellRow, TrialRow, cell_row, money, spent
from workspan.lab.sweeping.paying import usage_of
from workspan.lab.sweeping.results import Finished, Results

_GIVE_UP = 2
"""Cells of one engine in a row that ended since it was gone, until no more of its are begun."""
_COME_BACK = 1.0
"""Seconds until cells that another sweep was running are looked at again."""

_UNWRITTEN = 20_000
"""Problems of finished cells that wait for the store: with more, no run is begun."""

_UNKNOWN = Recorded()
"""Of a run that nobody began before."""


@dataclass(frozen=True, slots=True)
class Point:
    """A cell with what the sweep must know of its runs."""

    cell: Cell
    problems: int
    prices: tuple[Price | None, ...]
    """Of its engines; None is unknown."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep has come."""

    cells: int
    of_cells: int
    runs: int
    of_runs: int
    work: int
    """Charged to the sweep so far, by earlier processes too."""
    cost: Decimal
    """USD."""
    seconds_left: float | None
    """By the runs of this process so far; None before the first."""
    cost_left: Decimal | None
    """USD of the runs to come, by those of this process; None before the first."""
    waits_for: int = 0
    """Cells that other sweeps are running, where nothing else of their engine is left to be run."""


@dataclass(slots=True)
class _Going:
    """A family that is being run."""

    family: Family
    todo: tuple[Cell, ...]
    rows: dict[str, dict[int, TrialRow]] = field(default_factory=dict)
    left: int = 0
    """Problems that are not through."""
    error: str = ""
    is_gone: bool = False


async def sweep(
    name: str,
    points: Sequence[Point],
    results: Results,
    executor: Executor,
    *,
    total: Budget | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    utc: Callable[[], float] = time.time,
) -> list[CellRow]:
    """Run every cell that is not in the store yet, and return all, in the order of the points.

    A cell is kept when all its runs are through, with its account; a failed run, or a cell that
    can't be run, is kept with its error, and tried again by the next sweep that has it. Before a
    run begins, all that it may spend is held of the total, so that no run is ever cut by it: what
    does not fit is not begun. A cell that another sweep is running is left for the end: by then it
    is there, or gone on with once nobody runs it.

    Args:
        name: of the sweep.
        points: its cells, different ones.
        results: where they are kept.
        executor: runs them.
        total: of all runs together.
        on_progress: called after each run.
        utc: seconds of UTC's epoch.

    Raises:
        InputError: the total limits what a run's budget leaves open, so that nothing could be held.
        StoreError: what is finished could not be kept; the journals have it.
        JournalError: a journal can't be read or written.
    """
    total = total or Budget()
    cells = [point.cell for point in points]
    of = {point.cell.id: point for point in points}
    id = sweep_digest(name, cells)
    one = _Sweep(id, of, results, executor, Ledger(total), total, on_progress)
    await results.begin(id, name, str(total), cells, utc())
    found = await one.run(cells)
    if all(row.status in ("done", "over", "partial") for row in found.values()):
        await results.end(id, utc())
    return [_named(found[cell.id], cell) for cell in cells]


def bound(point: Point, total: Budget) -> Amount:
    """Return the most that one run may take, of the columns that the total limits.

    Raises:
        InputError: its own budget leaves one of them open.
    """
    cell = point.cell
    own = limits(cell.budget)
    if total.cost is not None and None in point.prices:
        raise InputError(
            f"total limits money, and no price is known for {cell.engine} ({cell.model}): give it "
            "one, such as price = '0.15/0.60'"
        )
    cost = own.cost if total.cost is None else _most_paid(own, point.prices)
    for column, most in (
        ("work", own.work),
        ("calls", own.calls),
        ("prefill", own.prefill),
        ("cost", cost),
    ):
        if getattr(total, column) is not None and most is None:
            raise InputError(
                f"total limits {column}, and a run within {cell.budget!r} may take any: limit it "
                f"there, too, such as {_HINTS[column].format(own)!r}"
            )
    return Amount(own.calls or 0, own.work or 0, own.prefill or 0, cost or Decimal(0))


_HINTS = {
    "work": "{}, 1k work",
    "calls": "{}, 8 calls",
    "prefill": "{}, 10k prefill",
    "cost": "{}, $0.01",
}


def _most_paid(own: Budget, prices: Sequence[Price | None]) -> Decimal | None:
    """Return the most money that a run takes: its limit, or what all its tokens cost."""
    known = [price for price in prices if price is not None]
    if own.cost is not None or len(known) < len(prices):
        return own.cost
    if all(price == FREE for price in known):
        return Decimal(0)
    if own.work is None or own.prefill is None:
        return None
    most = Usage(1, own.prefill, output_tokens=own.work)
    return max(price.of(most) for price in known)


def _named(row: CellRow, cell: Cell) -> CellRow:
    """Call a cell as this sweep does: another may have named its engine otherwise."""
    return replace(row, engine=cell.engine, task=cell.task)


class _Sweep:
    """The state of one sweep in one process."""

    def __init__(
        self,
        id: str,
        points: Mapping[str, Point],
        results: Results,
        executor: Executor,
        account: Ledger,
        total: Budget,
        on_progress: Callable[[Progress], None] | None,
    ) -> None:
        self._id = id
        self._points = points
        self._results = results
        self._executor = executor
        self._account = account
        self._total = total
        self._on_progress = on_progress
        self._recorded: dict[str, dict[int, Recorded]] = {}
        self._before: dict[str, Amount] = {}
        """What rows of the store say was spent on cells whose journals are elsewhere."""
        self._most = {id: bound(point, total) for id, point in points.items()}
        self._own: dict[str, Amount] = {}
        """What this sweep has spent on each cell that is not finished, by now."""
        self._found: dict[str, CellRow] = {}
        self._runs = self._of_runs = self._waits_for = 0
        self._own_cost = Decimal(0)
        self._began = 0.0
        self._pending: list[Finished] = []
        self._unwritten = 0
        """Problems of finished cells that are not in the store yet."""
        self._is_writing = False
        self._room = anyio.Event()
        self._turn = anyio.Lock(fast_acquire=True)
        """Runs hold of the total in their order: else whoever comes last takes what is given back,
        so that a total that runs out has paid for a part of each cell, and for none as a whole."""

    async def run(self, cells: Sequence[Cell]) -> dict[str, CellRow]:
        """Run what is left of the cells."""
        stored = await self._results.cells([cell.id for cell in cells])
        self._found = {id: row for id, row in stored.items() if row.status in FINAL}
        todo = {cell.id for cell in cells} - self._found.keys()
        paid = await self._results.paid_by(self._id)
        for cell in cells:
            if cell.id in todo:
                await self._take_over(cell, stored.get(cell.id), paid.pop(cell.id, NOTHING))
        for amount in paid.values():
            self._charge(amount)
        grouped = families(cells)
        going = [_Going(one, tuple(c for c in one.cells if c.id in todo)) for one in grouped]
        going = [one for one in going if one.todo]
        self._of_runs = sum(self._points[c.id].problems for one in going for c in one.todo)
        self._began = time.monotonic()
        lanes: dict[tuple[str, str], list[_Going]] = {}
        for one in going:
            first = one.family.largest
            lanes.setdefault((first.engine, first.effort), []).append(one)
        self._tell()
        await side_by_side(self._lane, [*lanes.values()], max(1, len(lanes)))
        await self._write()
        return self._found

    async def _take_over(self, cell: Cell, stored: CellRow | None, paid: Amount) -> None:
        """Charge what earlier processes of this sweep spent on a cell that is not finished.

        What other sweeps spent on it is theirs.
        """
        recorded = self._recorded[cell.id] = {**await self._executor.recorded(cell)}
        if recorded:
            paid = _sum(known.paid.get(self._id, NOTHING) for known in recorded.values())
        elif stored is not None:
            self._before[cell.id] = spent(stored)
        self._own[cell.id] = paid
        self._charge(paid)

    def _charge(self, amount: Amount) -> None:
        """Count what was spent before this process began."""
        self._account.settle(Hold(NOTHING), usage_of(amount))

    async def _lane(self, lane: Sequence[_Going]) -> None:
        """Run the families of one engine, their problems side by side."""
        gone: list[_Going] = []
        places = min(self._executor.places(one.family.largest) for one in lane)
        left = [one for one in lane if not await self._done_at_once(one)]

        async def through(unit: tuple[_Going, int]) -> None:
            one, place = unit
            await self._has_room()
            if len(gone) >= _GIVE_UP and not one.error:
                one.error = gone[-1].error
            if not one.error:
                await self._unit(one, place)
            one.left -= 1
            if not one.left:
                if one.is_gone:
                    gone.append(one)
                elif not one.error:
                    gone.clear()
                await self._finish(one)

        while left:
            in_use: list[_Going] = []
            await side_by_side(through, self._units(left, in_use), places)
            left = await self._come_back(in_use) if in_use else []

    def _units(self, lane: Iterable[_Going], in_use: list[_Going]) -> Iterator[tuple[_Going, int]]:
        """Give families by their problems, one after another: millions are never listed.

        Those that another sweep runs are put aside.
        """
        for one in lane:
            try:
                self._recorded |= {
                    cell: {**known}
                    for cell, known in self._executor.take(one.family, one.todo).items()
                }
            except JournalInUse:
                in_use.append(one)
                continue
            one.left = self._points[one.family.largest.id].problems
            yield from ((one, place) for place in range(one.left))

    async def _come_back(self, in_use: Sequence[_Going]) -> list[_Going]:
        """Wait a while for other sweeps; return the families that they have not finished."""
        cells = [cell for one in in_use for cell in one.todo]
        self._waits_for += len(cells)
        self._tell()
        await anyio.sleep(_COME_BACK)
        self._waits_for -= len(cells)
        stored = await self._results.cells([cell.id for cell in cells])
        for one in in_use:
            for cell in one.todo:
                if (row := stored.get(cell.id)) is not None and row.status in FINAL:
                    self._found[cell.id] = row
                    self._runs += self._points[cell.id].problems
            one.todo = tuple(cell for cell in one.todo if cell.id not in self._found)
        self._tell()
        return [one for one in in_use if one.todo]

    async def _unit(self, one: _Going, place: int) -> None:
        """Take a family through one problem: the largest draws, the others share."""
        for cell in one.family.cells:
            if cell in one.todo:
                await self._row(one, cell, place)
                self._runs += 1
                self._tell()
        self._executor.passed(one.family, place)

    async def _row(self, one: _Going, cell: Cell, place: int) -> None:
        """Take a cell through a problem, unless the total does not hold a run."""
        rows = one.rows.setdefault(cell.id, {})
        if cell is not one.family.largest:
            shared = await self._executor.share(cell, one.family.largest, place)
            if shared is not None:
                rows[place] = shared
                return
        row = None
        while row is None:  # what was lost with its worker is spent, and needs room of its own
            known = self._recorded[cell.id].get(place, _UNKNOWN)
            most = known.run.amount if known.is_over else self._most[cell.id]
            try:
                async with self._turn:
                    hold = await self._account.reserve(partial(_above, most, known.run.amount))
            except BudgetExceeded:
                return
            measured = await self._measured(cell, place, hold)
            if measured.recorded != _UNKNOWN:
                self._recorded[cell.id][place] = measured.recorded
            row = measured.row
            if measured.gone:
                one.error, one.is_gone = measured.gone, measured.is_engine
        rows[place] = row

    async def _measured(self, cell: Cell, place: int, hold: Hold) -> Measured:
        """Measure what was held for, and charge what it came to."""
        known = self._recorded[cell.id].get(place, _UNKNOWN)
        new = hold.amount  # of a run that is cancelled nobody knows more before it is resumed
        try:
            measured = await self._executor.measure(cell, place, self._id)
            if measured.row is None:
                new = _above(measured.recorded.amount, known.amount)
            else:
                new = _above(_amount(measured.row), measured.recorded.amount)
        finally:
            self._account.settle(hold, usage_of(new))
        self._own[cell.id] = self._own[cell.id].plus(new)
        self._own_cost += new.cost
        return measured

    async def _done_at_once(self, one: _Going) -> bool:
        """Take what needs no runs; say whether it was so."""
        rows = self._executor.at_once(one.family)
        if rows is None:
            return False
        for cell in one.todo:
            one.rows[cell.id] = dict(enumerate(rows[cell.id]))
            self._runs += self._points[cell.id].problems
        await self._finish(one)
        self._tell()
        return True

    async def _finish(self, one: _Going) -> None:
        """Keep a family's cells, whole."""
        for cell in one.todo:
            held = one.rows.get(cell.id, {})
            trials = tuple(held[place] for place in sorted(held))
            is_shared = any(trial.is_shared for trial in trials)
            beside = [
                known
                for place, known in self._recorded.get(cell.id, {}).items()
                if place not in held or held[place].is_shared
            ]  # spent, and in none of the rows
            row = cell_row(
                cell,
                trials,
                of=self._points[cell.id].problems,
                draws=one.family.largest.id if is_shared else cell.id,
                error=one.error,
                before=_sum([self._before.get(cell.id, NOTHING), *(x.amount for x in beside)]),
                lost=sum(known.lost.amount.work for known in beside),
            )
            self._found[cell.id] = row
            self._pending.append(Finished(row, trials, self._payers(cell)))
            self._unwritten += len(trials)
            self._recorded.pop(cell.id, None)
        one.rows.clear()
        await self._write()
        self._executor.release(one.family)  # by now the store mostly has it, for whoever waits

    def _payers(self, cell: Cell) -> dict[str, Amount]:
        """Return what each sweep has spent on a cell, as far as its journals tell."""
        found: dict[str, Amount] = {}
        for known in self._recorded.get(cell.id, {}).values():
            for sweep, amount in known.paid.items():
                found[sweep] = found.get(sweep, NOTHING).plus(amount)
        return found | {self._id: self._own.get(cell.id, NOTHING)}

    async def _write(self) -> None:
        """Keep what is finished, unless another is at it: it goes on with what comes meanwhile."""
        if self._is_writing:
            return
        self._is_writing = True
        try:
            while self._pending:
                batch, self._pending = self._pending, []
                with anyio.CancelScope(shield=True):
                    await self._results.keep(batch)
                self._unwritten -= sum(len(one.trials) for one in batch)
                self._room.set()
        finally:
            self._is_writing = False

    async def _has_room(self) -> None:
        """Wait while so much is finished and not written that more would only fill the memory."""
        while self._unwritten > _UNWRITTEN:
            self._room = anyio.Event() if self._room.is_set() else self._room
            await self._room.wait()

    def _tell(self) -> None:
        if self._on_progress is None:
            return
        left = self._of_runs - self._runs
        share = left / self._runs if self._runs else None
        spent_so_far = self._account.spent.amount
        self._on_progress(
            Progress(
                len(self._found),
                len(self._points),
                self._runs,
                self._of_runs,
                spent_so_far.work,
                spent_so_far.cost,
                None if share is None else share * (time.monotonic() - self._began),
                None if share is None else self._own_cost * Decimal(share),
                self._waits_for,
            )
        )


def _sum(amounts: Iterable[Amount]) -> Amount:
    return reduce(Amount.plus, amounts, NOTHING)


def _above(amount: Amount, less: Amount) -> Amount:
    """Subtract column by column, and no further than to nothing."""
    if less == NOTHING:
        return amount
    left = amount.minus(less)
    return Amount(
        max(0, left.calls), max(0, left.work), max(0, left.prefill), max(Decimal(0), left.cost)
    )


def _amount(row: TrialRow) -> Amount:
    """Return what a run took, with what kills had in flight of it."""
    run = Amount(row.calls, row.charged, row.prefill, money(row.cost or 0))
    if not row.lost_calls:
        return run
    return run.plus(Amount(row.lost_calls, row.lost_work, row.lost_prefill, money(row.lost_cost)))
