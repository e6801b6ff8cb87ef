"""Plans: a small family of rules that holds every fixed split, and the best of it for a budget.

A plan starts some lines side by side, leaves each at a cap, looks at all of them after every block,
stops as soon as the leader is right with enough probability, and adds lines, one after another,
until there are enough. It never stops early at a confidence above 1, and then it is a fixed split.
Which one is best is found on the library: every plan is run on its problems, and the accuracy that
it had there is what it is chosen by. Five numbers are chosen, so that little can be overfitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.allocate.evidence import Evidence, fit_leader, fit_line, line_features
from workspan.allocate.state import NONE
from workspan.allocate.table import Table
from workspan.allocate.walk import Draws, Shape, Walk, draw, walk, worth

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NEVER = 2.0
"""A confidence that is never reached."""

CONFIDENCES = (0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98)
WIDTHS = (1, 2, 4)
WIDE = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
MOST_LINES = 16
"""Lines of a plan that looks on the way; one that can't look has `WIDE[-1]`."""
_RUNS = 12
_SAMPLE = 20_000


class Plan(NamedTuple):
    """One rule of the family."""

    shape: Shape
    lines: int
    """At most."""
    confidence: float
    """Stop when the leader is right with this probability."""


class Outcome(NamedTuple):
    """What a plan did on the library."""

    plan: Plan
    accuracy: float
    work: float
    span: float


@dataclass(frozen=True, slots=True)
class Study:
    """All plans, run on a library."""

    table: Table
    evidence: Evidence
    outcomes: tuple[Outcome, ...]

    def best(
        self, work: float | None = None, span: float | None = None, price: float = 0.0
    ) -> Outcome:
        """Return the plan of most accuracy, less its work at a price, within mean budgets.

        Args:
            work: tokens of a problem, on the mean.
            span: the same for the longest chain.
            price: accuracy that a token must be worth.
        """
        fits = [
            one
            for one in self.outcomes
            if (work is None or one.work <= work) and (span is None or one.span <= span)
        ]
        if not fits:
            return min(self.outcomes, key=lambda one: (one.work, one.span))
        best = max(fits, key=lambda one: one.accuracy - (price + 1e-9) * one.work)
        return best if work is None else self._deepened(best, work)

    def _deepened(self, split: Outcome, work: float) -> Outcome:
        """Give what is left of a budget to the depth of a fixed split, up to the next one."""
        plan, table = split.plan, self.table
        if plan.confidence <= 1 or not table.is_asked:
            return split
        least, most = plan.shape.cap, plan.shape.cap + table.block - 1
        while least < most:
            cap = (least + most + 1) // 2
            cost = np.minimum(table.tokens, cap) + table.asked * (table.tokens > cap)
            if plan.lines * cost.mean() <= work:
                least = cap
            else:
                most = cap - 1
        shape = plan.shape._replace(cap=least, block=least)
        return split._replace(plan=plan._replace(shape=shape))


def study(table: Table, *, limit: float = np.inf, seed: int = 0) -> Study:
    """Run every plan on a library.

    Args:
        table: the library.
        limit: work at which each run is cut, for a budget that is hard on every problem.
        seed: of the orders of lines.
    """
    most = MOST_LINES if table.is_asked else WIDE[-1]
    draws = draw(table, _RUNS, most, seed)
    evidence = learn(table, draws)
    weights = worth(table, evidence)
    outcomes: list[Outcome] = []
    for shape in _shapes(table):
        watched = walk(
            table, evidence, draws, shape, limit=limit, enough=CONFIDENCES[-1], weights=weights
        )
        outcomes += _stopped(watched, shape, draws.order.shape[1], limit, CONFIDENCES)
    wide = draw(table, _RUNS, WIDE[-1], seed)
    for shape in _splits(table, wide.order.shape[1]):
        part = Draws(wide.problem, wide.order[:, : shape.width])
        done = walk(table, evidence, part, shape, weights=weights)
        outcomes += _stopped(done, shape, shape.width, limit, (NEVER,))
    return Study(table, evidence, tuple(outcomes))


def learn(table: Table, draws: Draws) -> Evidence:
    """Fit the evidence: first of lines alone, then of the leaders of a few kinds of run."""
    rng = np.random.default_rng(0)
    n_problems = len(table.tokens)
    depth = np.minimum(np.arange(table.steps + 1) * table.block, table.tokens[..., None])
    ended = (table.tokens[..., None] <= depth) & table.ended[..., None]
    begun = np.concatenate([np.zeros_like(ended[..., :1]), ended[..., :-1]], axis=-1)
    places = np.argwhere((table.group != NONE) & ~begun)
    places = places[rng.permutation(len(places))[:_SAMPLE]]
    at = tuple(places.T)
    features = line_features(depth[at].astype(float), table.since[at], ended[at], table.scale)
    evidence = Evidence(table.scale, fit_line(features, table.right[at], n_problems))
    cap = int(table.tokens.max())
    few = Draws(draws.problem, draws.order[:, :8])
    kinds = [Shape(width, cap, table.block) for width in (1, 4)]
    walks = [walk(table, evidence, few, kind) for kind in kinds]
    features = np.concatenate([one.features[one.moved] for one in walks])
    right = np.concatenate([one.right[one.moved] for one in walks])
    chosen = rng.permutation(len(right))[:_SAMPLE]
    leader = fit_leader(features[chosen], right[chosen], n_problems)
    return Evidence(evidence.scale, evidence.line, leader)


def _caps(table: Table, fine: int = 2) -> list[int]:
    """Return caps from the longest line down to a tenth of a typical one."""
    longest, least = int(table.tokens.max()), table.scale / 10
    if not table.is_asked:
        return [longest]
    ratios = (2 ** (-i / fine) for i in range(1, 12 * fine))
    falling = {max(1, round(longest * r / table.block)) * table.block for r in ratios}
    return sorted({longest, *(cap for cap in falling if least <= cap < longest)}, reverse=True)


def _shapes(table: Table) -> Iterator[Shape]:
    """Yield the ways of growing that look on the way."""
    caps = [cap for cap in _caps(table) if cap >= 0.4 * table.scale]
    for width in WIDTHS:
        for cap in caps[: None if width == 1 else 4]:
            yield Shape(width, cap, table.block)


def _splits(table: Table, most: int) -> Iterator[Shape]:
    """Yield the fixed splits; a single line's cap goes up block by block."""
    for width in WIDE:
        if width <= most:
            for cap in _caps(table, 4 if width > 1 else 16):
                yield Shape(width, cap, cap)


def _stopped(
    found: Walk,
    shape: Shape,
    most: int,
    limit: float,
    confidences: tuple[float, ...],
) -> Iterator[Outcome]:
    """Yield what the runs come to under each confidence and number of lines."""
    runs = found.work.shape[1]
    column = np.arange(runs)
    after = np.concatenate([found.n[1:], np.full((1, runs), most + 1)])
    dear = np.concatenate([found.work[1:] > limit, np.ones((1, runs), dtype=bool)])
    for lines in sorted({shape.width, *(n for n in WIDE if shape.width <= n <= most)}):
        used = (after > lines) | dear
        for confidence in confidences:
            stop = ((found.belief >= confidence) | used).argmax(axis=0)
            values = (found.right, found.work, found.span)
            accuracy, work, span = (float(one[stop, column].mean()) for one in values)
            yield Outcome(Plan(shape, lines, confidence), accuracy, work, span)
