"""Votes on whole samples of problems sampled before: who led after each, and was worth what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workspan.search.stopping import ShapePrior
from workspan.strategies.auto.fit.weighing import learn_weigher
from workspan.strategies.auto.policies.conditional_logit import PLURALITY, ConditionalLogit, tally
from workspan.strategies.auto.policies.state import NONE
from workspan.strategies.auto.policies.weigher import PLAIN, Weigher

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.profile import Profile

    Ints = NDArray[np.signedinteger[Any]]
    Floats = NDArray[np.float64]

FEWEST = 2
"""Chains of a problem that a vote can be told of."""
_RUNS = 8_000
_ORDERS = 128
"""Of the samples of a problem, at most."""
_AT_ONCE = 1_024
"""Runs that are counted at a time: what is known of them stays in a processor's cache."""
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
        places, names = _numbered(self.groups)
        tokens, chance, right = (np.empty(order.shape) for _ in range(3))
        lead, first, second = (np.empty(order.shape, np.int32) for _ in range(3))
        for start in range(0, len(problem), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            row = problem[part, None]
            tokens[part] = self.tokens[row, order[part]]
            counted = _counted(places[row, order[part]], tokens[part], names.shape[1], self.weigher)
            leads, first[part], second[part] = counted
            lead[part] = np.where(leads == NONE, NONE, names[row, leads])
            for worth, known in ((chance, self.chance), (right, self.right)):
                worth[part] = np.where(leads == NONE, 0.0, known[row, lead[part]])
        return Votes(problem, tokens, lead, first, second, chance, right)


def _numbered(groups: Ints) -> tuple[Ints, Ints]:
    """Number each problem's answers closely, in order: an answer on the way may be none at an end.

    Returns the place of each sample's, and the group at each place.
    """
    order = groups.argsort(axis=1)
    ordered = np.take_along_axis(groups, order, axis=1)
    is_new = np.diff(ordered, axis=1, prepend=NONE) > 0
    place = is_new.cumsum(axis=1) - 1
    places, names = np.empty_like(groups), np.full((len(groups), place.max() + 2), NONE)
    np.put_along_axis(places, order, place, axis=1)
    np.put_along_axis(names, place, ordered, axis=1)
    return places, names


def _counted(
    said: Ints, tokens: Floats, kinds: int, weigher: Weigher
) -> tuple[Ints, Floats, Floats]:
    """Return who leads after each sample, and the votes of the leader and of the runner-up."""
    length = np.log(np.maximum(1.0, tokens))
    count = _Count(len(said), kinds, weigher)
    lead = np.empty(said.shape, np.int64)
    first, second = np.empty((2, *said.shape))
    for i in range(said.shape[1]):
        count.plus(said[:, i], length[:, i])
        lead[:, i], first[:, i], second[:, i] = count.top, count.best, count.other
    mean = weigher.by_length * length.cumsum(axis=1) / np.arange(1, said.shape[1] + 1)
    first, second = (np.rint(np.exp(odds + mean) - 1) for odds in (first, second))
    return lead, np.where(lead == NONE, 0, np.maximum(1, first)), np.maximum(0, second)


class _Count:
    """Votes of many runs, sample by sample, as `Weigher.tally` has them; arrays [run].

    Odds are logs of what an answer's votes count, but for the mean length of all samples.
    """

    def __init__(self, runs: int, groups: int, weigher: Weigher) -> None:
        self._by, self._groups, self._drawn = weigher.by_length, groups, 0
        self._votes, self._lengths, self._first = np.zeros((3, runs * groups))
        """Of every answer; the last is less than any two differ by, more for who came later."""
        self._odds = np.full(runs * groups, -np.inf)
        self.top = np.full(runs, NONE)
        """Who leads."""
        self.best, self.other = np.full((2, runs), -np.inf)
        """Odds of the leader and of the runner-up."""

    def plus(self, said: Ints, length: Floats) -> None:
        """Draw one more of each run, with the log of its tokens."""
        self._drawn += 1
        run = np.flatnonzero(said != NONE)
        own = said[run]
        at = run * self._groups + own
        before = self._odds[at]
        odds = self._voted(at, length[run])
        top, best, other = self.top[run], self.best[run], self.other[run]
        leads = own == top
        passes = ~leads & (odds > best)
        self.top[run] = np.where(passes, own, top)
        self.best[run] = np.where(leads | passes, odds, best)
        self.other[run] = np.where(leads, other, np.where(passes, best, np.maximum(other, odds)))
        is_unsure = (odds < before) | (~leads & (odds == best))
        if is_unsure.any():
            self._look_through(run[is_unsure])

    def _voted(self, at: Ints, length: Floats) -> Floats:
        """Add a vote and its length to answers, and return their odds."""
        votes, lengths = self._votes[at] + 1, self._lengths[at] + length
        first = np.where(votes == 1, _TIE * self._drawn, self._first[at])
        self._votes[at], self._lengths[at], self._first[at] = votes, lengths, first
        odds: Floats = np.log1p(votes) - self._by * lengths / votes - first
        self._odds[at] = odds
        return odds

    def _look_through(self, runs: Ints) -> None:
        """Find anew who leads where votes fell, by the length of one more, or are equal."""
        odds, rows = self._odds.reshape(-1, self._groups)[runs], np.arange(len(runs))
        top = odds.argmax(axis=1)
        self.top[runs], self.best[runs] = top, odds[rows, top]
        odds[rows, top] = -np.inf
        self.other[runs] = odds.max(axis=1)


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
