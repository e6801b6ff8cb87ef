"""``workspan explain``: why a run spent its budget as it did."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from workspan.boundary.outputs import check_outputs
from workspan.cli.drawing import drawing, report_output
from workspan.cli.exits import Exit
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.data.explanation import PROMPT, Explanation
from workspan.errors import InputError, MissingDependency
from workspan.lab.report.explanations import Told, chosen, read_explanations
from workspan.legible import counted, legible

_SHOWN = 12
"""Runs that are listed, and depths of a table."""


def explain(
    run: Annotated[Path, typer.Argument(help="A journal, or what solve --json or --output wrote.")],
    *,
    problem: Annotated[str, typer.Option("--problem", "-p", help="Part of its id.")] = "",
    strategy: Annotated[str, typer.Option("--strategy", "-s", help="Part of it.")] = "",
    report: Annotated[Path | None, typer.Option(help="Write a page with a picture here.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON record a run.")] = False,
) -> None:
    """Say what was bought in which order, what it had shown, and what more would bring."""
    check_outputs([report_output(report)] if report else [], [("", run)])
    told = chosen(read_explanations(run), {"problem": problem, "strategy": strategy})
    if not told:
        raise InputError(f"{run} holds no run of that problem and strategy which says why")
    console = Terminal()
    for one in told if json else ():
        say_json(_record(one))
    if not json and len(told) == 1:
        show(told[0].why, console, f"{told[0].problem}: {told[0].strategy}, {told[0].budget}")
    elif not json:
        _list(told, console)
    if report is not None:
        _write(told, report)
    raise typer.Exit(Exit.OK)


def _record(told: Told) -> dict[str, object]:
    return {
        "problem": told.problem,
        "strategy": told.strategy,
        "budget": told.budget,
        "why": told.why,
    }


def _write(told: list[Told], path: Path) -> None:
    try:
        from workspan.lab.report.explained import write_explanations
    except ImportError:
        raise MissingDependency("a report", "lab") from None
    with drawing(f"the report {path}"):
        write_explanations(told, path)


def _list(told: list[Told], console: Terminal) -> None:
    table = Table("problem", "strategy", "work", "span", "chains", "margin", box=None)
    for one in told[:_SHOWN]:
        margin = "" if one.why.margin is None else f"{one.why.margin:.0%}"
        spent = (str(one.why.work), str(one.why.span), str(one.why.chains))
        table.add_row(Text(legible(one.problem)), Text(legible(one.strategy)), *spent, margin)
    console.print(table)
    more = f" ({counted(len(told) - _SHOWN, 'run')} more)" if len(told) > _SHOWN else ""
    console.print(f"--problem ID explains one of them{more}", style="dim")


def show(why: Explanation, console: Console, title: str = "") -> None:
    """Print an explanation; what a model wrote is shown without control characters."""
    if title:
        console.print(Text(legible(title), "bold"))
    for line in summary(why):
        console.print(Text(line))
    console.print(_steps(why))
    if why.evidence:
        console.print(_evidence(why))


def summary(why: Explanation) -> list[str]:
    """Say the account of a run in a few sentences."""
    depth = why.natural_depth
    natural = (
        "unknown, most chains were left open"
        if depth is None
        else counted(round(depth), "token", ",")
    )
    knew = f"knew {legible(why.knows)}" if why.knows else "knew nothing of the model"
    found = [
        f"{counted(why.chains, 'chain')}, {why.ended} ended; "
        f"natural depth: {natural}; the rule {knew}",
        "no chain gave an answer"
        if why.margin is None
        else f"margin of the chains {why.margin:.0%}",
    ]
    if kind := why.steps and why.steps[0].why.get(PROMPT):
        found.append(f"planned as problems whose prompts are like this one: {legible(str(kind))}")
    if why.more:
        last = why.more[-1]
        found.append(
            f"{counted(last.chains, 'more chain')}, {counted(round(last.tokens), 'token', ',')}: "
            f"another answer would lead with probability {last.change:.3f}"
        )
    return found


def _steps(why: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, title="bought in order", title_justify="left")
    for name in ("", "work", "span", "chains", "leader", "confidence", "gain", "cost", "because"):
        table.add_column(name, justify="left" if name in ("", "leader", "because") else "right")
    for step in why.steps:
        leader = why.answers[step.leader][:24] if 0 <= step.leader < len(why.answers) else ""
        numbers = (str(step.work), str(step.span), str(len(step.grown)))
        worth = (f"{step.confidence:.3f}", f"{step.gain:.4f}", f"{step.cost:.0f}")
        because = ", ".join(_said(*one) for one in step.why.items() if one[0] != PROMPT)
        because += "".join(
            f"; arm {one.arm + 1} took {counted(one.work, 'token')}" for one in step.tried
        )
        table.add_row(step.action, *numbers, Text(legible(leader)), *worth, Text(legible(because)))
    return table


def _said(name: str, value: float | str) -> str:
    return f"{name} {value:g}" if isinstance(value, float) else value


def _evidence(why: Explanation) -> Table:
    table = Table(box=None, pad_edge=False, title="evidence by depth", title_justify="left")
    for name in ("depth", "chains", "first", "second", "a thousand tokens"):
        table.add_column(name, justify="right")
    every = -(-len(why.evidence) // _SHOWN)
    for one in why.evidence[::every]:
        shares = (f"{one.first:.0%}", f"{one.second:.0%}")
        table.add_row(str(one.depth), str(one.chains), *shares, f"{1000 * one.per_token:.3f}")
    return table
