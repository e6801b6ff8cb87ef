"""Ladders of efforts in a replay: a group is one model's recordings at several efforts.

All that compete run on the samples of the same problems, those that were recorded at every effort,
in the same orders; what they cost is what `ladder` costs in a run (`fit.ladders.play`, which a test
holds to real runs). Problems are held out of all efforts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec
import numpy as np

from workspan.data.budget import Budget
from workspan.errors import InputError, SpecError, nearest
from workspan.lab.efforts.crossing import is_enough, parted
from workspan.lab.efforts.recorded import RecordedRace, recorded_ladders, recorded_race
from workspan.lab.replay.fitting import AUTO, AUTO_HARD
from workspan.lab.replay.folds import PROBLEM_FOLDS, Folds
from workspan.lab.replay.held_out import Outcome
from workspan.lab.replay.methods import BEST_FIXED, ORACLE, name_of
from workspan.lab.replay.replay import Replayed, best_within
from workspan.recordings.recording import Recording
from workspan.search.climbing import Stage
from workspan.spec import parse_strategy, split_list
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.auto import Auto
from workspan.strategies.auto.fit.ladders import (
    Each,
    Played,
    fixed_plans,
    plain_plans,
    play,
)
from workspan.strategies.auto.fit.laid import Climb, most_of
from workspan.strategies.auto.fit.seen import FEWEST, Ladders, asked, even

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_UNLIMITED = Budget()


@dataclass(frozen=True)
class Group:
    """One model at several efforts."""

    model: str
    problems: tuple[str, ...]
    tasks: Mapping[str, str]
    """The task set of each problem."""
    ladders: Ladders
    """`even` ones: a place for each problem."""
    unit: str

    @property
    def name(self) -> str:
        """The model, and its efforts as they rise."""
        return f"{self.model} {', '.join(rung.name for rung in self.ladders.rungs)}"


class Grouped(NamedTuple):
    """What can be climbed."""

    groups: tuple[Group, ...]
    left_out: Mapping[str, str]
    """Models and recordings that can't, and why."""


def grouped(recordings: Sequence[Recording], efforts: Sequence[str] = ()) -> Grouped:
    """Group recordings by their model.

    Args:
        recordings: of any models.
        efforts: those to use, whatever their order; all if none is named.

    Raises:
        InputError: no model was recorded at two of them, or on too few problems.
    """
    by_model: dict[str, list[Recording]] = {}
    for one in recordings:
        by_model.setdefault(one.model, []).append(one)
    found, left_out = list[Group](), dict[str, str]()
    for model, many in by_model.items():
        try:
            race = recorded_race(_at(many, efforts), [])
            found.append(_group(model, many, race))
            left_out |= race.left_out
        except InputError as error:
            left_out[model] = str(error)
    if not found:
        why = "; ".join(f"{name}: {said}" for name, said in left_out.items())
        raise InputError(f"no model can be climbed: {why}")
    return Grouped((*found,), left_out)


def _at(many: Sequence[Recording], efforts: Sequence[str]) -> list[Recording]:
    """Choose the recordings at these efforts; as they come they are put in order by what they take.

    Raises:
        InputError: nothing was recorded at one of them.
    """
    known = {one.effort for one in many}
    for effort in efforts:
        if effort not in known:
            hint = nearest(effort, sorted(known))
            raise InputError(f"nothing was recorded at effort {effort!r}: {hint}")
    return [one for one in many if not efforts or one.effort in efforts]


def _group(model: str, many: Sequence[Recording], race: RecordedRace) -> Group:
    whole = recorded_ladders(race)
    kept = {id(one) for one in asked(whole)}
    names = [
        task.problem.id
        for task, seen in zip(race.tasks, whole.problems, strict=True)
        if id(seen) in kept
    ]
    ladders = even(whole)
    if not is_enough(ladders):
        raise InputError(f"{len(names)} problems at all efforts, and folds need {2 * FEWEST}")
    tasks = {name: one for recording in many for name, one in recording.tasks.items()}
    return Group(model, (*names,), tasks, ladders, race.unit)


