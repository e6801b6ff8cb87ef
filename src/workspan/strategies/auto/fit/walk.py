"""Runs of a plan on a library's own lines, many at once: what it would have cost and given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.table import Table
from workspan.strategies.auto.policies.evidence import Evidence, leading, line_features
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Draws(NamedTuple):
    """Which lines each run is given, in order."""

    problem: NDArray[np.int64]
    """[run]"""
    order: NDArray[np.int64]
    """[run, line]"""


class Shape(NamedTuple):
    """How a run grows while nothing stops it."""

    width: int
    """Lines at the start, side by side."""
    cap: int
    """Tokens at which a line is left."""
    block: int
    """Tokens between looks."""
    more: int = 1
    """Lines that are added when all have ended or were left."""
    dive: int = 0
    """Tokens at which all lines but the first are left, so that breadth is bought only as deep as
    short answers lie, and depth for one line; 0 is `cap`."""

    def cap_of(self, line: int) -> int:
        """Return the tokens at which a line, counted from 0, is left."""
        return min(self.dive, self.cap) if self.dive and line else self.cap


@dataclass(frozen=True, slots=True)
class Walk:
    """Runs after each step; arrays [step, run]. A run that rests keeps its last values."""

    work: Floats
    span: Floats
    n: NDArray[np.int64]
    """Lines started."""
    right: NDArray[np.bool_]
    """The leader was right."""
    belief: Floats
    """P(the leader is right), as the evidence has it."""
    worth: Floats
    """Of going on, as `worth` has it."""
    features: Floats
    """[step, run, feature], of the leader."""
    moved: NDArray[np.bool_]
    """Something was bought in this step."""


def draw(table: Table, runs: int, most: int, seed: int = 0) -> Draws:
    """Shuffle each problem's lines `runs` times."""
    n_problems, n = table.tokens.shape
    rng = np.random.default_rng(seed)
    problem = np.repeat(np.arange(n_problems), runs)
    order = np.stack([rng.permutation(n)[: min(n, most)] for _ in problem])
    return Draws(problem, order)


def worth(belief: Any, rested: Any, depth: Any, scale: float) -> Any:
    """Return what going on is worth a token, up to a factor.

    The leader is wrong with 1 - belief; the n-th line changes that in proportion to 1 / n, and
    costs about what this problem's lines cost so far. On recorded chains this one number ranks
    states as well as rules with more to choose.

    Args:
        belief: P(the leader is right).
        rested: lines that ended or were left at the cap.
        depth: mean tokens of the lines so far.
        scale: tokens of a typical line.
    """
    return (1 - belief) / (rested + 0.5) / np.maximum(depth / scale, 0.25)


def solo(table: Table, evidence: Evidence) -> Floats:
    """Return P(right) of every line alone at every depth, 0 where it has no answer."""
    depth = np.minimum(np.arange(table.steps + 1) * table.block, table.tokens[..., None])
    ended = (table.tokens[..., None] <= depth) & table.ended[..., None]
    features = line_features(depth.astype(float), table.since, ended, table.scale)
    found = evidence.of_lines(features)
    return np.where(table.group == NONE, 0.0, found)


def walk(
    table: Table,
    evidence: Evidence,
    draws: Draws,
    shape: Shape,
    *,
    limit: float = np.inf,
    enough: float = -1.0,
    weights: Floats | None = None,
) -> Walk:
    """Grow every run by `shape` until its lines are used up.

    Args:
        table: the library's lines.
        evidence: what they are worth.
        draws: which lines each run is given.
        shape: how runs grow.
        limit: work at which a run rests.
        enough: worth of going on below which a run rests.
        weights: `solo` of the table, where it is known.
    """
    weights = solo(table, evidence) if weights is None else weights
    runs, most = draws.order.shape
    at, looks = np.zeros((2, runs, most), dtype=np.int64)
    now = _Runs(draws, table, shape, at, looks)
    last = [np.zeros(runs), np.zeros(runs), now.started, np.zeros(runs, dtype=bool)]
    last += [np.zeros(runs), np.zeros(runs), np.zeros((runs, 5)), np.zeros(runs, dtype=bool)]
    found: list[list[NDArray[Any]]] = []
    going = np.arange(runs)
    while len(going := now.grow(going)):
        used = int(now.started[going].max())
        part = Draws(draws.problem[going], draws.order[going, :used])
        right, features = _read(table, weights, part, now.at[going, :used])
        belief = evidence.of_leader(features)
        depth = now.at[going].sum(axis=1) / now.started[going]
        more = worth(belief, now.rested(going), depth, table.scale)
        work = now.at[going].sum(axis=1) + table.asked * now.looks[going].sum(axis=1)
        last = [column.copy() for column in last]
        last[-1][:] = False
        new = (work, now.span[going], now.started[going], right, belief, more, features, True)
        for column, values in zip(last, new, strict=True):
            column[going] = values
        found.append(last)
        going = going[(more >= enough) & (work < limit)]
    return Walk(*(np.stack(column) for column in zip(*found, strict=True)))


@dataclass
class _Runs:
    """How far the lines of every run have come; arrays [run, line]."""

    draws: Draws
    table: Table
    shape: Shape
    at: NDArray[Any]
    """Tokens."""
    looks: NDArray[Any]

    def __post_init__(self) -> None:
        self.tokens = self.table.tokens[self.draws.problem[:, None], self.draws.order]
        caps = [self.shape.cap_of(line) for line in range(self.at.shape[1])]
        self.ends = np.minimum(self.tokens, caps)
        self.span = np.zeros(len(self.at))
        self.started = np.full(len(self.at), min(self.shape.width, self.at.shape[1]))

    def rested(self, going: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how many lines of these runs ended or were left."""
        begun = np.arange(self.at.shape[1]) < self.started[going][:, None]
        rested: NDArray[np.int64] = (begun & (self.at[going] >= self.ends[going])).sum(axis=1)
        return rested

    def grow(self, going: NDArray[np.int64]) -> NDArray[np.int64]:
        """Grow these runs by a block, and return those of them that grew."""
        most = self.at.shape[1]
        at, ends, started = self.at[going], self.ends[going], self.started[going]
        place = np.arange(most)
        is_open = (place < started[:, None]) & (at < ends)
        rests = ~is_open.any(axis=1)
        started = np.where(rests, np.minimum(started + self.shape.more, most), started)
        is_open = (place < started[:, None]) & (at < ends)
        grown = np.where(is_open, np.minimum(at + self.shape.block, ends), at)
        self.span[going] += (grown - at).max(axis=1)
        self.looks[going] += is_open & (grown < self.tokens[going])
        self.at[going], self.started[going] = grown, started
        return going[is_open.any(axis=1)]


def _read(
    table: Table, weights: Floats, draws: Draws, at: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], Floats]:
    """Return whether the leader of each run is right, and what tells its worth."""
    problem, order = draws.problem[:, None], draws.order[:, : at.shape[1]]
    is_end = at >= table.tokens[problem, order]
    place = np.where(is_end, -(-at // table.block), at // table.block)
    groups = np.where(at > 0, table.group[problem, order, place], NONE)
    worths = np.where(groups == NONE, 0.0, weights[problem, order, place])
    leaders, features = leading(groups, worths)
    behind = (groups == leaders[:, None]) & (groups != NONE)
    right = (table.right[problem, order, place] & behind).any(axis=1)
    return right, features
