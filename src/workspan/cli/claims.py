"""``workspan claims``: what the field says, measured on this machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.table import Table
from rich.text import Text

from workspan.app.mapping import keep_verdicts
from workspan.claims import claim
from workspan.claims import names as all_names
from workspan.claims.base import Claim, Finding, Setting
from workspan.claims.kept import Noted, row_of
from workspan.cli.exits import Exit
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.errors import InputError, MissingDependency, PluginError, SpecError
from workspan.legible import counted
from workspan.registry.table import table
from workspan.spec import engines as engine_spec

_COLOURS = {"holds": "green", "fails": "red", "undecided": "yellow"}


def claims(
    names: Annotated[
        list[str] | None, typer.Argument(help="If none, all but those that train a model.")
    ] = None,
    *,
    full: Annotated[bool, typer.Option(help="The sizes that a paper would want.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Root of all randomness.")] = 0,
    engine: Annotated[str, typer.Option("--engine", "-e", help="Judge its model instead.")] = "",
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="As the engine calls it.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="Another training run's folder.")] = None,
    store: Annotated[
        str,
        typer.Option(
            metavar="FILE|postgresql://…", help="Keep the verdicts there: for `workspan map`."
        ),
    ] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON record a claim.")] = False,
) -> None:
    """Measure published claims: statement, matched budgets, interval and verdict."""
    errors = Terminal(stderr=True)
    chosen = [claim(name) for name in names] if names else _loaded(errors)
    opener = partial(engine_spec.open_engine, engine, model, imports=True)
    judged = Noted(opener) if engine else None
    setting = Setting(full, seed, weights, judged)
    _check(chosen, setting, named=bool(names))
    own = [one for one in chosen if engine and not one.any_engine]
    left = [one for one in chosen if one.trains and one not in own and not names]
    chosen = [one for one in chosen if one not in own and one not in left]
    findings = []
    if store:  # what can't be opened is said before anything is measured
        anyio.run(keep_verdicts, store, ())
    for found in _tested(chosen, setting, errors, named=bool(names)):
        findings.append(found)
        if store:
            row = row_of(found, setting, time.time(), engine=engine, model=model)
            anyio.run(keep_verdicts, store, (row,))
        if json:
            say_json(record(found))
    if not json and len(findings) == 1:
        _tell(findings[0], Terminal())
    elif not json:
        Terminal().print(_table(findings))
    if own:
        errors.print(f"left out, their models are their own: {', '.join(one.name for one in own)}")
    for one in left:
        errors.print(f"by name only, as it trains: workspan claims {one.name}")
    if not names and not engine:
        _say_absent(errors)
    raise typer.Exit(Exit.OK)


def _tested(
    chosen: list[Claim], setting: Setting, errors: Terminal, *, named: bool
) -> Iterator[Finding]:
    """Measure one after another; where none was named, what lacks a part is left out.

    Raises:
        MissingDependency: a part is missing of one that was named, or of all.
    """
    lacking: list[MissingDependency] = []
    for one in chosen:
        try:
            with errors.status(Text(one.name)):
                found = _test(one, setting)
        except MissingDependency as error:
            if named:
                raise
            lacking.append(error)
            errors.print(f"left out, {one.name}: {error}")
        else:
            yield found
    if lacking and len(lacking) == len(chosen):
        raise lacking[0]


def _loaded(errors: Terminal) -> list[Claim]:
    """Import all that are installed; one that can't be used hides no other.

    Raises:
        MissingDependency: nothing can be imported without an extra.
    """
    found: list[Claim] = []
    lacking: list[MissingDependency] = []
    for name in all_names():
        try:
            found.append(claim(name))
        except MissingDependency as error:
            lacking.append(error)
        except PluginError as error:
            errors.print(f"left out: {error}")
    if lacking and not found:
        raise lacking[0]
    for one in lacking:
        errors.print(f"left out: {one}")
    return found


def _say_absent(errors: Terminal) -> None:
    """Name those that a distribution of this project's would bring."""
    absent = table("claims").absent
    for who in sorted(set(absent.values())):
        more = ", ".join(name for name, owner in absent.items() if owner == who)
        errors.print(f"pip install {who} brings more: {more}")


def _check(chosen: list[Claim], setting: Setting, *, named: bool) -> None:
    """Refuse before anything is spent what can't be measured."""
    if setting.weights is not None and not setting.weights.is_dir():
        raise InputError(f"--weights {setting.weights}: there is no such folder")
    others = [one.name for one in chosen if not one.any_engine]
    if setting.engine and named and others:
        able = ", ".join(one.name for one in _loaded(Terminal(stderr=True)) if one.any_engine)
        raise SpecError(f"{others[0]} has a model of its own; those that judge any: {able}")
    if named and find_spec("torch") is None:
        for one in chosen:
            if one.trains:
                who = table("claims").find(one.name).project
                raise MissingDependency(f"the claim {one.name} (torch)", "train", distribution=who)


def _test(one: Claim, setting: Setting) -> Finding:
    try:
        return one.test(setting)
    except ImportError as error:
        raise MissingDependency(f"the claim {one.name} ({error.name})", "all") from None


def record(found: Finding) -> dict[str, object]:
    """Flatten a finding for ``--json``."""
    measured = found.measured
    return {
        "name": found.claim.name,
        "verdict": found.verdict,
        "statistic": measured.statistic,
        "low": measured.low,
        "high": measured.high,
        "problems": measured.problems,
        "seconds": round(found.seconds, 2),
        "line": found.claim.line,
        "statement": found.claim.statement,
        "on": found.claim.on,
        "rows": [row._asdict() for row in measured.rows],
    }


def _table(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("claim", "verdict"):
        table.add_column(name, no_wrap=True)
    for name in ("statistic", "95 %", "line", "problems", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for found in findings:
        m, colour = found.measured, _COLOURS[found.verdict]
        table.add_row(
            Text(found.claim.name),
            Text(found.verdict, colour),
            f"{m.statistic:.3g}",
            f"{m.low:.3g} to {m.high:.3g}",
            f"{found.claim.line:g}",
            str(m.problems),
            f"{found.seconds:.1f}",
        )
    return table


def _tell(found: Finding, console: Terminal) -> None:
    """Print all that a claim says of itself, and what came out."""
    one, measured = found.claim, found.measured
    console.print(Text(one.statement, "bold"))
    about = {
        "source": one.source,
        "measured on": one.on,
        "design": one.design,
        "statistic": one.statistic,
        "rule": f"holds if its 95 % interval lies above {one.line:g}, fails if at or below it",
        "would change": one.changes,
    }
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, text in about.items():
        facts.add_row(Text(name, "dim"), Text(text))
    console.print(facts)
    rows = Table("measured", box=None, pad_edge=False)
    rows.add_column("value", justify="right")
    rows.add_column("95 %", justify="right")
    for row in measured.rows:
        rows.add_row(Text(row.what), f"{row.value:.4g}", f"{row.low:.4g} to {row.high:.4g}")
    console.print(rows)
    result = f"{measured.statistic:.4g} [{measured.low:.4g}, {measured.high:.4g}]"
    console.print(
        Text.assemble(
            (found.verdict, _COLOURS[found.verdict]),
            f": {result}, {counted(measured.problems, 'problem')} a cell, {found.seconds:.1f} s",
        )
    )
