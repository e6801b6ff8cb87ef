"""The evidence map of a store: verdicts kept, read and drawn."""

from __future__ import annotations

import shlex
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from workspan.errors import MissingDependency
from workspan.lab.map.gathered import EvidenceMap, gather
from workspan.lab.map.keeping import Verdicts
from workspan.lab.map.page import render
from workspan.lab.map.rows import Row
from workspan.lab.report.pages import write_page
from workspan.store.database import opened_database


@asynccontextmanager
async def opened_verdicts(store: str, *, is_made: bool = True) -> AsyncIterator[Verdicts]:
    """Open the verdicts of a store for as long as the block runs.

    Raises:
        InputError: there is no such file, and it is not to be made.
        StoreError: it can't be used.
    """
    made_by = f"workspan claims --store {store}"
    async with opened_database(store, made_by=made_by, is_made=is_made) as database:
        yield Verdicts(database)


async def keep_verdicts(store: str, rows: Sequence[Row]) -> None:
    """Keep rows in a store, which is made where there is none.

    Raises:
        StoreError: it can't be used.
    """
    async with opened_verdicts(store) as verdicts:
        await verdicts.keep(rows)


async def evidence_map(store: str) -> EvidenceMap:
    """Return the map of a store.

    Raises:
        InputError: there is no such store.
        StoreError: it can't be used.
    """
    async with opened_verdicts(store, is_made=False) as verdicts:
        return gather(await verdicts.all())


def write_map(found: EvidenceMap, path: Path) -> None:
    """Write the map as a page, readable by its owner only.

    Raises:
        InputError: something else is there.
        OutputError: it can't be written.
    """
    write_page(render(found), path)


async def keep_comparison(store: str, sweep: str, base: str | None = None) -> list[Row]:
    """Keep what a sweep's comparison says as verdicts of the map, and return them.

    Raises:
        InputError: there is no such store or sweep, or nothing of it is done.
        MissingDependency: the extra `lab` is not installed.
    """
    from workspan.app.swept import held  # the map itself needs no sweeps, nor what they need

    try:
        from workspan.lab.map.compared import compared
        from workspan.lab.sweeping.comparing import versus
    except ImportError:
        raise MissingDependency("a comparison of cells", "lab") from None

    found = await held(store, sweep)
    again = shlex.join(["workspan", "runs", "compare", found.sweep.name])
    again += f" --base {shlex.quote(base)}" if base else ""
    told = versus(found.cells, found.trials, base)
    rows = compared(told, found.cells, f"{again} --verdicts --store STORE", time.time())
    await keep_verdicts(store, rows)
    return rows
