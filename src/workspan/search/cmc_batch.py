"""The controller of CMC for many runs at once: `cmc.CmcControl`, round by round, on arrays.

The two are one rule; a test plays both on the same chains.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from workspan.search.batch import NONE, Moves, Runs
from workspan.search.cmc import Settings
from workspan.search.stopping import beta_confidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.integer]

_ALIVE = 2


@dataclass(frozen=True, slots=True)
class CmcBatch:
    """CMC under one dial."""

    beta: float = 0.5
    block: int = 500
    """Tokens between two probes."""
    max_tokens: int = 1 << 30
    """Of a chain; one that is cut there has no vote."""

    @property
    def chains(self) -> int:
        """Chains, at most."""
        return Settings.of(self.beta).most

    @property
    def knows_ends(self) -> bool:
        """Tell a chain that came short of its block from one that goes on."""
        return True

    def rule(self, runs: int) -> CmcRule:
        """Begin so many runs."""
        return CmcRule(Settings.of(self.beta), self.block, self.max_tokens, runs)


class CmcRule:
    """What CMC remembers of some runs; arrays [run] or [run, chain]."""

    def __init__(self, settings: Settings, block: int, most: int, runs: int) -> None:
        self._told, self._block, self._most = settings, block, most
        self._rounds = 0
        self._average = np.full(runs, 0.5)
        self._averages: list[NDArray[np.float64]] = []
        """After each of the latest rounds."""
        self._misses = np.zeros((runs, settings.most), np.int32)
        self._dropped = np.zeros((runs, settings.most), bool)
        self._opened = np.full(runs, settings.chains)
        """Chains that are to be begun so far."""
        self._votes = _Votes.none(runs)
        self._finished = np.zeros(runs, np.int64)

    def decide(self, runs: Runs) -> Moves:
        """End the round that was played, if any, and begin the next."""
        chains, is_stopped = runs.depth.shape[1], np.zeros(len(runs.work), bool)
        place = np.arange(chains)  # a recording may hold fewer chains than there may be
        self._misses, self._dropped = self._misses[:, :chains], self._dropped[:, :chains]
        is_open = ~runs.ended & (runs.depth < self._most) & ~self._dropped
        if self._rounds or runs.started.any():
            self._count(runs)
            self._probe(runs, is_open & (runs.depth > 0))
            is_open &= ~self._dropped
            is_stopped = self._move(runs)
        is_open &= place < self._opened[:, None]
        self._follow()  # twice a round: before it, too
        leader = self._votes.leader[:, None]
        agrees = (runs.said == leader) & (leader != NONE) & (runs.depth > 0)
        size = np.where(agrees, self._told.burst, 1) * self._block
        grow = np.where(is_open, np.minimum(size, self._most - runs.depth), 0)
        grow[is_stopped] = 0
        return Moves(grow)

    def keep(self, going: Bools) -> None:
        """Forget the runs that stopped."""
        self._average, self._misses = self._average[going], self._misses[going]
        self._averages = [one[going] for one in self._averages]
        self._dropped, self._opened = self._dropped[going], self._opened[going]
        self._votes = _Votes(*(column[going] for column in self._votes.columns))
        self._finished = self._finished[going]

    def answers(self, runs: Runs) -> Ints:
        """Return the plurality of the finished, or of what all say where none has finished."""
        interim = _Votes.of(np.where(runs.depth > 0, runs.said, NONE)).leader
        return np.where(self._votes.leader != NONE, self._votes.leader, interim)

    def _count(self, runs: Runs) -> None:
        """Count again where a chain has finished with an answer."""
        done = runs.has_answered
        finished = done.sum(axis=1)
        (changed,) = np.nonzero(finished != self._finished)
        if len(changed):
            votes = _Votes.of(np.where(done[changed], runs.said[changed], NONE))
            for column, new in zip(self._votes.columns, votes.columns, strict=True):
                column[changed] = new
        self._finished = finished

    def _probe(self, runs: Runs, live: Bools) -> None:
        """End a round, and drop the chains that strayed longest from the finished winner."""
        self._follow()
        self._rounds += 1
        self._averages = [*self._averages[1 - self._told.window :], self._average]
        if self._told.window == 1:
            self._averages = [self._average]
        winner = self._votes.leader[:, None]
        counted = live & (winner != NONE)
        missed = np.where(runs.said == winner, 0, self._misses + 1)
        self._misses = np.where(counted, missed, self._misses)
        strays = counted & (self._misses >= self._told.patience)
        (rows,) = np.nonzero(strays.any(axis=1))
        if len(rows):
            most = np.maximum(0, live[rows].sum(axis=1) - _ALIVE)
            rank = np.where(strays[rows], -self._misses[rows], 1).argsort(axis=1, kind="stable")
            taken = np.zeros_like(strays[rows])
            first = np.arange(strays.shape[1]) < most[:, None]
            np.put_along_axis(taken, rank, first, axis=1)
            self._dropped[rows] |= taken & strays[rows]

    def _move(self, runs: Runs) -> Bools:
        """Say which runs stop, and open chains in those that are not sure and hardly rise."""
        told = self._told
        rise = self._average - self._averages[0]
        is_sure = self._average >= told.threshold
        stops = is_sure & (self._finished >= told.complete) & (rise >= -told.slack)
        stops &= self._rounds >= told.warmup
        widens = ~is_sure & (rise <= told.trend)
        wider = np.minimum(self._opened + told.widen, runs.depth.shape[1])
        self._opened = np.where(widens, np.maximum(wider, self._opened), self._opened)
        return stops

    def _follow(self) -> None:
        """Move the average toward the confidence of the votes."""
        confidence = _confidences(self._told.most)[self._votes.first, self._votes.second]
        self._average = self._average + self._told.weight * (confidence - self._average)


@dataclass(slots=True)
class _Votes:
    """How votes stand; arrays [run]."""

    leader: Ints
    """The first drawn of equals."""
    first: Ints
    """Votes of the leader."""
    second: Ints
    """Of the runner-up."""

    @property
    def columns(self) -> tuple[Ints, Ints, Ints]:
        """All of them."""
        return self.leader, self.first, self.second

    @classmethod
    def none(cls, runs: int) -> _Votes:
        """Nobody has voted."""
        zeros = np.zeros((2, runs), np.int64)
        return cls(np.full(runs, NONE, np.int64), *zeros)

    @classmethod
    def of(cls, groups: Ints) -> _Votes:
        """Count votes [run, chain]."""
        groups = groups.astype(np.int16)
        counts = (groups[:, :, None] == groups[:, None, :]).sum(axis=2, dtype=np.int16)
        counts[groups == NONE] = 0
        best = counts.argmax(axis=1)
        rows = np.arange(len(groups))
        first = counts[rows, best]
        leader = np.where(first > 0, groups[rows, best], NONE)
        second = np.where(groups == leader[:, None], 0, counts).max(axis=1)
        return cls(leader, first, second)


@cache
def _confidences(most: int) -> NDArray[np.float64]:
    """Return P(the leader is the plurality) by its votes and the runner-up's."""
    numbers = range(most + 1)
    return np.array([[beta_confidence(max(a, b), min(a, b)) for b in numbers] for a in numbers])
