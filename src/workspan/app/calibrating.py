"""How a model works on problems like yours: what `auto` should know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workspan.app.engines import DEFAULT_ENGINE, EngineLike, opened
from workspan.app.problems import ProblemsLike, as_tasks
from workspan.app.specs import BudgetLike, StrategyLike, as_budget, as_strategy
from workspan.app.state import opened_journal
from workspan.batch.bench import Trial
from workspan.batch.compare import compare
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.errors import BudgetExceeded, InputError, MissingDependency, SpecError
from workspan.legible import counted
from workspan.spec import write
from workspan.store.journals import JournalFile
from workspan.strategies.auto.arms import arm_names
from workspan.strategies.auto.auto import Auto

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.library import Library

BUDGET = "16k work"
"""Of each problem."""


async def calibrate(
    problems: ProblemsLike,
    *,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = BUDGET,
    strategy: StrategyLike = "auto",
    arms: Sequence[StrategyLike] = (),
    lines: int = 8,
    block: int = 256,
    kind: str = "text",
    limit: int | None = None,
    seed: int = 0,
    to: Path | str | None = None,
    journal: JournalFile | Path | str | None = None,
    engines: Mapping[str, Engine | str] | None = None,
    on_progress: Callable[[Trial], None] | None = None,
) -> Library:
    """Draw chains on a sample of problems, and return what `auto` should know of the model.

    Args:
        problems: as `solve_many`; with answers or without.
        engine: as `solve`.
        budget: of each problem.
        strategy: `auto`, with its dials; or as `surveying` gives it.
        arms: strategies that it may hand a problem on to.
        lines: chains of each problem.
        block: tokens between two interim answers.
        kind: of plain questions.
        limit: of the problems.
        seed: root of all randomness.
        to: a file to write the library to.
        journal: a file in which every call is kept; the same call with it resumes.
        engines: as `solve`.
        on_progress: called with each run as it is finished.

    Raises:
        MissingDependency: the extra `lab` is not installed.
        BudgetExceeded: no chain came to its end within it: there is nothing to write.
        WorkspanError: what is wrong, before anything is spent; or the engine is gone.
    """
    try:
        from workspan.lab.calibrating import calibrate_runs
        from workspan.strategies.auto.fit.library import write_library
        from workspan.strategies.auto.policies.survey import Survey
    except ImportError:
        raise MissingDependency("a calibration", "lab") from None
    plan = as_strategy(strategy)
    if not (isinstance(plan, Auto) and isinstance(plan.fitted, Survey)):
        plan = surveying(plan, arms, lines, block)
    limits = as_budget(budget)
    check_lines(limits, plan.n)
    tasks = as_tasks(problems, kind=kind, limit=limit, seed=seed, strategy=plan)
    async with opened(engine, engines) as rig:
        with opened_journal(journal, rig.header(seed)) as journals:
            done = await compare(
                [replace(plan, arms=()), *plan.arms],
                tasks,
                rig.engine,
                budget=limits,
                seed=seed,
                journals=journals,
                on_progress=on_progress,
                engines=rig.engines,
                sets_aside=True,
            )
        chains, *others = (done.of(name) for name in done.strategies)
        by_arm = dict(zip(arm_names(plan.arms), others, strict=True))
        library = await calibrate_runs(chains, rig.engine.info.model, by_arm)
    if to is not None:
        check_learnt(library, limits)
        write_library(library, Path(to))
    return library


def check_learnt(library: Library, limits: Budget | None = None) -> None:
    """Refuse a library of which no chain came to its end: `auto` would know nothing by it.

    Raises:
        BudgetExceeded: so it is; says what would be enough.
        InputError: likewise, of recorded chains.
    """
    chains = [line for case in library.problems for line in case.lines]
    if any(line.ended for line in chains):
        return
    each = max((line.depths[-1] for line in chains), default=0)
    said = f"none of {counted(len(chains), 'chain')} came to its end"
    known = f"the longest has {counted(each, library.unit.removesuffix('s'))}"
    if limits is None:
        raise InputError(f"{said} ({known}): there is nothing to learn from")
    raise BudgetExceeded(
        f"{said} within {limits} a problem ({known}): there is nothing to learn from, and nothing "
        "was written; raise --budget to what all chains of a problem take together, or draw fewer",
        limit="work",
    )


def check_lines(limits: Budget, lines: int) -> None:
    """Refuse, before anything is spent, a problem's budget that holds no token of each chain.

    Raises:
        InputError: so it is: all chains would be cut, and none would count.
    """
    if limits.work is not None and limits.work < lines:
        raise InputError(
            f"a budget of {limits} for each problem holds no {lines} draws, each of which is a "
            "token at least: raise --budget, or draw less"
        )


def surveying(strategy: StrategyLike, arms: Sequence[StrategyLike], lines: int, block: int) -> Auto:
    """Return `auto` as it draws chains to learn from.

    Raises:
        SpecError: it is another strategy.
    """
    from workspan.strategies.auto.policies.survey import Survey

    plan = as_strategy(strategy)
    if not isinstance(plan, Auto):
        said = strategy if isinstance(strategy, str) else write(strategy)
        raise SpecError(f"calibration is for auto, with its dials, not for {said}")
    if isinstance(plan.floor, str):
        raise SpecError(f"calibration draws all lines: without floor={plan.floor!r}")
    return replace(
        plan,
        n=lines,
        arms=(*plan.arms, *map(as_strategy, arms)),
        library="",
        fitted=Survey(lines, block),
    )
