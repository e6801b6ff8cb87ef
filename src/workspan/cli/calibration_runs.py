"""Chains of every problem drawn for a profile, with a bar that tells how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.progress import Progress

from workspan.app.calibrating import calibrate
from workspan.app.engines import Opened
from workspan.batch.trials import Trial
from workspan.cli.terminal import Terminal
from workspan.data.budget import Budget
from workspan.store.journals import JournalFile
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import Profile
from workspan.tasks.base import Task


async def calibration_runs(
    title: str,
    plan: Auto,
    tasks: Sequence[Task],
    opened: Opened,
    budget: Budget,
    seed: int,
    path: Path,
) -> Profile:
    """Draw chains and run arms on every problem; a second try goes on where the first stopped."""
    with (
        JournalFile(path, opened.header(seed)) as journals,
        Progress(console=Terminal(stderr=True)) as progress,
    ):
        bar = progress.add_task(title, total=len(tasks) * (1 + len(plan.arms)))
        failed: list[Trial] = []

        def ended(trial: Trial) -> None:
            progress.advance(bar)
            if trial.result is None:
                failed.append(trial)

        profile = await calibrate(
            tasks,
            engine=opened,
            budget=budget,
            strategy=plan,
            seed=seed,
            journal=journals,
            on_progress=ended,
        )
    if failed:
        said = f"{len(failed)} runs failed and are left out (the same command asks them again)"
        Terminal(stderr=True).print(f"{said}: {failed[0].error}", soft_wrap=True)
    return profile
