"""``workspan calibrate``: see how a model works on problems like yours, and keep that in a file."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from workspan.app.calibrating import BUDGET, calibration_plan, check_chains, check_learnt
from workspan.app.replaying import each_once, read_recorded, recorded_kind
from workspan.app.specs import as_budget
from workspan.boundary.outputs import Output, check_outputs
from workspan.cli.calibration_runs import Asked, calibration_runs
from workspan.cli.drawing import drawing, journal_output, named_inputs
from workspan.cli.engine_options import EngineOption, ModelOption, PriceOption
from workspan.cli.exits import Exit
from workspan.cli.given import given_tasks
from workspan.cli.idle import refuse_idle
from workspan.cli.settings import KeyOption, SettingOption
from workspan.cli.terminal import Terminal, say_left_out
from workspan.data.budget import Budget
from workspan.data.types import AnswerKind
from workspan.errors import InputError, MissingDependency
from workspan.legible import counted
from workspan.strategies.auto.fit.profile import Profile, is_profile
from workspan.tasks import MOST

_DELTA = 0.1
"""Of what is said of certificates."""
LIMIT = 40
"""Problems, unless told otherwise."""


_DRAWN = ["engine", "price", "setting", "api_key_env", "budget", "chains", "block", "strategy"]
_DRAWN += ["arm", "limit", "journal", "seed", "dry_run"]
"""What bears on nothing where nothing is drawn."""


def calibrate(
    context: typer.Context,
    *,
    to: Annotated[Path, typer.Option("--to", help="The profile to write.")],
    task: Annotated[
        list[str] | None, typer.Option("--task", "-t", help="As compare; repeat.")
    ] = None,
    input: Annotated[Path | None, typer.Option(help="Problems, with answers or without.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Problems of each.")] = LIMIT,
    engine: EngineOption = None,
    model: ModelOption = None,
    price: PriceOption = None,
    setting: SettingOption = None,
    api_key_env: KeyOption = None,
    budget: Annotated[str, typer.Option("--budget", "-b", help="Of each problem.")] = BUDGET,
    chains: Annotated[int, typer.Option(min=2, help="Chains of each problem.")] = 8,
    block: Annotated[int, typer.Option(min=1, help="Tokens between two interim answers.")] = 256,
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="auto, with your dials.")
    ] = "auto",
    arm: Annotated[
        list[str] | None, typer.Option("--arm", help="A strategy that auto may hand on to; repeat.")
    ] = None,
    effort: Annotated[
        str | None, typer.Option(help="Of a recording, where it has several: high, 32k.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option("--replay", help="Chains that were drawn: as replay.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="How answers are read, where the file does not say.")
    ] = None,
    journal: Annotated[Path | None, typer.Option(help="Kept calls; resumes from it.")] = None,
    seed: int = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it will take, spend nothing.")
    ] = False,
) -> None:
    """Draw chains on a sample of your problems, and write what `auto` should know of the model."""
    outputs = [Output("--to", to, "a profile", is_profile)]
    outputs += [journal_output(journal)] if journal else []
    inputs = named_inputs(input, task or [])
    check_outputs(outputs, [*inputs, ("--replay", recorded)] if recorded else inputs)
    limits: Budget | None = None
    if recorded is not None:
        refuse_idle(context, _DRAWN, "--replay learns from all that was recorded, as it was")
        read_as = recorded_kind(kind or "text")
        profile: Profile | None = anyio.run(
            partial(_recorded, recorded, model or [], task or [], input, read_as, effort)
        )
    elif effort is not None:
        raise InputError("--effort is of a recording (--replay); an engine is told by -o effort=…")
    else:
        tasks = given_tasks(task or [], input, limit, seed, kind)
        plan, limits = calibration_plan(strategy, arm or [], chains, block), as_budget(budget)
        check_chains(limits, chains)
        asked = [str(engine), str(model), str(seed), budget, strategy, f"{chains} {block}"]
        asked += [str(input), *(task or []), *(arm or []), *(setting or [])]
        told = Asked((engine, model, price, setting, api_key_env), asked)
        tried = [replace(plan, arms=()), *plan.arms] if dry_run else None
        profile = calibration_runs(
            "calibrate", plan, tasks, limits, seed, told, journal, tried=tried
        )
    if profile is None:
        raise typer.Exit(Exit.OK)
    check_learnt(profile, limits)
    with drawing(str(to), "the same command makes it again of what it kept"):
        _write(profile, to)
    _say(profile, to)
    raise typer.Exit(Exit.OK)


def _write(profile: Profile, path: Path) -> None:
    """Write it with what plans come to on it, so that no run need find that again."""
    from workspan.strategies.auto.fit.kept import write_evaluated  # needs NumPy

    write_evaluated(profile, path)


async def _recorded(
    path: Path,
    models: list[str],
    tasks: list[str],
    problems: Path | None,
    kind: AnswerKind,
    effort: str | None,
) -> Profile:
    try:
        from workspan.lab.calibrating import calibrate as of_recordings
    except ImportError:
        raise MissingDependency("a recording", "lab") from None
    found, left_out = await read_recorded(path, models, tasks, problems, kind)
    say_left_out(left_out)
    return of_recordings(each_once(found, effort))


def _say(profile: Profile, path: Path) -> None:
    chains = sum(len(case.chains) for case in profile.problems)
    ended = sum(chain.ended for case in profile.problems for chain in case.chains)
    Terminal().print(
        f"{path}: {counted(chains, 'chain')} of {counted(len(profile.problems), 'problem')}, "
        f"{ended} ended, "
        f"{counted(profile.labelled, 'problem')} with known answers{_arms(profile)}; "
        f"-s 'auto({'ARMS, ' if profile.arms else ''}profile=\"{path}\")' uses it",
        soft_wrap=True,
    )
    if profile.labelled:
        Terminal().print(_labels(profile.labelled), soft_wrap=True)


def _labels(n: int) -> str:
    """Say what so many labels can show at best."""
    from workspan.lab.certifying.binomial import least_answered, upper
    from workspan.lab.stats import detectable

    seen = detectable(n)
    said = f"a difference of {seen:.2f} in accuracy" if seen is not None else "no difference"
    return (
        f"{counted(n, 'label')}: enough to show {said} (80 % power), and to certify a risk of "
        f"{upper(0, n, _DELTA):.2f} at best; 0.1 takes {least_answered(0.1, _DELTA)} answers, all "
        "right (workspan certify says how many at the risk seen)"
    )


def _arms(profile: Profile) -> str:
    if not profile.arms:
        return ""
    runs = [[case.arms[i] for case in profile.problems] for i in range(len(profile.arms))]
    right = [f"{sum(bool(one and one.right) for one in of)}" for of in runs]
    return f"; arms were right on {', '.join(right)}"
