"""Strategies on recorded chains: each budget, each problem held out, several orders of chains."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from statistics import fmean
from typing import cast

import numpy as np

from workspan.core.journal import seed_for
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import EngineError, InputError
from workspan.lab.replay.cells import Cells, cells_of, depths_of
from workspan.lab.replay.contenders import ORACLE, BestFixed, Plain
from workspan.lab.replay.direct import Ended, NotDirect, run_directly
from workspan.lab.replay.fitted import Contender, Fitted
from workspan.lab.replay.fitting import Fitting
from workspan.lab.replay.folds import Folds, Split
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Recording
from workspan.runner import check, run
from workspan.strategies.auto.library import known


@dataclass(frozen=True, slots=True)
class Outcome:
    """A strategy on one problem of one recording within one budget: means over orders of chains."""

    strategy: str
    budget: Budget
    recording: str
    model: str
    task: str
    problem: str
    correct: float
    work: float
    span: float
    seconds: float
    """Of this machine, for one run: the strategy's own and the account's, no decoding."""
    over: float = 0.0
    """Share of the runs that passed a limit."""


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
    contenders: Sequence[Contender | None],
    budgets: Sequence[Budget],
    *,
    folds: Folds | None = None,
    seed: int = 0,
    seeds: int = 4,
    on_progress: Callable[[int, int], None] | None = None,
) -> Replayed:
    """Run every contender within every budget on every problem, each held out from what it learnt.

    The chains of a problem come in `seeds` orders, the same for all contenders. A recording gives
    each chain once: who asks for more gets no more.

    Args:
        recordings: of one unit.
        contenders: None is the oracle, which uses labels.
        budgets: of one run; a mean for contenders that pool.
        folds: how problems are held out; by problem if None.
        seed: root of all randomness.
        seeds: orders of chains.
        on_progress: called with the runs done and planned.

    Raises:
        InputError: units differ, folds can't be made, or a strategy asks what was not recorded.
        UnsupportedCapability: a strategy needs what no recording offers; nothing was run.
    """
    units = {one.unit for one in recordings}
    if len(units) > 1:
        raise InputError("some recordings count tokens and some characters: choose models of one")
    folds = folds or Folds()
    splits = folds.split(recordings, seed)
    for contender, split in product(contenders, splits):
        if contender is not None:
            _check(contender, split, budgets)
    is_tabled = any(one is None or isinstance(one, BestFixed) for one in contenders)
    depths = depths_of(recordings) if is_tabled else ()
    tables = {one.name: cells_of(one, depths, seed) for one in recordings} if is_tabled else {}
    planned = sum(len(s.held.problems) for s in splits) * len(contenders) * len(budgets)
    outcomes: list[Outcome] = []
    for contender, budget in product(contenders, budgets):
        if contender is None:
            outcomes += _oracle(recordings, tables, budget)
        for split in splits if contender is not None else ():
            outcomes += await _run(cast("Contender", contender), budget, split, tables, seed, seeds)
            if on_progress is not None:
                on_progress(len(outcomes), planned)
    names = tuple(ORACLE if one is None else one.name for one in contenders)
    pooled = {ORACLE if one is None else one.name for one in contenders if _pools(one)}
    return Replayed(
        names, pooled, tuple(budgets), tuple(outcomes), folds, seed, seeds, *map(str, units)
    )


def _pools(contender: Contender | None) -> bool:
    return contender is None or contender.is_pooled


def _check(contender: Contender, split: Split, budgets: Sequence[Budget]) -> None:
    """Refuse before any work what a recording can't serve."""
    library = known(contender.strategy.library) if isinstance(contender, Fitting) else None
    if library is not None and library.unit != split.held.unit:
        said = f"counts {library.unit}, and the recording {split.held.unit}"
        raise InputError(f"the library that {contender.name} knows {said}")
    if isinstance(contender, Plain | Fitting):
        check(contender.strategy, ReplayEngine(split.held), budgets[0])


