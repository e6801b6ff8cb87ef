"""How far chains that run side by side speak for an answer: a weighted vote, fitted on a profile.

A chain speaks for what it ended on, for what it says while it is open, and *against* what it said
and left: right answers are seldom left again. How much each of these weighs, and its sign, is
learnt for each model, and so is what a short chain is worth among its siblings, and one whose
answer has stood long. The sum of the weights is an answer's log-odds against the others; a second
model says from it, and from how many chains ended, how likely the leading answer is right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workspan.strategies.auto.policies.evidence import sigmoid
from workspan.strategies.auto.policies.state import NONE, Chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.integer]

ANSWER_PRIOR = (2.0, 1.0, -1.0, 0.0, 0.0, 2.0)
"""Log-odds of an answer: log of the chains that ended on it, of the open ones that say it, of those
that left it, how much shorter than their siblings those that ended are, and for which share of
their length its chains have said it; last, what stands for "none of them"."""
LEADER_PRIOR = (-0.5, 0.5, 0.3, 0.3, -0.3, 0.0)
"""Log-odds of the leader: 1, those of its share, its own, log of the chains that ended on it, of
those that ended on others, log of the mean depth."""


class Said(NamedTuple):
    """What the chains of some runs say; arrays [run, chain] but for the last."""

    group: Ints
    """The latest answer, `NONE` without."""
    ended: Bools
    depth: Ints
    """0 of a chain that was not begun."""
    since: Ints
    """Depth of the probe since which the answer stands."""
    left: Ints
    """[run, group], chains that said it and say another."""


class Answers(NamedTuple):
    """The answers that chains of some runs hold, run by run; arrays [answer]."""

    run: Ints
    group: Ints
    features: Floats
    """[answer, feature]"""
    ended: Floats
    """Chains that ended on it."""
    first: Ints
    """The first chain that holds it."""


@dataclass(frozen=True, slots=True)
class Support:
    """What a model's chains are worth as witnesses, side by side."""

    scale: float
    """Median tokens of a chain that ended."""
    answer: tuple[float, ...] = ANSWER_PRIOR
    leader: tuple[float, ...] = LEADER_PRIOR

    def read(self, chains: Sequence[Chain]) -> tuple[int, float]:
        """Return the leading group of a run and the probability that it is right."""
        seen = [chain for chain in chains if chain.depth > 0]
        if not seen:
            return NONE, 0.0
        said = [{probe.group for probe in chain.probes} | {chain.group} for chain in seen]
        known = sorted(set().union(*said) - {NONE})
        at = {group: i for i, group in enumerate(known)} | {NONE: NONE}
        left = np.zeros((1, max(1, len(known))), np.int64)
        for chain, groups in zip(seen, said, strict=True):
            for group in groups - {chain.group, NONE}:
                left[0, at[group]] += 1
        told = Said(
            np.array([[at[chain.group] for chain in seen]]),
            np.array([[chain.ended for chain in seen]]),
            np.array([[chain.depth for chain in seen]]),
            np.array([[chain.since for chain in seen]]),
            left,
        )
        leaders, belief = self.of(told)
        return (known[leaders[0]] if leaders[0] != NONE else NONE), float(belief[0])

    def of(self, said: Said) -> tuple[Ints, Floats]:
        """Return the leader of each run, `NONE` without answers, and P(right), 0 without."""
        leaders, told = self.leading(said, weigh(said))
        return leaders, np.where(leaders == NONE, 0.0, sigmoid(told @ np.array(self.leader)))

    def leading(self, said: Said, answers: Answers) -> tuple[Ints, Floats]:
        """Return the leader of each run, the first drawn of equals, and what tells its worth."""
        runs = len(said.group)
        odds = answers.features @ np.array(self.answer[:-1])
        order = np.lexsort((answers.first, -odds, answers.run))
        run, start = np.unique(answers.run[order], return_index=True)
        at = order[start]
        leaders = np.full(runs, NONE, np.int64)
        leaders[run] = answers.group[at]
        best, behind, total = np.zeros(runs), np.zeros(runs), np.ones(runs)
        best[run], behind[run] = odds[at], answers.ended[at]
        others = np.exp(np.clip(odds - best[answers.run], -30, 0))
        total[run] = np.bincount(answers.run, others, runs)[run]
        share = np.clip(1 / total, 0.01, 0.995)
        ended = np.bincount(answers.run, answers.ended, runs) - behind
        depth = said.depth.sum(axis=1) / np.maximum(1, (said.depth > 0).sum(axis=1))
        columns = (
            np.ones(runs),
            np.log(share / (1 - share)),
            np.clip(best, -5, 8),
            np.log1p(behind),
            np.log1p(ended),
            np.log(np.maximum(depth, self.scale / 32) / self.scale),
        )
        return leaders, np.stack(columns, axis=-1)


def weigh(said: Said) -> Answers:
    """Lay out what speaks for each answer that a chain holds."""
    groups = said.left.shape[1]
    has = said.group != NONE
    row, chain = np.nonzero(has)
    held, cell, holds = np.unique(
        row * groups + said.group[has], return_inverse=True, return_counts=True
    )
    depth, begun = said.depth.astype(float), said.depth > 0
    mean = depth.sum(axis=1, keepdims=True) / np.maximum(1, begun.sum(axis=1, keepdims=True))
    shorter = -np.log(np.maximum(depth, 1.0) / np.maximum(mean, 1.0))
    stood = (depth - said.since) / np.maximum(depth, 1.0)

    def total(values: NDArray[Any]) -> Floats:
        found: Floats = np.bincount(cell, weights=values[has], minlength=len(held)).astype(float)
        return found

    ended = total(1.0 * said.ended)
    first = np.full(len(held), said.group.shape[1])
    np.minimum.at(first, cell, chain)
    columns = (
        np.log1p(ended),
        np.log1p(holds - ended),
        np.log1p(said.left.ravel()[held]),
        total(said.ended * shorter) / np.maximum(1.0, ended),
        total(stood) / holds,
    )
    run, group = np.divmod(held, groups)
    return Answers(run, group, np.stack(columns, axis=-1), ended, first)


class Leavers:
    """Counts, probe by probe, the chains that said an answer and say another; for many runs."""

    def __init__(self, runs: int, chains: int) -> None:
        self.left = np.zeros((runs, 1), np.int64)
        """[run, group]"""
        self._last = np.full((runs, chains), NONE, np.int64)
        self._said = np.zeros((runs, chains, 1), bool)

    def see(self, group: Ints) -> None:
        """Take in the latest answers [run, chain]."""
        self._widen(int(group.max(initial=0)) + 1)
        run, chain = np.nonzero((group != self._last) & (group != NONE))
        before, now = self._last[run, chain], group[run, chain]
        had = before != NONE
        np.add.at(self.left, (run[had], before[had]), 1)
        back = self._said[run, chain, now]
        np.subtract.at(self.left, (run[back], now[back]), 1)
        self._said[run, chain, now] = True
        self._last[run, chain] = now

    def keep(self, going: Bools) -> None:
        """Forget the other runs."""
        self.left, self._last, self._said = self.left[going], self._last[going], self._said[going]

    def _widen(self, groups: int) -> None:
        more = groups - self.left.shape[1]
        if more > 0:
            more = max(more, self.left.shape[1])
            self.left = np.pad(self.left, ((0, 0), (0, more)))
            self._said = np.pad(self._said, ((0, 0), (0, 0), (0, more)))
