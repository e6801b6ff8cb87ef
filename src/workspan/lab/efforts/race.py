"""A race of settings of a model on the same problems, under one hard budget.

Problems come in a shuffled order, in rounds that grow. In each round every setting that is still in
the race draws its samples on every problem of the round; then those that can't pay any more are
dropped (successive halving's idea, Jamieson and Talwalkar 2016, with intervals that hold at every
look in place of fixed halves). What one setting does not use is there for the others.

All runs charge one account. A call holds what it may cost before it starts, so that the budget is
never passed; a run that was cut there is paid for and says nothing, neither right nor wrong (see
`guard` for how few they are).
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal

import anyio

from workspan.batch.compare import PARALLEL, side_by_side
from workspan.batch.trials import GRADING_SECONDS, Tool, Trial, TrialRunner
from workspan.core.engine import Engine
from workspan.core.journal import digest, seed_for
from workspan.core.ledger import Ledger
from workspan.core.stopwatch import WALL, Time
from workspan.data.budget import Budget
from workspan.data.entry import End, RunId
from workspan.data.types import Amount, Usage
from workspan.errors import GraderError, InputError
from workspan.lab.efforts.dropping import Dropped, Standing, dropped
from workspan.lab.efforts.guard import Guard
from workspan.runner import Result, check, identify
from workspan.store.journals import JournalFile
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.seen import Rung
from workspan.tasks.base import Task

FIRST_ROUND = 8
"""Problems of the first round; each later one has half as many again as there were so far."""

Grade = Callable[[int, Task, str], Awaitable[float | None]]
"""How right an answer of a setting, by its place, is; None where nobody knows."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """One setting in the race."""

    rung: Rung
    strategy: Ladder
    """It draws the samples of one problem, side by side."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sample of one setting on one problem."""

    answer: str | None
    """None where it holds none."""
    usage: Usage
    seconds: float
    right: float | None
    """None where nobody knows; 0 without an answer."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One setting on one problem."""

    samples: tuple[Sampled, ...]
    span: int
    seconds: float

    @property
    def right(self) -> float | None:
        """Mean over its samples; None where nobody knows."""
        known = [one.right for one in self.samples if one.right is not None]
        return sum(known) / len(known) if len(known) == len(self.samples) else None


@dataclass(slots=True)
class Raced:
    """A race, finished or as far as its budget went."""

    entrants: tuple[Entrant, ...]
    tasks: tuple[Task, ...]
    """In the order in which they came."""
    budget: Budget
    measured: dict[tuple[int, int], Measured] = field(default_factory=dict)
    """By places of entrant and task."""
    out: list[Dropped] = field(default_factory=list)
    """Those that were dropped, in order."""
    usage: dict[int, Usage] = field(default_factory=dict)
    """What each entrant cost, runs that failed or were cut included."""
    cut: int = 0
    """Runs that the budget cut: paid for, and not measured."""
    failed: int = 0
    """Runs that a failed call ended; a resumed race asks them again."""
    ended_by: str = "done"
    """"done", or the limit that refused or cut the last run."""
    kept: Amount = field(default_factory=Amount)
    """What its journal had spent before it began: of the same pilot."""
    whole: int = sys.maxsize
    """The first problem that the budget kept from one of the settings. What was measured from there
    on is left out: of those problems the short runs alone came to their end."""

    @property
    def alive(self) -> list[int]:
        """Places of the entrants that were not dropped."""
        gone = {one.place for one in self.out}
        return [place for place in range(len(self.entrants)) if place not in gone]

    @property
    def passed(self) -> list[tuple[Budget, Budget]]:
        """Where the journal had spent more than the pilot holds: how much, and of how much."""
        return [
            (Budget(**{name: had}), Budget(**{name: most}))
            for name, had in self.kept._asdict().items()
            if (most := getattr(self.budget, name)) is not None and had > most
        ]

    @property
    def spent(self) -> Usage:
        """What all cost together."""
        return sum(self.usage.values(), Usage())

    def of(self, place: int) -> list[tuple[int, Measured]]:
        """Return what was measured of an entrant, by places of tasks in their order."""
        found = sorted(self.measured.items())
        return [(j, one) for (i, j), one in found if i == place and j < self.whole]


