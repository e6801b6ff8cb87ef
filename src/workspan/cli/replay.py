"""``workspan replay``: strategies on recorded chains, charged as if they were decoded now."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.progress import Progress
from rich.table import Table

from workspan.app.replaying import (
    BUDGETS,
    STRATEGIES,
    check_replay,
    read_recorded,
    recorded_kind,
)
from workspan.app.replaying import replay as run_replay
from workspan.boundary.outputs import check_outputs
from workspan.cli.drawing import drawing, named_inputs, report_output
from workspan.cli.exits import Exit
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal, say_left_out
from workspan.legible import counted

if TYPE_CHECKING:
    from workspan.lab.replay.records import ReplayRecord

_WIDE = 124
"""Columns of a terminal that the whole table needs."""


def replay(
    file: Annotated[Path, typer.Argument(help="Chains or samples (.parquet), or a journal.")],
    *,
    strategies: Annotated[
        str | None,
        typer.Option("--strategies", "-s", help=f"The first is the base: {STRATEGIES}."),
    ] = None,
    budgets: Annotated[
        str, typer.Option("--budgets", "-b", help="Of a problem: '4k,8k', '8k work + 2k span'.")
    ] = BUDGETS,
    efforts: Annotated[
        str | None,
        typer.Option(help="Of each model: low,high or all; ladders beside votes at one effort."),
    ] = None,
    folds: Annotated[str, typer.Option(help="problem, task or model; :K for K parts.")] = "problem",
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="Repeat.")] = None,
    task: Annotated[list[str] | None, typer.Option("--task", "-t", help="Repeat.")] = None,
    input: Annotated[
        Path | None, typer.Option(help="The problems: of a journal, labelled; else their text.")
    ] = None,
    kind: Annotated[str, typer.Option(help="How answers are compared.")] = "text",
    seed: int = 0,
    seeds: Annotated[int, typer.Option(min=1, help="Orders of a problem's chains.")] = 4,
    limit: Annotated[int | None, typer.Option(min=1, help="Problems, by the seed.")] = None,
    by: Annotated[str, typer.Option(help="Records for each model or task.")] = "",
    report: Annotated[Path | None, typer.Option(help="Write a page with plots here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a line.")] = False,
) -> None:
    """Run strategies on recorded chains within budgets, learning only from other problems."""
    check_replay(strategies, budgets, folds, by, efforts)
    inputs = [("", file), *named_inputs(input, task or [])]
    check_outputs([report_output(report)] if report else [], inputs)

    async def main() -> list[ReplayRecord]:
        recordings, left_out = await read_recorded(
            *(file, model or [], task or [], input, recorded_kind(kind)),
            is_climbed=efforts is not None,
        )
        say_left_out(left_out)
        with Progress(console=Terminal(stderr=True), transient=True) as progress:
            bar = progress.add_task("replay", total=None)
            return await run_replay(
                recordings,
                strategies,
                budgets,
                efforts=efforts,
                folds=folds,
                limit=limit,
                by=by,
                seed=seed,
                seeds=seeds,
                on_progress=lambda n, of: progress.update(bar, completed=n, total=of),
                on_left_out=say_left_out,
            )

    found = anyio.run(main)
    for record in found if json else ():
        say_json(record)
    if not json:
        console = Terminal()
        console.print(_table(found, console.width))
    if report is not None:
        with drawing(f"the report {report}"):
            from workspan.lab.report.replayed import write_replay

            write_replay(found, report)
    raise typer.Exit(Exit.OK)


def _table(rows: Sequence[ReplayRecord], width: int) -> Table:
    """Lay the records out, budget by budget."""
    first = rows[0]
    title = (
        f"{counted(first.problems, 'problem')}, {first.model}; folds by {first.folds}, "
        f"{counted(first.seeds, 'order')}"
        + (f"; in {first.unit}, since nobody counted tokens" if first.unit != "tokens" else "")
    )
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    shown.add_column("budget", justify="right", no_wrap=True)
    shown.add_column("strategy", overflow="fold", min_width=10)
    is_wide = width >= _WIDE
    more = ("95 %", "area", "random", "cover", "eff. n") if is_wide else ()
    for column in ("accuracy", "95 %", "vs first", "work", "span", "gap", *more):
        shown.add_column(column, justify="right", no_wrap=True)
    for record in sorted(rows, key=lambda r: (r.model, r.task, r.budget or float("inf"))):
        low, high = record.difference_low, record.difference_high
        between = "" if low is None or high is None else f"{low:+.2f} {high:+.2f}"
        shown.add_row(
            record.limits.removesuffix(" work"),
            record.strategy
            + "*" * record.pooled
            + " †" * record.over_budget
            + " (uses labels)" * record.uses_labels,
            f"{record.accuracy:.3f}",
            f"{record.low:.2f}–{record.high:.2f}",
            "" if record.difference is None else f"{record.difference:+.3f}",
            f"{record.work:.0f}",
            f"{record.span:.0f}",
            "" if record.gap_closed is None else f"{record.gap_closed:.0%}",
            *((between, *map(_short, (record.area, *_drawn(record)))) if is_wide else ()),
        )
    shown.caption = (
        "* the budget is a mean over the problems; for the others a limit on each. gap: share of "
        "the way from best_fixed to the oracle. area: mean accuracy over log budgets. random: of a "
        "pick among the candidates. cover: the right answer was drawn at all. eff. n: different "
        "answers that the votes amount to."
    )
    if any(record.over_budget for record in rows):
        shown.caption += (
            " † took more than the budget that it names: not matched, so nothing is said of it "
            "beside others."
        )
    shown.caption_justify = "left"
    return shown


def _drawn(record: ReplayRecord) -> tuple[float | None, ...]:
    return record.random, record.coverage, record.effective_n


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
