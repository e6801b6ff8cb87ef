"""Chains of every problem drawn for a profile, with a bar that tells how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.progress import Progress

from workspan.app.calibrating import calibrate
from workspan.app.engines import Opened, open_engines
from workspan.app.state import kept_journal, private_files
from workspan.batch.trials import Trial
from workspan.cli.dry import say_plan
from workspan.cli.terminal import Terminal
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.legible import counted
from workspan.store.journals import JournalFile
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.profile import Profile
from workspan.tasks.base import Task

Words = Sequence[str] | None
"""What an option that can be repeated was given."""


@dataclass(frozen=True)
class Asked:
    """What a command was told of its engines, and what else its journal hangs on."""

    engines: tuple[Words, Words, Words, Words, Words]
    """`--engine`, `--model`, `--price`, `--set` and `--api-key-env`."""
    told: Sequence[str]


def calibration_runs(
    title: str,
    plan: Auto,
    tasks: Sequence[Task],
    budget: Budget,
    seed: int,
    asked: Asked,
    journal: Path | None,
    *,
    tried: Sequence[Strategy] | None,
    json: bool = False,
) -> Profile | None:
    """Open the engines and draw; with strategies to be `tried` only say what those will take.

    A second try of the same command goes on where the first was stopped.
    """

    async def main() -> Profile | None:
        opened = await open_engines(*asked.engines, is_dry=tried is not None)
        try:
            if tried is not None:
                problems = [one.problem for one in tasks]
                await say_plan(tried, problems, opened, budget, json=json)
                return None
            kept = journal or kept_journal(title, asked.told)
            return await _drawn(title, plan, tasks, opened, budget, seed, kept)
        finally:
            await opened.aclose()

    with private_files():
        return anyio.run(main)


async def _drawn(
    title: str,
    plan: Auto,
    tasks: Sequence[Task],
    opened: Opened,
    budget: Budget,
    seed: int,
    path: Path,
) -> Profile:
    """Run chains and arms on every problem."""
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
        said = f"{counted(len(failed), 'run')} failed: left out (the same command asks again)"
        Terminal(stderr=True).print(f"{said}: {failed[0].error}", soft_wrap=True)
    return profile
