"""Cells in the store: kept whole or not at all, found again by their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any, Literal, TypeVar

from workspan.data.types import Amount
from workspan.errors import InputError, nearest
from workspan.lab.sweeping.cell import Cell
from workspan.lab.sweeping.outcome import NOTHING, CellRow, TrialRow, money, pico
from workspan.store.database import Database
from workspan.store.statement import Statement, Work

T = TypeVar("T")

_AT_ONCE = 500
"""Parameters of one list."""
_CELL, _TRIAL = (tuple(item.name for item in fields(kind)) for kind in (CellRow, TrialRow))
_of_cell, _of_trial = attrgetter(*_CELL), attrgetter(*_TRIAL)
_CELLS = ", ".join(_CELL)
_SHARED = _TRIAL.index("is_shared")
_KEEP_CELL = (
    f"INSERT INTO cells ({_CELLS}) VALUES ({', '.join('?' * len(_CELL))}) "
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{n} = excluded.{n}' for n in _CELL[1:])}"
)
_KEEP_SPENDING = (
    "INSERT INTO spendings (sweep, cell, calls, work, prefill, cost) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (sweep, cell) DO UPDATE SET calls = excluded.calls, work = excluded.work, "
    "prefill = excluded.prefill, cost = excluded.cost"
)
_OTHER = {"sweep": "cell", "cell": "sweep"}
_KEEP_TRIAL = (
    f"INSERT INTO trials (cell, {', '.join(_TRIAL)}) VALUES ({', '.join('?' * (1 + len(_TRIAL)))})"
)


@dataclass(frozen=True, slots=True)
class Finished:
    """A cell with its problems, to be kept together."""

    row: CellRow
    trials: tuple[TrialRow, ...]
    paid: Mapping[str, Amount] = field(default_factory=dict)
    """What each sweep has spent on it: of a cell that several have, each pays for its part."""


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One sweep, as it stands."""

    id: str
    name: str
    began: float
    """In seconds of UTC's epoch."""
    ended: float | None
    """None while it runs, or where it was stopped."""
    total: str
    """What all its runs together may spend."""
    cells: int
    done: int
    """Of its cells, those whose every problem has a grade."""
    spent_work: int
    """On its own account: what another sweep spent on cells that they share cost it nothing."""
    spent_cost: int
    """In 10^-12 USD."""


class Results:
    """What sweeps found, in a database that is open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, id: str, name: str, total: str, cells: Sequence[Cell], now: float
    ) -> None:
        """Note a sweep and its cells; one that was begun before goes on."""
        await self._database.transact(lambda: _begin(id, name, total, cells, now))

    async def end(self, id: str, now: float) -> None:
        """Note that nothing is left to be done of a sweep."""
        await self._database.transact(lambda: _end(id, now))

    async def keep(self, finished: Sequence[Finished]) -> None:
        """Keep cells with their problems in one transaction; a cell that is there is replaced."""
        await self._database.transact(lambda: _keep(finished))

    async def cells(self, ids: Iterable[str]) -> dict[str, CellRow]:
        """Return those of the cells that were kept, by their ids."""
        asked = [*ids]
        return await self._database.transact(lambda: _cells(asked))

    async def paid_by(self, sweep: str) -> dict[str, Amount]:
        """Return what a sweep has spent, by the cell."""
        return await self._database.transact(lambda: _paid("sweep", sweep))

    async def paid_for(self, cell: str) -> dict[str, Amount]:
        """Return what was spent on a cell, by the sweep."""
        return await self._database.transact(lambda: _paid("cell", cell))

    async def of_sweep(self, sweep: str) -> list[CellRow]:
        """Return the kept cells of a sweep in its order, under its own names for them."""
        return await self._database.transact(lambda: _of_sweep(sweep))

    async def all_cells(self) -> list[CellRow]:
        """Return every cell that was kept."""
        return await self._database.transact(_all_cells)

    async def trials(self, cells: Iterable[str]) -> dict[str, list[TrialRow]]:
        """Return the problems of cells, by the cell, in their order."""
        asked = [*cells]
        return await self._database.transact(lambda: _trials(asked))

    async def sweeps(self) -> list[SweepRow]:
        """Return all sweeps, the latest first."""
        return await self._database.transact(_sweeps)

    async def find(self, said: str) -> SweepRow:
        """Return the sweep of an id or a name; of several of one name, the latest.

        Raises:
            InputError: there is none.
        """
        found = await self.sweeps()
        for one in found:
            if said in (one.id, one.name):
                return one
        hint = nearest(said, [*(one.id for one in found), *(one.name for one in found)])
        raise InputError(f"the store has no sweep {said!r}: {hint if found else 'it has none'}")

    async def prune(self, sweeps: Sequence[str]) -> list[str]:
        """Forget sweeps, and return the ids of the cells that no other sweep has: gone as well."""
        return await self._database.transact(lambda: _prune(sweeps))


def _begin(id: str, name: str, total: str, cells: Sequence[Cell], now: float) -> Work[None]:
    yield Statement(
        "INSERT INTO sweeps (id, name, began, ended, total) VALUES (?, ?, ?, NULL, ?) "
        "ON CONFLICT (id) DO UPDATE SET ended = NULL, total = excluded.total",
        (id, name, now, total),
    )
    yield Statement("DELETE FROM sweep_cells WHERE sweep = ?", (id,))
    yield Statement(
        "INSERT INTO sweep_cells (sweep, place, cell, engine, task) VALUES (?, ?, ?, ?, ?)",
        [(id, place, one.id, one.engine, one.task) for place, one in enumerate(cells)],
        is_many=True,
    )


def _end(id: str, now: float) -> Work[None]:
    yield Statement("UPDATE sweeps SET ended = ? WHERE id = ?", (now, id))


def _keep(finished: Sequence[Finished]) -> Work[None]:
    yield Statement(_KEEP_CELL, [_of_cell(one.row) for one in finished], is_many=True)
    for part in _parts([one.row.id for one in finished]):
        yield Statement(f"DELETE FROM trials WHERE cell IN ({_marks(part)})", part)
    trials = [(one.row.id, *_told(trial)) for one in finished for trial in one.trials]
    if trials:
        yield Statement(_KEEP_TRIAL, trials, is_many=True)
    spendings = [
        (sweep, one.row.id, paid.calls, paid.work, paid.prefill, pico(paid.cost))
        for one in finished
        for sweep, paid in one.paid.items()
        if paid != NOTHING
    ]
    if spendings:
        yield Statement(_KEEP_SPENDING, spendings, is_many=True)


def _told(trial: TrialRow) -> tuple[Any, ...]:
    """Return a row's columns; a truth is a whole number there."""
    told = _of_trial(trial)
    return (*told[:_SHARED], int(trial.is_shared), *told[_SHARED + 1 :])


