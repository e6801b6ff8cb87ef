"""Strategies on recorded chains: each budget, each problem held out, several orders of chains."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from workspan.data.budget import Budget
from workspan.errors import InputError
from workspan.lab.replay.fitted import Method
from workspan.lab.replay.fitting import Fitting
from workspan.lab.replay.folds import Folds, Split
from workspan.lab.replay.grid import Grid
from workspan.lab.replay.held_out import Outcome, Work, outcome_of
from workspan.lab.replay.methods import ORACLE, Plain, name_of
from workspan.lab.replay.workers import done_by
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Recording
from workspan.runner import check
from workspan.strategies.auto.profile import known

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Replayed:
    """A finished replay."""

    strategies: tuple[str, ...]
    """In the order given; the others are compared with the first."""
    pooled: Collection[str]
    """Those whose budget is a mean over the problems."""
    budgets: tuple[Budget, ...]
    outcomes: tuple[Outcome, ...]
    folds: Folds
    seed: int
    seeds: int
    unit: str


async def replay(
    recordings: Sequence[Recording],
    methods: Sequence[Method | None],
    budgets: Sequence[Budget],
    *,
    folds: Folds | None = None,
    seed: int = 0,
    seeds: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
    workers: int | None = None,
) -> Replayed:
    """Run every method within every budget on every problem, each held out from what it learnt.

    The chains of a problem come in `seeds` orders, the same for all methods. A recording gives
    each chain once: who asks for more gets no more.

    Args:
        recordings: of one unit.
        methods: None is the oracle, which uses labels.
        budgets: of one run; a mean for methods that pool.
        folds: how problems are held out; by problem if None.
        seed: root of all randomness.
        seeds: orders of chains.
        on_progress: called with the runs done and planned.
        workers: further processes; None is one for each further core, where it pays.

    Raises:
        InputError: units differ, folds can't be made, or a strategy asks what was not recorded.
        UnsupportedCapability: a strategy needs what no recording offers; nothing was run.
    """
    units = {one.unit for one in recordings}
    if len(units) > 1:
        raise InputError("some recordings count tokens and some characters: choose models of one")
    folds = folds or Folds()
    runners = tuple(one for one in methods if one is not None)
    work = Work((*recordings,), runners, (*budgets,), folds, seed, seeds)
    for runner, split in product(runners, work.splits):
        _check(runner, split, budgets)
    found = await done_by(work, on_progress, workers)
    outcomes: list[Outcome] = []
    for method, budget in product(methods, budgets):
        if method is None:
            outcomes += _oracle(recordings, work.tables, budget)
        else:
            for i, part in enumerate(found):
                outcomes += work.outcomes(i, part, method.name, budget)
    names = tuple(map(name_of, methods))
    pooled = {name_of(one) for one in methods if _pools(one)}
    return Replayed(
        names, pooled, tuple(budgets), tuple(outcomes), folds, seed, seeds, *map(str, units)
    )


def _pools(method: Method | None) -> bool:
    return method is None or method.is_pooled


def _check(method: Method, split: Split, budgets: Sequence[Budget]) -> None:
    """Refuse before any work what a recording can't serve."""
    profile = known(method.strategy.profile) if isinstance(method, Fitting) else None
    if profile is not None and profile.unit != split.held.unit:
        said = f"counts {profile.unit}, and the recording {split.held.unit}"
        raise InputError(f"the profile that {method.name} knows {said}")
    if isinstance(method, Plain | Fitting):
        check(method.strategy, ReplayEngine(split.held), budgets[0])


def _oracle(
    recordings: Sequence[Recording], tables: Mapping[str, Grid], budget: Budget
) -> list[Outcome]:
    """Give each problem the point that its label says is best, within the budget on the mean.

    It takes maxima over noisy points, so it is optimistic: a bound, no strategy.
    """
    found: list[Outcome] = []
    for one in recordings:
        grid = tables[one.name]
        for row, column in enumerate(pooled_best(grid, budget)):
            if column is None:
                values = [0.0, 0.0, 0.0, 0.0]
            else:
                parts = (grid.accuracy, grid.work, grid.span)
                values = [*(float(table[row, column]) for table in parts), 0.0]
            found.append(outcome_of(ORACLE, budget, one, grid.names[row], values))
    return found


def pooled_best(grid: Grid, budget: Budget) -> list[int | None]:
    """Choose each problem's point so that the sum of accuracies is highest within the mean budget.

    At a price of work and one of span, each problem takes its best point (Everett 1963); the prices
    are the lowest that the budget meets, found by bisection, span's around that of work. None is
    nothing bought. Both limits are means, as those of `best_fixed` are, which it is a bound of.
    """
    return best_within(grid.accuracy, grid.work, grid.span, budget)


def best_within(
    accuracy: NDArray[np.float64],
    work: NDArray[np.float64],
    span: NDArray[np.float64],
    budget: Budget,
) -> list[int | None]:
    """Choose of arrays [problem, option] as `pooled_best` does."""
    options, nothing = accuracy.shape[1], np.zeros(len(accuracy))
    accuracy, work, span = (np.column_stack([one, nothing]) for one in (accuracy, work, span))

    def bought(price: float, of_span: float) -> NDArray[np.intp]:
        worth = accuracy - price * work - 1e-12 * work - of_span * span
        found: NDArray[np.intp] = worth.argmax(axis=1)
        return found

    def at(of_span: float) -> NDArray[np.intp]:
        """Return what is bought at a price of span and the lowest of work."""
        return _within(budget.work, work, lambda price: bought(price, of_span))

    chosen = _within(budget.span, span, at)
    return [None if i == options else int(i) for i in chosen]


def _within(
    limit: float | None, spent: NDArray[np.float64], bought: Callable[[float], NDArray[np.intp]]
) -> NDArray[np.intp]:
    """Return what is bought at the lowest price at which no more than so much is spent, mean."""

    def is_met(chosen: NDArray[np.intp]) -> bool:
        return limit is None or float(spent[np.arange(len(spent)), chosen].mean()) <= limit

    chosen = bought(0.0)
    if is_met(chosen):
        return chosen
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if is_met(bought(middle)) else (middle, high)
    return bought(high)
