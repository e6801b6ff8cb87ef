"""The part of a replay that is held out: fitted methods on its problems."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from typing import Any

from workspan.batch.drawn import answers_of, drawn
from workspan.core.journal import seed_for
from workspan.data.budget import Budget
from workspan.data.types import Problem
from workspan.errors import EngineError, InputError
from workspan.lab.replay.at_once import means, played
from workspan.lab.replay.direct import Ended, run_directly
from workspan.lab.replay.fitted import Fitted, Known, Method
from workspan.lab.replay.folds import Folds, Split
from workspan.lab.replay.grid import Grid, depths_of, grid_of
from workspan.lab.replay.loop import NotDirect
from workspan.lab.replay.methods import BestFixed
from workspan.recordings.engine import ReplayEngine
from workspan.recordings.recording import Recording
from workspan.runner import check, run

Row = tuple[str, list[float | None]]
"""Of one problem: its id, and means over orders, as `Outcome` has them."""

Found = list[list[Row]]
"""The rows of each method and budget, budgets inside methods."""


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
    random: float | None = None
    """How right a random pick among a run's candidates is; None of the oracle."""
    coverage: float | None = None
    """Share of the runs that drew the right answer at all."""
    effective_n: float | None = None
    """Different answers that a run's votes amount to; None without votes."""


@dataclass(frozen=True)
class Work:
    """All that there is to be done: each split for itself, in any order."""

    recordings: tuple[Recording, ...]
    methods: tuple[Method, ...]
    budgets: tuple[Budget, ...]
    folds: Folds
    seed: int
    seeds: int

    @cached_property
    def splits(self) -> list[Split]:
        """What is held out in turn."""
        return self.folds.split(self.recordings, self.seed)

    @cached_property
    def tables(self) -> Mapping[str, Grid]:
        """The width × depth table of each recording, by its name."""
        depths = depths_of(self.recordings)
        return {one.name: grid_of(one, depths, self.seed) for one in self.recordings}

    @property
    def size(self) -> int:
        """Chains, once for each method and budget: about how much there is to do."""
        chains = sum(len(many) for one in self.splits for many in one.held.chains.values())
        return chains * len(self.methods) * len(self.budgets)

    def runs(self, split: int) -> int:
        """Return the problems of a split, once for each method and budget."""
        held = len(self.splits[split].held.problems)
        return held * len(self.methods) * len(self.budgets)

    async def do(self, split: int) -> Found:
        """Fit every method for every budget on a split, and run it on what is held out."""
        part = self.splits[split]
        is_tabled = any(isinstance(one, BestFixed) for one in self.methods)
        known = Known(self.tables if is_tabled else {})
        both = product(self.methods, self.budgets)
        return [await self._run(*pair, part, known) for pair in both]

    def outcomes(self, split: int, found: Found, method: str, budget: Budget) -> list[Outcome]:
        """Return what one method came to within a budget, of all that was found on a split."""
        place = [one.name for one in self.methods].index(method) * len(self.budgets)
        rows, held = found[place + self.budgets.index(budget)], self.splits[split].held
        return [outcome_of(method, budget, held, *row) for row in rows]

    async def _run(self, method: Method, budget: Budget, split: Split, known: Known) -> list[Row]:
        """Fit on the training part and run on each problem held out."""
        fitted = method.fit(split, budget, known)
        check(fitted.strategy, ReplayEngine(split.held), fitted.budget)
        rows = played(fitted, split.held, known, self.seed, self.seeds)
        runs, found = _Runs(method.name, fitted, split.held), list[Row]()
        for problem, row in zip(split.held.problems, rows, strict=True):
            orders = (seed_for(self.seed, f"{i} {problem.id}") for i in range(self.seeds))
            both = zip(row, orders, strict=True)
            told = [one or await runs.one(problem, order) for one, order in both]
            found.append((problem.id, means(told)))
        return found


class _Runs:
    """A fitted method on the problems held out: directly as long as that can be."""

    def __init__(self, name: str, fitted: Fitted, held: Recording) -> None:
        self._name, self._fitted, self._held = name, fitted, held
        self._is_direct = True

    async def one(self, problem: Problem, order: int) -> tuple[float | None, ...]:
        """Run on a problem, its chains in one order; return what `Outcome` has."""
        grade = self._held.once("grades", problem, partial(_Grades, self._held, problem))
        engine = ReplayEngine(self._held.keep({problem.id}), order=order, once=True)
        began = time.perf_counter()
        try:
            ended, engine = await self._ended(problem, engine, order)
        except EngineError as error:
            raise self._lacking(str(error)) from error
        if engine.unrecorded:  # it went on without: what it came to is of another strategy
            raise self._lacking(engine.unrecorded)
        seconds = time.perf_counter() - began
        told = drawn([grade[answer] for answer in answers_of(ended.answer)])
        spent = (ended.work, ended.span, seconds, ended.is_over)
        chosen = (told.random, told.coverage, ended.answer.effective_n)
        return grade[ended.answer.text], *spent, *chosen

    def _lacking(self, said: str) -> InputError:
        return InputError(
            f"{self._name} asks what {self._held.name} does not hold: {said}; recordings have no "
            "words, so that judges and revisions can't be replayed: leave it out"
        )

    async def _ended(
        self, problem: Problem, engine: ReplayEngine, order: int
    ) -> tuple[Ended, ReplayEngine]:
        """Run it; return the engine that served it, too."""
        strategy, budget = self._fitted.strategy, self._fitted.budget
        if self._is_direct:
            try:
                return run_directly(strategy, problem, engine, budget, order), engine
            except NotDirect:
                self._is_direct = False
            engine = ReplayEngine(engine.recording, order=order, once=True)
        done = await run(strategy, problem, engine, budget=budget, seed=order)
        return Ended(done.answer, done.work, done.span, bool(done.overruns)), engine


class _Grades(dict[str | None, float]):
    """How right each answer to a problem is, worked out once."""

    def __init__(self, recording: Recording, problem: Problem) -> None:
        super().__init__()
        self._grade = partial(recording.grade, problem)

    def __missing__(self, answer: str | None) -> float:
        self[answer] = found = self._grade(answer)
        return found


def outcome_of(
    name: str, budget: Budget, held: Recording, problem: str, means: Sequence[Any]
) -> Outcome:
    """Say what was found on a problem; `means` as `Outcome` has them."""
    task = held.tasks.get(problem, "")
    return Outcome(name, budget, held.name, held.model, task, problem, *means)
