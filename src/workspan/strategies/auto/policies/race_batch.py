"""A race for many runs at once: `policy.Planned` on arrays, for chains side by side.

A limit is part of the rule: it stops before the limit would cut anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workspan.search.batch import Moves, Runs
from workspan.strategies.auto.fit.replayed import worth
from workspan.strategies.auto.policies.plan import Plan
from workspan.strategies.auto.policies.support import Leavers, Said, Support

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class RaceBatch:
    """Do what the plan of a race says."""

    plan: Plan
    support: Support
    most: int = 1 << 30
    """Tokens at which a chain is cut whatever the plan."""
    span: int | None = None
    """Of each run, at most."""
    reserve: int = 0
    """Tokens of it kept for a probe."""
    work: int | None = None
    """Of each run, at most."""
    each: int = 0
    """Tokens of it kept for a probe at each chain."""

    @property
    def chains(self) -> int:
        """Chains of a run, at most."""
        return self.plan.chains

    @property
    def knows_ends(self) -> bool:
        """Take a chain without an answer for open until it grows no more, as `Chains` does."""
        return False

    def rule(self, runs: int) -> RaceRule:  # noqa: ARG002
        """Begin so many runs."""
        return RaceRule(self)


class RaceRule:
    """What is remembered of some runs: which answers were left."""

    def __init__(self, told: RaceBatch) -> None:
        self._told = told
        self._leavers: Leavers | None = None

    def keep(self, going: Bools) -> None:
        """Forget the others."""
        if self._leavers is not None:
            self._leavers.keep(going)

    def decide(self, runs: Runs) -> Moves:
        """Choose what to do next."""
        told, shape, place = self._told, self._told.plan.shape, np.arange(runs.depth.shape[1])
        self._seen(runs).see(runs.group)
        is_begun = place < runs.started[:, None]
        cap = min(shape.cap, told.most)
        open_ = is_begun & ~runs.ended & (runs.depth < cap)
        n = np.where(runs.started == 0, shape.width, shape.joins or 0)
        end = np.minimum(runs.started + n, told.chains)
        named = open_ | (~is_begun & (place < end[:, None]))
        rooms = np.where(named, shape.cap - runs.depth, shape.block).min(axis=1)
        block = np.minimum(shape.block, rooms)
        if told.span is not None:
            block = np.minimum(block, told.span - told.reserve - runs.span)
        if told.work is not None:
            named, block = self._afford(told.work - runs.work, open_, named, block)
        stops = (runs.started > 0) & (self._worth(runs, open_.sum(axis=1)) < told.plan.least)
        return Moves(np.where(named & ~(stops | (block <= 0))[:, None], block[:, None], 0))

    def _afford(self, left: Ints, open_: Bools, named: Bools, block: Ints) -> tuple[Bools, Ints]:
        """Return the chains and the block that fit: at the end nobody joins."""
        n_open = open_.sum(axis=1)
        each = left // np.maximum(1, named.sum(axis=1)) - self._told.each
        alone = (each < block) & (n_open > 0)
        named = named & (open_ | ~alone[:, None])
        each = left // np.maximum(1, named.sum(axis=1)) - self._told.each
        return named, np.minimum(block, each)

    def answers(self, runs: Runs) -> Ints:
        """Return the leading answer of each run."""
        return self._told.support.of(self._said(runs))[0]

    def _worth(self, runs: Runs, n_open: Ints) -> NDArray[np.float64]:
        started = np.maximum(1, runs.started)
        depth, rested = runs.depth.sum(axis=1) / started, runs.started - n_open
        belief = self._told.support.of(self._said(runs))[1]
        found: NDArray[np.float64] = worth(belief, rested, depth, self._told.support.scale)
        return found

    def _said(self, runs: Runs) -> Said:
        ended, left = runs.ended | (runs.depth >= self._told.most), self._seen(runs).left
        return Said(runs.group, ended, runs.depth, runs.since, left)

    def _seen(self, runs: Runs) -> Leavers:
        """Return what was seen; a problem may have fewer chains than a race wants."""
        if self._leavers is None:
            self._leavers = Leavers(*runs.group.shape)
        return self._leavers
