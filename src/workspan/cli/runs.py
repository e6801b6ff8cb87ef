"""``workspan runs``: what sweeps found, listed, shown, compared, drawn, exported, forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import anyio
import typer
from rich.table import Table

from workspan.boundary.outputs import Output, check_outputs
from workspan.cli.drawing import drawing
from workspan.cli.plain import say, say_json
from workspan.cli.sweep import StoreOption, show_cells
from workspan.cli.terminal import Terminal
from workspan.data.budget import within
from workspan.legible import counted

if TYPE_CHECKING:  # what these need is loaded when a command runs
    from workspan.app.swept import Judged
    from workspan.lab.sweeping.comparing import Covering, Overtaking, Versus

T = TypeVar("T")

SweepArgument = Annotated[str, typer.Argument(help="Its id or name, as `workspan runs list` says.")]
OneSweep = Annotated[str | None, typer.Option("--sweep", help="Of one sweep; all unless told.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON record a line.")]

runs = typer.Typer(
    help="List, show, compare, draw, export and forget what sweeps found.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@runs.command("list")
def list_(*, store: StoreOption, json: Json = False) -> None:
    """List the sweeps of a store, the latest first."""
    from workspan.app.swept import list_sweeps

    for one in _run(lambda: list_sweeps(store)):
        if json:
            say_json(asdict(one))
            continue
        began = datetime.fromtimestamp(one.began, UTC).strftime("%Y-%m-%d %H:%M")
        state = "" if one.ended is not None else ", not ended"
        cost = f", ${one.spent_cost / 1e12:.4f}" if one.spent_cost else ""
        say(
            f"{one.id}  {one.name}: {began} UTC, {one.done} of {counted(one.cells, 'cell')} done, "
            f"{one.spent_work} work{cost}{state}"
        )


@runs.command()
def show(
    sweep: SweepArgument,
    *,
    store: StoreOption,
    cell: Annotated[
        str, typer.Option(help="Each problem of one cell, by its key or how that begins.")
    ] = "",
    json: Json = False,
) -> None:
    """Show the cells of a sweep, or the problems of one cell."""
    from workspan.app.swept import held
    from workspan.errors import InputError

    found = _run(lambda: held(store, sweep))
    if not cell:
        show_cells(found.cells, json=json)
        return
    alike = [key for key in found.trials if key.startswith(cell)]
    if len(alike) != 1:
        many = f"{counted(len(alike), 'cell')} whose keys begin with" if alike else "no cell"
        raise InputError(f"the sweep has {many} {cell!r}: `workspan runs show {sweep}` has them")
    [key] = alike
    for trial in found.trials[key]:
        if json:
            say_json({"cell": key, **asdict(trial)})
        else:
            right = "?" if trial.correct is None else f"{trial.correct:g}"
            said = trial.error or trial.answer or ""
            say(f"{trial.problem}: {right}, {trial.work} work, {trial.span} span: {said}")


@runs.command()
def compare(
    sweep: SweepArgument,
    *,
    store: StoreOption,
    base: Annotated[
        str | None, typer.Option(help="What the others are held against; the first unless told.")
    ] = None,
    verdicts: Annotated[
        bool, typer.Option("--verdicts", help="Keep each as a verdict: for `workspan map`.")
    ] = False,
    json: Json = False,
) -> None:
    """Say which strategies differ from the base: intervals, exact tests, all of them together."""
    from workspan.app.swept import held, judged

    if verdicts:
        from workspan.app.mapping import keep_comparison

        kept = len(_run(lambda: keep_comparison(store, sweep, base)))
        Terminal(stderr=True).print(
            f"{counted(kept, 'verdict')} kept: workspan map --store {store}"
        )
    found = judged(_run(lambda: held(store, sweep)), base)
    if json:
        for kind in ("versus", "overtaking", "covering"):
            for one in getattr(found, kind):
                say_json({"kind": kind, **_flat(asdict(one))})
        return
    Terminal().print(_versus_table(found.versus))
    for line in _caveats(found):
        Terminal(stderr=True).print(line, soft_wrap=True)


@runs.command()
def report(
    sweep: Annotated[
        str | None, typer.Argument(help="Its id or name; the latest unless told.")
    ] = None,
    *,
    store: StoreOption,
    to: Annotated[Path, typer.Option(help="FILE.html to walk through, FILE.png or FILE.svg.")],
    base: Annotated[
        str | None,
        typer.Option(help="What the others are held against; the least parallel unless told."),
    ] = None,
    serial: Annotated[
        list[str] | None,
        typer.Option(metavar="TASK=STEPS", help="A task's serial depth; repeat."),
    ] = None,
    problems: Annotated[
        Path | None, typer.Option(help="The sweep's TOML file, to show what was asked.")
    ] = None,
    json: Json = False,
) -> None:
    """Draw a sweep: accuracy against work, span and money, breadth and depth, down to each call."""
    from workspan.app.reporting import is_report
    from workspan.app.reporting import report as draw

    depths = dict(map(_depth, serial or []))
    check_outputs([Output("--to", to, "a report", is_report(to))], _read(store, problems))
    with drawing(f"the report {to}", "the store is as it was"):
        done = _run(lambda: draw(store, to, sweep, base=base, serial=depths, problems=problems))
    if json:
        say_json(asdict(done) | {"path": str(done.path)})
        return
    say(f"{done.path}: {counted(done.cells, 'cell')}, {done.bytes / 1e6:.1f} MB")


@runs.command()
def export(
    *,
    store: StoreOption,
    to: Annotated[Path, typer.Option(help="A folder: cells.parquet and trials.parquet.")],
    sweep: OneSweep = None,
) -> None:
    """Write cells and their problems as Parquet files."""
    from workspan.app.swept import export as write

    for path in _run(lambda: write(store, to, sweep)):
        say(str(path))


@runs.command()
def query(
    sql: Annotated[str, typer.Argument(help="Over the tables cells and trials.")],
    *,
    store: StoreOption,
    sweep: OneSweep = None,
) -> None:
    """Ask in SQL, by DuckDB; one JSON record a row."""
    from workspan.app.swept import query as ask

    for row in _run(lambda: ask(store, sql, sweep)):
        say_json(row)


@runs.command()
def prune(
    sweeps: Annotated[list[str] | None, typer.Argument(help="Ids or names.")] = None,
    *,
    store: StoreOption,
    before: Annotated[str, typer.Option(help="Those that began so long ago: 90d.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be forgotten, and keep it.")
    ] = False,
    json: Json = False,
) -> None:
    """Forget sweeps, with the cells that no other one has, and their calls."""
    from workspan.app.swept import prune as forget

    done = _run(lambda: forget(store, sweeps or [], before=before, is_dry=dry_run))
    if json:
        say_json(asdict(done))
        return
    names = ", ".join(f"{one.name} ({one.id})" for one in done.sweeps) or "none"
    verb = "would forget" if dry_run else "forgotten"
    say(
        f"{verb}: {names}; {counted(done.cells, 'cell')} that no other sweep has, "
        f"{counted(done.journals, 'journal')}"
    )


def _depth(text: str) -> tuple[str, int]:
    from workspan.errors import InputError

    task, _, steps = text.rpartition("=")
    if not task or not steps.strip().isdecimal():
        raise InputError(f"--serial {text!r}: write a task and its steps, such as 'deep(d=10)=10'")
    return task.strip(), int(steps)


def _read(store: str, problems: Path | None) -> list[tuple[str, Path]]:
    """Return the files that a report reads."""
    own = [] if "://" in store else [("--store", Path(store))]
    return own + ([("--problems", problems)] if problems else [])


def _run(call: Callable[[], Awaitable[T]]) -> T:
    return anyio.run(call)


def _two(value: float) -> str:
    """Write two decimals, and no minus before a nothing."""
    return f"{round(value, 2) + 0.0:.2f}"


def _versus_table(rows: Sequence[Versus]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("strategy", overflow="fold")
    for column in ("on", "budget"):
        table.add_column(column, overflow="fold")
    for column in ("ahead", "95 %", "p", "Holm", "needed"):
        table.add_column(column, justify="right", no_wrap=True, min_width=len(column))
    for one in rows:
        table.add_row(
            one.strategy + (" ↳" if one.shares_draws else ""),
            _on(one),
            one.budget,
            f"{one.difference:+.2f}",
            f"{one.low:+.2f} {one.high:+.2f}",
            f"{one.p:.3f}",
            f"{one.p_holm:.3f}",
            "?" if one.needed is None else str(one.needed),
        )
    return table


def _caveats(found: Judged) -> list[str]:
    """Say what the table does not."""
    said = []
    if found.versus:
        base, n = found.versus[0].base, len(found.versus)
        said.append(f"ahead of {base}; Holm: p adjusted for {counted(n, 'comparison')}")
        said.append("needed: problems that would show such a difference with 80 % power")
    if any(one.shares_draws for one in found.versus):
        said.append("↳ shares draws with the base: paired, but not independent")
    for one in found.overtaking:
        place = one.crossover
        said.append(
            f"{one.strategy} overtakes {one.base} on {_on(one)}"
            f"{f' within {one.beside}' if one.beside else ''} from "
            f"{place.budget:.0f} work on [{place.low:.0f}, {place.high:.0f}], in "
            f"{place.certainty:.0%} of resamples"
        )
    for law in found.covering:
        a, b = law.law, law.law.b_interval
        said.append(
            f"coverage of {law.strategy} on {_on(law)} {within(law.budget)}: "
            f"exp(-{a.a:.2f} k^-{_two(a.b)}), exponent [{_two(b.low)}, {_two(b.high)}]"
        )
    return said


def _on(one: Versus | Overtaking | Covering) -> str:
    """Say of which engine, task and effort something is."""
    return f"{one.engine}/{one.task}{' ' + one.effort if one.effort else ''}"


def _flat(told: dict[str, Any]) -> dict[str, Any]:
    """Leave out what serves further computing alone."""
    law = told.get("law")
    if isinstance(law, dict):
        told["law"] = {name: value for name, value in law.items() if not name.startswith("_")}
    return told
