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
from workspan.cli.screen import Screen
from workspan.errors import InputError
from workspan.legible import one_line

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
    from workspan.lab.advising.advice import advise as advice_of
    from workspan.lab.advising.past import past

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
    from workspan.lab.advising.kept import ShadowStore, opened

    async with opened(store) as database:
        return await ShadowStore(database).since(since)


def record(advice: Advice) -> dict[str, Any]:
    """Return advice as JSON writes it."""
    from workspan.lab.advising.told import told

    return told(advice)


def _show(found: Sequence[Advice]) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("route", "model", "kind", "now", "recommend", "verdict"):
        table.add_column(name, overflow="fold")
    for name in ("requests", "difference", "95 %", "cost now", "then"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        names = (one.route, one.model, one.kind, one.now, one.recommend, one.verdict)
        cells = [one_line(name, 60) for name in names]
        first = one.first
        table.add_row(
            *map(Text, cells),
            str(one.requests),
            "–" if first.difference is None else f"{first.difference:+.3f}",
            f"{first.low:+.3f} {first.high:+.3f}",
            _money(one.cost_now, one),
            _money(first.cost, one),
        )
    screen = Screen()
    screen.print(table)
    for one in found:
        screen.print(
            f"{one_line(one.model, 60)}, {one.kind}: {one.why} "
            f"(by {one.truth}; {_counted(one.first)})",
            soft_wrap=True,
        )


def _counted(one: Compared) -> str:
    said = f"{one_line(one.strategy, 60)} gave the same answer to {one.agreement:.0%}"
    return f"{said} of {one.requests}, {one.judged} of them judged"


def _money(cost: float, advice: Advice) -> str:
    return f"${cost:.3g}" if advice.cost_unit == "USD" else f"{cost:.0f} work"
