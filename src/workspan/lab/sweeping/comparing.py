"""Strategies of a sweep against a base on the same problems: what differs, and what would show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np

from workspan.data.budget import Budget
from workspan.errors import InputError, nearest
from workspan.lab.pairs import by_problem, clustered, holm, mcnemar
from workspan.lab.scaling import CoverageLaw, Crossover, crossover, fit_curve
from workspan.lab.stats import paired_difference, problems_needed
from workspan.lab.sweeping.cell import limits
from workspan.lab.sweeping.nested import NESTED
from workspan.lab.sweeping.outcome import CellRow, TrialRow
from workspan.spec import parse_strategy

Trials = Mapping[str, Sequence[TrialRow]]
"""By the cell."""


@dataclass(frozen=True, slots=True)
class Versus:
    """One strategy against the base: the same engine, task, budget and effort, all seeds."""

    engine: str
    task: str
    budget: str
    effort: str
    strategy: str
    base: str
    problems: int
    """With a grade of both, on every seed that both have."""
    seeds: int
    difference: float
    """Accuracy ahead of the base."""
    low: float
    """Of the 95 % interval: Newcombe's for one seed of right and wrong, else errors by problem."""
    high: float
    p: float
    """Exact McNemar for one seed of right and wrong, else t with errors by problem."""
    p_holm: float
    """The same, adjusted for all comparisons of the sweep."""
    disagreement: float
    """Share of problems on which the two differ."""
    needed: int | None
    """Problems that would show this difference with 80 % power; None where there is none."""
    shares_draws: bool
    """The two are not independent: one shares the draws of the other, or both of a third."""


@dataclass(frozen=True, slots=True)
class Overtaking:
    """The work from which on a strategy is ahead of the base; see `scaling.crossover`."""

    engine: str
    task: str
    effort: str
    strategy: str
    base: str
    beside: str
    """What else limits the runs, where budgets of one work differ in that; else empty."""
    budgets: int
    crossover: Crossover


@dataclass(frozen=True, slots=True)
class Covering:
    """How coverage grows with the number of chains; see `scaling.fit_curve`."""

    engine: str
    task: str
    effort: str
    strategy: str
    """Of the largest number."""
    budget: str
    chains: tuple[int, ...]
    law: CoverageLaw


def versus(rows: Sequence[CellRow], trials: Trials, base: str | None = None) -> list[Versus]:
    """Compare every strategy with the base, the first of the sweep unless named.

    Cells that are not done are left out: they are no measurement.

    Raises:
        InputError: no cell has such a strategy.
    """
    done = [row for row in rows if row.status == "done"]
    base = _base(done, base)
    found = []
    for held in _groups(done, lambda row: (row.engine, row.task, row.budget, row.effort)):
        strategies = dict.fromkeys(row.strategy for row in held)
        theirs = {row.seed: row for row in held if row.strategy == base}
        for strategy in strategies:
            ours = {row.seed: row for row in held if row.strategy == strategy}
            seeds = sorted(ours.keys() & theirs.keys())
            if strategy != base and seeds:
                pairs = [(ours[seed], theirs[seed]) for seed in seeds]
                found.append(_versus(pairs, trials))
    adjusted = holm([one.p for one in found])
    return [replace(one, p_holm=p) for one, p in zip(found, adjusted, strict=True)]


def overtaking(
    rows: Sequence[CellRow], trials: Trials, base: str | None = None
) -> list[Overtaking]:
    """Find where strategies overtake the base as the limit on work grows, over two or more."""
    done = [row for row in rows if row.status == "done"]
    base, found = _base(done, base), []
    beside = _beside(done)
    for held in _groups(
        done, lambda row: (row.engine, row.task, row.effort, beside.get(row.budget, ""))
    ):
        tables = {
            strategy: _by_budget([row for row in held if row.strategy == strategy], trials)
            for strategy in dict.fromkeys(row.strategy for row in held)
        }
        theirs = tables.pop(base, {})
        for strategy, ours in tables.items():
            budgets = sorted(ours.keys() & theirs.keys())
            if len(budgets) < 2:
                continue
            both = [np.array([one[b] for b in budgets]).T for one in (theirs, ours)]
            place = crossover(budgets, both[0].tolist(), both[1].tolist())
            if place is not None:
                first = held[0]
                told = (first.engine, first.task, first.effort, strategy, base)
                found.append(Overtaking(*told, beside.get(first.budget, ""), len(budgets), place))
    return found


