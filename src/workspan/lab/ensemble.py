"""How much each model's samples should weigh in a vote of several, from labelled recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from workspan.answers import equivalent
from workspan.data.types import Problem
from workspan.errors import InputError
from workspan.recordings.recording import Recording

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MARGIN = 1e-3
"""Share of the votes by which the right answer must be ahead: half a tie is no win."""
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Weights of some models, and what a vote of very many samples of each gives with them."""

    names: tuple[str, ...]
    weights: tuple[float, ...]
    """At least 0, 1 in all."""
    accuracy: float
    """Share of the problems that the weighted vote has right. On the problems that it was fitted
    to: hold some out to know what it is worth."""
    alone: tuple[float, ...]
    """The same of each model's own vote."""


def fit_ensemble(recordings: Sequence[Recording]) -> Ensemble:
    """Choose the weights with which most problems are voted right (Best-of-infinity, 2509.21091).

    A mixed-integer program: problem q is won where the weights put the right answer's share ahead
    of every other answer's by `_MARGIN`; of all weights that win as many, those are taken whose
    narrowest win is the widest. Shares are those of all recorded samples.

    Args:
        recordings: one for each model, with right answers; only problems in all of them count.

    Raises:
        InputError: fewer than two, or no problem in common.
    """
    if len(recordings) < 2:
        raise InputError("an ensemble needs recordings of two models or more")
    common = {one.id for one in recordings[0].problems}
    for other in recordings[1:]:
        common &= {one.id for one in other.problems}
    problems = [one for one in recordings[0].problems if one.id in common]
    if not problems:
        raise InputError("these recordings have no problem in common")
    leads = [_leads(recordings, problem) for problem in problems]
    weights = _solve(leads, len(recordings))
    ours = (weights, *np.eye(len(recordings)))
    accuracy, *alone = (float(np.mean([_wins(lead, one) for lead in leads])) for one in ours)
    names = tuple(one.name for one in recordings)
    return Ensemble(names, tuple(map(float, weights)), accuracy, tuple(alone))


def _leads(recordings: Sequence[Recording], problem: Problem) -> NDArray[np.float64]:
    """Return by how much the right answer's share is ahead of each other's [answer, model].

    A problem that nobody has right has a row of -1 alone.
    """
    groups: list[str] = []
    shares: list[dict[int, float]] = []
    for one in recordings:
        chains = one.chains[problem.id]
        held: dict[int, float] = {}
        for chain in chains:
            answer = chain.answers[-1]
            if answer is not None:
                group = _group(answer, problem, groups)
                held[group] = held.get(group, 0.0) + 1 / len(chains)
        shares.append(held)
    is_right = [recordings[0].grade(problem, answer) >= 1 for answer in groups]
    if not any(is_right):
        return np.full((1, len(recordings)), -1.0)
    table = np.array([[held.get(i, 0.0) for held in shares] for i in range(len(groups))])
    right = table[np.array(is_right)].sum(axis=0)
    others = table[~np.array(is_right)]
    rivals = others if len(others) else np.zeros((1, len(recordings)))
    leads: NDArray[np.float64] = right - rivals
    return leads


def _group(answer: str, problem: Problem, groups: list[str]) -> int:
    same = (i for i, one in enumerate(groups) if equivalent(answer, one, problem.kind))
    found = next(same, len(groups))
    if found == len(groups):
        groups.append(answer)
    return found


def _solve(leads: Sequence[NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    """Maximise the problems won, over n weights and one yes or no for each problem."""
    m = len(leads)
    rows, low = [], []
    for q, lead in enumerate(leads):
        for rival in lead:
            row = np.zeros(n + m)
            row[:n] = rival
            row[n + q] = -(1 + _MARGIN)  # lead >= margin if won, >= -1 else, which always holds
            rows.append(row)
            low.append(-1.0)
    total = np.concatenate([np.ones(n), np.zeros(m)])
    found = milp(
        np.concatenate([np.zeros(n), -np.ones(m)]),
        integrality=np.concatenate([np.zeros(n), np.ones(m)]),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(np.array(rows), lb=low), LinearConstraint(total, 1, 1)],
        options={"time_limit": _SECONDS},
    )
    if found.x is None:
        return np.full(n, 1 / n)
    won = [lead for q, lead in enumerate(leads) if found.x[n + q] > 0.5]
    return _widest(won, n) if won else np.full(n, 1 / n)


def _widest(leads: Sequence[NDArray[np.float64]], n: int) -> NDArray[np.float64]:
    """Of all weights that win these problems, return those whose smallest lead is the largest."""
    rows = np.vstack(leads)
    table = np.hstack([rows, -np.ones((len(rows), 1))])  # every lead is at least the last variable
    total = np.concatenate([np.ones(n), [0.0]])
    found = milp(
        np.concatenate([np.zeros(n), [-1.0]]),
        bounds=Bounds([0.0] * n + [-1.0], 1.0),
        constraints=[LinearConstraint(table, lb=0), LinearConstraint(total, 1, 1)],
    )
    weights: NDArray[np.float64] = np.clip(found.x[:n], 0, None)
    weights /= weights.sum()
    return weights


def _wins(lead: NDArray[np.float64], weights: NDArray[np.float64]) -> bool:
    return bool((lead @ weights).min() >= _MARGIN - 1e-9)
