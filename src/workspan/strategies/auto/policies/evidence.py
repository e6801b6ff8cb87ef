"""How far the chains of a run speak for an answer: two small logistic models, fitted on a profile.

The first says how likely a chain's answer is right, seen alone: one that ended, by its length; one
that is open, by how long its answer has stood, and whether that was there almost from the start (a
guess, which stability does not make better). The second says how likely the leading answer is
right, by the best chain behind it, the others that agree, the strongest rival and the rest.
Agreement of chains is the better witness, so it has its own weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workspan.strategies.auto.policies.state import NONE, Chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

GUESSED = 1 / 14
"""An answer that stands since before this share of a typical length is a guess."""

_LINE_PRIOR = (-0.8, 2.0, -1.5, 0.8, -2.0, -0.5)
_LEADER_PRIOR = (-0.3, 0.9, 0.7, -0.7, -0.5)
_PROBLEM = 10.0
"""Observations that a problem counts for: its states are not independent."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a model's chains are worth as witnesses."""

    scale: float
    """Median tokens of a chain that ended."""
    chain: tuple[float, ...] = _LINE_PRIOR
    """Log-odds of a chain alone: 1, ended, ended x log length, open x log stood, open x guessed,
    open x log depth."""
    leader: tuple[float, ...] = _LEADER_PRIOR
    """Log-odds of the leader: 1, log-odds of its best chain, log of the others behind it, of the
    strongest rival, of the rest."""

    def of_chains(self, features: Floats) -> Floats:
        """Return P(right) of each chain alone; `features` as `chain_features` gives them."""
        return sigmoid(features @ np.array(self.chain))

    def of_leader(self, features: Floats) -> Floats:
        """Return P(right) of leaders; `features` as `leading` gives them."""
        return sigmoid(features @ np.array(self.leader))

    def read(self, chains: Sequence[Chain]) -> tuple[int, float]:
        """Return the leading group of a run and the probability that it is right."""
        seen = [chain for chain in chains if chain.depth > 0 and chain.group != NONE]
        if not seen:
            return NONE, 0.0
        depth = np.array([chain.depth for chain in seen], dtype=float)
        since = np.array([chain.since for chain in seen], dtype=float)
        ended = np.array([chain.ended for chain in seen])
        weights = self.of_chains(chain_features(depth, since, ended, self.scale))
        groups = np.array([chain.group for chain in seen])
        leaders, features = leading(groups[None], weights[None])
        return int(leaders[0]), float(self.of_leader(features)[0])


def chain_features(
    depth: NDArray[Any], since: NDArray[Any], ended: NDArray[np.bool_], scale: float
) -> Floats:
    """Return what tells a chain's worth, one more axis.

    Args:
        depth: tokens of each chain.
        since: depth at which its answer was first seen of those that it stands since.
        ended: by itself.
        scale: tokens of a typical chain.
    """
    least = scale / 32
    length = np.log(np.maximum(depth, least) / scale)
    stood = np.log(np.maximum(depth - since + least, least) / scale) + 3.0
    guessed = (since <= GUESSED * scale) & (depth > since)
    is_open = ~ended
    columns = (
        np.ones_like(length),
        1.0 * ended,
        ended * length,
        is_open * stood,
        1.0 * (is_open & guessed),
        is_open * length,
    )
    return np.stack(columns, axis=-1)


def leading(groups: NDArray[np.integer], weights: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return the leader of each run, `NONE` without answers, and what tells its worth.

    Args:
        groups: [run, chain], `NONE` where a chain has no answer.
        weights: [run, chain], P(right) of each chain alone.
    """
    found = Witnesses.none(len(groups))
    for group, weight in zip(groups.T, weights.T, strict=True):
        found = found.plus(group, np.where(group == NONE, 0.0, weight))
    return found.leading()


class Witnesses(NamedTuple):
    """What the chains of many runs say, chain after chain; arrays [chain, run] but for the last."""

    groups: NDArray[np.integer]
    weights: Floats
    """P(right) of the chain alone; 0 without an answer."""
    sums: Floats
    """Of the weights of all chains that say the same; -1 without an answer."""
    total: Floats
    """[run]"""

    @classmethod
    def none(cls, runs: int) -> Witnesses:
        """Return runs without a chain."""
        weights = np.zeros((0, runs))
        return cls(np.zeros((0, runs), np.int32), weights, weights, np.zeros(runs))

    def on(self, runs: NDArray[np.integer]) -> Witnesses:
        """Return those of some of the runs, or of some several times."""
        groups, weights, sums = self.groups[:, runs], self.weights[:, runs], self.sums[:, runs]
        return Witnesses(groups, weights, sums, self.total[runs])

    def plus(self, group: NDArray[np.integer], weight: Floats) -> Witnesses:
        """Add a chain of each run: its answer, and its weight, 0 where it has none."""
        has = group != NONE
        same = (self.groups == group) & has
        sums = self.sums + same * weight
        own = np.where(has, np.where(same, sums, weight).max(axis=0, initial=-1.0), -1.0)
        own = np.where(has, np.maximum(own, weight), own)
        return Witnesses(
            np.concatenate([self.groups, group[None]]),
            np.concatenate([self.weights, weight[None]]),
            np.concatenate([sums, own[None]]),
            self.total + weight,
        )

    def leading(self) -> tuple[NDArray[np.int64], Floats]:
        """Return the leader of each run, the first of equals, and what tells its worth."""
        best = self.sums.max(axis=0, initial=-1.0)
        leaders = np.full(len(best), NONE, np.int64)
        for group, own in zip(self.groups[::-1], self.sums[::-1], strict=True):
            leaders = np.where(own == best, group, leaders)
        behind = (self.groups == leaders) & (leaders != NONE)
        top = np.where(behind, self.weights, 0.0).max(axis=0, initial=0.0)
        top = np.clip(top, 2e-3, 0.998)
        first = np.maximum(best, 0.0)
        rival = np.where(behind, -1.0, self.sums).max(axis=0, initial=0.0)
        rest = np.maximum(self.total - first - rival, 0.0)
        others = np.maximum(first - top, 0.0)
        columns = (
            np.ones_like(top),
            np.log(top / (1 - top)),
            np.log1p(4 * others),
            np.log1p(4 * rival),
            np.log1p(4 * rest),
        )
        return leaders, np.stack(columns, axis=-1)


def sigmoid(x: Floats) -> Floats:
    """Return the logistic function."""
    result: Floats = 1 / (1 + np.exp(-np.clip(x, -30, 30)))
    return result


def fit_chain(features: Floats, right: NDArray[np.bool_], n_problems: int) -> tuple[float, ...]:
    """Fit the first model on states of chains."""
    return _fit(features, right, n_problems, _LINE_PRIOR)


def fit_leader(features: Floats, right: NDArray[np.bool_], n_problems: int) -> tuple[float, ...]:
    """Fit the second model on states of runs."""
    return _fit(features, right, n_problems, _LEADER_PRIOR)


def _fit(
    features: Floats, right: NDArray[np.bool_], n_problems: int, prior: Sequence[float]
) -> tuple[float, ...]:
    """Fit a logistic regression by Newton's method, pulled to a prior where data are few."""
    start = np.array(prior)
    if not len(features):
        return tuple(prior)
    beta, weight = start, _PROBLEM * n_problems / len(features)
    for _ in range(25):
        p = sigmoid(features @ beta)
        slope = weight * features.T @ (right - p) - (beta - start)
        curve = weight * (features * (p * (1 - p))[:, None]).T @ features + np.eye(len(beta))
        beta = beta + np.linalg.solve(curve, slope)
    return tuple(float(x) for x in beta)
