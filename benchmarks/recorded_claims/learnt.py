"""A vote whose weights are learnt per model: the chance of being right by what a chain's end shows.

The weight of a chain is the odds of a logistic regression on its rank of length among the chains
that vote, its length to their median, how long it had said its last answer, and how often it had
changed it. It is learnt on four folds of the problems and judged on the fifth.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from benchmarks.recorded_claims.chains import Coded, draws_of, recorded
from benchmarks.recorded_claims.judged import Asked, Sides, judge
from scipy.optimize import minimize
from scipy.special import expit

from workspan.lab.map.rows import Row

WIDTH, FOLDS, RIDGE = 64, 5, 1.0
LEARNT = Asked(
    name="learnt_weights",
    idea="selected_votes",
    claim="A vote weighed by what each chain's end shows, learnt per model, beats the plain vote.",
    source="Fu et al. 2025, arXiv:2508.15260; Hassid et al. 2025, arXiv:2505.17813",
    statistic="accuracy of the weighed vote minus that of the plain one, same 64 chains",
    budget="64 whole chains",
    why=(
        "Recorded chains of AIME 2024 and 2025; weights learnt on other problems of the same sets "
        "and model, by five folds: labels of such problems are needed. `auto`, which learns more "
        "of a chain and stops on the way, is in docs/results/selected.md."
    ),
)


def rows() -> dict[str, Callable[[], list[Row]]]:
    """Return what measures each claim, by name."""
    return {
        LEARNT.name: lambda: [
            judge(LEARNT, model, {f"{WIDTH} chains": learnt(coded)})
            for model, coded in recorded().items()
        ]
    }


def learnt(coded: list[Coded], folds: int = FOLDS) -> Sides:
    """Weigh each fold's votes by what the others taught."""
    ours, theirs = np.zeros(len(coded)), np.zeros(len(coded))
    drawn = [draws_of(one)[:, :WIDTH] for one in coded]
    shown = [features(one, orders) for one, orders in zip(coded, drawn, strict=True)]
    said = [one.at(10**9)[orders] for one, orders in zip(coded, drawn, strict=True)]
    for fold in range(folds):
        taught = [i for i in range(len(coded)) if i % folds != fold]
        x = np.concatenate([shown[i][0] for i in taught])
        y = np.concatenate([coded[i].right[said[i][0]] for i in taught])
        slope = fitted(x, y)
        for i in range(fold, len(coded), folds):
            weights = np.exp(np.clip(_with_one(shown[i]) @ slope, -8, 8))
            ours[i] = coded[i].weighed(said[i], weights)
            theirs[i] = coded[i].weighed(said[i], np.ones(said[i].shape))
    return Sides(ours, theirs)


def features(one: Coded, orders: np.ndarray) -> np.ndarray:
    """Return what the ends of chains show: [vote, chain, feature]."""
    lengths = one.lengths[orders]
    rank = lengths.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    median = np.log(lengths / np.median(lengths, axis=1, keepdims=True))
    ends = np.array([_end(chain.answers) for chain in one.chains])[orders]
    return np.concatenate([(rank / orders.shape[1])[..., None], median[..., None], ends], axis=2)


def _end(answers: tuple[str | None, ...]) -> tuple[float, float]:
    """Return for what share of its looks a chain had said its last answer, and its changes."""
    streak = 0
    for answer in reversed(answers):
        if answer != answers[-1]:
            break
        streak += 1
    changes = sum(one != other for one, other in pairwise(answers))
    return streak / len(answers), np.log1p(changes)


def fitted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return intercept and slopes of a logistic regression, with a little ridge on the slopes."""
    wide = _with_one(x)

    def loss(slope: np.ndarray) -> tuple[float, np.ndarray]:
        z = wide @ slope
        gap, ridge = expit(z) - y, np.r_[0.0, np.full(len(slope) - 1, RIDGE)] * slope
        value = float(np.sum(np.logaddexp(0, z) - y * z) + ridge @ slope / 2)
        return value, wide.T @ gap + ridge

    found: np.ndarray = minimize(loss, np.zeros(wide.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def _with_one(x: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((*x.shape[:-1], 1)), x], axis=-1)
