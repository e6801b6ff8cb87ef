"""Tries one after another until a verifier passes one: in which order, and how deep each.

A try is a new chain to some cap, the chain that came furthest to a deeper one, or an arm with some
work. The next one is what most problems that are still unsolved would pass a token, by the profile:
such a greedy schedule is within a factor of four of the best in mean work, and of 1 - 1/e in what
is solved within a budget (Streeter, Golovin and Smith 2007, Combining Multiple Heuristics Online).
Problems differ, so each try that fails tells that the problem is of those on which it does. At the
end of a budget greed may leave too little for a deep try; so schedules that begin with another try,
and restarts at one cap, are played on the profile as well, and the one that passes most is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.table import Table
    from workspan.strategies.auto.policies.state import State

    Floats = NDArray[np.float64]

MOST = 64
"""Tries of a schedule; what is still unsolved begins it again."""
SIZES = (0.25, 0.5, 0.75, 1.0)
"""Quantiles of an arm's work that its tries may have."""
_RUNS = 32
_TYPICAL = 8
"""Chains' worth of work that is planned for where there is no limit."""


class Try(NamedTuple):
    """A chain, more of a chain, or a run of an arm."""

    tokens: int
    """Of the chain in all, or of the arm; at most."""
    arm: int = NONE
    chain: int = NONE
    """Which earlier chain goes on, counted from 0; `NONE` is a new one."""
    gain: float = 0.0
    """P(pass), of problems that no try before it solved."""
    cost: float = 0.0
    """Tokens, mean over the same."""


class _Known(NamedTuple):
    """What the profile says of one kind of try; arrays [problem]."""

    what: Try
    rate: Floats
    """P(pass) by its end."""
    cost: Floats

    def beyond(self, before: _Known, chain: int) -> _Known:
        """Return the same for a chain that came as far as `before` and did not pass."""
        failed = np.maximum(1 - before.rate, 1e-9)
        rate = np.clip((self.rate - before.rate) / failed, 0.0, 1.0)
        cost = np.maximum(self.cost - before.cost, 0.0) / failed
        return _Known(self.what._replace(chain=chain), rate, cost)


def best_schedule(
    table: Table, caps: Sequence[int], work: float | None = None, *, has_arms: bool = False
) -> tuple[Try, ...]:
    """Return the tries that pass most of the profile's problems within a problem's work.

    Args:
        table: the profile.
        caps: of chains, to choose from.
        work: tokens of a problem; None is without limit.
        has_arms: the profile's arms can be used.
    """
    budget = _typical(table) if work is None else work
    chains = [*_chains(table, [cap for cap in caps if cap <= budget] or [min(caps)])]
    arms = [*_arms(table)] if has_arms else []
    if arms and work is None:
        budget += max(one.what.tokens for one in arms)
    found = [_greedy(chains, arms), *(_greedy(chains, arms, first) for first in (*chains, *arms))]
    found += [(one.what,) for one in chains]
    return max(found, key=lambda tries: _played(table, tries, budget))


def restarts(table: Table, caps: Sequence[int], work: float | None = None) -> Floats:
    """Return P(pass) of chains cut at each cap, one after another within a problem's work.

    It is [cap, problem]: what tells segments of problems apart where a verifier judges.
    """
    budget = _typical(table) if work is None else work
    known = [*_chains(table, caps)]
    times = [budget / np.maximum(one.cost, 1.0) for one in known]
    return np.stack([1 - (1 - one.rate) ** n for one, n in zip(known, times, strict=True)])


def _typical(table: Table) -> float:
    return _TYPICAL * table.scale


def _chains(table: Table, caps: Sequence[int]) -> Iterator[_Known]:
    passes = table.right[:, :, -1] & table.ended
    for cap in sorted(caps):
        rate = (passes & (table.tokens <= cap)).mean(axis=1)
        yield _Known(Try(cap), rate, np.minimum(table.tokens, cap).mean(axis=1))


def _arms(table: Table) -> Iterator[_Known]:
    if table.arms is None:
        return
    for arm in range(table.arms.work.shape[1]):
        work, right = table.arms.work[:, arm], table.arms.right[:, arm]
        passed = work[right] if right.any() else work
        for size in sorted({*map(int, np.ceil(np.quantile(passed, SIZES)))} - {0}):
            rate = (right & (work <= size)).astype(float)
            yield _Known(Try(size, arm), rate, np.minimum(work, size))


