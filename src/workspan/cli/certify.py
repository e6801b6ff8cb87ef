"""``workspan certify``: which answers can be given at a stated risk, and what that takes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer
from rich.table import Table

from workspan.app.calibrating import calibration_plan
from workspan.app.certifying import (
    BLOCK,
    BUDGET,
    DRAWING,
    DRAWS,
    as_wish,
    certified,
    keep,
    labelled_draws,
    recorded_draws,
    to_draw,
)
from workspan.app.problems import named_tasks
from workspan.app.specs import as_budget, as_kind
from workspan.boundary.outputs import Output, check_outputs
from workspan.cli.calibration_runs import Asked, calibration_runs
from workspan.cli.drawing import drawing, journal_output, named_inputs
from workspan.cli.engine_options import EngineOption, PriceOption
from workspan.cli.exits import Exit
from workspan.cli.idle import refuse_idle
from workspan.cli.plain import say_json
from workspan.cli.settings import KeyOption, SettingOption
from workspan.cli.terminal import Terminal, say_left_out
from workspan.errors import InputError
from workspan.legible import counted
from workspan.strategies.auto.auto import Auto
from workspan.tasks import MOST
from workspan.tasks.base import Task

if TYPE_CHECKING:
    from workspan.lab.certifying.certify import Certified
    from workspan.strategies.auto.fit.profile import Profile


_ASKED = ["engine", "price", "setting", "api_key_env", "budget", "strategy", "journal", "dry_run"]
"""What bears on nothing where no engine is asked."""
_CHOSEN = ["task", "model", "effort", "kind", "limit"]
"""What bears on nothing where a file of labels says it."""


def certify(
    context: typer.Context,
    *,
    mode: Annotated[str, typer.Option(help="risk, mode or agreement.")] = "risk",
    alpha: Annotated[float, typer.Option(help="The risk: share of answers given.")] = 0.1,
    delta: Annotated[float, typer.Option(help="Chance of a promise that does not hold.")] = 0.1,
    recorded: Annotated[
        Path | None, typer.Option("--replay", help="Draws that were recorded: as replay.")
    ] = None,
    input: Annotated[
        Path | None, typer.Option(help="Problems, or a file of label; with --replay as there.")
    ] = None,
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="As compare; repeat.")
    ] = None,
    engine: EngineOption = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="As solve; of a recording, whose draws. Repeat."),
    ] = None,
    effort: Annotated[
        str | None, typer.Option(help="Of a recording, where it has several: high, 32k.")
    ] = None,
    n: Annotated[int | None, typer.Option("-n", min=1, help="Draws of a problem.")] = None,
    hopeless: Annotated[
        float | None, typer.Option(help="Chance below which a problem is given up; 0 never.")
    ] = None,
    correction: Annotated[
        str, typer.Option(help="Of several thresholds: sequence or bonferroni.")
    ] = "sequence",
    kind: Annotated[
        str | None, typer.Option(help="How answers are compared, where the file does not say.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write the certificate here, for auto.")
    ] = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    budget: Annotated[str, typer.Option("--budget", "-b", help="Of each problem.")] = BUDGET,
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="auto, with the dials of chains.")
    ] = DRAWING,
    limit: Annotated[int | None, typer.Option(min=1, max=MOST, help="Problems of each.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Kept calls; resumes from it.")] = None,
    seed: int = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take, spend nothing.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON record.")] = False,
) -> None:
    """Find which answers can be given at a stated risk, with what certainty and at what cost."""
    from workspan.strategies.auto.fit.certificate import is_certificate

    wish = as_wish(mode, alpha, delta, n, hopeless, correction, seed, is_kept=to is not None)
    outputs = [Output("--to", to, "a certificate", is_certificate)] if to else []
    outputs += [journal_output(journal)] if journal else []
    inputs = named_inputs(input, [] if recorded else task or [])
    check_outputs(outputs, [*inputs, ("--replay", recorded)] if recorded else inputs)
    drawn: list[Task] = []
    if recorded is not None:
        refuse_idle(context, _ASKED, "--replay certifies on what was recorded, and asks nothing")
        named = (recorded, model or [], task or [], input, kind or "text", effort, limit, seed)
        read = partial(recorded_draws, *named)
        profile: Profile | None = anyio.run(partial(read, say_left_out))
    elif effort is not None:
        raise InputError("--effort is of a recording (--replay); an engine is told by -o effort=…")
    elif (profile := labelled_draws(input)) is not None:
        refuse_idle(
            context, [*_ASKED, *_CHOSEN], f"{input} holds labels of draws, and nothing is asked"
        )
    else:
        if input is None and not task:
            raise InputError("say on which problems: --replay FILE, --input FILE or --task NAME")
        tasks = named_tasks(task or [], input, limit, seed, kind=as_kind(kind) if kind else None)
        plan, limits = calibration_plan(strategy, (), n or DRAWS, BLOCK), as_budget(budget)
        drawn = to_draw(tasks, wish, limits)
        _say_undrawn(len(tasks) - len(drawn))
        asked = [str(engine), str(model), str(seed), budget, strategy, str(n or DRAWS)]
        asked += [str(input), *(task or []), *(setting or [])]
        told = Asked((engine, model, price, setting, api_key_env), asked)
        tried = [plan] if dry_run else None
        profile = calibration_runs(
            "certify", plan, drawn, limits, seed, told, journal, tried=tried, json=json
        )
    if profile is None:
        raise typer.Exit(Exit.OK)
    found = certified(profile, wish, drawn)
    if json:
        say_json(found)
    else:
        _print(found, to, _dials(profile))
    if to is not None and found.certified:
        with drawing(str(to), "the same command makes it again"):
            keep(found, wish, profile, to)
    elif to is not None:
        earlier = ": what stands there is of an earlier run" if to.exists() else ""
        Terminal(stderr=True).print(
            f"there is no certificate, and nothing was written to {to}{earlier}", soft_wrap=True
        )
    raise typer.Exit(Exit.OK if found.certified else Exit.NO_ANSWER)


def _say_undrawn(n: int) -> None:
    if n:
        whose = f"{counted(n, 'problem')} {'has' if n == 1 else 'have'}"
        Terminal(stderr=True).print(f"{whose} no right answer, and nothing is drawn of them")


def _dials(profile: Profile) -> str:
    """Write the dials that a run must have to keep a promise on these draws, beside the others."""
    usual = Auto()
    held = [("temperature", profile.temperature), ("max_tokens", profile.max_tokens)]
    return "".join(
        f", {name}={at}" for name, at in held if at is not None and at != getattr(usual, name)
    )


def _print(found: Certified, to: Path | None, dials: str) -> None:
    console = Terminal()
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in _rows(found).items():
        table.add_row(name, value)
    console.print(table)
    held = "holds" if found.certified else "can't be made on this"
    console.print(f"promise: {found.promise}", soft_wrap=True)
    console.print(f"that {held}, but for a chance of {found.delta:g}", soft_wrap=True)
    console.print(labels_line(found), soft_wrap=True)
    if found.repeated and found.mode != "mode":
        console.print(
            f"of the problems {found.repeated} ask what another one asks: who counts them as so "
            "many promises too much, unless the traffic to come repeats itself as these do",
            soft_wrap=True,
        )
    if found.mode == "mode":
        console.print(f"-s \"auto(floor='mode', delta={found.delta:g}, n={found.n})\" keeps it")
    elif to is not None and found.certified:
        use = f"-s \"auto(floor='{found.mode}', certificate='{to}'{dials})\" keeps it"
        console.print(use, soft_wrap=True)


def _rows(found: Certified) -> dict[str, str]:
    whose = (
        f"{counted(found.problems, 'problem')} of {found.model}, "
        f"{counted(found.n, 'draw')} of each at most"
    )
    risk = "none was answered" if found.risk is None else f"{found.risk:.3f}"
    alone = "" if found.mode == "mode" or found.correction == "bonferroni" else " at this threshold"
    rows = {
        "problems": whose,
        "answered": f"{found.answered}, abstained {found.abstained} ({found.hopeless} as hopeless)",
        "risk": f"{risk}, at most {found.risk_upper:.3f}{alone}",
        "certified": "yes" if found.certified else "no",
        "work": f"{found.work:.0f} {found.unit} a problem ({found.share:.0%} of all draws; "
        f"all take {found.work_all:.0f})",
    }
    if found.cut:
        counts = "abstentions" if found.mode == "mode" else "answers that are wrong"
        rows["cut"] = (
            f"{counted(found.cut, 'problem')} by a limit, before all draws were there: they count "
            f"as {counts}; raise the budget of a problem"
        )
    if found.threshold is not None:
        rows["threshold"] = f"{found.threshold:g} of votes / (draws + 1)"
    return rows


def labels_line(found: Certified) -> str:
    """Say how many labelled problems a promise needs."""
    if found.mode == "mode":
        return "labels: none are needed, each answer has a certificate of its own"
    if found.cut and not found.certified:
        return "while draws are cut more labels hardly help: raise the budget of a problem"
    what = "labelled problems" if found.mode == "risk" else "problems, without labels,"
    if found.labels_needed is None:
        return f"no number of {what} would do at the risk seen: ask for a larger alpha"
    said = f"{found.labels_needed} {what} certify {found.alpha:g} in four of five trials"
    return f"at the risk seen {said}; there are {found.problems}"
