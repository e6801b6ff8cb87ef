"""One budget over many problems: what the easy ones leave is for the hard ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import anyio

from workspan.batch.compare import Attempts, Comparison, check_different
from workspan.batch.trials import Tool, Trial, TrialRunner
from workspan.core.engine import Engine
from workspan.core.journal import digest, seed_for
from workspan.core.ledger import Ledger
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.runner import check
from workspan.spec import write
from workspan.store.journals import JournalFile
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.efforts import has_ladders, pooled_climber
from workspan.strategies.auto.policies.state import Policy
from workspan.strategies.auto.policies.within import Within
from workspan.strategies.auto.profile import evaluation_of
from workspan.tasks.base import Task

WAVE = 8
"""Problems that run side by side under one rule."""
_GREED = 3
"""Means that one problem may take where nothing stops it but a pass, an arm or votes that agree."""


async def pool(
    strategies: Sequence[Strategy],
    tasks: Sequence[Task],
    engine: Engine,
    *,
    budget: Budget,
    seed: int = 0,
    journals: JournalFile | None = None,
    on_progress: Callable[[Trial], None] | None = None,
    engines: Mapping[str, Engine] | None = None,
    tools: Mapping[str, Tool] | None = None,
) -> Comparison:
    """Run `auto` on every task within one budget for all of them, and grade the answers.

    Problems run in waves. Before each the rule is chosen for the mean of what is left: what solved
    problems did not need raises it, so that all tokens of a wave have one price. The total is hard:
    whatever the rules ask for, no call goes beyond it. A limit on span is one on each run.

    Args:
        strategies: `auto` alone, with its dials; with a profile its plan fits the mean.
        tasks: different problems.
        engine: left open.
        budget: of all runs together; its work must be limited.
        seed: root of all randomness.
        journals: where finished calls are kept; resumed runs get the rules that they had.
        on_progress: called with each trial as it is finished.
        engines: further ones that strategies name, left open.
        tools: what strategies may use.

    Raises:
        InputError: not `auto`, no limit on work, no task, or one twice.
        EngineError: run after run failed: the engine is gone.
    """
    strategy = strategies[0]
    if not isinstance(strategy, Auto) or len(strategies) > 1:
        said = ", ".join(write(one) for one in strategies)
        raise InputError(f"auto alone can pool a budget, not {said}")
    if budget.work is None:
        raise InputError("a pooled budget needs a limit on work, such as '500k work'")
    if isinstance(strategy.floor, str):
        raise InputError(
            f"floor={strategy.floor!r} and a pooled budget don't go together: votes that end when "
            "others have spent the budget are no draws alike"
        )
    check_different([strategy], tasks)
    engines, tools = engines or {}, tools or {}
    check(strategy, engine, budget, engines, tools)
    limiter, account = anyio.CapacityLimiter(engine.info.concurrency), Ledger(budget)
    runner = TrialRunner(
        engine, budget, seed, journals, limiter, len(tasks), engines, tools, account
    )
    runner.owe(strategy, tasks)
    attempts = Attempts(runner, on_progress)
    for first in range(0, len(tasks), WAVE):
        left = max(0, budget.work - account.spent.amount.work)
        wave, rest = tasks[first : first + WAVE], len(tasks) - first
        turns = _climbing(strategy, wave, left // rest, seed)
        if turns is None:
            rule = _rule(strategy, budget, left, rest)
            turns = [(replace(strategy, fitted=rule), task) for task in wave]
        await attempts.make(turns, min(WAVE, engine.info.concurrency))
    return attempts.compared([strategy], tasks, pooled=True)


def _climbing(
    strategy: Auto, wave: Sequence[Task], mean: int, seed: int
) -> list[tuple[Auto, Task]] | None:
    """Give each problem its ladder of efforts; None where the profile has none."""
    if not has_ladders(strategy.profile):
        return None
    places = [seed_for(seed, f"{digest(task.problem)}:ladder") / 2**31 for task in wave]
    ladders = [pooled_climber(strategy, mean, place) for place in places]
    return [(replace(strategy, climbs=one), task) for one, task in zip(ladders, wave, strict=True)]


def _rule(strategy: Auto, budget: Budget, left: int, problems: int) -> Policy:
    """Choose the rule for so many problems and the work that is left for them."""
    mean = left // problems
    if strategy.profile:
        evaluation = evaluation_of(strategy.profile, None)
        rule = strategy.planned_rule(evaluation, Budget(work=mean, span=budget.span))
        if strategy.verifier is None and not strategy.arms:
            return rule
        return Within(rule, min(left, _GREED * mean))
    return Within(strategy.cold_rule(), min(left, _GREED * mean))