def _greedy(
    chains: Sequence[_Known], arms: Sequence[_Known], first: _Known | None = None
) -> tuple[Try, ...]:
    """Take what passes most a token among the problems that are left, again and again."""
    unsolved, tries = np.ones_like(chains[0].rate), list[Try]()
    begun = list[_Known]()
    while len(tries) < MOST:
        known = [first] if first and not tries else [*chains, *arms, *_further(chains, begun)]
        gains = [float((unsolved * one.rate).sum()) for one in known]
        costs = [float((unsolved * one.cost).sum()) for one in known]
        ratios = [gain / max(cost, 1e-9) for gain, cost in zip(gains, costs, strict=True)]
        at = int(np.argmax(ratios))
        if tries and gains[at] < 1e-6:
            break
        left, best = max(float(unsolved.sum()), 1e-9), known[at]
        tries.append(best.what._replace(gain=gains[at] / left, cost=costs[at] / left))
        unsolved = unsolved * (1 - best.rate)
        if best.what.arm == NONE:
            cap = next(one for one in chains if one.what.tokens == best.what.tokens)
            begun = [*begun, cap] if best.what.chain == NONE else begun
            begun[best.what.chain] = cap  # of a new chain the last
    return tuple(tries)


def _further(chains: Sequence[_Known], begun: Sequence[_Known]) -> list[_Known]:
    """Return how the chain that came furthest can go on."""
    if not begun:
        return []
    depth, chain = max((one.what.tokens, -i) for i, one in enumerate(begun))
    before = begun[-chain]
    return [one.beyond(before, -chain) for one in chains if one.what.tokens > depth]


def _played(table: Table, tries: Sequence[Try], budget: float) -> tuple[float, float]:
    """Return the share of runs that pass within the budget, and less their mean work."""
    n_problems, n = table.tokens.shape
    problem, rng = np.repeat(np.arange(n_problems), _RUNS), np.random.default_rng(0)
    passes = table.right[:, :, -1] & table.ended
    left, passed = np.full(len(problem), float(budget)), np.zeros(len(problem), dtype=bool)
    drawn: list[NDArray[np.int64]] = []
    depth: list[Floats] = []
    for i in range(MOST):
        turn, place = divmod(i, len(tries))
        tokens, arm, chain = tries[place][:3]
        if arm == NONE and chain == NONE:
            drawn.append(rng.integers(n, size=len(problem)))
            depth.append(np.zeros(len(problem)))
        if arm == NONE:
            at = len(drawn) - 1 if chain == NONE else turn * new_chains(tries) + chain
            size = np.minimum(table.tokens[problem, drawn[at]], tokens) - depth[at]
            right = passes[problem, drawn[at]] & (table.tokens[problem, drawn[at]] <= tokens)
            depth[at] = np.maximum(depth[at], np.minimum(table.tokens[problem, drawn[at]], tokens))
        else:
            assert table.arms is not None
            size = np.minimum(table.arms.work[problem, arm], tokens)
            right = table.arms.right[problem, arm] & (table.arms.work[problem, arm] <= tokens)
        size = np.where(passed, 0.0, np.maximum(size, 0.0))
        fits = size <= left
        left = left - np.minimum(size, left)
        passed |= right & fits & (size > 0)
        if (passed | (left <= 0)).all():
            break
    return round(float(passed.mean()), 9), float(left.mean())


def next_try(tries: Sequence[Try], state: State) -> Try | None:
    """Return the first try that was not made; the schedule begins again with chains of its own.

    An arm whose run decoded nothing is left out from then on; None where nothing is left.
    """
    dead = {one.arm for one in state.tried if not one.work}
    tries = [one for one in tries if one.arm == NONE or one.arm not in dead]
    chains, arms = 0, sum(one.arm not in dead for one in state.tried)
    while new_chains(tries) or any(one.arm != NONE for one in tries):
        first = chains
        for one in tries:
            if one.arm != NONE:
                if not arms:
                    return one
                arms -= 1
                continue
            at = first + one.chain if one.chain != NONE else chains
            chains += one.chain == NONE
            if at >= len(state.chains):
                return one._replace(chain=NONE)
            chain = state.chains[at]
            if one.chain != NONE and not chain.ended and chain.depth < one.tokens:
                return one._replace(chain=at)
    return None


def new_chains(tries: Sequence[Try]) -> int:
    """Return how many of the tries begin a chain."""
    return sum(one.arm == NONE and one.chain == NONE for one in tries)
