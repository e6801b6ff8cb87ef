"""Runs of a plan on a profile's own chains, many at once: what it would have cost and given.

What a run comes to between two moments at which chains are added depends on its chains alone and
not on what it decides. So all of its states up to there are laid out at once, a *round*, and judged
together; then it is seen where it rests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.table import Table
from workspan.strategies.auto.policies.evidence import Evidence, Witnesses, chain_features
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Draws(NamedTuple):
    """Which chains each run is given, in order."""

    problem: NDArray[np.int64]
    """[run]"""
    order: NDArray[np.int64]
    """[run, chain]"""


class Shape(NamedTuple):
    """How a run grows while nothing stops it."""

    width: int
    """Chains at the start, side by side."""
    cap: int
    """Tokens at which a chain is left."""
    block: int
    """Tokens between probes."""
    more: int = 1
    """Chains that are added when all have ended or were left."""
    dive: int = 0
    """Tokens at which all chains but the first are left, so that breadth is bought only as deep as
    short answers lie, and depth for one chain; 0 is `cap`."""
    joins: int | None = None
    """Of a *race*: chains that join after each block, while the others go on. None where chains are
    added only when all rest."""

    def cap_of(self, chain: int) -> int:
        """Return the tokens at which a chain, counted from 0, is left."""
        return min(self.dive, self.cap) if self.dive and chain else self.cap

    def rounds(self, most: int) -> Iterator[tuple[int, int]]:
        """Yield each round's first chain and the first that is not of it, for `most` chains."""
        first, end = 0, min(self.width, most)
        while first < end:
            yield first, end
            first, end = end, min(end + self.more, most)


