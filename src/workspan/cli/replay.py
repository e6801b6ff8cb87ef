"""``workspan replay``: strategies on recorded chains, charged as if they were decoded now."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import anyio
import typer
from rich.progress import Progress
from rich.table import Table

from workspan.budget import Budget
from workspan.cli.drawing import drawing, named_inputs, report_output
from workspan.cli.exits import Exit
from workspan.cli.screen import Screen, say_json
from workspan.errors import InputError, MissingDependency, SpecError
from workspan.outputs import check_outputs
from workspan.replay.recording import Recording
from workspan.spec import split_list
from workspan.types import AnswerKind

STRATEGIES = "best_fixed,single,self_consistency(n=8),adaptive_consistency,esc,oracle"
BUDGETS = "4k,8k,16k,32k,64k,128k"
_WIDE = 100
"""Columns of a terminal that the whole table needs."""
KINDS = ("text", "math", "number", "choice", "code", "open")


def replay(
    file: Annotated[Path, typer.Argument(help="Chains or samples (.parquet), or a journal.")],
    *,
    strategies: Annotated[
        str, typer.Option("--strategies", "-s", help="The first is the base.")
    ] = STRATEGIES,
    budgets: Annotated[
        str, typer.Option("--budgets", "-b", help="Of a problem: '4k,8k', '8k work + 2k span'.")
    ] = BUDGETS,
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
    try:
        from workspan.lab.contenders import read_contenders
        from workspan.lab.folds import Folds
        from workspan.lab.replay import Replayed
        from workspan.lab.replay import replay as run_replay
        from workspan.lab.replay_records import records
    except ImportError:
        raise MissingDependency("a replay", "lab") from None
    if by not in ("", "model", "task"):
        raise InputError(f"--by {by!r}: must be model or task")
    if kind not in KINDS:
        raise InputError(f"--kind {kind!r}: must be one of {', '.join(KINDS)}")
    inputs = [("", file), *named_inputs(input, task or [])]
    check_outputs([report_output(report)] if report else [], inputs)
    contenders, limits, split = (
        read_contenders(strategies),
        read_budgets(budgets),
        Folds.parse(folds),
    )
    recordings = read_recorded(file, model or [], task or [], input, cast("AnswerKind", kind))
    recordings = _limited(recordings, limit, seed)
    aside = Screen(stderr=True)

    async def main() -> Replayed:
        with Progress(console=aside, transient=True) as progress:
            bar = progress.add_task("replay", total=None)
            return await run_replay(
                recordings,
                contenders,
                limits,
                folds=split,
                seed=seed,
                seeds=seeds,
                on_progress=lambda n, of: progress.update(bar, completed=n, total=of),
            )

    found = records(anyio.run(main), by)
    for record in found if json else ():
        say_json(record)
    if not json:
        from workspan.lab.replay_records import ReplayRecord

        console = Screen()
        console.print(_table(cast("Sequence[ReplayRecord]", found), console.width))
    if report is not None:
        with drawing(f"the report {report}"):
            from workspan.lab.replay_report import write_replay

            write_replay(found, report)
    raise typer.Exit(Exit.OK)


def read_budgets(text: str) -> list[Budget]:
    """Read ``4k,8k work + 2k span,unlimited``; a bare number is work.

    Raises:
        SpecError: one can't be read, or is given twice.
    """
    found: list[Budget] = []
    for item in split_list(text):
        words = item.replace("+", ",")
        if item in ("unlimited", "none"):
            budget = Budget()
        else:
            is_bare = item[-1].isdigit() or item[-1] in "kKmM"
            budget = Budget.parse(f"{words} work" if is_bare else words)
        if budget in found:
            raise SpecError(f"the budget {item!r} is given twice")
        found.append(budget)
    if not found:
        raise SpecError("--budgets names no budget")
    return found


def read_recorded(
    file: Path, models: list[str], tasks: list[str], problems: Path | None, kind: AnswerKind
) -> list[Recording]:
    """Read a file by its kind; say what of it is left out."""
    if file.suffix.lower() != ".parquet":
        from workspan.replay.journals import read_journal
        from workspan.tasks import open_tasks, read_tasks

        if problems is None and not tasks:
            raise InputError(f"{file} has no right answers: give --input FILE.jsonl or --task NAME")
        known = read_tasks(problems) if problems else []
        known += [one for name in tasks for one in open_tasks(name, imports=True).load()]
        return [anyio.run(read_journal, file, known)]
    from workspan.replay.parquet import read_recordings

    prompts = _prompts(problems) if problems else {}
    found = read_recordings(file, models, tasks, prompts=prompts, kind=kind)
    held = {problem.id for one in found.recordings for problem in one.problems}
    if problems and held.isdisjoint(prompts):
        said = f"such as {min(prompts)}, where {file} has {min(held)}"
        raise InputError(
            f"{problems} holds none of the recorded problems: its ids are others, {said}"
        )
    aside = Screen(stderr=True)
    for name, why in [*found.left_out.items()][:5]:
        aside.print(f"left out: {name}: {why}", soft_wrap=True)
    if len(found.left_out) > 5:
        aside.print(f"left out: {len(found.left_out) - 5} more")
    return [*found.recordings]


def _prompts(path: Path) -> dict[str, str]:
    """Return the text of each problem of a file, by id."""
    from workspan.tasks import read_tasks

    problems = [task.problem for task in read_tasks(path)]
    return {one.id: "\n".join(turn.text for turn in one.prompt) for one in problems}


def _limited(recordings: list[Recording], limit: int | None, seed: int) -> list[Recording]:
    names = sorted({problem.id for one in recordings for problem in one.problems})
    if limit is None or limit >= len(names):
        return recordings
    chosen = {*random.Random(seed).sample(names, limit)}
    return [kept for one in recordings if (kept := one.keep(chosen)).problems]


def _table(found: Sequence[object], width: int) -> Table:
    """Lay the records out, budget by budget."""
    from workspan.lab.replay_records import ReplayRecord

    rows = cast("Sequence[ReplayRecord]", found)
    first = rows[0]
    title = (
        f"{first.problems} problems, {first.model}; folds by {first.folds}, {first.seeds} orders"
    )
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False)
    shown.add_column("budget", justify="right", no_wrap=True)
    shown.add_column("strategy", overflow="fold", min_width=10)
    is_wide = width >= _WIDE
    more = ("95 %", "area") if is_wide else ()
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
            *((between, "" if record.area is None else f"{record.area:.3f}") if is_wide else ()),
        )
    shown.caption = (
        "* the budget is a mean over the problems; for the others a limit on each. gap: share of "
        "the way from best_fixed to the oracle. area: mean accuracy over log budgets."
    )
    if any(record.over_budget for record in rows):
        shown.caption += (
            " † took more than the budget that it names: not matched, so nothing is said of it "
            "beside others."
        )
    shown.caption_justify = "left"
    return shown
