"""What came of a cell: a row for each problem, and one that sums them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from statistics import fmean
from typing import Literal, TypeVar

from workspan.batch.trials import Trial
from workspan.data.budget import Budget
from workspan.data.money import exactly
from workspan.data.types import Amount, Usage
from workspan.lab.stats import Interval, bootstrap, wilson
from workspan.lab.sweeping.cell import Cell, limits
from workspan.legible import legible

N = TypeVar("N", int, float)

Status = Literal["done", "over", "partial", "failed", "cut"]
"""done: every problem has a grade; over: so it has, but the engine took more of some runs than
their budget allowed, so that it stands beside others and not against them; partial: some have none,
and the error says why; failed: none has; cut: the sweep's budget did not allow all of its runs, so
it is no measurement."""
FINAL: tuple[Status, ...] = ("done", "over")
"""Of cells that are not run again."""

_OF_MONEY = 12
"""Decimal places of a dollar that the store counts in."""
_LONGEST_ANSWER, _LONGEST_ERROR = 4_000, 1_000


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One strategy on one problem, as it is kept. None is unknown."""

    place: int
    """Of the problem among the cell's."""
    problem: str
    correct: float | None
    """None where the run failed or could not be graded: neither right nor wrong."""
    answer: str | None
    error: str
    stop: str
    """"done"; "cut" where the budget cut a call short; the limit that refused one; or "failed"."""
    work: int
    span: int
    prefill: int
    calls: int
    cost: int | None
    """In 10^-12 USD."""
    charged: int
    """Work, with the tokens that a cut may have left unseen: what its account was charged."""
    random: float | None
    """How right a random pick among its candidates is."""
    coverage: float | None
    """Whether the right answer was drawn at all."""
    effective_n: float | None
    is_shared: bool
    """Its calls are those of the cell that it shares draws with: nothing was spent on it."""
    lost_calls: int = 0
    """In flight when a process was killed: charged to the sweep by their bounds, and asked anew."""
    lost_work: int = 0
    lost_prefill: int = 0
    lost_cost: int = 0


@dataclass(frozen=True, slots=True)
class CellRow:
    """A cell with what came of it. Means are over its problems; None is unknown."""

    id: str
    engine: str
    identity: str
    model: str
    task: str
    problems_digest: str
    strategy: str
    budget: str
    effort: str
    seed: int
    status: Status
    error: str
    draws: str
    """The cell whose draws it shares on some problems at least, its own id where it drew all for
    itself: cells of one value are not independent."""
    problems: int
    graded: int
    accuracy: float | None
    low: float
    """Of the 95 % interval of the accuracy."""
    high: float
    work: float
    """Decoded tokens a problem."""
    span: float
    prefill: float
    calls: float
    cost: float | None
    """USD a problem."""
    random: float | None
    """Accuracy of a random pick among each run's candidates; None where one run's is not known."""
    coverage: float | None
    """Share of the runs that drew the right answer at all; None as before."""
    effective_n: float | None
    spent_calls: int
    """In all, by whichever sweeps ran it: runs of its own, and what was lost at kills."""
    spent_work: int
    spent_prefill: int
    spent_cost: int
    """In 10^-12 USD; 0 where no price is known."""
    lost_work: int
    """Of it, by bounds, the calls that were in flight when a process was killed."""


NOTHING = Amount()


def trial_row(
    place: int, trial: Trial, *, is_shared: bool, is_cut: bool = False, lost: Usage | None = None
) -> TrialRow:
    """Flatten a graded run; `lost` is what killed processes had in flight of it.

    That a call was cut is told by the journal, whatever else ended the run.
    """
    result, usage = trial.result, trial.usage
    gone = NOTHING if lost is None else lost.amount
    return TrialRow(
        place=place,
        problem=legible(trial.task.problem.id),
        correct=None if trial.grade is None else trial.grade.correct,
        answer=kept(result.answer.text) if result is not None else None,
        error=kept(trial.error, _LONGEST_ERROR) or "",
        stop="failed" if result is None else "cut" if is_cut else result.stop,
        work=usage.work,
        span=result.span if result is not None else 0,
        prefill=usage.prefill,
        calls=usage.calls,
        cost=None if usage.cost is None else pico(usage.cost),
        charged=usage.amount.work,
        random=trial.drawn.random if trial.drawn else None,
        coverage=trial.drawn.coverage if trial.drawn else None,
        effective_n=result.answer.effective_n if result is not None else None,
        is_shared=is_shared,
        lost_calls=gone.calls,
        lost_work=gone.work,
        lost_prefill=gone.prefill,
        lost_cost=pico(gone.cost),
    )


