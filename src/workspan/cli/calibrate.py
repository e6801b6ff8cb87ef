"""``workspan calibrate``: see how a model works on problems like yours, and keep that in a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import anyio
import typer
from rich.progress import Progress

from workspan.allocate.library import Library, is_library, write_library
from workspan.allocate.survey import Survey
from workspan.budget import Budget
from workspan.cli.compare import digest
from workspan.cli.drawing import drawing, journal_output, named_inputs
from workspan.cli.exits import Exit
from workspan.cli.opening import (
    EngineOption,
    ModelOption,
    Opened,
    PriceOption,
    open_engines,
    private_files,
    state_folder,
)
from workspan.cli.screen import Screen
from workspan.cli.settings import KeyOption, SettingOption
from workspan.entry import Header
from workspan.errors import InputError, MissingDependency, SpecError
from workspan.lab.compare import Comparison, compare
from workspan.outputs import Output, check_outputs
from workspan.spec import parse_strategy
from workspan.store import JournalFile
from workspan.strategies.adaptive.auto import Auto
from workspan.strategies.adaptive.auto_arms import arm_names
from workspan.tasks import MOST, open_tasks, read_tasks
from workspan.tasks.base import Task
from workspan.tasks.files import some
from workspan.types import AnswerKind

LIMIT = 40
"""Problems, unless told otherwise."""


def calibrate(
    *,
    to: Annotated[Path, typer.Option("--to", help="The library to write.")],
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
    budget: Annotated[str, typer.Option("--budget", "-b", help="Of each problem.")] = "16k work",
    lines: Annotated[int, typer.Option(min=2, help="Chains of each problem.")] = 8,
    block: Annotated[int, typer.Option(min=1, help="Tokens between two interim answers.")] = 256,
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="auto, with your dials.")
    ] = "auto",
    arm: Annotated[
        list[str] | None, typer.Option("--arm", help="A strategy that auto may hand on to; repeat.")
    ] = None,
    recorded: Annotated[
        Path | None, typer.Option("--replay", help="Chains that were drawn: as replay.")
    ] = None,
    kind: Annotated[str, typer.Option(help="How recorded answers are compared.")] = "text",
    journal: Annotated[Path | None, typer.Option(help="Kept calls; resumes from it.")] = None,
    seed: int = 0,
) -> None:
    """Draw chains on a sample of your problems, and write what `auto` should know of the model."""
    outputs = [Output("--to", to, "a library", is_library)]
    outputs += [journal_output(journal)] if journal else []
    inputs = named_inputs(input, task or [])
    check_outputs(outputs, [*inputs, ("--replay", recorded)] if recorded else inputs)
    if recorded is not None:
        library = _recorded(recorded, model or [], task or [], input, kind)
    else:
        tasks = _tasks(task or [], input, limit, seed)
        plan = _survey(strategy, arm or [], lines, block)
        limits, opened = (
            Budget.parse(budget),
            open_engines(engine, model, price, setting, api_key_env),
        )
        with private_files():
            asked = [str(engine), str(model), str(seed), budget, strategy, f"{lines} {block}"]
            asked += [str(input), *(task or []), *(arm or []), *(setting or [])]
            path = journal or state_folder() / f"calibrate-{digest(asked)}.jsonl"
            library = _drawn(plan, tasks, opened, limits, seed, path)
    with drawing(str(to), "the same command makes it again of what it kept"):
        write_library(library, to)
    _say(library, to)
    raise typer.Exit(Exit.OK)


def _recorded(
    path: Path, models: list[str], tasks: list[str], problems: Path | None, kind: str
) -> Library:
    try:
        from workspan.cli.replay import KINDS, read_recorded
        from workspan.lab.calibrating import calibrate as of_recordings
    except ImportError:
        raise MissingDependency("a recording", "lab") from None
    if kind not in KINDS:
        raise InputError(f"--kind {kind!r}: must be one of {', '.join(KINDS)}")
    return of_recordings(read_recorded(path, models, tasks, problems, cast("AnswerKind", kind)))


def _tasks(names: Sequence[str], source: Path | None, limit: int, seed: int) -> list[Task]:
    if bool(names) == (source is not None):
        raise InputError("say which problems: --task NAME (such as demo), or --input FILE")
    if source is not None:
        return some(read_tasks(source), limit, seed)
    return [task for name in names for task in open_tasks(name, imports=True).load(limit, seed)]


def _survey(text: str, arms: Sequence[str], lines: int, block: int) -> Auto:
    plan = parse_strategy(text, imports=True)
    if not isinstance(plan, Auto):
        raise SpecError(f"--strategy {text!r}: calibration is for auto, with its dials")
    return replace(
        plan,
        n=lines,
        arms=(*plan.arms, *(parse_strategy(arm, imports=True) for arm in arms)),
        library="",
        fitted=Survey(lines, block),
    )


def _drawn(
    plan: Auto, tasks: Sequence[Task], opened: Opened, budget: Budget, seed: int, path: Path
) -> Library:
    """Run survey and arms on every problem; a second try goes on where the first was stopped."""
    from workspan.lab.calibrating import calibrate_runs

    async def main(journals: JournalFile, progress: Progress) -> Library:
        strategies = [replace(plan, arms=()), *plan.arms]
        bar = progress.add_task("calibrate", total=len(tasks) * len(strategies))
        try:
            done: Comparison = await compare(
                strategies,
                tasks,
                opened.engine,
                budget=budget,
                seed=seed,
                journals=journals,
                on_progress=lambda _: progress.advance(bar),
            )
            lines, *others = (done.of(name) for name in done.strategies)
            arms = dict(zip(arm_names(plan), others, strict=True))
            return await calibrate_runs(lines, opened.engine.info.model, arms)
        finally:
            await opened.aclose()

    header = Header(opened.identity, seed, opened.engine.info.model)
    with JournalFile(path, header) as journals, Progress(console=Screen(stderr=True)) as progress:
        return anyio.run(main, journals, progress)


def _say(library: Library, path: Path) -> None:
    chains = sum(len(case.lines) for case in library.problems)
    ended = sum(line.ended for case in library.problems for line in case.lines)
    Screen().print(
        f"{path}: {chains} chains of {len(library.problems)} problems, {ended} ended, "
        f"{library.labelled} problems with known answers{_arms(library)}; "
        f"-s 'auto({'ARMS, ' if library.arms else ''}library=\"{path}\")' uses it",
        soft_wrap=True,
    )


def _arms(library: Library) -> str:
    if not library.arms:
        return ""
    runs = [[case.arms[i] for case in library.problems] for i in range(len(library.arms))]
    right = [f"{sum(bool(one and one.right) for one in of)}" for of in runs]
    return f"; arms were right on {', '.join(right)}"