@dataclass(frozen=True)
class Course:
    """A group with one fold held out."""

    group: Group
    learning: Ladders
    seed: int
    orders: int

    def learnt(self, budget: Budget = _UNLIMITED) -> Played:
        """Play votes at one effort and plain ladders on the problems to learn from."""
        return self._plain if budget == _UNLIMITED else self._play(budget)

    def tried(self, plans: Sequence[Climb], budget: Budget = _UNLIMITED) -> Played:
        """Play plans on all problems, in the orders of the replay."""
        told = (self.group.ladders, plans, self._plain.weights)
        return play(*told, cap=budget.work, longest=budget.span, seed=self.seed, orders=self.orders)

    @cached_property
    def _plain(self) -> Played:
        return self._play(_UNLIMITED)

    def _play(self, budget: Budget) -> Played:
        plans = plain_plans(self.learning)
        return play(self.learning, plans, cap=budget.work, longest=budget.span, seed=self.seed)


class Climbing(Protocol):
    """What competes on a group."""

    @property
    def name(self) -> str:
        """As the user wrote it."""
        ...

    @property
    def is_pooled(self) -> bool:
        """The budget is a mean over the problems instead of a limit on each."""
        ...

    def run(self, course: Course, budget: Budget) -> Each:
        """Learn from the problems of `course.learning`, and say what it comes to on all."""
        ...


class Chosen(NamedTuple):
    """The plan that is most often right among those whose mean work fits the budget."""

    name: str
    plans: Callable[[Played], Played]
    """Among which it is chosen."""
    is_pooled: bool = True

    def run(self, course: Course, budget: Budget) -> Each:
        """Choose the cheaper one of equals; the cheapest of all, where none fits."""
        found = self.plans(course.learnt())
        right, work, span = (of.mean(axis=1) for of in (found.right, found.work, found.span))
        fits = work <= (np.inf if budget.work is None else budget.work)
        fits &= span <= (np.inf if budget.span is None else budget.span)
        places: list[int] = np.flatnonzero(fits).tolist() or [int(work.argmin())]
        best = max(places, key=lambda i: (right[i], -work[i]))
        return course.tried([found.plans[best]]).at(0)


class Hard(NamedTuple):
    """What `auto` climbs within a limit on each problem."""

    name: str
    is_pooled: bool = False

    def run(self, course: Course, budget: Budget) -> Each:
        """Choose the plan that is worth most under the limit."""
        return course.tried([course.learnt(budget).best()], budget).at(0)


class Written(NamedTuple):
    """A ladder as the user wrote it; votes at one effort are a ladder of one rung."""

    name: str
    ladder: Ladder
    is_pooled: bool = False

    def run(self, course: Course, budget: Budget) -> Each:
        """Play it as it is."""
        ladders, plan, weights = course.group.ladders, *self._plan(course.group)
        pooled = self.ladder.pooled and ladders.pooled
        told = (msgspec.structs.replace(ladders, pooled=pooled), [plan], weights)
        done = play(
            *told, cap=budget.work, longest=budget.span, seed=course.seed, orders=course.orders
        )
        return done.at(0)

    def _plan(self, group: Group) -> tuple[Climb, list[float]]:
        """Say it in the rungs of a group.

        Raises:
            InputError: it needs efforts, samples or comparisons that were not recorded.
        """
        one, rungs = self.ladder, [rung.effort for rung in group.ladders.rungs]
        for effort in one.efforts:
            if effort not in rungs:
                hint = nearest(effort, rungs)
                raise InputError(f"{group.model} was not recorded at effort {effort!r}: {hint}")
        if one.pooled and not group.ladders.pooled and len({*one.efforts}) > 1:
            raise InputError(
                f"{group.model} names answers anew at each effort, so that votes of several can't "
                f"be counted together: write pooled=False in {self.name}"
            )
        places = [rungs.index(effort) for effort in one.efforts]
        stages = [
            Stage(place, stage.n, stage.within)
            for place, stage in zip(places, one.stages, strict=True)
        ]
        told = dict(zip(places, one.weights or (1.0,) * len(places), strict=True))
        if any(told[place] != own for place, own in zip(places, one.weights, strict=False)):
            raise InputError(f"{self.name} weighs votes of one effort in two ways: replay has one")
        for rung, most in enumerate(most_of(group.ladders)):
            if (n := sum(stage.n for stage in stages if stage.rung == rung)) > most:
                raise InputError(
                    f"{self.name} draws {n} samples at {rungs[rung]}: {most} can be replayed"
                )
        return Climb((*stages,)), [told.get(rung, 1.0) for rung in range(len(rungs))]


def _fixed(played: Played) -> Played:
    return played.keep(lambda plan: len(plan.stages) == 1)


_NAMED: Mapping[str, Climbing] = {
    BEST_FIXED: Chosen(BEST_FIXED, _fixed),
    AUTO: Chosen(AUTO, Played.steady),
    AUTO_HARD: Hard(AUTO_HARD),
}