class Grown(NamedTuple):
    """How far some runs have grown, in whole numbers; arrays [state]."""

    tokens: Ints
    """Of their chains."""
    probes: Ints
    ticks: Ints
    """Of span."""
    asked: float
    """Tokens of a look."""
    tick: float = 1.0
    """Tokens of a tick."""

    @property
    def work(self) -> Floats:
        """Tokens decoded, probes included."""
        found: Floats = self.tokens + self.asked * self.probes
        return found

    @property
    def span(self) -> Floats:
        """The longest chain of them."""
        return np.multiply(self.ticks, self.tick, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Replayed:
    """The states of some runs, one run after the other and each in order; arrays [state]."""

    starts: Ints
    """[run], where its states begin."""
    step: Ints
    """Which state of its run."""
    grown: Grown
    n: Ints
    """Chains started."""
    right: NDArray[np.bool_]
    """The leader was right."""
    belief: Floats
    """P(the leader is right), as the evidence has it."""
    worth: Floats
    """Of going on, as `worth` has it."""
    features: Floats
    """[state, feature], of the leader; none where they were not kept."""

    @property
    def work(self) -> Floats:
        """Tokens decoded, probes included."""
        return self.grown.work

    @property
    def span(self) -> Floats:
        """The longest chain of them."""
        return self.grown.span

    @property
    def run(self) -> Ints:
        """Whose state it is."""
        return np.repeat(np.arange(len(self.starts)), np.diff([*self.starts, len(self.step)]))

    def first(self, found: NDArray[np.bool_]) -> Ints:
        """Return the first state of each run at which `found` [state] holds, or its last one."""
        return first_of(self.starts, found)


def first_of(starts: Ints, found: NDArray[np.bool_]) -> Ints:
    """Return the first state of each run at which `found` [state] holds, or its last one."""
    found = found.copy()
    found[np.append(starts[1:], len(found)) - 1] = True
    place = np.where(found, np.arange(len(found)), len(found))
    return np.minimum.reduceat(place, starts)


def draw(table: Table, runs: int, most: int, seed: int = 0) -> Draws:
    """Shuffle each problem's chains `runs` times."""
    n_problems, n = table.tokens.shape
    problem = np.repeat(np.arange(n_problems), runs)
    return Draws(problem, _shuffles(n, seed, len(problem))[:, : min(n, most)])


def _shuffles(n: int, seed: int, times: int) -> NDArray[np.int64]:
    """Return the first so many shuffles of n chains by a seed: a longer draw begins like a shorter.

    Plans are evaluated on many draws, and shuffling would be the most of it.
    """
    kept = 1 << max(10, (times - 1).bit_length())
    return _shuffled(n, seed, kept)[:times]


@lru_cache(maxsize=16)
def _shuffled(n: int, seed: int, times: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    return np.stack([rng.permutation(n) for _ in range(times)])


def worth(belief: Any, rested: Any, depth: Any, scale: float) -> Any:
    """Return what going on is worth a token, up to a factor.

    The leader is wrong with 1 - belief; the n-th chain changes that in proportion to 1 / n, and
    costs about what this problem's chains cost so far. On recorded chains this one number ranks
    states as well as rules with more to choose.

    Args:
        belief: P(the leader is right).
        rested: chains that ended or were left at the cap.
        depth: mean tokens of the chains so far.
        scale: tokens of a typical chain.
    """
    return (1 - belief) / (rested + 0.5) / np.maximum(depth / scale, 0.25)


def solo(table: Table, evidence: Evidence) -> Floats:
    """Return P(right) of every chain alone at every depth, 0 where it has no answer."""
    depth = np.minimum(np.arange(table.steps + 1) * table.block, table.tokens[..., None])
    ended = (table.tokens[..., None] <= depth) & table.ended[..., None]
    features = chain_features(depth.astype(float), table.since, ended, table.scale)
    found = evidence.of_chains(features)
    return np.where(table.group == NONE, 0.0, found)


def replayed(
    table: Table,
    evidence: Evidence,
    draws: Draws,
    shape: Shape,
    *,
    enough: float = -1.0,
    weights: Floats | None = None,
    keeps_features: bool = False,
) -> Replayed:
    """Grow every run by `shape` until its chains are used up.

    Args:
        table: the profile's chains.
        evidence: what they are worth.
        draws: which chains each run is given.
        shape: how runs grow.
        enough: worth of going on below which a run rests.
        weights: `solo` of the table, where it is known.
        keeps_features: of the leader, in every state.
    """
    weights = solo(table, evidence) if weights is None else weights
    now = _Rested.at_start(len(draws.order))
    rounds: list[_Round] = []
    for first, end in shape.rounds(draws.order.shape[1]):
        found = _Round.of(table, weights, draws, shape, (first, end), now)
        found = found.judged(evidence, table.scale, enough, keeps_features=keeps_features)
        rounds.append(found)
        now = found.rested
        if not len(now.run):
            break
    run = np.concatenate([one.run for one in rounds])
    order = run.argsort(kind="stable")
    columns = zip(*(one.columns for one in rounds), strict=True)
    tokens, probes, span, *told = (np.concatenate(column)[order] for column in columns)
    starts = np.searchsorted(run[order], np.arange(len(draws.order)))
    grown = Grown(tokens, probes, span, table.asked)
    return Replayed(starts, np.arange(len(run)) - starts[run[order]], grown, *told)


class _Rested(NamedTuple):
    """Runs whose chains all ended or were left, and that go on."""

    run: Ints
    witnesses: Witnesses
    right: NDArray[np.bool_]
    """[chain, run]"""
    at: Ints
    """Tokens of all chains together, as the next."""
    probes: Ints
    span: Ints

    @classmethod
    def at_start(cls, runs: int) -> _Rested:
        """Nothing was decoded."""
        zeros = np.zeros(runs, np.int64)
        right = np.zeros((0, runs), bool)
        return cls(np.arange(runs), Witnesses.none(runs), right, zeros, zeros, zeros)

    def on(self, states: Ints) -> _Rested:
        """Return those at these places."""
        witnesses, right = self.witnesses.on(states), self.right[:, states]
        told = (self.at[states], self.probes[states], self.span[states])
        return _Rested(self.run[states], witnesses, right, *told)


@dataclass(frozen=True, slots=True)
class _Round:
    """All states of a round, run by run; arrays [state]."""

    state: _Rested
    """As it stands there."""
    is_last: NDArray[np.bool_]
    """Of its run in this round: all chains rest."""
    n: int
    """Chains started."""
    n_open: Ints
    columns: tuple[Any, ...] = ()
    rested: Any = None

    @property
    def run(self) -> Ints:
        """Whose states they are."""
        return self.state.run

    @classmethod
    def of(
        cls,
        table: Table,
        weights: Floats,
        draws: Draws,
        shape: Shape,
        chains: tuple[int, int],
        now: _Rested,
    ) -> _Round:
        """Lay out the states of the runs that go on."""
        problem, (first, end) = draws.problem[now.run], chains
        order = draws.order[now.run, first:end].T
        tokens = table.tokens[problem, order]
        caps = np.array([shape.cap_of(chain) for chain in range(first, end)])
        ends = np.minimum(tokens, caps[:, None])
        steps = -(-ends.max(axis=0) // shape.block)
        place = np.repeat(np.arange(len(now.run)), steps)
        until = steps.cumsum()
        step = np.arange(len(place)) - np.repeat(until - steps, steps) + 1
        state = now.on(place)
        n_open, at, probes = np.zeros(len(place), np.int64), state.at, state.probes
        longest, right = np.zeros(len(place), np.int64), [*state.right]
        witnesses = state.witnesses
        for chain in range(end - first):
            own, whole = ends[chain][place], tokens[chain][place]
            depth = np.minimum(step * shape.block, own)
            n_open += depth < own
            at = at + depth
            probes = probes + np.minimum(step, -(-own // shape.block) - (own == whole))
            longest = np.maximum(longest, depth)
            column = np.where(depth >= whole, -(-depth // table.block), depth // table.block)
            where = (problem[place], order[chain][place], column)
            group = table.group[where]
            witnesses = witnesses.plus(group, np.where(group == NONE, 0.0, weights[where]))
            right.append(table.right[where])
        told = (at, probes, state.span + longest)
        is_last = np.zeros(len(place), bool)
        is_last[until - 1] = True
        there = _Rested(state.run, witnesses, np.stack(right), *told)
        return cls(there, is_last, end, n_open)

    def judged(
        self, evidence: Evidence, scale: float, enough: float, *, keeps_features: bool
    ) -> _Round:
        """Say what each state is worth, and leave out those after which its run has rested."""
        state = self.state
        leaders, features = state.witnesses.leading()
        belief = evidence.of_leader(features)
        going_on = worth(belief, self.n - self.n_open, state.at / self.n, scale)
        rests = going_on < enough
        right = (state.right & (state.witnesses.groups == leaders) & (leaders != NONE)).any(axis=0)
        before = np.concatenate([[0], rests.cumsum()[:-1]])  # rests so far, of all runs
        begins = np.concatenate([[True], self.is_last[:-1]])
        own = np.maximum.accumulate(np.where(begins, before, 0))
        kept = np.flatnonzero(before == own)
        told = (
            state.at,
            state.probes,
            state.span,
            np.full(len(rests), self.n),
            right,
            belief,
            going_on,
            features if keeps_features else features[:, :0],
        )
        rested = state.on(np.flatnonzero((before == own) & self.is_last & ~rests))
        columns = tuple(column[kept] for column in told)
        return _Round(state.on(kept), self.is_last, self.n, self.n_open, columns, rested)
