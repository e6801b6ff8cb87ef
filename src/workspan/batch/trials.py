"""One strategy on one problem, run and graded; what fails is told apart from what is gone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import anyio

from workspan.batch.drawn import Drawn, graded
from workspan.core.engine import Engine
from workspan.core.journal import Journal, digest, seed_for
from workspan.core.ledger import Ledger
from workspan.core.session import Strategy
from workspan.core.stopwatch import WALL, Time
from workspan.data.budget import Budget
from workspan.data.entry import RunId
from workspan.data.types import Answer, Problem, Usage
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineRejected,
    GraderError,
    WorkerLost,
    WorkspanError,
)
from workspan.legible import counted
from workspan.runner import Result, identify, run
from workspan.spec import write
from workspan.store.journals import JournalFile
from workspan.store.killed import resumed
from workspan.tasks.base import Grade, Task

Tool: TypeAlias = Callable[[str], Awaitable[str]]
"""What strategies may use beside engines: an argument in, a text out."""

_LOSSES = 3
"""How often what runs a problem may be lost in mid-run, until the problem is held to be why."""

PATIENCE = 3
"""Runs that fail one after another, with none between that went well, until we give up."""

GRADING_SECONDS = 60.0
"""Wall clock of one grading, at most; graders keep tighter bounds themselves."""

LEAST_GRADING_SECONDS = 2.0
"""What a run that used all its time leaves to its grading: no answer is lost to the clock."""

_NO_ENTRY = frozenset({401, 402, 403, 404})
"""Statuses that the next call would meet as well: key, payment, permission, model."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One strategy on one problem, graded."""

    strategy: str
    task: Task
    usage: Usage
    """What it cost, failed or not."""
    result: Result | None = None
    """None if a failed call ended the run: that is no answer, and not a wrong one either."""
    grade: Grade | None = None
    """None if the run failed or the grader could not judge."""
    error: str = ""
    """Why there is no result or no grade."""
    drawn: Drawn | None = None
    """How right its candidates are; None where they could not be graded."""


class Away(Protocol):
    """Runs on other machines what a runner would run here."""

    def __call__(
        self, runner: TrialRunner, strategy: Strategy, task: Task, journal: Journal
    ) -> Awaitable[Trial]:
        """Run and grade, with every call in the journal before it is asked.

        Raises:
            WorkerLost: what ran it is gone; the journal holds what is known of it.
            EngineError: so many runs failed that the engine is gone.
        """
        ...


