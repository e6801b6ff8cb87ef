"""Votes on whole samples of problems sampled before: who led after each, and was worth what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.search.stopping import ShapePrior
from workspan.strategies.auto.policies.merit import Merit, tally
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.library import Library

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_RUNS = 8_000
_ORDERS = 128
"""Of the samples of a problem, at most."""
_SIMULATED = 8
"""Problems of the broad prior beside the library's: it may have seen no vote that turns late."""


class Votes(NamedTuple):
    """Shuffled samples of problems and how their vote stood after each; arrays [run, sample]."""

    problem: Ints
    """[run]"""
    tokens: Floats
    lead: Ints
    """The leading group, the first to be drawn of equals; `NONE` without answers."""
    first: Ints
    """Votes of the leader."""
    second: Ints
    """Of the runner-up."""
    merit: Floats
    """What the leader is worth as the answer; 0 without one."""
    right: Floats
    """1 where it is right, as far as labels are known; else its merit."""


@dataclass(frozen=True, slots=True)
class Ballots:
    """The samples of problems sampled before; arrays [problem, sample] but for `merit`."""

    groups: Ints
    tokens: Floats
    merit: Floats
    """[problem, group]: what it is worth to answer so."""
    right: Floats
    """[problem, group]: 1 where it is right, as far as labels are known; else its merit."""
    n: int
    """Problems; those that follow are simulated."""

    @classmethod
    def of(
        cls, groups: Ints, tokens: Floats, right: NDArray[np.bool_] | None = None, seed: int = 0
    ) -> Ballots:
        """Take samples [problem, sample] as they were drawn, and simulate a few beside them."""
        merit = Merit() if right is None else Merit.learn(groups, right)
        both = np.concatenate([groups, _simulated(groups.shape[1], seed)])
        spent = np.concatenate([tokens, np.full((_SIMULATED, groups.shape[1]), tokens.mean())])
        worth = merit.of(both)
        known = worth.copy()
        if right is not None:
            known[: len(groups)] = tally(np.where(right, groups, NONE), worth.shape[1]) > 0
        return cls(both, spent, worth, known, len(groups))

    @property
    def typical(self) -> float:
        """Tokens of a sample, mean."""
        return float(self.tokens[: self.n].mean())

    def shuffled(self, seed: int = 0) -> Votes:
        """Draw every problem's samples in random orders, some thousand in all, and count."""
        n, width = self.groups.shape
        problem = np.repeat(np.arange(n), min(max(2, _RUNS // n), _ORDERS))
        order = np.random.default_rng(seed).random((len(problem), width)).argsort(axis=1)
        return self.counted(problem, order)

    def counted(self, problem: Ints, order: Ints) -> Votes:
        """Count votes sample by sample; those without an answer do not vote."""
        rows, width = np.arange(len(problem)), order.shape[1]
        scale = width + 1
        counts = np.zeros((len(problem), self.merit.shape[1]), np.int32)
        lead, first, second = (np.zeros(order.shape, np.int64) for _ in range(3))
        for i in range(width):
            drawn = self.groups[problem, order[:, i]]
            voting = np.flatnonzero(drawn != NONE)
            said = drawn[voting]  # counted as votes * scale, less the place of its first
            counts[voting, said] += scale - np.where(counts[voting, said] == 0, i + 1, 0)
            top = counts.argmax(axis=1)
            best = counts[rows, top]
            counts[rows, top] = -1
            runner = counts.max(axis=1)
            counts[rows, top] = best
            lead[:, i] = np.where(best > 0, top, NONE)
            first[:, i], second[:, i] = (-(-np.maximum(x, 0) // scale) for x in (best, runner))
        row = problem[:, None]
        both = (np.where(lead == NONE, 0.0, one[row, lead]) for one in (self.merit, self.right))
        return Votes(problem, self.tokens[row, order], lead, first, second, *both)


def ballots(library: Library) -> Ballots | None:
    """Take each line's end; None where few problems have two lines."""
    cases, n = library.even()
    if n < 2:
        return None
    groups = np.array([[line.groups[-1] for line in case.lines[:n]] for case in cases])
    tokens = np.array([[line.depths[-1] for line in case.lines[:n]] for case in cases], float)
    truth = [np.isin(row, case.right or ()) for row, case in zip(groups, cases, strict=True)]
    return Ballots.of(
        groups, tokens, np.array(truth) & (groups != NONE) if library.labelled else None
    )


def _simulated(width: int, seed: int) -> Ints:
    """Sample problems of the broad prior; what a shape leaves out of 1 are answers given once."""
    rng, shapes = np.random.default_rng(seed), ShapePrior.broad().shapes
    rows = []
    for i in rng.permutation(len(shapes))[:_SIMULATED]:
        shares = np.array([*shapes[i], max(0.0, 1 - sum(shapes[i]))])
        drawn = rng.choice(len(shares), size=width, p=shares / shares.sum())
        once = len(shares) + np.arange(width)
        rows.append(np.where(drawn < len(shares) - 1, drawn, once))
    return np.stack(rows)
