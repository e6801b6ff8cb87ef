"""Problems, graders and engines that the tests of the lab share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import anyio

from workspan.batch.compare import Comparison, compare
from workspan.batch.trials import Trial
from workspan.core.engine import Engine
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import GraderError
from workspan.store.journals import JournalFile
from workspan.tasks.base import Grade, Task
from workspan.testing.strategy_suite import TOOLS


@dataclass(frozen=True)
class Same:
    """Right if the answer is the reference, to the letter."""

    async def __call__(self, task: Task, answer: str | None) -> Grade:
        if task.reference == "unjudged":
            raise GraderError("no judgement today")
        return Grade(float(answer == task.reference))


def task(i: int, reference: str = "4") -> Task:
    problem = Problem.ask(f"Problem {i}: what is it?", kind="number", id=f"p{i}")
    return Task(problem, reference, Same())


def tasks(n: int) -> list[Task]:
    return [task(i) for i in range(n)]


def execute(
    strategies: Sequence[Strategy],
    problems: Sequence[Task],
    engine: Engine,
    budget: Budget | None = None,
    *,
    seed: int = 0,
    journals: JournalFile | None = None,
    parallel: int | None = None,
    on_progress: Callable[[Trial], None] | None = None,
) -> Comparison:
    async def main() -> Comparison:
        return await compare(
            strategies,
            problems,
            engine,
            budget=budget or Budget(work=2000),
            seed=seed,
            journals=journals,
            parallel=parallel,
            tools=TOOLS,
            on_progress=on_progress,
        )

    return anyio.run(main)
