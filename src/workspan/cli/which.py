"""``workspan which``: which effort pays on problems like yours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.progress import Progress
from rich.table import Table

from workspan.app.engines import Opened, open_engines
from workspan.app.specs import EFFORTS, as_efforts
from workspan.app.state import kept_journal, private_files
from workspan.app.which import (
    DEEPEST,
    DEFAULT,
    DEPTH,
    MOST_VOTES,
    Which,
    check_entrants,
    prepared,
)
from workspan.app.which import which as race_efforts
from workspan.boundary.outputs import Output, check_outputs
from workspan.cli.drawing import journal_output, named_inputs
from workspan.cli.dry import say_plan
from workspan.cli.engine_options import EngineOption, PriceOption
from workspan.cli.exits import Exit
from workspan.cli.given import given_tasks
from workspan.cli.idle import refuse_idle
from workspan.cli.plain import say_json
from workspan.cli.settings import KeyOption, SettingOption
from workspan.cli.terminal import Terminal, say_left_out
from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.store.journals import JournalFile
from workspan.strategies.auto.fit.profile import is_profile
from workspan.tasks import MOST
from workspan.tasks.base import Task

if TYPE_CHECKING:
    from workspan.lab.efforts.race import Entrant
    from workspan.lab.efforts.records import WhichRecord

FIRST_ROUND = 8
LIMIT = 200
"""Problems, unless told otherwise: the pilot's budget mostly ends before."""


_ASKED = ["input", "engine", "setting", "api_key_env", "depth", "journal", "dry_run"]
"""What bears on nothing where no engine is asked."""


