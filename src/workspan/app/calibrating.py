"""How a model works on problems like yours: what `auto` should know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread
import msgspec

from workspan.app.engines import DEFAULT_ENGINE, EngineLike, opened
from workspan.app.problems import ProblemsLike, as_tasks
from workspan.app.specs import BudgetLike, StrategyLike, as_budget, as_strategy
from workspan.app.state import opened_journal
from workspan.batch.compare import compare
from workspan.batch.trials import Trial
from workspan.core.engine import Engine
from workspan.data.budget import Budget
from workspan.errors import BudgetExceeded, InputError, MissingDependency, SpecError
from workspan.legible import counted
from workspan.spec import write
from workspan.store.journals import JournalFile
from workspan.strategies.auto.arms import arm_names
from workspan.strategies.auto.auto import Auto

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.profile import Profile

BUDGET = "16k work"
"""Of each problem."""


async def calibrate(
    problems: ProblemsLike,
    *,
    engine: EngineLike = DEFAULT_ENGINE,
    budget: BudgetLike = BUDGET,
    strategy: StrategyLike = "auto",
    arms: Sequence[StrategyLike] = (),
    chains: int = 8,
    block: int = 256,
    kind: str = "text",
    limit: int | None = None,
    seed: int = 0,
    to: Path | str | None = None,
    journal: JournalFile | Path | str | None = None,
    engines: Mapping[str, Engine | str] | None = None,
    on_progress: Callable[[Trial], None] | None = None,
) -> Profile:
    """Draw chains on a sample of problems, and return what `auto` should know of the model.

    Args:
        problems: as `solve_many`; with answers or without.
        engine: as `solve`.
        budget: of each problem.
        strategy: `auto`, with its dials; or as `calibration_plan` gives it.
        arms: strategies that it may hand a problem on to.
        chains: chains of each problem.
        block: tokens between two interim answers.
        kind: of plain questions.
        limit: of the problems.
        seed: root of all randomness.
        to: a file to write the profile to.
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
        from workspan.strategies.auto.fit.kept import write_evaluated
        from workspan.strategies.auto.policies.exhaustive import Exhaustive
    except ImportError:
        raise MissingDependency("a calibration", "lab") from None
    plan = as_strategy(strategy)
    if not (isinstance(plan, Auto) and isinstance(plan.fitted, Exhaustive)):
        plan = calibration_plan(plan, arms, chains, block)
    limits = as_budget(budget)
    check_chains(limits, plan.n)
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
        drawn, *others = (done.of(name) for name in done.strategies)
        by_arm = dict(zip(arm_names(plan.arms), others, strict=True))
        profile = msgspec.structs.replace(
            await calibrate_runs(drawn, rig.engine.info.model, by_arm),
            temperature=plan.temperature,
            max_tokens=plan.max_tokens,
        )
    if to is not None:
        check_learnt(profile, limits)
        await anyio.to_thread.run_sync(write_evaluated, profile, Path(to))
    return profile


def check_learnt(profile: Profile, limits: Budget | None = None) -> None:
    """Refuse a profile of which no chain came to its end: `auto` would know nothing by it.

    Raises:
        BudgetExceeded: so it is; says what would be enough.
        InputError: likewise, of recorded chains.
    """
    drawn = [chain for case in profile.problems for chain in case.chains]
    if any(chain.ended for chain in drawn):
        return
    each = max((chain.depths[-1] for chain in drawn), default=0)
    said = f"none of {counted(len(drawn), 'chain')} came to its end"
    known = f"the longest has {counted(each, profile.unit.removesuffix('s'))}"
    if limits is None:
        raise InputError(f"{said} ({known}): there is nothing to learn from")
    raise BudgetExceeded(
        f"{said} within {limits} a problem ({known}): there is nothing to learn from, and nothing "
        "was written; raise --budget to what all chains of a problem take together, or draw fewer",
        limit="work",
    )


def check_chains(limits: Budget, chains: int) -> None:
    """Refuse, before anything is spent, a problem's budget that holds no token of each chain.

    Raises:
        InputError: so it is: all chains would be cut, and none would count.
    """
    if limits.work is not None and limits.work < chains:
        raise InputError(
            f"a budget of {limits} for each problem holds no {chains} draws, each of which is a "
            "token at least: raise --budget, or draw less"
        )


def calibration_plan(
    strategy: StrategyLike, arms: Sequence[StrategyLike], chains: int, block: int
) -> Auto:
    """Return `auto` as it draws chains to learn from.

    Raises:
        SpecError: it is another strategy.
    """
    from workspan.strategies.auto.policies.exhaustive import Exhaustive

    plan = as_strategy(strategy)
    if not isinstance(plan, Auto):
        said = strategy if isinstance(strategy, str) else write(strategy)
        raise SpecError(f"calibration is for auto, with its dials, not for {said}")
    if isinstance(plan.floor, str):
        raise SpecError(f"calibration draws all chains: without floor={plan.floor!r}")
    return replace(
        plan,
        n=chains,
        arms=(*plan.arms, *map(as_strategy, arms)),
        profile="",
        fitted=Exhaustive(chains, block),
    )
