"""What every rule for many runs at once must keep: legal moves, and each run as if it were alone.

A `search.batch.BatchPolicy` is played on simulated chains, which need no model: lengths and answers
are drawn from a seed. Each check raises AssertionError where the promise is broken.

    check_batch_policy(MyRule())

Budgets are no matter of such a rule. That it decides as its strategy does is a test of its own,
with `lab.replay.episodes` beside `workspan.run`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from workspan.search.batch import NONE, BatchPolicy, BatchRule, Runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]

SEEDS = range(12)
RUNS = 8
"""That are played together."""
MOST_DECISIONS = 20_000
_ANSWERS = 4
_LONGEST = 3_000
_STEP = 100
"""Tokens for which an interim answer stands."""
_PROBE = 3
"""Tokens of one."""


@dataclass(frozen=True)
class World:
    """The chains that some runs are given; arrays [run, chain] or as said."""

    ends: Ints
    """Tokens of each."""
    final: Ints
    """What each says at its end, `NONE` nothing."""
    on_the_way: Ints
    """[run, chain, step], what it says when it is asked there."""

    @classmethod
    def drawn(cls, seed: int, chains: int, runs: int = RUNS) -> World:
        """Draw one: runs from torn to of one mind, chains from short to long."""
        rng = np.random.default_rng(seed)
        shape = (runs, chains, _LONGEST // _STEP + 1)
        ends = rng.integers(1, _LONGEST, shape[:2])
        sure = rng.random((runs, 1, 1))
        says = np.where(rng.random(shape) < sure, 0, rng.integers(NONE, _ANSWERS, shape))
        return cls(ends, says[..., -1], says)

    def of(self, runs: Ints) -> World:
        """Return some of the runs, in this order."""
        return World(self.ends[runs], self.final[runs], self.on_the_way[runs])

    def renamed(self, numbers: Ints) -> World:
        """Return the same with other numbers for the answers."""
        final, says = (np.where(x == NONE, NONE, numbers[x]) for x in (self.final, self.on_the_way))
        return replace(self, final=final, on_the_way=says)


@dataclass(frozen=True)
class Ends:
    """What runs came to; arrays [run]."""

    answer: Ints
    work: Ints
    span: Ints
    started: Ints


def check_batch_policy(policy: BatchPolicy, *, seeds: Iterable[int] = SEEDS) -> None:
    """Run every check."""
    assert policy.chains >= 1, f"{policy.chains} chains"
    for seed in seeds:
        few = 1 + seed % policy.chains  # a recording may hold fewer than a rule would begin
        world = World.drawn(seed, policy.chains if seed % 2 else few)
        whole = play(policy, world)
        _check_alike(whole, play(policy, world), "played again")
        check_alone(policy, world, whole, seed)
        check_names(policy, world, whole, seed)


def check_alone(policy: BatchPolicy, world: World, whole: Ends, seed: int = 0) -> None:
    """A run comes to the same whatever runs are beside it, and in whatever order."""
    order = np.random.default_rng(seed).permutation(len(world.ends))
    for part in (order[:1], order[1:]):
        _check_alike(_on(whole, part), play(policy, world.of(part)), "beside other runs")


def check_names(policy: BatchPolicy, world: World, whole: Ends, seed: int = 0) -> None:
    """What number stands for an answer changes nothing but the number that is answered."""
    numbers = np.random.default_rng(seed).permutation(_ANSWERS)
    answer = np.where(whole.answer == NONE, NONE, numbers[whole.answer])
    renamed = replace(whole, answer=answer)
    _check_alike(renamed, play(policy, world.renamed(numbers)), "under other numbers")


def _on(ends: Ends, runs: Ints) -> Ends:
    return Ends(*(column[runs] for column in vars(ends).values()))


def _check_alike(was: Ends, now: Ends, when: str) -> None:
    for name, column in vars(was).items():
        assert np.array_equal(column, getattr(now, name)), f"{name} is another {when}"


def play(policy: BatchPolicy, world: World) -> Ends:
    """Play a rule to the end of all runs, and check every move."""
    runs, rule = _begun(*world.ends.shape), policy.rule(len(world.ends))
    ends = Ends(*np.full((4, len(world.ends)), NONE))
    stuck = np.zeros(len(world.ends), bool)
    for _ in range(MOST_DECISIONS):
        if not len(runs.work):
            return ends
        grow = checked_moves(policy, rule, runs)
        going = np.any(grow > 0, axis=1) & ~stuck
        answers, stopped = rule.answers(runs), runs.number[~going]
        assert answers.shape == runs.work.shape, "not one answer a run"
        for run, answer in enumerate(answers):
            said = {NONE, *runs.group[run].tolist(), *runs.said[run].tolist()}
            assert int(answer) in said, f"{answer} is answered, and no chain said that"
        told = (answers, runs.work, runs.span, runs.started)
        for column, values in zip(vars(ends).values(), told, strict=True):
            column[stopped] = values[~going]
        rule.keep(going)
        runs, grow = runs.on(going), grow[going]
        stuck = _grow(runs, grow, world, knows_ends=policy.knows_ends)
    raise AssertionError(f"no end after {MOST_DECISIONS} decisions")


def checked_moves(policy: BatchPolicy, rule: BatchRule, runs: Runs) -> Ints:
    """Return what a rule decides, which can be done."""
    before = [getattr(runs, name).copy() for name in Runs.__slots__]
    grow = rule.decide(runs).grow
    same = [
        np.array_equal(a, getattr(runs, b)) for a, b in zip(before, Runs.__slots__, strict=True)
    ]
    assert all(same), "changes what it was shown"
    assert grow.shape == runs.depth.shape, f"moves {grow.shape} for runs {runs.depth.shape}"
    assert np.issubdtype(grow.dtype, np.integer), f"tokens that are {grow.dtype}"
    assert (grow >= 0).all(), "a chain shrinks"
    assert not (grow[runs.ended] > 0).any(), "grows a chain that has ended"
    begun = runs.started + ((grow > 0) & (runs.depth == 0)).sum(axis=1)
    assert (begun <= policy.chains).all(), "more chains than it says"
    is_next = np.arange(grow.shape[1]) < begun[:, None]
    assert not ((grow > 0) & ~is_next).any(), "begins another chain than the next"
    return grow


def _begun(runs: int, chains: int) -> Runs:
    shape = (runs, chains)
    depth, since = np.zeros((2, *shape), np.int64)
    said, group = np.full((2, *shape), NONE)
    ended, answered = np.zeros((2, *shape), bool)
    started, work, span = np.zeros((3, runs), np.int64)
    return Runs(depth, said, group, since, ended, answered, started, work, span, np.arange(runs))


def _grow(runs: Runs, grow: Ints, world: World, *, knows_ends: bool) -> NDArray[np.bool_]:
    """Grow chains one by one; return the runs in which none had a token left."""
    is_stuck = np.ones(len(grow), bool)
    for run, number in enumerate(runs.number):
        costs = [0]
        for chain in np.flatnonzero(grow[run]):
            at, end = (run, chain), world.ends[number, chain]
            before, depth = runs.depth[at], min(runs.depth[at] + grow[at], end)
            final, is_end = world.final[number, chain], depth == end
            is_short = depth - before < (grow[at] if knows_ends else 1)
            said = final if is_end else world.on_the_way[number, chain, depth // _STEP]
            runs.depth[at], runs.said[at] = depth, said
            runs.ended[at] = is_end and (final != NONE or is_short)
            runs.has_answered[at] = runs.ended[at] and final != NONE
            if said != NONE and (said != runs.group[at] or not runs.since[at]):
                runs.group[at], runs.since[at] = said, depth
            elif not runs.since[at]:
                runs.since[at] = depth
            costs.append(int(depth - before) + _PROBE * (not is_end or final == NONE))
            is_stuck[run] &= depth == before
        runs.work[run] += sum(costs)
        runs.span[run] += max(costs)
        runs.started[run] = (runs.depth[run] > 0).sum()
    return is_stuck & (not knows_ends)
