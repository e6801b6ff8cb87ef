"""What sweeps found, as people ask for it: listed, compared, exported, queried, forgotten."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspan.app.sweeping import alone, journals_of, opened_results
from workspan.errors import InputError, MissingDependency
from workspan.lab.sweeping.here import journal_path
from workspan.lab.sweeping.outcome import CellRow, TrialRow
from workspan.lab.sweeping.results import Results, SweepRow

if TYPE_CHECKING:
    from workspan.lab.sweeping.comparing import Covering, Overtaking, Versus

_AGE = re.compile(r"([1-9][0-9]{0,4})d")
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Held:
    """One sweep with its cells, and their problems."""

    sweep: SweepRow
    cells: Sequence[CellRow]
    trials: dict[str, list[TrialRow]]
    """By the cell."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a sweep's cells say of one another."""

    versus: Sequence[Versus]
    overtaking: Sequence[Overtaking]
    covering: Sequence[Covering]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was forgotten, or would be."""

    sweeps: Sequence[SweepRow]
    cells: int
    journals: int


async def list_sweeps(store: str) -> list[SweepRow]:
    """Return all sweeps of a store, the latest first.

    Raises:
        InputError: there is no such store.
    """
    async with opened_results(store, is_made=False) as results:
        return await results.sweeps()


async def held(store: str, said: str) -> Held:
    """Return a sweep, by its id or name, with all that was kept of it.

    Raises:
        InputError: there is no such store or sweep.
    """
    async with opened_results(store, is_made=False) as results:
        found = await results.find(said)
        cells = await results.of_sweep(found.id)
        return Held(found, cells, await results.trials(cell.id for cell in cells))


def judged(one: Held, base: str | None = None) -> Judged:
    """Compare the strategies of a sweep, and fit what needs several budgets or numbers of chains.

    Raises:
        InputError: nothing is done yet, or there is no such base.
        MissingDependency: the extra `lab` is not installed.
    """
    try:
        from workspan.lab.sweeping.comparing import covering, overtaking, versus
    except ImportError:
        raise MissingDependency("a comparison of cells", "lab") from None
    return Judged(
        versus(one.cells, one.trials, base),
        overtaking(one.cells, one.trials, base),
        covering(one.cells, one.trials),
    )


async def export(store: str, folder: Path, said: str | None = None) -> list[Path]:
    """Write the cells of a sweep, or of all, with their problems as Parquet files into a folder.

    Raises:
        InputError: there is no such store or sweep, or the folder is a file.
        MissingDependency: pyarrow is not installed.
    """
    from workspan.lab.sweeping.exporting import export as write

    return write(await _tables(store, said), folder)


async def query(store: str, sql: str, said: str | None = None) -> list[dict[str, Any]]:
    """Ask in SQL over the tables ``cells`` and ``trials`` of a sweep, or of all.

    Raises:
        InputError: there is no such store or sweep, or the query is wrong.
        MissingDependency: DuckDB or pyarrow is not installed.
    """
    from workspan.lab.sweeping.exporting import ask

    return ask(await _tables(store, said), sql)


async def prune(
    store: str, said: Sequence[str], *, before: str = "", is_dry: bool = False
) -> Pruned:
    """Forget sweeps, the cells that no other sweep has, and the journals of those.

    Args:
        store: which.
        said: ids or names.
        before: such as 90d: those that began so long ago, too.
        is_dry: say only what would be.

    Raises:
        InputError: there is no such store or sweep, or none is named.
        JournalError: a process runs one of them.
    """
    async with opened_results(store, is_made=False) as results:
        chosen = await _chosen(results, said, before)
        folder = journals_of(store)
        if is_dry:
            kept = {
                cell.id
                for one in await results.sweeps()
                if one not in chosen
                for cell in await results.of_sweep(one.id)
            }
            own = {cell.id for one in chosen for cell in await results.of_sweep(one.id)}
            gone = sorted(own - kept)
        else:
            with ExitStack() as held:
                for one in chosen if folder.exists() else ():
                    held.enter_context(alone(folder, one.id))
                gone = await results.prune([one.id for one in chosen])
    journals = 0
    for cell in gone:
        path = journal_path(folder, cell)
        journals += path.exists()
        if not is_dry:
            with suppress(FileNotFoundError):
                path.unlink()
    return Pruned(chosen, len(gone), journals)


async def _chosen(results: Results, said: Sequence[str], before: str) -> list[SweepRow]:
    if not said and not before:
        raise InputError("say which sweeps: by their ids or names, or --before 90d")
    chosen = {one.id: one for one in [await results.find(name) for name in said]}
    if before:
        age = _AGE.fullmatch(before.strip())
        if age is None:
            raise InputError(f"--before is {before!r}: write days, such as 90d")
        edge = time.time() - int(age[1]) * _DAY
        chosen |= {one.id: one for one in await results.sweeps() if one.began < edge}
    return [*chosen.values()]


async def _tables(store: str, said: str | None) -> Any:
    from workspan.lab.sweeping.exporting import tables

    async with opened_results(store, is_made=False) as results:
        if said is None:
            cells = await results.all_cells()
        else:
            cells = await results.of_sweep((await results.find(said)).id)
        return tables(cells, await results.trials(cell.id for cell in cells))
