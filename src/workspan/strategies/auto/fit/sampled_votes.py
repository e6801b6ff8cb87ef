"""Votes on whole samples of problems sampled before: who led after each, and was worth what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.search.stopping import ShapePrior
from workspan.strategies.auto.fit.weighing import learn_weigher
from workspan.strategies.auto.policies.conditional_logit import PLURALITY, ConditionalLogit, tally
from workspan.strategies.auto.policies.state import NONE
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.profile import Profile

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

FEWEST = 2
"""Chains of a problem that a vote can be told of."""
_RUNS = 8_000
_ORDERS = 128
"""Of the samples of a problem, at most."""
_TIE = 1e-9
_SIMULATED = 8
"""Problems of the broad prior beside the profile's: it may have seen no vote that turns late."""


class Votes(NamedTuple):
    """Shuffled samples of problems and how their vote stood after each; arrays [run, sample]."""

    problem: Ints
    """[run]"""
    tokens: Floats
    lead: Ints
    """The leading group, the first to be drawn of equals; `NONE` without answers."""
    first: Ints
    """Votes of the leader, as they weigh."""
    second: Ints
    """Of the runner-up."""
    chance: Floats
    """What the leader is worth as the answer; 0 without one."""
    right: Floats
    """1 where it is right, as far as labels are known; else its chance."""


@dataclass(frozen=True, slots=True)
class SampledVotes:
    """The samples of problems sampled before; arrays [problem, sample] but for `chance`."""

    groups: Ints
    tokens: Floats
    chance: Floats
    """[problem, group]: what it is worth to answer so."""
    right: Floats
    """[problem, group]: 1 where it is right, as far as labels are known; else its chance."""
    n: int
    """Problems; those that follow are simulated."""
    weigher: Weigher = PLAIN
    """What votes count by the length of their samples."""
    logit: ConditionalLogit = PLURALITY
    """From which `chance` is."""

    @classmethod
    def of(
        cls,
        groups: Ints,
        tokens: Floats,
        right: NDArray[np.bool_] | None = None,
        seed: int = 0,
        weigher: Weigher | None = None,
        logit: ConditionalLogit | None = None,
    ) -> SampledVotes:
        """Take samples [problem, sample] as they were drawn, and simulate a few beside them.

        What votes count and leaders are worth is learnt, unless it was before: `weigher`, `logit`.
        """
        if right is None:
            weigher = PLAIN
        elif weigher is None:
            weigher = learn_weigher(groups, tokens, right, seed)
        both = np.concatenate([groups, _simulated(groups.shape[1], seed)])
        spent = np.concatenate([tokens, np.full((_SIMULATED, groups.shape[1]), tokens.mean())])
        shares, n = _shares(both, spent, weigher), len(groups)
        if right is None:
            worth = PLURALITY.of(shares)
            return cls(both, spent, worth, worth, n)
        is_right = tally(np.where(right, groups, NONE), shares.shape[1]) > 0
        logit = logit or ConditionalLogit.learn(shares[:n], is_right)
        worth = logit.of(shares)
        known = worth.copy()
        known[:n] = is_right
        return cls(both, spent, worth, known, n, weigher, logit)

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
        row = problem[:, None]
        said, spent = self.groups[row, order], self.tokens[row, order]
        lead, first, second = (np.zeros(order.shape, np.int64) for _ in range(3))
        sizes = self.groups.max(axis=1) + 1
        alike = np.frexp(sizes)[1][problem]  # twice as many answers take twice as long
        for part in (np.flatnonzero(alike == own) for own in set(alike.tolist())):
            kinds = max(1, int(sizes[problem[part]].max()))
            count = _Count(len(part), kinds, self.weigher)
            for i in range(order.shape[1]):
                counted = count.plus(said[part, i], spent[part, i])
                lead[part, i], first[part, i], second[part, i] = counted
        both = (np.where(lead == NONE, 0.0, one[row, lead]) for one in (self.chance, self.right))
        return Votes(problem, spent, lead, first, second, *both)


class _Count:
    """Votes of many runs, sample by sample, as `Weigher.tally` has them."""

    def __init__(self, runs: int, groups: int, weigher: Weigher) -> None:
        self._by, self._rows, self._drawn = weigher.by_length, np.arange(runs), 0
        self._votes, self._lengths = np.zeros((runs, groups)), np.zeros((runs, groups))
        self._odds = np.full((runs, groups), -np.inf)
        """Log of what an answer's votes count, but for the mean length of all samples."""
        self._first = np.zeros((runs, groups))
        """Less than any two differ by, more for what was drawn first."""
        self._length = np.zeros(runs)

    def plus(self, said: Ints, tokens: Floats) -> tuple[Ints, Ints, Ints]:
        """Draw one more of each run; return the leader, its votes and the runner-up's."""
        length = np.log(np.maximum(1.0, tokens))
        self._drawn += 1
        self._length += length
        run = np.flatnonzero(said != NONE)
        own = said[run]
        is_new = self._votes[run, own] == 0
        self._first[run, own] += is_new * _TIE * self._drawn
        self._votes[run, own] += 1
        self._lengths[run, own] += length[run]
        votes = self._votes[run, own]
        odds = np.log1p(votes) - self._by * self._lengths[run, own] / votes
        self._odds[run, own] = odds - self._first[run, own]
        top = self._odds.argmax(axis=1)
        best = self._odds[self._rows, top]
        self._odds[self._rows, top] = -np.inf
        other = self._odds.max(axis=1)
        self._odds[self._rows, top] = best
        has = best > -np.inf
        mean = self._by * self._length / self._drawn
        first, second = (np.rint(np.exp(x + mean) - 1) for x in (best, other))
        first = np.where(has, np.maximum(1, first), 0)
        return np.where(has, top, NONE), first.astype(int), np.maximum(0, second).astype(int)


def _shares(groups: Ints, tokens: Floats, weigher: Weigher) -> Floats:
    """Return the share of each answer [problem, group], more where its samples weigh more."""
    counts = tally(groups)
    length = np.log(np.maximum(1.0, tokens))
    own = np.zeros((*counts.shape[:1], counts.shape[1] + 1))
    np.add.at(own, (np.arange(len(groups))[:, None], groups), length)
    shorter = length.mean(axis=1, keepdims=True) - own[:, :-1] / np.maximum(1, counts)
    shares: Floats = counts * np.exp(weigher.by_length * shorter) / groups.shape[1]
    return shares


def sampled_votes(
    profile: Profile, weigher: Weigher | None = None, logit: ConditionalLogit | None = None
) -> SampledVotes:
    """Take the end of each chain of a profile whose problems have `FEWEST` chains."""
    cases, n = profile.even()
    said = [[chain.groups[-1] for chain in case.chains[:n]] for case in cases]
    spent = [[chain.depths[-1] for chain in case.chains[:n]] for case in cases]
    truth = [{*(case.right or ())} - {NONE} for case in cases]
    right = [[one in known for one in row] for row, known in zip(said, truth, strict=True)]
    labels = np.array(right) if profile.labelled else None
    told = (np.array(said), np.array(spent, float), labels)
    return SampledVotes.of(*told, weigher=weigher, logit=logit)


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
