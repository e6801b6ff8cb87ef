"""Lines of every problem drawn for a library, with a bar that tells how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from workspan.app.calibrating import calibrate
from workspan.app.engines import Opened
from workspan.batch.bench import Trial
from workspan.cli.screen import Screen
from workspan.data.budget import Budget
from workspan.legible import counted
from workspan.store.journals import JournalFile
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.library import Library
from workspan.tasks.base import Task


async def surveyed(
    title: str,
    plan: Auto,
    tasks: Sequence[Task],
    opened: Opened,
    budget: Budget,
    seed: int,
    path: Path,
) -> Library:
    """Run survey and arms on every problem; a second try goes on where the first was stopped."""
    with (
        JournalFile(path, opened.header(seed)) as journals,
        Progress(console=Screen(stderr=True)) as progress,
    ):
        bar = progress.add_task(title, total=len(tasks) * (1 + len(plan.arms)))
        failed: list[Trial] = []

        def ended(trial: Trial) -> None:
            progress.advance(bar)
            if trial.result is None:
                failed.append(trial)

        library = await calibrate(
            tasks,
            engine=opened,
            budget=budget,
            strategy=plan,
            seed=seed,
            journal=journals,
            on_progress=ended,
        )
    if failed:
        said = f"{counted(len(failed), 'run')} failed: left out (the same command asks again)"
        Screen(stderr=True).print(f"{said}: {failed[0].error}", soft_wrap=True)
    return library