@dataclass(slots=True)
class TrialRunner:
    """What the runs of a comparison share.

    Each problem has one root seed, so that all strategies draw from the same randomness.
    """

    engine: Engine
    budget: Budget
    seed: int
    journals: JournalFile | None
    limiter: anyio.CapacityLimiter
    planned: int
    """Trials in all."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    tools: Mapping[str, Tool] = field(default_factory=dict)
    account: Ledger | None = None
    """What all runs together may spend; None is without limit."""
    time: Time = WALL
    owed: dict[RunId, Journal] = field(default_factory=dict)
    """Journals that were opened before their runs: the account holds what they show."""
    away: Away | None = None
    """Runs in place of this process."""
    sets_aside: bool = False
    """What a kill had in flight costs the run nothing, and is asked anew: see `store.killed`."""
    lost: Usage = field(default_factory=Usage)
    """The bounds of what was set aside."""
    finished: int = 0
    failed_in_a_row: int = 0

    def owe(self, strategy: Strategy, tasks: Sequence[Task]) -> None:
        """Take over what the journals of all runs show, before the first one spends anything."""
        if self.journals is None or self.account is None:
            return
        for task in tasks:
            run_id = self._identify(strategy, task.problem)
            journal, _ = self._journal(run_id)
            self.owed[run_id] = journal
            self.account.owe(journal.usage())

    def _journal(self, run_id: RunId) -> tuple[Journal, bool]:
        """Return a run's journal, and whether the account holds what it shows already."""
        if run_id in self.owed:
            return self.owed.pop(run_id), True
        if self.journals is None:
            return Journal(), False
        if not self.sets_aside:
            return self.journals.journal(run_id), False
        found = resumed(self.journals, run_id)
        self.lost += found.gone
        return found.journal, False

    def _identify(self, strategy: Strategy, problem: Problem) -> RunId:
        return identify(strategy, problem, self.budget, seed_for(self.seed, digest(problem)))

    async def attempt(
        self, strategy: Strategy, task: Task, journal: Journal | None = None
    ) -> Trial:
        """Run once and grade; a failed call that ends the run is a trial without a result.

        Args:
            strategy: what runs.
            task: on which problem.
            journal: of this run, in place of the runner's own; the account knows what it holds.

        Raises:
            EngineError: so many runs failed that the engine is gone.
        """
        problem = task.problem
        run_id, is_owed = self._identify(strategy, problem), True
        if journal is None:
            journal, is_owed = self._journal(run_id)
        if self.away is not None:
            return await self._attempt_away(self.away, strategy, task, journal)
        try:
            result = await run(
                strategy,
                problem,
                self.engine,
                budget=self.budget,
                seed=run_id.seed,
                journal=journal,
                is_owed=is_owed,
                account=self.account,
                limiter=self.limiter,
                engines=self.engines,
                tools=self.tools,
                time=self.time,
            )
        except EngineError as error:
            self._raise_if_gone(error)
            return Trial(write(strategy), task, journal.usage(), error=_said(error))
        self.finished += 1
        self.failed_in_a_row = 0
        try:
            grade = await self._graded(task, result.answer.text)
        except GraderError as error:
            return Trial(result.strategy, task, result.usage, result, error=_said(error))
        drawn = await self._drawn(task, result.answer, grade)
        return Trial(result.strategy, task, result.usage, result, grade, drawn=drawn)

    async def _attempt_away(
        self, away: Away, strategy: Strategy, task: Task, journal: Journal
    ) -> Trial:
        """Have it run elsewhere; a worker that is lost is a kill, and its calls are charged."""
        lost = ""
        for _ in range(_LOSSES):
            try:
                return await away(self, strategy, task, journal)
            except WorkerLost as error:
                lost = _said(error)
        return Trial(write(strategy), task, journal.usage(), error=lost)

    async def _drawn(self, task: Task, answer: Answer, grade: Grade) -> Drawn | None:
        """Grade the other candidates; None where that fails or takes too long."""

        async def one(text: str) -> float:
            return (await task.grader(task, text)).correct

        with suppress(GraderError), self.time.move_on_after(GRADING_SECONDS):
            return await graded(answer, grade.correct, one)
        return None

    async def _graded(self, task: Task, answer: str | None) -> Grade:
        """Ask the grader, which has as many seconds as the run had.

        Raises:
            GraderError: it could not judge, or not in time.
        """
        seconds = min(self.budget.seconds or GRADING_SECONDS, GRADING_SECONDS)
        seconds = max(seconds, LEAST_GRADING_SECONDS)
        with self.time.move_on_after(seconds):
            return await task.grader(task, answer)
        raise GraderError(f"problem {task.problem.id} was not graded within {seconds:g} seconds")

    def _raise_if_gone(self, error: EngineError) -> None:
        """End the comparison if all that follows would fail as well."""
        self.failed_in_a_row += not isinstance(error, ContextExceeded)
        is_locked = isinstance(error, EngineRejected) and error.status in _NO_ENTRY
        if is_locked or self.failed_in_a_row >= min(PATIENCE, self.planned):
            after = f"the engine is gone after {self.finished} of {counted(self.planned, 'run')}: "
            raise type(error)(
                f"{after if self.planned > 1 else ''}{error}",
                status=error.status,
                retry_after=error.retry_after,
            ) from error


def _said(error: WorkspanError) -> str:
    return f"{type(error).__name__}: {error}"
