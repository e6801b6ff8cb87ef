"""``workspan sweep``: engines × tasks × strategies × budgets × efforts × seeds, into a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from workspan.cli.engine_options import OnOption, WorkersOption
from workspan.cli.exits import Exit
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.legible import counted
from workspan.tasks import MOST

if TYPE_CHECKING:
    from workspan.app.sweeping import Planned, Priced, Swept
    from workspan.lab.sweeping.driving import Progress as Far
    from workspan.lab.sweeping.outcome import CellRow

StoreOption = Annotated[
    str,
    typer.Option("--store", metavar="FILE|postgresql://…", help="Where the cells are kept."),
]
_KEY = 6
"""Signs of a cell's key in a table: enough for `runs show --cell`."""
_ERRORS = 3
"""Different ones that are told after a sweep."""
_DRY_SAMPLE = 8
"""Problems of each task that a dry run tries its strategies on."""


def sweep(
    file: Annotated[Path, typer.Argument(help="The sweep, in TOML: docs/howto/sweeps.md.")],
    *,
    store: StoreOption,
    on: OnOption = "here",
    workers: WorkersOption = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, max=MOST, help="Problems of each task, in place of the file's."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take, spend nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a cell.")] = False,
) -> None:
    """Run engines × tasks × strategies × budgets × efforts × seeds, and keep every cell.

    The same command again goes on where it was stopped; cells that the store has are not run anew.
    """
    from workspan.app.clustering import check_where
    from workspan.app.sweeping import check_store, opened_results, planned, price, run_planned
    from workspan.lab.sweeping.written import read_sweep

    check_where(on, workers)
    asked, bar = read_sweep(file).with_limit(limit), _Bar()

    async def main() -> Swept | None:
        if not dry_run:
            await check_store(store)
        async with planned(asked, is_dry=dry_run) as ready:
            if dry_run:
                _say_prices(ready, await price(ready, tried=_DRY_SAMPLE), json=json)
                return None
            _say_price(ready, await price(ready))
            async with opened_results(store) as results:
                bar.begin(asked.name, ready.id)
                return await run_planned(
                    ready, results, store=store, on=on, workers=workers, on_progress=bar.show
                )

    done = bar.run(lambda: anyio.run(main))
    if done is None:
        raise typer.Exit(Exit.OK)
    show_cells(done.cells, json=json)
    _say_rest(done, store)
    raise typer.Exit(_code(done))


class _Bar:
    """How far it has come, and the time and money that are left."""

    def __init__(self) -> None:
        self._console = Terminal(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("runs, {task.fields[cells]} cells, {task.fields[left]}"),
            console=self._console,
            transient=True,
        )
        self._name = ""

    def begin(self, name: str, id: str) -> None:
        """Show the bar."""
        self._name = f"{name} ({id})"
        self._progress.add_task(self._name, total=None, cells="0", left="")
        self._progress.start()

    def show(self, far: Far) -> None:
        """Count a run."""
        self._progress.update(
            self._progress.task_ids[0],
            completed=far.runs,
            total=far.of_runs,
            cells=f"{far.cells} of {far.of_cells}",
            left=_left(far),
        )

    def run(self, main: Any) -> Swept | None:
        """Run it, from ordinary code; what stops it is said with what to do."""
        try:
            found: Swept | None = main()
            return found
        except KeyboardInterrupt:
            self._progress.stop()
            if self._name:
                self._console.print(
                    f"stopped: every finished cell and call of {self._name} is kept; the same "
                    "command goes on from there",
                    soft_wrap=True,
                )
            raise typer.Exit(Exit.INTERRUPTED) from None
        finally:
            self._progress.stop()


def _left(far: Far) -> str:
    said = counted(far.work, "token")
    if far.cost:
        said += f", ${far.cost:.4f}"
    if far.seconds_left is not None:
        minutes, seconds = divmod(round(far.seconds_left), 60)
        said += f"; left {minutes}:{seconds:02d}"
        said += f", ${far.cost_left:.4f}" if far.cost_left else ""
    if far.waits_for:
        said += f"; another sweep runs {counted(far.waits_for, 'cell')}: waiting"
    return said


def show_cells(rows: Sequence[CellRow], *, json: bool) -> None:
    """Print cells: a record a line, or a table."""
    if json:
        for row in rows:
            say_json(cell_record(row))
        return
    groups: dict[tuple[str, str, str], list[CellRow]] = {}
    for row in rows:
        groups.setdefault((row.engine, row.task, row.effort), []).append(row)
    for (engine, task, effort), many in groups.items():
        said = f"{engine} on {task}" + (f", effort {effort}" if effort else "")
        Terminal().print(_cells_table(said, many))
    if any(row.draws != row.id for row in rows):
        Terminal(stderr=True).print(
            "↳ shares the draws of the largest of its strategy: these cells are not independent",
            soft_wrap=True,
        )