async def race(
    entrants: Sequence[Entrant],
    tasks: Sequence[Task],
    engine: Engine,
    *,
    budget: Budget,
    grade: Grade,
    seed: int = 0,
    journals: JournalFile | None = None,
    engines: Mapping[str, Engine] | None = None,
    tools: Mapping[str, Tool] | None = None,
    parallel: int | None = None,
    on_progress: Callable[[Trial], None] | None = None,
    time: Time = WALL,
) -> Raced:
    """Race settings until the problems or the budget are used up, or one is left.

    Args:
        entrants: different ones; cheap ones first is the order in which equal ones are named.
        tasks: in the order in which they are to be drawn.
        engine: left open, as further ones are.
        budget: of all runs together: money, work, calls or prefill.
        grade: grades an answer.
        seed: root of all randomness.
        journals: where finished calls are kept; a race that is resumed asks none of them again, and
            one with a higher budget asks those that were cut.
        engines: further ones that entrants name.
        tools: what strategies may use.
        parallel: runs at a time.
        on_progress: called with each run as it is finished.
        time: the clock that runs go by.

    Raises:
        InputError: the budget limits what a race has none of, or a server refuses to be told how
            much to think.
        WorkspanError: as `runner.check`; nothing was spent.
        EngineError: run after run failed: the engine is gone. What was finished is in `journals`.
    """
    check_pilot(budget)
    engines = engines or {}
    for one in entrants:
        check(one.strategy, engine, budget, engines, tools or {})
    course = _Course(entrants, tasks, engine, budget, grade, seed, journals, engines, tools, time)
    at_once = parallel or min(PARALLEL, engine.info.concurrency)
    raced, first, size = course.raced, 0, FIRST_ROUND
    while first < len(tasks) and raced.ended_by == "done":
        places = range(first, min(first + size, len(tasks)))
        alive = raced.alive
        turns = [(alive[(i + k) % len(alive)], i) for i in places for k in range(len(alive))]

        async def attempt(turn: tuple[int, int]) -> None:
            trial = await course.attempt(*turn)
            if trial is not None and on_progress is not None:
                on_progress(trial)

        await side_by_side(attempt, turns, at_once)
        first, size = places.stop, -(-places.stop // 2)
        raced.out += dropped(standings(raced), len(entrants))
        if len(raced.alive) < 2 <= len(entrants):
            break
    return raced


def check_pilot(budget: Budget) -> None:
    """Refuse limits that many runs together do not have.

    Raises:
        InputError: there is one, or no limit at all.
    """
    for name in ("span", "width", "seconds"):
        if getattr(budget, name) is not None:
            raise InputError(f"a pilot is limited in money, work, calls or prefill, not in {name}")


def standings(raced: Raced) -> list[Standing]:
    """Say how the entrants that are still in the race stand."""
    spent = {
        place: [s.usage for _, one in raced.of(place) for s in one.samples] for place in raced.alive
    }
    costs = _prices(spent)
    found = []
    for place in raced.alive:
        graded = {j: one.right for j, one in raced.of(place) if one.right is not None}
        if graded and costs[place]:
            found.append(Standing(place, graded, sum(costs[place]) / len(costs[place])))
    return found


def _prices(spent: Mapping[int, Sequence[Usage]]) -> dict[int, list[float]]:
    """Return what samples cost: in money where that is known of all, and not nothing; else tokens.

    One unit for all: a model without a price is not dearer than others for its many tokens.
    """
    money = {
        place: [one.cost for one in many if one.cost is not None] for place, many in spent.items()
    }
    is_known = all(len(money[place]) == len(many) for place, many in spent.items())
    if is_known and any(map(any, money.values())):
        return {place: [float(cost) for cost in many] for place, many in money.items()}
    return {place: [float(one.output_tokens) for one in many] for place, many in spent.items()}


class _Course:
    """What the runs of a race share."""

    def __init__(
        self,
        entrants: Sequence[Entrant],
        tasks: Sequence[Task],
        engine: Engine,
        budget: Budget,
        grade: Grade,
        seed: int,
        journals: JournalFile | None,
        engines: Mapping[str, Engine],
        tools: Mapping[str, Tool] | None,
        time: Time,
    ) -> None:
        self.raced = Raced((*entrants,), (*tasks,), budget)
        self.account = Ledger(budget)
        self.guard = Guard(self.account, [_bound(one, engine, engines) for one in entrants])
        self.grade, self.seed = grade, seed
        planned = len(entrants) * len(tasks)
        limiter = anyio.CapacityLimiter(engine.info.concurrency)
        told = (seed, journals, limiter, planned, engines, tools or {}, self.account, time)
        self.first = TrialRunner(engine, Budget(), *told)
        self.again = TrialRunner(engine, budget, *told)
        """For runs that a lower budget had cut: under the budget's own name in the journal."""
        self.time = time
        self._owe()

    def _owe(self) -> None:
        """Charge all that the journal shows before anything is spent, also of those dropped."""
        known = {*self.first.journals.runs} if self.first.journals is not None else set()
        for runner in (self.first, self.again):
            for one in self.raced.entrants:
                held = [task for task in self.raced.tasks if self._id(runner, one, task) in known]
                runner.owe(one.strategy, held)
        self.raced.kept = self.account.owed

    def _id(self, runner: TrialRunner, one: Entrant, task: Task) -> RunId:
        root = seed_for(self.seed, digest(task.problem))
        return identify(one.strategy, task.problem, runner.budget, root)

    async def attempt(self, entrant: int, place: int) -> Trial | None:
        """Run one entrant on one problem; None where the budget has ended."""
        raced = self.raced
        one, task = raced.entrants[entrant], raced.tasks[place]
        if not await self._admitted(entrant, one, task):
            raced.whole = min(raced.whole, place)
            return None
        runner = self.first
        try:
            if self._was_cut(one, task):
                earlier = await runner.attempt(one.strategy, task)  # asks nothing, and is charged
                self._charge(entrant, earlier.usage)
                runner = self.again
            trial = await runner.attempt(one.strategy, task)
        finally:
            self.guard.land(entrant)
        self._charge(entrant, trial.usage)
        if trial.result is None:
            raced.failed += 1
        elif trial.result.stop != "done":
            raced.cut += 1
            raced.ended_by = trial.result.stop
            raced.whole = min(raced.whole, place)
        else:
            _check_told(trial.result)
            self.guard.note(entrant, trial.usage.amount)
            raced.measured[entrant, place] = await self._measured(entrant, task, trial.result)
        return trial

    async def _admitted(self, entrant: int, one: Entrant, task: Task) -> bool:
        """Count a run as under way, if the race goes on and it is likely to fit."""
        raced = self.raced
        if raced.ended_by != "done":
            return False
        if self._is_recorded(one, task):
            self.guard.begin(entrant)
            return True
        if refusal := await self.guard.admit(entrant):
            raced.ended_by = refusal if raced.ended_by == "done" else raced.ended_by
            return False
        if raced.ended_by != "done":  # while it stood in line
            self.guard.land(entrant)
            return False
        return True

    def _is_recorded(self, one: Entrant, task: Task) -> bool:
        """Say whether the journal holds the whole run: then it costs nothing more."""
        journal = self.first.owed.get(self._id(self.first, one, task))
        end = None if journal is None else journal.end(str(self.first.budget))
        return end is not None and end.end is not None and end.end.stop == "done"

    def _was_cut(self, one: Entrant, task: Task) -> bool:
        """Say whether a lower budget had cut this run, as its journal shows.

        One that was killed before it could write so has ended all the same: its calls are charged,
        and none is asked for under a name of the lower budget any more.
        """
        journal = self.first.owed.get(self._id(self.first, one, task))
        if journal is None:
            return False
        end = journal.end(str(self.first.budget))
        if end is None and journal.cut_by:
            journal.finish(End(str(self.first.budget), journal.cut_by), journal.seconds)
            return True
        return end is not None and end.end is not None and end.end.stop != "done"

    def _charge(self, entrant: int, usage: Usage) -> None:
        self.raced.usage[entrant] = self.raced.usage.get(entrant, Usage()) + usage

    async def _measured(self, entrant: int, task: Task, result: Result) -> Measured:
        calls = {call.key: call for call in result.trace}
        grades: dict[str, float | None] = {}
        samples = []
        for one in result.answer.candidates:
            call = calls[one.key]
            if one.answer is not None and one.answer not in grades:
                grades[one.answer] = await self._graded(entrant, task, one.answer)
            right = grades[one.answer] if one.answer is not None else 0.0
            seconds = call.ended - call.began
            samples.append(Sampled(one.answer, call.usage, seconds, right))
        return Measured(tuple(samples), result.span, result.seconds)

    async def _graded(self, entrant: int, task: Task, answer: str) -> float | None:
        """Grade an answer; None where nobody can, or not in time."""
        found = None
        with suppress(GraderError), self.time.move_on_after(GRADING_SECONDS):
            found = await self.grade(entrant, task, answer)
        return found


def _bound(one: Entrant, engine: Engine, engines: Mapping[str, Engine]) -> Amount:
    """Return what one run of an entrant may take at most, its prompts aside."""
    plan = one.strategy
    calls = sum(plan.n)
    price = engines.get(plan.engines[0] if plan.engines else "", engine).info.price
    rate = Decimal(0) if price is None else price.output
    work = calls * plan.max_tokens
    return Amount(calls, work, 0, work * rate / 1_000_000)


def _check_told(result: Result) -> None:
    """Refuse a server that thinks as much as it likes, whatever it is told.

    Raises:
        InputError: it does; what was spent so far is in the journal.
    """
    for notice in result.notices:
        if notice.code == "no_effort":
            raise InputError(
                f"{notice.text}: efforts can't be compared there; state the field that the server "
                "has for it (effort_field), or another model"
            )


async def grade_by_task(_: int, task: Task, answer: str) -> float | None:
    """Grade an answer by the task's own grader; None where it has nothing to grade by."""
    try:
        return (await task.grader(task, answer)).correct
    except GraderError:
        return None