def which(
    context: typer.Context,
    *,
    efforts: Annotated[
        str | None,
        typer.Option(help=f"{EFFORTS}; 8k,32k; default; NAME:high of a further engine."),
    ] = None,
    pilot: Annotated[
        str | None, typer.Option(help="What the race may cost in all: '$2', '500k work'.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="As compare; repeat.")
    ] = None,
    input: Annotated[Path | None, typer.Option(help="Problems, with answers.")] = None,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, help=f"Problems, by the seed: {LIMIT}, or all that were recorded."
        ),
    ] = None,
    engine: EngineOption = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Behind an endpoint, NAME=MODEL; or that was recorded."),
    ] = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    votes: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_VOTES, help="Samples of each effort on each problem: 3."),
    ] = None,
    depth: Annotated[
        int,
        typer.Option(min=1, max=DEEPEST, help="Tokens of a sample, at most, thinking included."),
    ] = DEPTH,
    budget: Annotated[
        int | None,
        typer.Option("--budget", "-b", min=1, help="Mean work that the policy may take."),
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option("--replay", help="Recorded samples (.parquet), no engine.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="How answers are read, where the file does not say.")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="A profile to write, for auto.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Kept calls; resumes from it.")] = None,
    seed: int = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take, spend nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a line.")] = False,
) -> None:
    """Race efforts on your labelled problems within a pilot's budget, and say which pays."""
    outputs = [Output("--to", to, "a profile", is_profile)] if to else []
    outputs += [journal_output(journal)] if journal else []
    inputs = named_inputs(input, [] if recorded else task or [])
    check_outputs(outputs, [*inputs, ("--replay", recorded)] if recorded else inputs)
    named = None if efforts is None else as_efforts(efforts)
    race = partial(
        race_efforts, efforts=named, pilot=pilot, votes=votes, budget=budget, seed=seed, to=to
    )
    if recorded is not None:
        refuse_idle(context, _ASKED, "--replay races on what was recorded, and spends nothing")
        whose, rate = _one("--model", model), _one("--price", price)
        read_as = kind or "text"
        done: Which | None = anyio.run(
            partial(
                race,
                recorded=recorded,
                model=whose or "",
                price=rate,
                tasks=task or [],
                kind=read_as,
                limit=limit,
            )
        )
    else:
        tasks = given_tasks(task or [], input, limit or LIMIT, seed, kind)
        found, entrants, limits, _ = prepared(tasks, named, pilot, votes, depth, seed=seed, to=to)
        asked = [str(engine), str(model), str(seed), str(input), *(task or []), *(setting or [])]

        async def main() -> Which | None:
            opened = await open_engines(engine, model, price, setting, api_key_env, is_dry=dry_run)
            try:
                check_entrants(entrants, opened, limits)
                if dry_run:
                    await _say_price(entrants, found, opened, limits, json=json)
                    return None
                kept = journal or kept_journal("which", asked)
                with (
                    JournalFile(kept, opened.header(seed)) as journals,
                    Progress(console=Terminal(stderr=True), transient=True) as progress,
                ):
                    bar = progress.add_task("which", total=len(entrants) * len(found))
                    return await race(
                        tasks,
                        engine=opened,
                        depth=depth,
                        journal=journals,
                        on_progress=lambda _: progress.advance(bar),
                    )
            finally:
                await opened.aclose()

        with private_files():
            done = anyio.run(main)
    if done is not None:
        _say(done, to, json=json)
    raise typer.Exit(Exit.OK)


def _one(option: str, values: Sequence[str] | None) -> str | None:
    """Return the only value of an option that can be repeated elsewhere.

    Raises:
        InputError: there are several.
    """
    if values and len(values) > 1:
        raise InputError(f"{option} is given {len(values)} times: a recording has one")
    return values[0] if values else None


async def _say_price(
    entrants: Sequence[Entrant],
    found: Sequence[Task],
    opened: Opened,
    pilot: Budget,
    *,
    json: bool,
) -> None:
    """Say what the whole race would take, and that the pilot is never passed."""
    strategies = [one.strategy for one in entrants]
    problems = [task.problem for task in found]
    await say_plan(strategies, problems, opened, Budget(), json=json)
    Terminal(stderr=True).print(
        f"the race ends at {pilot} whatever is left of it: problems come {FIRST_ROUND} at a time "
        "and then in larger rounds, and efforts that can't pay leave it on the way",
        soft_wrap=True,
    )


def _say(done: Which, to: Path | None, *, json: bool) -> None:
    for record in done.records if json else ():
        say_json(record)
    aside = Terminal(stderr=True)
    if not json:
        console = Terminal()
        console.print(_table(done.records, console.width))
        for line in _advice(done, to):
            console.print(line, soft_wrap=True)
    for caveat in done.caveats:
        aside.print(caveat, soft_wrap=True)
    say_left_out(done.left_out)


def _advice(done: Which, to: Path | None) -> list[str]:
    """Say what to run, and why those that were dropped were."""
    gone = {one.effort: one.why for one in done.records if one.verdict == "dropped"}
    said = [f"dropped {effort or DEFAULT}: {why}" for effort, why in gone.items()]
    if (policy := done.policy) is not None:
        said += [f'use -s "{policy.strategy}"', f"    {policy.arm}", f"    {policy.why}"]
        said += [f"    -s 'auto(profile=\"{to}\")' climbs within a budget"] if to else []
    return said


def _table(records: Sequence[WhichRecord], width: int) -> Table:
    """Lay the records out, the policy last."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("arm", overflow="fold", min_width=10)
    cells = [
        name for name, needs in _COLUMNS.items() if width >= needs and _is_known(name, records)
    ]
    for name in cells:
        shown.add_column(name, justify="right", no_wrap=True)
    shown.add_column("verdict", no_wrap=True)
    for one in records:
        name = "the policy" if one.kind == "policy" else one.arm
        row = [name, *(_CELLS[cell](one) for cell in cells), one.verdict]
        shown.add_row(*row, style="bold" if one.kind == "policy" else "")
    return shown


_WIDE, _WIDEST = 124, 160
"""Columns of a terminal that most of the table needs, and the whole of it."""
_COLUMNS: Mapping[str, int] = {
    "n": _WIDE,
    "accuracy": 0,
    "95 %": 0,
    "to policy": _WIDE,
    "random": _WIDEST,
    "cover": _WIDEST,
    "agree": _WIDEST,
    "missing": _WIDEST,
    "work": 0,
    "span": _WIDE,
    "seconds": _WIDE,
    "cost": 0,
    "per right": 0,
    "pilot": _WIDEST,
}
"""The columns, and from which width on they are shown."""
_CELLS: Mapping[str, Callable[[WhichRecord], str]] = {
    "n": lambda one: f"{one.problems}",
    "accuracy": lambda one: _number(one.accuracy, ".3f"),
    "95 %": lambda one: f"{_number(one.low, '.2f')}–{_number(one.high, '.2f')}".strip("–"),
    "to policy": lambda one: _difference(one),
    "random": lambda one: _number(one.random, ".3f"),
    "cover": lambda one: _number(one.coverage, ".3f"),
    "agree": lambda one: _number(one.agreement, ".2f"),
    "missing": lambda one: f"{one.missing:.0%}",
    "work": lambda one: f"{one.work:.0f}",
    "span": lambda one: f"{one.span:.0f}",
    "seconds": lambda one: _number(one.seconds, ".2f"),
    "cost": lambda one: _number(one.cost, ".5f", "$"),
    "per right": lambda one: _number(one.cost_per_right, ".5f", "$"),
    "pilot": lambda one: _number(one.pilot_spent, ".4f", "$") or f"{one.pilot_work}",
}


def _is_known(name: str, records: Sequence[WhichRecord]) -> bool:
    return any(_CELLS[name](one) for one in records)


def _difference(one: WhichRecord) -> str:
    if one.difference is None or one.difference_low is None or one.difference_high is None:
        return ""
    return f"{one.difference:+.3f} {one.difference_low:+.2f} {one.difference_high:+.2f}"


def _number(value: float | None, form: str, sign: str = "") -> str:
    return "" if value is None else f"{sign}{value:{form}}"
