"""Strategies on the same problems at the same budget; and what that would take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workspan.app.answers import Compared
from workspan.app.engines import DEFAULT_ENGINE, EngineLike, opened
from workspan.app.problems import ProblemsLike, as_tasks
from workspan.app.specs import BudgetLike, StrategyLike, as_budget, as_strategies, check_count
from workspan.app.state import opened_journal
from workspan.batch.compare import compare as run_comparison
from workspan.batch.trials import Tool, Trial
from workspan.core.engine import Engine
from workspan.lab.estimating import Estimate, slowest
from workspan.lab.estimating import estimate as run_estimate
from workspan.lab.records import records
from workspan.store.journals import JournalFile

ALONE = "single,self_consistency(n=8)"


async def compare(
    problems: ProblemsLike,
    strategies: StrategyLike | Sequence[StrategyLike] = ALONE,
    *,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = None,
    kind: str = "text",
    limit: int | None = None,
    parallel: int | None = None,
    seed: int = 0,
    journal: JournalFile | Path | str | None = None,
    engines: Mapping[str, Engine | str] | None = None,
    tools: Mapping[str, Tool] | None = None,
    on_progress: Callable[[Trial], None] | None = None,
) -> Compared:
    """Run strategies on the same problems at the same budget, and grade their answers.

    Args:
        problems: as `solve_many`; those with a reference are graded.
        strategies: a list, or a text with commas between them; the others are held against the
            first.
        engine: as `solve`.
        budget: of each run: one strategy on one problem.
        kind: of plain questions.
        limit: of the problems.
        parallel: runs at a time.
        seed: root of all randomness.
        journal: a file in which every call is kept; the same call with it resumes.
        engines: as `solve`.
        tools: as `solve`.
        on_progress: called with each run as it is finished.

    Raises:
        WorkspanError: what is wrong, before anything is spent; or the engine is gone: what was
            finished is in the journal.

    Example:
        >>> import anyio, workspan as ws
        >>> done = anyio.run(lambda: ws.compare("demo", "single", engine="scripted", limit=2))
        >>> done.records[0].strategy
        'single'
    """
    plans, limits = as_strategies(strategies), as_budget(budget)
    check_count("parallel", parallel)
    tasks = as_tasks(problems, kind=kind, limit=limit, seed=seed, strategy=plans[0])
    async with opened(engine, engines, tools) as rig:
        with opened_journal(journal, rig.header(seed)) as journals:
            done = await run_comparison(
                plans,
                tasks,
                rig.engine,
                budget=limits,
                seed=seed,
                journals=journals,
                parallel=parallel,
                on_progress=on_progress,
                engines=rig.engines,
                tools=rig.tools,
            )
    return Compared(done, records(done))


async def estimate(
    problems: ProblemsLike,
    strategies: StrategyLike | Sequence[StrategyLike] = ALONE,
    *,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = None,
    kind: str = "text",
    limit: int | None = None,
    seed: int = 0,
    engines: Mapping[str, Engine | str] | None = None,
    tools: Mapping[str, Tool] | None = None,
) -> Estimate:
    """Say what a comparison, or a strategy alone, would take; nothing that costs money is asked.

    The arguments are those of `compare`.

    Raises:
        WorkspanError: what is wrong.

    Example:
        >>> import anyio, workspan as ws
        >>> told = anyio.run(lambda: ws.estimate("demo", "single", engine="scripted", limit=2))
        >>> told.total.calls.high
        2.0
    """
    plans, limits = as_strategies(strategies), as_budget(budget)
    tasks = as_tasks(problems, kind=kind, limit=limit, seed=seed, strategy=plans[0])
    async with opened(engine, engines, tools) as rig:
        return await run_estimate(
            plans,
            [task.problem for task in tasks],
            rig.engine,
            budget=limits,
            speed=await slowest([rig.engine, *rig.engines.values()], tasks[0].problem),
            engines=rig.engines,
            tools=rig.tools,
        )
