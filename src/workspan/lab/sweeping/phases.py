"""Where breadth pays and where depth does: by budget over natural depth, and by serial depth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from workspan.lab.stats import CONFIDENCE
from workspan.lab.sweeping.cell import limits
from workspan.lab.sweeping.comparing import Trials, Versus
from workspan.lab.sweeping.outcome import CellRow
from workspan.search.censored import median_length

TWICE = 2.0
"""How many times as parallel as the base a strategy is that counts as breadth."""

Ahead = Literal["breadth", "depth", "open"]


@dataclass(frozen=True, slots=True)
class Phase:
    """Breadth against the base within one budget, on one task of one engine."""

    engine: str
    task: str
    effort: str
    budget: str
    work: int
    """The limit on it."""
    natural: float | None
    """Natural depth: median tokens of the base's runs, those that were cut counted as longer; None
    where over half of them were."""
    serial: int | None
    """Serial depth of the task: its steps that each need the one before; None is not stated."""
    versus: Versus
    """The best of breadth, by its mean, against the base."""
    cell: str
    """Of the best, with its first seed."""
    of: int
    """Strategies that it is the best of."""

    @property
    def ahead(self) -> Ahead:
        """Which is ahead, where that is decided: adjusted for all comparisons of the sweep."""
        if self.versus.p_holm >= 1 - CONFIDENCE or not self.versus.difference:
            return "open"
        return "breadth" if self.versus.difference > 0 else "depth"

    @property
    def ratio(self) -> float | None:
        """Budget over natural depth: at 1 a whole chain just fits."""
        return self.work / self.natural if self.natural else None


def deepest(rows: Sequence[CellRow]) -> str | None:
    """Return the strategy of least parallelism over all cells that are done; of equals the first.

    So the base of a diagram is chosen without a look at accuracies.
    """
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.status == "done" and row.span > 0:
            found.setdefault(row.strategy, []).append(row.work / row.span)
    return min(found, key=lambda strategy: fmean(found[strategy]), default=None)


def phases(
    rows: Sequence[CellRow],
    trials: Trials,
    versus: Iterable[Versus],
    serial: Mapping[str, int],
) -> list[Phase]:
    """Hold the best of breadth against the base, in every group with a limit on work.

    The best is chosen by the very means that it is judged by, which favours breadth: that depth is
    ahead is the surer finding of the two, and Holm's adjustment guards the other.

    Args:
        rows: of the sweep.
        trials: of its cells.
        versus: all comparisons with one base.
        serial: depth of the tasks for which it is known.
    """
    done = [row for row in rows if row.status == "done"]
    wide = _parallelism(done)
    natural = natural_depths(done, trials, _base(versus := [*versus]))
    groups: dict[tuple[str, str, str, str], list[Versus]] = {}
    for one in versus:
        key = (one.engine, one.task, one.effort, one.budget)
        if wide[*key, one.strategy] >= TWICE * wide[*key, one.base]:
            groups.setdefault(key, []).append(one)
    work = {row.budget: limits(row.budget).work for row in done}
    ids = {_key(row): row.id for row in reversed(done)}
    found = []
    for (engine, task, effort, budget), many in groups.items():
        if (limit := work[budget]) is not None:
            best = max(many, key=lambda one: one.difference)
            depth = natural.get((engine, task, effort))
            cell = ids[engine, task, effort, budget, best.strategy]
            told = (engine, task, effort, budget, limit, depth, serial.get(task), best)
            found.append(Phase(*told, cell, len(many)))
    return found


def natural_depths(
    rows: Iterable[CellRow], trials: Trials, base: str | None
) -> dict[tuple[str, str, str], float | None]:
    """Return the natural depth of each engine, task and effort, from the base's largest budget."""
    held: dict[tuple[str, str, str], list[CellRow]] = {}
    for row in rows:
        if row.strategy == base:
            held.setdefault((row.engine, row.task, row.effort), []).append(row)
    found = {}
    for key, many in held.items():
        most = max(map(_room, many))
        runs = [one for row in many if _room(row) == most for one in trials[row.id]]
        ended = [(one.span, one.stop == "done") for one in runs if one.stop != "failed"]
        found[key] = median_length(ended)
    return found


def _base(versus: Sequence[Versus]) -> str | None:
    return versus[0].base if versus else None


def _room(row: CellRow) -> float:
    work = limits(row.budget).work
    return float("inf") if work is None else work


def _parallelism(rows: Iterable[CellRow]) -> dict[tuple[str, str, str, str, str], float]:
    """Return mean work over span of each strategy in its group, over seeds."""
    found: dict[tuple[str, str, str, str, str], list[float]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(row.work / row.span if row.span else 1.0)
    return {key: fmean(values) for key, values in found.items()}


def _key(row: CellRow) -> tuple[str, str, str, str, str]:
    """Return what the cells of one strategy share, whatever their seeds."""
    return row.engine, row.task, row.effort, row.budget, row.strategy
