"""A language model, one chain long or short and votes, each run once a process."""

from __future__ import annotations

from contextlib import aclosing
from functools import lru_cache

import anyio
import numpy as np

from workspan.batch.compare import compare
from workspan.batch.trials import Trial
from workspan.claims.base import Row, Setting
from workspan.claims.measures import Floats, row
from workspan.data.budget import Budget
from workspan.spec import parse_strategy
from workspan.tasks import open_tasks

TASK = "demo"
ON = "the embedded language model, SmolLM2-135M-Instruct, or that of --engine"


def graded(
    strategies: tuple[str, ...],
    work: int,
    setting: Setting,
    task: str = TASK,
    abstention: float = 0.0,
) -> dict[str, Floats]:
    """Return each strategy's grades on the same problems within `work` tokens a problem.

    An abstention counts as `abstention`, which is chance where there is one.
    """
    return {text: _graded(text, work, setting, task, abstention) for text in strategies}


def rows(grades: dict[str, Floats], work: int) -> tuple[Row, ...]:
    """Say each strategy's accuracy."""
    return tuple(row(f"{text}, {work} tokens at most", each) for text, each in grades.items())


@lru_cache
def _graded(text: str, work: int, setting: Setting, task: str, abstention: float) -> Floats:
    tasks = open_tasks(task).load(setting.size(100, 400), seed=setting.seed)

    async def run() -> Floats:
        async with aclosing(await setting.open("embedded")) as engine:
            done = await compare(
                [parse_strategy(text)],
                tasks,
                engine,
                budget=Budget(work=work),
                seed=setting.seed,
                parallel=engine.info.concurrency,
            )
        return np.array([_credit(trial, abstention) for trial in done.trials])

    return anyio.run(run)


def _credit(trial: Trial, abstention: float) -> float:
    if trial.result is not None and trial.result.answer.best is None:
        return abstention
    return trial.grade.correct if trial.grade else 0.0
