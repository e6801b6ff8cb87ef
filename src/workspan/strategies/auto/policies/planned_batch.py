"""A plan for many runs at once: `policy.Planned` on arrays, where only work limits a run.

The evidence, what going on is worth and the plan are those of `Planned`; a test plays both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workspan.search.batch import NONE, Moves, Runs
from workspan.strategies.auto.fit.replayed import worth
from workspan.strategies.auto.policies.evidence import Evidence, chain_features, leading
from workspan.strategies.auto.policies.plan import Plan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """Do what a plan says; it must not hand on to an arm, since that is no matter of chains."""

    plan: Plan
    evidence: Evidence
    most: int = 1 << 30
    """Tokens at which a chain is cut whatever the plan."""
    work: int | None = None
    """Of each run, at most."""
    reserve: int = 0
    """Tokens of it kept for a probe at each chain."""

    def __post_init__(self) -> None:
        """Refuse a plan with an arm."""
        if self.plan.arm != NONE:
            raise ValueError("a plan that hands on to an arm can't be played on arrays")

    @property
    def chains(self) -> int:
        """Chains of a run, at most."""
        return self.plan.chains

    @property
    def knows_ends(self) -> bool:
        """Take a chain without an answer for open until it grows no more, as `Chains` does."""
        return False

    def rule(self, runs: int) -> PlannedBatch:  # noqa: ARG002
        """Return itself: a plan remembers nothing."""
        return self

    def keep(self, going: NDArray[np.bool_]) -> None:
        """Nothing is held of any run."""

    def decide(self, runs: Runs) -> Moves:
        """Choose what to do next."""
        shape, place = self.plan.shape, np.arange(runs.depth.shape[1])
        caps = np.array([shape.cap_of(chain) for chain in range(runs.depth.shape[1])])
        open_ = (
            (place < runs.started[:, None])
            & ~runs.ended
            & (runs.depth < np.minimum(caps, self.most))
        )
        n_open = open_.sum(axis=1)
        n = np.where(runs.started == 0, shape.width, shape.more)
        end = np.minimum(runs.started + n, self.plan.chains)
        begins = (place >= runs.started[:, None]) & (place < end[:, None]) & (n_open == 0)[:, None]
        named = open_ | begins
        rooms = np.where(named, caps - runs.depth, shape.block).min(axis=1)
        block = np.minimum(shape.block, rooms)
        if self.work is not None:
            deepest = np.where(named, caps - runs.depth, 0).max(axis=1)
            n, block = self._afford(runs, n_open, begins.sum(axis=1), deepest, block)
            named = open_ | (begins & (place < (runs.started + n)[:, None]))
        stops = (runs.started > 0) & (self._worth(runs, n_open) < self.plan.least)
        return Moves(np.where(named & ~(stops | (block <= 0))[:, None], block[:, None], 0))

    def _afford(
        self, runs: Runs, n_open: Ints, n: Ints, deepest: Ints, block: Ints
    ) -> tuple[Ints, Ints]:
        """Return the chains to begin and the block that fit: fewer chains, then a shorter block."""
        left = (self.work or 0) - runs.work
        each = left // np.maximum(1, n_open + n) - self.reserve
        fewer = np.clip(left // np.maximum(1, deepest + self.reserve), 1, np.maximum(1, n))
        n = np.where((each < block) & (n > 1), fewer, n)
        each = left // np.maximum(1, n_open + n) - self.reserve
        return n, np.minimum(block, each)

    def answers(self, runs: Runs) -> NDArray[np.integer]:
        """Return the leading answer of each run."""
        return self._read(runs)[0]

    def _worth(self, runs: Runs, n_open: NDArray[np.integer]) -> NDArray[np.float64]:
        started = np.maximum(1, runs.started)
        depth = runs.depth.sum(axis=1) / started
        rested = runs.started - n_open
        found: NDArray[np.float64] = worth(self._read(runs)[1], rested, depth, self.evidence.scale)
        return found

    def _read(self, runs: Runs) -> tuple[NDArray[np.integer], NDArray[np.float64]]:
        """Return the leader of each run and the probability that it is right, 0 without one."""
        depth, since = runs.depth.astype(float), runs.since.astype(float)
        ended = runs.ended | (runs.depth >= self.most)
        features = chain_features(depth, since, ended, self.evidence.scale)
        leaders, told = leading(runs.group, self.evidence.of_chains(features))
        return leaders, np.where(leaders == NONE, 0.0, self.evidence.of_leader(told))
