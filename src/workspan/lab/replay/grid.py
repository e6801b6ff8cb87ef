"""The width × depth table of recorded chains: what each fixed split gives on each problem."""

from __future__ import annotations

import random
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.answers import canonical
from workspan.data.types import Problem
from workspan.recordings.engine import asked_tokens
from workspan.recordings.recording import Chain, Recording

if TYPE_CHECKING:
    from numpy.typing import NDArray

WIDTHS = (1, 2, 4, 8, 16, 32, 64)
RESAMPLES = 60
"""Orders of a problem's chains over which a point is averaged."""


class Point(NamedTuple):
    """One fixed split."""

    depth: int
    """Tokens at which every chain is cut and asked."""
    width: int


@dataclass(frozen=True)
class Grid:
    """Means over `RESAMPLES` orders of the chains, each array float64 [problem, point]."""

    names: tuple[str, ...]
    """Ids of the problems."""
    points: tuple[Point, ...]
    accuracy: NDArray[np.float64]
    work: NDArray[np.float64]
    span: NDArray[np.float64]

    @cached_property
    def rows(self) -> dict[str, int]:
        """The row of each problem."""
        return {name: row for row, name in enumerate(self.names)}

    def means(self, names: Collection[str]) -> NDArray[np.float64]:
        """Return accuracy, work and span [3, point], means over the problems of these ids."""
        rows = [self.rows[name] for name in names]
        tables = (self.accuracy, self.work, self.span)
        return np.stack([table[rows].mean(axis=0) for table in tables])


def depths_of(recordings: Sequence[Recording]) -> tuple[int, ...]:
    """Return the depths of their tables: 1, 1.5, 2, 3, 4, 6, … times 125, and the longest chain."""
    longest = max(recording.longest for recording in recordings)
    steps = [125 * 2.0**power * half for power in range(-10, 24) for half in (1, 1.5)]
    return (*(round(step) for step in sorted(steps) if longest / 40 <= step < longest), longest)


def grid_of(recording: Recording, depths: Sequence[int], seed: int = 0) -> Grid:
    """Cut every chain at each depth, ask it there if it was ever asked, and vote by each width.

    The orders are drawn from `seed`; widths that a problem has too few chains for are taken with
    all of its chains.
    """
    points = tuple(Point(depth, width) for depth in depths for width in WIDTHS)
    shape = (len(recording.problems), len(points))
    accuracy, work, span = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    is_probed = recording.is_probed
    for row, problem in enumerate(recording.problems):
        chains = recording.chains[problem.id]
        n = min(max(WIDTHS), len(chains))
        rng = random.Random(f"{seed} {problem.id}")
        orders = np.array([rng.sample(range(len(chains)), n) for _ in range(RESAMPLES)])
        groups: list[str] = []
        known: dict[Hashable, int] = {}
        cuts = [_cut(chains, d, problem, groups, known, is_probed=is_probed) for d in depths]
        grades = np.array([recording.grade(problem, answer) for answer in groups] + [0.0])
        drawn, spent = (np.array(column)[:, orders] for column in zip(*cuts, strict=True))
        lead = Pluralities.of(drawn.reshape(-1, n), len(groups))
        for j, width in enumerate(WIDTHS):
            winners = lead.after(width).reshape(drawn.shape[:2])
            accuracy[row, j :: len(WIDTHS)] = grades[winners].mean(axis=1)
            work[row, j :: len(WIDTHS)] = spent[..., :width].sum(axis=2).mean(axis=1)
            span[row, j :: len(WIDTHS)] = spent[..., :width].max(axis=2).mean(axis=1)
    return Grid(tuple(p.id for p in recording.problems), points, accuracy, work, span)


def _cut(
    chains: Sequence[Chain],
    depth: int,
    problem: Problem,
    groups: list[str],
    known: dict[Hashable, int],
    *,
    is_probed: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the group of each chain's vote, -1 for none, and what it cost; new groups are added.

    Both int64 [chain].
    """
    votes, costs = [], []
    for chain in chains:
        cost, answer = min(depth, chain.tokens), chain.answers[-1]
        if depth < chain.tokens:
            answer = chain.answer_at(depth) if is_probed else None
            cost += asked_tokens(answer) if is_probed else 0
        votes.append(-1 if answer is None else _group(answer, problem, groups, known))
        costs.append(cost)
    return np.array(votes), np.array(costs)


def _group(answer: str, problem: Problem, groups: list[str], known: dict[Hashable, int]) -> int:
    """Number an answer; equal ones share theirs, and the first of them stands for all."""
    text = ("", answer)
    if text not in known:
        key = canonical(answer, problem.kind)
        known[text] = known.setdefault(("key", key), len(groups))
        if known[text] == len(groups):
            groups.append(answer)
    return known[text]


class Pluralities(NamedTuple):
    """Votes in some orders, ready to be counted after any number of them."""

    votes: NDArray[np.int64]
    """[order, place]; the number of groups where there is none."""
    first: NDArray[np.int64]
    """[order, group], the place of its first vote."""

    @classmethod
    def of(cls, votes: NDArray[np.int64], groups: int) -> Pluralities:
        """Take votes [order, place], -1 for none."""
        orders, width = votes.shape
        votes = np.where(votes < 0, groups, votes)
        first = np.zeros((orders, groups + 1), np.int64)
        for place in range(width - 1, -1, -1):
            first[np.arange(orders), votes[:, place]] = place
        return cls(votes, first)

    def after(self, width: int) -> NDArray[np.int64]:
        """Return each order's winner after so many votes, the first drawn of equals.

        Without a vote that is the number of groups.
        """
        orders, groups = self.first.shape
        places = self.votes[:, :width] + groups * np.arange(orders)[:, None]
        counts = np.bincount(places.ravel(), minlength=orders * groups).reshape(orders, groups)
        score = counts * (self.votes.shape[1] + 1) - self.first
        score[counts == 0] = -1
        score[:, -1] = 0  # beaten by any vote
        winners: NDArray[np.int64] = score.argmax(axis=1)
        return winners