async def _run(
    contender: Contender,
    budget: Budget,
    split: Split,
    tables: Mapping[str, Cells],
    seed: int,
    seeds: int,
) -> list[Outcome]:
    """Fit on the training part and run on each problem held out."""
    fitted = contender.fit(split, budget, tables)
    check(fitted.strategy, ReplayEngine(split.held), fitted.budget)
    runs, found = _Runs(contender.name, fitted, split.held), []
    for problem in split.held.problems:
        orders = [seed_for(seed, f"{i} {problem.id}") for i in range(seeds)]
        rows = [await runs.one(problem, order) for order in orders]
        means = [fmean(column) for column in zip(*rows, strict=True)]
        found.append(_outcome(contender.name, budget, split.held, problem.id, means))
    return found


class _Runs:
    """A fitted contender on the problems held out: directly as long as that can be."""

    def __init__(self, name: str, fitted: Fitted, held: Recording) -> None:
        self._name, self._fitted, self._held = name, fitted, held
        self._is_direct = True

    async def one(self, problem: Problem, order: int) -> tuple[float, ...]:
        """Run on a problem, its chains in one order: right, work, span, seconds, over."""
        engine = ReplayEngine(self._held.keep({problem.id}), order=order, once=True)
        began = time.perf_counter()
        try:
            ended = await self._ended(problem, engine, order)
        except EngineError as error:
            said = f"{self._name} asks what {self._held.name} does not hold: {error}"
            raise InputError(said) from error
        seconds = time.perf_counter() - began
        correct = self._held.grade(problem, ended.answer.text)
        return correct, ended.work, ended.span, seconds, ended.is_over

    async def _ended(self, problem: Problem, engine: ReplayEngine, order: int) -> Ended:
        strategy, budget = self._fitted.strategy, self._fitted.budget
        if self._is_direct:
            try:
                return run_directly(strategy, problem, engine, budget, order)
            except NotDirect:
                self._is_direct = False
            engine = ReplayEngine(engine.recording, order=order, once=True)
        done = await run(strategy, problem, engine, budget=budget, seed=order)
        return Ended(done.answer, done.work, done.span, bool(done.overruns))


def _outcome(
    name: str, budget: Budget, recording: Recording, problem: str, found: Sequence[float]
) -> Outcome:
    task = recording.tasks.get(problem, "")
    return Outcome(name, budget, recording.name, recording.model, task, problem, *found)


def _oracle(
    recordings: Sequence[Recording], tables: Mapping[str, Cells], budget: Budget
) -> list[Outcome]:
    """Give each problem the cell that its label says is best, within the budget on the mean.

    It takes maxima over noisy cells, so it is optimistic: a bound, no strategy.
    """
    found: list[Outcome] = []
    for one in recordings:
        cells = tables[one.name]
        for row, column in enumerate(pooled_best(cells, budget)):
            if column is None:
                values = [0.0, 0.0, 0.0, 0.0]
            else:
                parts = (cells.accuracy, cells.work, cells.span)
                values = [*(float(table[row, column]) for table in parts), 0.0]
            found.append(_outcome(ORACLE, budget, one, cells.names[row], values))
    return found


def pooled_best(cells: Cells, budget: Budget) -> list[int | None]:
    """Choose each problem's cell so that the sum of accuracies is highest within the mean budget.

    At a price of work, each problem takes its best cell (Everett 1963); the price is the lowest
    that the budget meets, found by bisection. None is nothing bought. A limit on span excludes
    cells beyond it instead.
    """
    allowed = np.ones(cells.accuracy.shape, dtype=bool)
    if budget.span is not None:
        allowed = cells.span <= budget.span
    accuracy = np.where(allowed, cells.accuracy, -1.0)
    accuracy = np.column_stack([accuracy, np.zeros(len(accuracy))])
    work = np.column_stack([cells.work, np.zeros(len(accuracy))])
    rows = np.arange(len(work))

    def bought(price: float) -> list[int]:
        return [int(i) for i in np.argmax(accuracy - price * work - 1e-12 * work, axis=1)]

    def fits(chosen: list[int]) -> bool:
        return budget.work is None or float(work[rows, chosen].mean()) <= budget.work

    low, high = 0.0, 1.0
    chosen = bought(low)
    if not fits(chosen):
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if fits(bought(middle)) else (middle, high)
        chosen = bought(high)
    return [None if i == len(cells.cells) else i for i in chosen]