def read_climbing(text: str) -> list[Climbing | None]:
    """Read a list of what competes on groups; None is the oracle.

    Raises:
        SpecError: one can't be read, or is none that climbs.
        InputError: none, or one twice.
    """
    parts = split_list(text)
    if not parts:
        raise InputError(f"no strategy is named: such as {BEST_FIXED},{AUTO}")
    for part in parts:
        if parts.count(part) > 1:
            raise InputError(f"the strategy {part!r} is given twice: give each once")
    return [None if part == ORACLE else _read(part) for part in parts]


def _read(part: str) -> Climbing:
    if part in _NAMED:
        return _NAMED[part]
    one = parse_strategy(part)
    if not isinstance(one, Ladder):
        what = "auto as it is" if isinstance(one, Auto) else "ladder(efforts=('high',), n=(3,))"
        raise SpecError(
            f"efforts are climbed by {', '.join(_NAMED)}, {ORACLE} and ladder(…), not by {part}: "
            f"such as {what}"
        )
    if any(one.engines) or "max_tokens" in part:
        raise SpecError(f"{part}: recorded samples have no engines and no cap: leave them out")
    return Written(part, one)


def replay_efforts(
    groups: Sequence[Group],
    methods: Sequence[Climbing | None],
    budgets: Sequence[Budget],
    *,
    folds: Folds | None = None,
    seed: int = 0,
    seeds: int = 4,
) -> Replayed:
    """Run what climbs within every budget on every problem, each held out from what it learnt.

    Args:
        groups: of one unit.
        methods: None is the oracle: each problem's best votes at one effort, by its label.
        budgets: of one problem; a mean for methods that pool.
        folds: by problem.
        seed: of the parts and of the orders.
        seeds: orders of a problem's samples.

    Raises:
        InputError: units differ, folds are not of problems, or a method needs what was not
            recorded.
    """
    folds = folds or Folds()
    units = {one.unit for one in groups}
    if len(units) > 1:
        raise InputError("some recordings count tokens and some characters: choose models of one")
    if folds.by != "problem":
        raise InputError(f"efforts are held out by problem, not by {folds.by}")
    outcomes: list[Outcome] = []
    for group in groups:
        n = len(group.problems)
        parts = [*parted(n, folds.parts or PROBLEM_FOLDS, seed)]
        courses = [
            (held, Course(group, group.ladders.keep(rest), seed, seeds)) for held, rest in parts
        ]
        for method in methods:
            for budget in budgets:
                tell = partial(_outcomes, group, budget)
                if method is None:
                    outcomes += tell(ORACLE, _oracle(courses[0][1], budget))
                else:
                    outcomes += tell(method.name, _crossed(method, courses, budget, n))
    names = tuple(map(name_of, methods))
    pooled = {name_of(one) for one in methods if one is None or one.is_pooled}
    return Replayed(names, pooled, (*budgets,), (*outcomes,), folds, seed, seeds, *units)


class _Columns(NamedTuple):
    """What was found on each problem, as `Outcome` has it."""

    right: Floats
    work: Floats
    span: Floats
    random: Floats | None = None
    coverage: Floats | None = None


def _crossed(
    method: Climbing, courses: Sequence[tuple[list[int], Course]], budget: Budget, n: int
) -> _Columns:
    """Give each problem what was learnt of the other folds."""
    columns = np.zeros((5, n))
    for held, course in courses:
        found = method.run(course, budget)
        columns[:, held] = np.stack(found[:5])[:, held]
    return _Columns(*columns)


def _oracle(course: Course, budget: Budget) -> _Columns:
    """Give each problem the votes at one effort that its label says are best."""
    done = course.tried(fixed_plans(course.group.ladders))
    picked = best_within(done.right.T, done.work.T, done.span.T, budget)
    both = (done.right, done.work, done.span)
    rows = [[0.0 if at is None else of[at, i] for i, at in enumerate(picked)] for of in both]
    return _Columns(*np.array(rows))


def _outcomes(group: Group, budget: Budget, name: str, found: _Columns) -> list[Outcome]:
    """Say what came to pass on each problem."""
    told = []
    for i, problem in enumerate(group.problems):
        where = (group.name, group.model, group.tasks.get(problem, ""), problem)
        right, work, span = (float(of[i]) for of in found[:3])
        drawn = (None if of is None else float(of[i]) for of in found[3:])
        told.append(Outcome(name, budget, *where, right, work, span, 0.0, 0.0, *drawn))
    return told