def _cells(ids: Sequence[str]) -> Work[dict[str, CellRow]]:
    found: dict[str, CellRow] = {}
    for part in _parts(ids):
        text = f"SELECT {_CELLS} FROM cells WHERE id IN ({_marks(part)})"
        rows = yield Statement(text, part)
        found |= {row[0]: CellRow(*row) for row in rows}
    return found


def _all_cells() -> Work[list[CellRow]]:
    rows = yield Statement(f"SELECT {_CELLS} FROM cells ORDER BY id")
    return [CellRow(*row) for row in rows]


def _paid(of: Literal["sweep", "cell"], which: str) -> Work[dict[str, Amount]]:
    by = _OTHER[of]
    rows = yield Statement(
        f"SELECT {by}, calls, work, prefill, cost FROM spendings WHERE {of} = ?", (which,)
    )
    return {
        one: Amount(calls, work, prefill, money(cost)) for one, calls, work, prefill, cost in rows
    }


def _of_sweep(sweep: str) -> Work[list[CellRow]]:
    own = {"engine": "s.engine", "task": "s.task"}
    columns = ", ".join(own.get(name, f"c.{name}") for name in _CELL)
    rows = yield Statement(
        f"SELECT {columns} FROM sweep_cells s JOIN cells c ON c.id = s.cell "
        "WHERE s.sweep = ? ORDER BY s.place",
        (sweep,),
    )
    return [CellRow(*row) for row in rows]


def _trials(cells: Sequence[str]) -> Work[dict[str, list[TrialRow]]]:
    found: dict[str, list[TrialRow]] = {cell: [] for cell in cells}
    for part in _parts(cells):
        rows = yield Statement(
            f"SELECT cell, {', '.join(_TRIAL)} FROM trials WHERE cell IN ({_marks(part)}) "
            "ORDER BY cell, place",
            part,
        )
        for cell, *told in rows:
            told[_SHARED] = bool(told[_SHARED])
            found[cell].append(TrialRow(*told))
    return found


def _sweeps() -> Work[list[SweepRow]]:
    rows = yield Statement(
        "SELECT s.id, s.name, s.began, s.ended, s.total, COUNT(l.cell), "
        "COUNT(CASE WHEN c.status = 'done' THEN 1 END), "
        "(SELECT COALESCE(SUM(p.work), 0) FROM spendings p WHERE p.sweep = s.id), "
        "(SELECT COALESCE(SUM(p.cost), 0) FROM spendings p WHERE p.sweep = s.id) "
        "FROM sweeps s LEFT JOIN sweep_cells l ON l.sweep = s.id "
        "LEFT JOIN cells c ON c.id = l.cell "
        "GROUP BY s.id, s.name, s.began, s.ended, s.total ORDER BY s.began DESC, s.id"
    )
    return [SweepRow(*row[:5], *map(int, row[5:])) for row in rows]


def _prune(sweeps: Sequence[str]) -> Work[list[str]]:
    gone: list[str] = []
    for sweep in sweeps:
        rows = yield Statement(
            "SELECT cell FROM sweep_cells WHERE sweep = ? AND cell NOT IN "
            "(SELECT cell FROM sweep_cells WHERE sweep <> ?) ORDER BY place",
            (sweep, sweep),
        )
        cells = [cell for (cell,) in rows]
        for part in _parts(cells):
            yield Statement(f"DELETE FROM trials WHERE cell IN ({_marks(part)})", part)
            yield Statement(f"DELETE FROM spendings WHERE cell IN ({_marks(part)})", part)
            yield Statement(f"DELETE FROM cells WHERE id IN ({_marks(part)})", part)
        yield Statement("DELETE FROM spendings WHERE sweep = ?", (sweep,))
        yield Statement("DELETE FROM sweep_cells WHERE sweep = ?", (sweep,))
        yield Statement("DELETE FROM sweeps WHERE id = ?", (sweep,))
        gone += cells
    return gone


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
