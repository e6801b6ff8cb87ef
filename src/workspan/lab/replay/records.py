"""One record a strategy and budget: what a replay found, in numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean

from workspan.data.budget import Budget
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.methods import BEST_FIXED, ORACLE
from workspan.lab.replay.replay import Replayed
from workspan.lab.stats import bootstrap, paired_difference

_ROUNDING = 1e-9
"""Share by which a mean may be above a budget that its parts meet exactly."""


@dataclass(frozen=True, slots=True)
class ReplayRecord:
    """One strategy within one budget. Means are over problems, of each over models and orders."""

    strategy: str
    budget: int | None
    """Work of one problem; None where work is not limited."""
    limits: str
    """The whole budget, as it is written."""
    pooled: bool
    """The budget is a mean over the problems; else it limits each run."""
    over_budget: bool
    """The mean passed the budget, or a run its own limit: what it would have given within it is not
    known, so it is matched with no other."""
    uses_labels: bool
    """It saw the right answers: the oracle, a bound that no strategy is."""
    problems: int
    accuracy: float
    low: float
    """Of the 95 % bootstrap interval over problems."""
    high: float
    difference: float | None
    """Accuracy ahead of the first strategy, paired by problem; None for the first itself, and where
    one of the two is above the budget."""
    difference_low: float | None
    difference_high: float | None
    work: float
    span: float
    random: float | None
    """Accuracy of a random pick among each run's candidates; None of the oracle."""
    coverage: float | None
    """Share of the runs that drew the right answer at all: the best that a selector could do."""
    effective_n: float | None
    """Different answers that a run's votes amount to: 1 leaves nothing to choose."""
    milliseconds: float
    """Of one run on this machine: the strategy and the account, without any decoding."""
    regret: float | None
    """Accuracy behind the oracle; None without it, or above the budget."""
    gap_closed: float | None
    """Share of the way from the best fixed split to the oracle; None without the two, or where one
    of the three is above the budget."""
    area: float | None
    """Under its accuracy over the logarithm of the budgets, as a mean height; None where one of
    them was passed."""
    model: str
    task: str
    unit: str
    folds: str
    seed: int
    seeds: int


def records(done: Replayed, by: str = "") -> list[ReplayRecord]:
    """Sum up each strategy and budget, budgets inside strategies, in the order given.

    Args:
        done: the replay.
        by: "model" or "task" gives records for each; "" puts all together.
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in done.outcomes:
        groups.setdefault(getattr(outcome, by) if by else "", []).append(outcome)
    return [record for group in groups.values() for record in _records(done, group)]


def _records(done: Replayed, outcomes: Sequence[Outcome]) -> list[ReplayRecord]:
    held: dict[tuple[str, Budget], list[Outcome]] = {}
    for outcome in outcomes:
        held.setdefault((outcome.strategy, outcome.budget), []).append(outcome)
    grades = {key: _by_problem(found) for key, found in held.items()}
    heights = {key: fmean(found.values()) for key, found in grades.items()}
    over = {key for key, found in held.items() if _is_over(done, found)}
    found: list[ReplayRecord] = []
    for strategy in done.strategies:
        curve = [(budget, heights[strategy, budget]) for budget in done.budgets]
        area = None if any((strategy, b) in over for b in done.budgets) else _area(curve)
        for budget in done.budgets:
            own, first = (strategy, budget), (done.strategies[0], budget)
            rival = grades[first] if own != first and over.isdisjoint((own, first)) else None
            record = _record(done, held[own], grades[own], rival)
            record = replace(record, area=area, over_budget=own in over)
            fixed, best = (
                heights.get((name, budget)) if over.isdisjoint((own, (name, budget))) else None
                for name in (BEST_FIXED, ORACLE)
            )
            found.append(_placed(record, fixed, best))
    return found


def _is_over(done: Replayed, outcomes: Sequence[Outcome]) -> bool:
    """Tell whether runs passed their limits or, where the budget is a mean, the mean did."""
    budget = outcomes[0].budget
    means = [(budget.work, fmean(one.work for one in outcomes))]
    if outcomes[0].strategy in done.pooled:
        means.append((budget.span, fmean(one.span for one in outcomes)))
    return any(one.over for one in outcomes) or any(
        limit is not None and mean > limit * (1 + _ROUNDING) for limit, mean in means
    )


def _by_problem(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Average over recordings: the problem is what is drawn at random."""
    grades: dict[str, list[float]] = {}
    for outcome in outcomes:
        grades.setdefault(outcome.problem, []).append(outcome.correct)
    return {name: fmean(own) for name, own in sorted(grades.items())}


def _record(
    done: Replayed,
    outcomes: Sequence[Outcome],
    grades: dict[str, float],
    rival: dict[str, float] | None,
) -> ReplayRecord:
    strategy, budget = outcomes[0].strategy, outcomes[0].budget
    values = [*grades.values()]
    low, high = bootstrap(values)
    ahead = paired_difference(values, [rival[name] for name in grades]) if rival else None
    return ReplayRecord(
        strategy=strategy,
        budget=budget.work,
        limits=str(budget),
        pooled=strategy in done.pooled,
        over_budget=False,
        uses_labels=strategy == ORACLE,
        problems=len(values),
        accuracy=fmean(values),
        low=low,
        high=high,
        difference=ahead.mean if ahead else None,
        difference_low=ahead.low if ahead else None,
        difference_high=ahead.high if ahead else None,
        work=fmean(outcome.work for outcome in outcomes),
        span=fmean(outcome.span for outcome in outcomes),
        random=_known([outcome.random for outcome in outcomes]),
        coverage=_known([outcome.coverage for outcome in outcomes]),
        effective_n=_known([outcome.effective_n for outcome in outcomes]),
        milliseconds=1000 * fmean(outcome.seconds for outcome in outcomes),
        regret=None,
        gap_closed=None,
        area=None,
        model=", ".join(sorted({outcome.model for outcome in outcomes})),
        task=", ".join(sorted({outcome.task for outcome in outcomes})),
        unit=done.unit,
        folds=str(done.folds),
        seed=done.seed,
        seeds=done.seeds,
    )


def _known(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _placed(record: ReplayRecord, fixed: float | None, best: float | None) -> ReplayRecord:
    """Place it between the best fixed split and the oracle, where these ran."""
    if best is None:
        return record
    regret = best - record.accuracy
    is_gap = fixed is not None and best > fixed
    share = (record.accuracy - fixed) / (best - fixed) if is_gap and fixed is not None else None
    return replace(record, regret=regret, gap_closed=share)


def _area(curve: Sequence[tuple[Budget, float]]) -> float:
    """Mean height by the trapezium rule over log work; of unlimited work, the plain mean."""
    points = [(math.log(b.work), height) for b, height in curve if b.work]
    points.sort()
    if len(points) < 2 or points[0][0] == points[-1][0]:
        return fmean(height for _, height in curve)
    area = sum((x2 - x1) * (y1 + y2) / 2 for (x1, y1), (x2, y2) in pairwise(points))
    return area / (points[-1][0] - points[0][0])
