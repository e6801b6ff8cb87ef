"""Every strategy on the same problems at the same budget, side by side in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import TypeVar

import anyio

from workspan.batch.trials import Away, Tool, Trial, TrialRunner
from workspan.core.engine import Engine, models
from workspan.core.journal import digest
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Usage
from workspan.errors import InputError, ungrouped
from workspan.legible import quoted
from workspan.runner import check
from workspan.spec import write
from workspan.store.journals import JournalFile
from workspan.tasks.base import Task

T = TypeVar("T")

PARALLEL = 16
"""Runs at a time, unless told otherwise; the engine's own limit bounds their calls together."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A finished comparison."""

    strategies: tuple[str, ...]
    """In the order given; the others are compared with the first."""
    tasks: tuple[Task, ...]
    trials: tuple[Trial, ...]
    """Strategy by strategy, each in the order of the tasks."""
    budget: Budget
    """Of each run: one strategy on one problem."""
    engine: str
    model: str
    seed: int
    engines: Mapping[str, str] = field(default_factory=dict)
    """Further engines by name: what stands behind each."""
    pooled: bool = False
    """The budget is of all runs together."""
    kinds_of_engine: tuple[str, ...] = ()
    """Names of all engines that took part, such as "endpoint", the runs' own first."""
    lost: Usage = field(default_factory=Usage)
    """Bounds of the calls that were in flight at a kill, and set aside: in no trial's usage."""

    def of(self, strategy: str) -> tuple[Trial, ...]:
        """Return the trials of one strategy, in the order of the tasks."""
        return tuple(trial for trial in self.trials if trial.strategy == strategy)

    @property
    def usage(self) -> Usage:
        """What everything cost, failed runs and calls that were set aside included."""
        return sum((trial.usage for trial in self.trials), self.lost)

    @property
    def ungraded(self) -> tuple[Trial, ...]:
        """Trials that failed; a resumed comparison asks for their failed calls again."""
        return tuple(trial for trial in self.trials if trial.grade is None)


async def compare(
    strategies: Sequence[Strategy],
    tasks: Sequence[Task],
    engine: Engine,
    *,
    budget: Budget,
    seed: int = 0,
    journals: JournalFile | None = None,
    parallel: int | None = None,
    on_progress: Callable[[Trial], None] | None = None,
    engines: Mapping[str, Engine] | None = None,
    tools: Mapping[str, Tool] | None = None,
    sets_aside: bool = False,
    away: Away | None = None,
) -> Comparison:
    """Run every strategy on every task within `budget` each, and grade the answers.

    The strategies take turns, so that a machine that slows down slows all alike, and draw from the
    same root seed on each problem. A run that fails is recorded as failed and the others go on.

    Args:
        strategies: different ones; the first is what the others are compared with.
        tasks: different problems.
        engine: left open.
        budget: of one run, not of all together.
        seed: root of all randomness.
        journals: where finished calls are kept; a second comparison asks none of them again.
        parallel: runs at a time; by default as many as the engine takes calls, up to `PARALLEL`,
            and one if the budget limits seconds, which waiting for the others would eat.
        on_progress: called with each trial as it is finished.
        engines: further ones that strategies name, left open.
        tools: what strategies may use, such as "search".
        sets_aside: calls that a kill cut are asked anew and cost their runs nothing: what is
            measured is what an undisturbed process measures (`lost` has what they may have cost).
        away: runs them on other machines; `parallel` is then to be told.

    Raises:
        InputError: nothing to compare, or something twice.
        UnsupportedCapability: an engine lacks what a strategy needs; nothing was spent.
        SpecError: a strategy names an engine or needs a tool that there is not; nothing was spent.
        UnpricedModel: a money limit on a model without a price; nothing was spent.
        SandboxUnavailable: the grader runs code, and this machine can't do so safely.
        EngineError: run after run failed: the engine is gone. What was finished is in `journals`.
        JournalError: the journal could not be written; what it holds is kept.
    """
    check_different(strategies, tasks)
    engines, tools = engines or {}, tools or {}
    for strategy in strategies:
        check(strategy, engine, budget, engines, tools)
    places, turns = engine.info.concurrency, take_turns(strategies, tasks)
    limiter = anyio.CapacityLimiter(places)
    runner = TrialRunner(engine, budget, seed, journals, limiter, len(turns), engines, tools)
    runner.sets_aside, runner.away = sets_aside, away
    attempts = Attempts(runner, on_progress)
    await attempts.make(turns, parallel or (1 if budget.seconds else min(PARALLEL, places)))
    return attempts.compared(strategies, tasks)


@dataclass(slots=True)
class Attempts:
    """The trials of a comparison, as they come in."""

    runner: TrialRunner
    on_progress: Callable[[Trial], None] | None
    done: dict[tuple[str, str], Trial] = field(default_factory=dict)
    """By strategy and problem."""

    async def make(self, turns: Sequence[tuple[Strategy, Task]], at_once: int) -> None:
        """Run strategies on tasks, begun in their order; an error in one cancels the others."""

        async def attempt(turn: tuple[Strategy, Task]) -> None:
            trial = await self.runner.attempt(*turn)
            self.done[trial.strategy, digest(trial.task.problem)] = trial
            if self.on_progress is not None:
                self.on_progress(trial)

        await side_by_side(attempt, turns, at_once)

    def compared(
        self, strategies: Sequence[Strategy], tasks: Sequence[Task], *, pooled: bool = False
    ) -> Comparison:
        """Put together what was made, strategy by strategy."""
        runner, names = self.runner, tuple(write(strategy) for strategy in strategies)
        info, engines = runner.engine.info, (runner.engine, *runner.engines.values())
        return Comparison(
            names,
            tuple(tasks),
            tuple(self.done[name, digest(task.problem)] for name in names for task in tasks),
            runner.budget,
            info.name,
            info.model,
            runner.seed,
            models(runner.engines),
            pooled,
            tuple(one.info.name for one in engines),
            runner.lost,
        )


def take_turns(
    strategies: Sequence[Strategy], tasks: Sequence[Task]
) -> list[tuple[Strategy, Task]]:
    """Go problem by problem, with another strategy first each time."""
    n = len(strategies)
    return [(strategies[(i + j) % n], task) for i, task in enumerate(tasks) for j in range(n)]


def check_different(strategies: Sequence[Strategy], tasks: Sequence[Task]) -> None:
    """Refuse nothing to run, and what is given twice.

    Raises:
        InputError: so it is.
    """
    if not strategies or not tasks:
        raise InputError("a comparison needs at least one strategy and one problem")
    names = [write(strategy) for strategy in strategies]
    for what, shown, keys in (
        ("strategy", names, names),
        ("problem", [t.problem.id for t in tasks], [digest(t.problem) for t in tasks]),
    ):
        seen: set[str] = set()
        for name, key in zip(shown, keys, strict=True):
            if key in seen:
                raise InputError(f"the {what} {quoted(name)} is given twice: give each once")
            seen.add(key)


async def side_by_side(
    attempt: Callable[[T], Awaitable[None]], turns: Iterable[T], at_once: int
) -> None:
    """Make the attempts, begun in their order; an error in one cancels the others.

    Turns are taken as they are begun: there may be more than fit in memory.
    """
    at_once = min(at_once, len(turns)) if isinstance(turns, Sized) else at_once
    queue = iter(turns)  # shared: each worker takes what comes next

    async def worker() -> None:
        for turn in queue:
            await attempt(turn)

    try:
        async with anyio.create_task_group() as group:
            for _ in range(at_once):
                group.start_soon(worker)
    except BaseExceptionGroup as errors:
        raise ungrouped(errors) from errors
