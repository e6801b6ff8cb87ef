"""One record a strategy: what a comparison found, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from string import ascii_uppercase

from workspan.batch.compare import Comparison
from workspan.batch.trials import Trial
from workspan.data.budget import Budget
from workspan.data.types import Source, Usage
from workspan.lab.stats import Difference, paired_difference, wilson


@dataclass(frozen=True, slots=True)
class Record:
    """One strategy's line. Means are over its problems; None is unknown."""

    strategy: str
    budget: str
    problems: int
    """Those with a grade: failed runs are neither right nor wrong."""
    accuracy: float | None
    low: float
    """Of the 95 % interval of the accuracy."""
    high: float
    difference: float | None
    """Accuracy ahead of the first strategy on the same problems; None for the first itself, and
    where one of the two passed the budget: then they were not matched."""
    difference_low: float | None
    difference_high: float | None
    differs: bool | None
    """The 95 % interval of the difference leaves out zero."""
    work: float
    """Decoded tokens a problem, mean."""
    span: float
    """Decoded tokens on the longest chain of calls, mean."""
    parallelism: float
    """All work over all span."""
    prefill: float
    """Prompt tokens that no cache served, mean."""
    cached: float
    """Prompt tokens that a cache served, mean: what revision and evolution read again."""
    calls: float
    seconds: float
    """Wall clock of a run, mean; other runs may have shared the engine."""
    cost: float | None
    """USD a problem, mean; None where no price is known."""
    answered: float
    """Share of the finished runs that gave an answer."""
    random: float | None
    """Accuracy of a random pick among each run's candidates; None where they were not graded."""
    coverage: float | None
    """Share of the runs that drew the right answer at all: the best that a selector could do."""
    effective_n: float | None
    """Different answers that a run's votes amount to, mean: 1 leaves nothing to choose."""
    ties: int
    failed_calls: int
    """Calls that came to nothing within finished runs."""
    failed_runs: int
    """Runs without a grade."""
    stops: Mapping[str, int]
    """How many runs ended by themselves ("done") or by which limit."""
    source: Source
    """The weakest source among the token counts."""
    over_budget: int
    """Runs that passed a limit, failed ones included: 0, unless an engine billed more than it was
    asked for. Of a pooled budget, all runs if together they passed it."""
    engine: str
    model: str
    engines: Mapping[str, str]
    """Further engines by name: what stands behind each."""
    seed: int


def records(comparison: Comparison) -> list[Record]:
    """Sum up each strategy, in the order given."""
    return [_record(comparison, strategy) for strategy in comparison.strategies]


def letter(i: int) -> str:
    """Name strategy i in tables and plots: A to Z, then AA to AZ, and so on."""
    before, i = divmod(i, len(ascii_uppercase))
    return (letter(before - 1) if before else "") + ascii_uppercase[i]


def by_parallelism(found: Sequence[Record]) -> list[tuple[int, Record]]:
    """Order records, each with its place in the order given, from sequential to parallel."""
    return sorted(enumerate(found), key=lambda row: row[1].parallelism)


def matched(found: Sequence[Record]) -> list[Record]:
    """Leave out what passed the budget: it stands beside the others, but not against them."""
    return [record for record in found if not record.over_budget]


def difference(comparison: Comparison, ours: str, theirs: str) -> Difference | None:
    """Compare two strategies on the problems that both have a grade for."""
    pairs = [
        (a.grade.correct, b.grade.correct)
        for a, b in zip(comparison.of(ours), comparison.of(theirs), strict=True)
        if a.grade is not None and b.grade is not None
    ]
    return paired_difference([a for a, _ in pairs], [b for _, b in pairs])


def _record(comparison: Comparison, strategy: str) -> Record:
    trials = comparison.of(strategy)
    results = [trial.result for trial in trials if trial.result is not None]
    grades = [trial.grade.correct for trial in trials if trial.grade is not None]
    candidates = [trial.drawn for trial in trials if trial.drawn is not None]
    first = comparison.strategies[0]
    over = {name: _over(comparison, comparison.of(name)) for name in (strategy, first)}
    is_matched = strategy != first and not any(over.values())
    ahead = difference(comparison, strategy, first) if is_matched else None
    low, high = wilson(grades)
    total = sum((result.usage for result in results), Usage())
    span = sum(result.span for result in results)
    return Record(
        strategy=strategy,
        budget=str(comparison.budget),
        problems=len(grades),
        accuracy=fmean(grades) if grades else None,
        low=low,
        high=high,
        difference=ahead.mean if ahead else None,
        difference_low=ahead.low if ahead else None,
        difference_high=ahead.high if ahead else None,
        differs=ahead.excludes_zero if ahead else None,
        work=_mean([result.work for result in results]),
        span=_mean([result.span for result in results]),
        parallelism=total.work / span if span else 1.0,
        prefill=_mean([result.usage.prefill for result in results]),
        cached=_mean([result.usage.cached_tokens for result in results]),
        calls=_mean([result.usage.calls for result in results]),
        seconds=_mean([result.seconds for result in results]),
        cost=None if total.cost is None else float(total.cost) / max(1, len(results)),
        answered=_mean([result.answer.best is not None for result in results]),
        random=_known([drawn.random for drawn in candidates]),
        coverage=_known([drawn.coverage for drawn in candidates]),
        effective_n=_known([n for r in results if (n := r.answer.effective_n) is not None]),
        ties=sum(result.answer.tied for result in results),
        failed_calls=sum(result.failures for result in results),
        failed_runs=len(trials) - len(grades),
        stops=dict(Counter(result.stop for result in results)),
        source=total.source,
        over_budget=over[strategy],
        engine=comparison.engine,
        model=comparison.model,
        engines=comparison.engines,
        seed=comparison.seed,
    )


def _mean(values: Sequence[float]) -> float:
    return fmean(values) if values else 0.0


def _known(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _over(comparison: Comparison, trials: Sequence[Trial]) -> int:
    """Count the runs that passed the budget."""
    if comparison.pooled:
        total = sum((trial.usage for trial in trials), Usage())
        spans = [trial.result.span for trial in trials if trial.result is not None]
        return len(trials) if _is_over(total, max(spans, default=0), comparison.budget) else 0
    return sum(
        bool(trial.result.overruns)
        or _is_over(trial.result.usage, trial.result.span, comparison.budget)
        if trial.result is not None
        else _is_over(trial.usage, 0, comparison.budget)
        for trial in trials
    )


def _is_over(usage: Usage, span: int, budget: Budget) -> bool:
    spent = usage.amount
    return any(
        limit is not None and value > limit
        for value, limit in (
            (spent.work, budget.work),
            (span, budget.span),
            (spent.prefill, budget.prefill),
            (spent.calls, budget.calls),
            (spent.cost, budget.cost),
        )
    )
