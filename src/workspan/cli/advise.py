"""``workspan advise``: what each route of a gateway should be set to, by its own traffic."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import typer
from rich.table import Table
from rich.text import Text

from workspan.cli.exits import Exit
from workspan.cli.keys import StoreOption
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.errors import InputError, MissingDependency
from workspan.legible import counted, one_line

if TYPE_CHECKING:
    from workspan.lab.advising.advice import Advice, Compared
    from workspan.lab.advising.kept import Shadowed

MARGIN = 0.02


def advise(
    *,
    store: StoreOption,
    since: Annotated[
        str, typer.Option(help="How far back: 7d, 12h, 4w, or a date such as 2027-03-01.")
    ] = "7d",
    margin: Annotated[
        float,
        typer.Option(
            help="Of accuracy: a cheaper setting surely loses less, a dearer brings more."
        ),
    ] = MARGIN,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a line.")] = False,
) -> None:
    """Say what each route should be set to, by the requests that serve --shadow ran beside."""
    from workspan.lab.advising.past import past

    try:
        from workspan.lab.advising.advice import advise as advice_of
    except ModuleNotFoundError:
        raise MissingDependency("advice", "lab") from None
    found = advice_of(anyio.run(read, store, past(since, time.time())), margin)
    if not found:
        raise InputError(
            f"{store} has no request since {since} that was run beside: serve --shadow does so"
        )
    if json:
        for one in found:
            say_json(record(one))
    else:
        _show(found)
    raise typer.Exit(Exit.OK)


async def read(store: str, since: float) -> list[Shadowed]:
    """Return what a store holds since a moment.

    Raises:
        InputError: there is no such file.
    """
    from workspan.lab.advising.kept import MADE_BY, ShadowStore
    from workspan.store.database import opened_database

    async with opened_database(store, made_by=MADE_BY, is_made=False) as database:
        return await ShadowStore(database).since(since)


def record(advice: Advice) -> dict[str, Any]:
    """Return advice as JSON writes it."""
    from workspan.lab.advising.told import told

    return told(advice)


def _show(found: Sequence[Advice]) -> None:
    console = Terminal()
    for one in found:
        names = (one_line(name, 60) for name in (one.route, one.model, one.kind))
        console.print(Text(f"{one.verdict}: {' · '.join(names)}", "bold"), soft_wrap=True)
        console.print(
            f"  {counted(one.requests, 'request')}, by {one.truth}: {one.why}", soft_wrap=True
        )
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("", "setting", "a request", "difference", "95 %", "same answer"):
            table.add_column(name, justify="left" if name in ("", "setting") else "right")
        table.add_row("  now", one_line(one.now, 40), _cost(one.cost_now, one), "", "", "")
        for each in one.compared:
            mark = "  to" if each.strategy == one.recommend else "  or"
            table.add_row(mark, *_cells(each, one))
        console.print(table)


def _cells(each: Compared, advice: Advice) -> tuple[str, ...]:
    """Return a setting's row: its cost, how much better it is, and how often it agrees."""
    ahead = "not known" if each.difference is None else f"{each.difference:+.3f}"
    within = f"{each.low:+.3f} {each.high:+.3f}"
    cost, now = _cost(each.cost, advice), _cost(each.cost_now, advice)
    if now != _cost(advice.cost_now, advice):  # it was run on others of the requests
        cost += f" (now {now})"
    return one_line(each.strategy, 40), cost, ahead, within, f"{each.agreement:.0%}"


def _cost(cost: float, advice: Advice) -> str:
    return f"${cost:.3g}" if advice.cost_unit == "USD" else f"{cost:.0f} work"