def _cells_table(title: str, rows: Sequence[CellRow]) -> Table:
    """Lay out the cells of one engine and task."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("cell", no_wrap=True)
    table.add_column("strategy", overflow="fold")
    for column in ("budget", "seed", "accuracy", "95 %", "work", "span", "cost", "status"):
        table.add_column(column, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.id[:_KEY],
            row.strategy + (" ↳" if row.draws != row.id else ""),
            row.budget,
            str(row.seed),
            "?" if row.accuracy is None else f"{row.accuracy:.2f}",
            f"{row.low:.2f}–{row.high:.2f}",
            f"{row.work:.0f}",
            f"{row.span:.0f}",
            "?" if row.cost is None else f"${row.cost:.4f}" if row.cost else "free",
            row.status,
        )
    return table


_FIRST = (
    *("engine", "task", "strategy", "budget", "effort", "seed"),
    *("accuracy", "low", "high", "work", "span", "cost", "status"),
)


def cell_record(row: CellRow) -> dict[str, object]:
    """Flatten a cell into what JSON can say: its key, what it is, what came of it, the rest."""
    told = asdict(row)
    first = {"cell": told.pop("id")} | {name: told.pop(name) for name in _FIRST}
    return first | told | {"shares_draws": row.draws != row.id}


def _say_prices(ready: Planned, prices: Sequence[Priced], *, json: bool) -> None:
    """Say what each part of a sweep will take."""
    if json:
        for one in prices:
            for need in one.estimate.needs:
                about = {
                    "engine": one.engine,
                    "task": one.task,
                    "effort": one.effort,
                    "budget": str(one.estimate.budget),
                    "problems": one.estimate.problems,
                    "seeds": one.seeds,
                }
                say_json(about | asdict(need))
    else:
        for title, many in _by_engine(prices).items():
            Terminal().print(_prices_table(title, many))
    _say_price(ready, prices)


def _by_engine(prices: Sequence[Priced]) -> dict[str, list[Priced]]:
    found: dict[str, list[Priced]] = {}
    for one in prices:
        title = one.engine + (f", effort {one.effort}" if one.effort else "")
        found.setdefault(title, []).append(one)
    return found


def _prices_table(title: str, prices: Sequence[Priced]) -> Table:
    """Lay out what one engine will do, a line a task and budget."""
    from workspan.cli.dry import Ends, money_range, shown_range

    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("task", overflow="fold")
    for column in ("budget", "runs", "calls", "work", "prefill", "seconds", "money"):
        table.add_column(column, justify="right", overflow="fold")
    for one in prices:
        need = one.total
        table.add_row(
            one.task,
            str(one.estimate.budget),
            str(len(one.estimate.needs) * one.estimate.problems * one.seeds),
            *map(Ends, (shown_range(one) for one in (need.calls, need.work, need.prefill))),
            Ends(shown_range(need.seconds, "{:.0f}")),
            Ends(money_range(need.cost)),
        )
    return table


def _say_price(ready: Planned, prices: Sequence[Priced]) -> None:
    """Say in a line what all of it will take, before anything is asked."""
    from workspan.cli.dry import money_range, shown_range, unseen

    aside, total = Terminal(stderr=True), ready.sweep.total
    said = f"{counted(len(ready.points), 'cell')}, {counted(ready.runs, 'run')}"
    if ready.shared:
        said += f"; {counted(ready.shared, 'cell')} with the draws of a larger one"
    if prices:
        first, *rest = [one.total for one in prices]
        need = sum(rest, first)
        said += f"; to be expected: {shown_range(need.calls)} calls, {shown_range(need.work)} work"
        said += f", {shown_range(need.seconds, '{:.0f}')} seconds, {money_range(need.cost)}"
    aside.print(said, soft_wrap=True)
    engines = (
        one for lane in ready.lanes.values() for one in (lane.engine, *lane.engines.values())
    )
    for note in unseen(engine.info for engine in engines):
        aside.print(note, soft_wrap=True)
    if str(total) != "unlimited":
        aside.print(f"all runs together within {total}", soft_wrap=True)


def _say_rest(done: Swept, store: str) -> None:
    aside = Terminal(stderr=True)
    by_status: dict[str, int] = {}
    for row in done.unfinished:
        by_status[row.status] = by_status.get(row.status, 0) + 1
    by_error: dict[str, list[CellRow]] = {}
    for row in done.unfinished:
        by_error.setdefault(row.error, []).append(row)
    for error, (row, *more) in [one for one in by_error.items() if one[0]][:_ERRORS]:
        others = f" and {counted(len(more), 'other cell')}" if more else ""
        aside.print(f"{row.strategy} on {row.task}{others}: {error}", soft_wrap=True)
    if by_status:
        said = ", ".join(f"{count} {status}" for status, count in by_status.items())
        aside.print(f"not done: {said}; the same command tries them again", soft_wrap=True)
    if over := [row for row in done.cells if row.status == "over"]:
        aside.print(
            f"over: the engine took more of some runs of {counted(len(over), 'cell')} than their "
            "budget allows; they are compared with nothing",
            soft_wrap=True,
        )
    if by_status.get("cut"):
        lost = sum(row.lost_work for row in done.cells)
        kills = f", {counted(lost, 'token')} of which kills may have lost" if lost else ""
        aside.print(
            f"cut: the total holds no more of their runs{kills}; with a higher one in the file the "
            "same command goes on",
            soft_wrap=True,
        )
    aside.print(f"kept as {done.id}: workspan runs show {done.id} --store {store}", soft_wrap=True)


def _code(done: Swept) -> Exit:
    statuses = {row.status for row in done.cells}
    if statuses & {"failed", "partial"}:
        return Exit.ENGINE
    return Exit.NO_ANSWER if "cut" in statuses else Exit.OK