def cell_row(
    cell: Cell,
    trials: Sequence[TrialRow],
    *,
    of: int,
    draws: str,
    error: str = "",
    before: Amount = NOTHING,
    lost: int = 0,
) -> CellRow:
    """Sum up the trials of a cell, which has `of` problems in all.

    Failed runs are in the account and in no mean: they are neither right nor wrong.

    Args:
        cell: which.
        trials: of its problems, those that were run.
        of: its problems.
        draws: the cell that drew.
        error: why it could not be run to its end, if not for the budget.
        before: what earlier processes spent on it that stands in no trial.
        lost: of that, the work that was in flight when one of them was killed.
    """
    grades = [one.correct for one in trials if one.correct is not None]
    ended = [one for one in trials if one.stop != "failed"]
    low, high = interval(grades)
    costs = [one.cost for one in ended]
    own = [one for one in trials if not one.is_shared]
    lost_work = sum(one.lost_work for one in trials)
    errors = [one.error for one in trials if one.error]
    return CellRow(
        id=cell.id,
        engine=cell.engine,
        identity=cell.identity,
        model=cell.model,
        task=cell.task,
        problems_digest=cell.problems,
        strategy=cell.strategy,
        budget=cell.budget,
        effort=cell.effort,
        seed=cell.seed,
        status="failed" if error else _status(cell, trials, len(grades), of),
        error=error or (errors[0] if errors else ""),
        draws=draws,
        problems=of,
        graded=len(grades),
        accuracy=fmean(grades) if grades else None,
        low=low,
        high=high,
        work=_mean(ended, lambda one: one.work),
        span=_mean(ended, lambda one: one.span),
        prefill=_mean(ended, lambda one: one.prefill),
        calls=_mean(ended, lambda one: one.calls),
        cost=dollars(sum(known), len(ended)) if (known := _all(costs)) is not None else None,
        random=_mean_of_all([one.random for one in ended if one.correct is not None]),
        coverage=_mean_of_all([one.coverage for one in ended if one.correct is not None]),
        effective_n=_known(one.effective_n for one in ended),
        spent_calls=before.calls
        + sum(one.calls for one in own)
        + sum(one.lost_calls for one in trials),
        spent_work=before.work + sum(one.charged for one in own) + lost_work,
        spent_prefill=before.prefill
        + sum(one.prefill for one in own)
        + sum(one.lost_prefill for one in trials),
        spent_cost=pico(before.cost)
        + sum(one.cost or 0 for one in own)
        + sum(one.lost_cost for one in trials),
        lost_work=lost_work + lost,
    )


def _status(cell: Cell, trials: Sequence[TrialRow], graded: int, of: int) -> Status:
    if len(trials) < of:
        return "cut"
    if graded == of:
        return "over" if _is_over(trials, limits(cell.budget)) else "done"
    return "partial" if graded else "failed"


def _is_over(trials: Sequence[TrialRow], budget: Budget) -> bool:
    """Tell whether a run passed its budget: an engine billed for more than it was asked for."""
    cost = None if budget.cost is None else pico(budget.cost)
    most = (budget.work, budget.span, budget.prefill, budget.calls, cost)
    return any(
        limit is not None and taken > limit
        for one in trials
        for taken, limit in zip(_taken(one), most, strict=True)
    )


def _taken(one: TrialRow) -> tuple[int, ...]:
    return one.charged, one.span, one.prefill, one.calls, one.cost or 0


def interval(grades: Sequence[float]) -> Interval:
    """Return the 95 % interval of a mean: the score interval of right and wrong, else a bootstrap.

    One grade a problem: what is drawn is problems.
    """
    if all(grade in (0, 1) for grade in grades):
        return wilson(grades)
    return bootstrap(grades)


def spent(row: CellRow) -> Amount:
    """Return what a cell took in all."""
    return Amount(row.spent_calls, row.spent_work, row.spent_prefill, money(row.spent_cost))


def pico(cost: Decimal) -> int:
    """Return dollars as the store counts them, rounded up."""
    if not cost:
        return 0
    with exactly():
        return int(cost.scaleb(_OF_MONEY).to_integral_value(ROUND_CEILING))


def money(counted: int) -> Decimal:
    """Return what the store counted in dollars, exactly."""
    if not counted:
        return NOTHING.cost
    with exactly():
        return Decimal(counted).scaleb(-_OF_MONEY)


def dollars(counted: int, among: int = 1) -> float | None:
    """Return what the store counted in dollars, divided; None among nobody."""
    return counted / among / 10**_OF_MONEY if among else None


def _all(values: Sequence[N | None]) -> list[N] | None:
    known = [one for one in values if one is not None]
    return known if len(known) == len(values) else None


def _mean_of_all(values: Sequence[float | None]) -> float | None:
    """Return the mean; None where one is not known: those that are not known are no fair sample."""
    known = _all(values)
    return fmean(known) if known else None


def _mean(rows: Sequence[TrialRow], measure: Callable[[TrialRow], float]) -> float:
    return fmean(map(measure, rows)) if rows else 0.0


def _known(values: Iterable[float | None]) -> float | None:
    known = [one for one in values if one is not None]
    return fmean(known) if known else None


def kept(text: str | None, longest: int = _LONGEST_ANSWER) -> str | None:
    """Make a text what any database takes: no half characters, no zeros, not endless."""
    if text is None:
        return None
    sound = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    return sound if len(sound) <= longest else sound[: longest - 1] + "…"