def covering(rows: Sequence[CellRow], trials: Trials) -> list[Covering]:
    """Fit a law to the coverage of each strategy that was run with three numbers of chains."""
    done = [row for row in rows if row.status == "done" and row.seed == rows[0].seed]
    found = []
    for held in _groups(done, lambda row: (row.engine, row.task, row.budget, row.effort)):
        for many in _nested(held):
            known = {n: covered for n, row in many if (covered := _covered(trials[row.id]))}
            ks = [*known]
            try:
                law = fit_curve(ks, np.array([*known.values()]).T)
            except ValueError:  # nothing or all is covered: no curve
                continue
            last = many[-1][1]
            told = (last.engine, last.task, last.effort, last.strategy, last.budget)
            found.append(Covering(*told, tuple(ks), law))
    return found


def _base(rows: Sequence[CellRow], base: str | None) -> str:
    names = [*dict.fromkeys(row.strategy for row in rows)]
    if not names:
        raise InputError("no cell is done yet: there is nothing to compare")
    if base is None:
        return names[0]
    if base not in names:
        raise InputError(f"no cell of the strategy {base!r} is done: {nearest(base, names)}")
    return base


def _groups(rows: Iterable[CellRow], key: object) -> list[list[CellRow]]:
    found: dict[object, list[CellRow]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)  # type: ignore[operator]
    return [*found.values()]


def _versus(pairs: Sequence[tuple[CellRow, CellRow]], trials: Trials) -> Versus:
    """Compare on every problem that all seeds of both have a grade for."""
    ours, theirs, problems = [], [], []
    for mine, other in pairs:
        for one, two in zip(trials[mine.id], trials[other.id], strict=True):
            if one.correct is not None and two.correct is not None:
                ours.append(one.correct)
                theirs.append(two.correct)
                problems.append(one.place)
    differences = [a - b for a, b in zip(ours, theirs, strict=True)]
    is_plain = len(pairs) == 1 and all(grade in (0, 1) for grade in (*ours, *theirs))
    low, high, p = _plain(ours, theirs) if is_plain else _by_cluster(differences, problems)
    mean, apart = fmean(differences), fmean(abs(one) for one in differences)
    first, base = pairs[0]
    return Versus(
        engine=first.engine,
        task=first.task,
        budget=first.budget,
        effort=first.effort,
        strategy=first.strategy,
        base=base.strategy,
        problems=len({*problems}),
        seeds=len(pairs),
        difference=mean,
        low=low,
        high=high,
        p=p,
        p_holm=p,
        disagreement=apart,
        needed=problems_needed(abs(mean), max(apart, abs(mean))) if mean else None,
        shares_draws=first.draws == base.draws,
    )


def _plain(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    found = paired_difference(ours, theirs)
    assert found is not None  # a cell that is done has problems
    return found.low, found.high, mcnemar(ours, theirs).p


def _by_cluster(
    differences: Sequence[float], problems: Sequence[int]
) -> tuple[float, float, float]:
    if len({*problems}) < 2:
        return -1.0, 1.0, 1.0  # one problem says nothing of others
    found = clustered(differences, problems)
    return max(-1.0, found.low), min(1.0, found.high), found.p


def _covered(trials: Sequence[TrialRow]) -> list[float] | None:
    """Return what each problem's chains covered; None where that is not known of all."""
    known = [one.coverage for one in trials if one.coverage is not None]
    return known if len(known) == len(trials) else None


def _beside(rows: Iterable[CellRow]) -> dict[str, str]:
    """Return what limits runs beside work, by the budget; nothing where work tells budgets apart.

    Budgets of one work would else be one point of a curve, whatever else they limit.
    """
    budgets = {row.budget: limits(row.budget) for row in rows}
    works = [one.work for one in budgets.values() if one.work is not None]
    if len({*works}) == len(works):
        return {}
    others = {text: replace(one, work=None) for text, one in budgets.items()}
    return {text: "" if one == Budget() else str(one) for text, one in others.items()}


def _by_budget(rows: Sequence[CellRow], trials: Trials) -> dict[int, list[float]]:
    """Return each problem's mean grade over seeds, by the limit on work."""
    found: dict[int, tuple[list[float], list[int]]] = {}
    for row in rows:
        if (work := limits(row.budget).work) is not None:
            grades, places = found.setdefault(work, ([], []))
            grades += [one.correct or 0.0 for one in trials[row.id]]
            places += [one.place for one in trials[row.id]]
    return {work: by_problem(*held) for work, held in found.items()}


def _nested(rows: Sequence[CellRow]) -> Iterator[list[tuple[int, CellRow]]]:
    """Yield cells that differ in their number of chains alone, three at least, by that number."""
    found: dict[str, list[tuple[int, CellRow]]] = {}
    for row in rows:
        counted = NESTED.get(row.strategy.partition("(")[0])
        if counted is not None:
            strategy = parse_strategy(row.strategy)
            n: int = getattr(strategy, counted)
            found.setdefault(repr(replace(strategy, **{counted: 1})), []).append((n, row))  # type: ignore[type-var]
    for many in found.values():
        if len(many) > 2:
            yield sorted(many, key=lambda one: one[0])
