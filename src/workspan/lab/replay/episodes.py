"""Many runs of one rule on recorded chains, side by side: thousands a second.

Where an account refuses no call, all that a session comes to is arithmetic on where chains end and
what they say. `play` does it for a `BatchPolicy` (see `workspan.search.batch`)
on arrays; a test holds it to `workspan.run` on a `ReplayEngine`.

    chains = Chains.of(recording)
    found = play(CmcBatch(beta=0.5), chains, *orders(chains, times=84))
    found.right.mean(), found.work.mean(), found.span.mean()
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.answers import canonical
from workspan.core.journal import seed_for
from workspan.errors import InputError
from workspan.recordings.engine import asked_tokens
from workspan.search.batch import NONE, BatchPolicy, Runs
from workspan.strategies.auto.groups import Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workspan.recordings.recording import Chain, Recording

    Ints = NDArray[np.integer]
    Floats = NDArray[np.float64]

_PROBES = 4096
"""Probes of a chain, at most."""
_AT_ONCE = 512
"""Runs that are played together: more would not fit a processor's cache."""


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains of a recording; arrays [problem, chain, probe] or as said."""

    names: tuple[str, ...]
    """Ids of the problems."""
    answers: tuple[tuple[str, ...], ...]
    """By problem: one of each group."""
    step: int
    """Tokens between two probes: probe i is what a chain said last at i steps."""
    tokens: Ints
    """[problem, chain], at its end."""
    final: Ints
    """[problem, chain], the group of its own answer."""
    group: Ints
    asked: Ints
    """Tokens of the probe."""
    right: Floats
    """[problem, group], how right it is."""
    is_even: bool
    """All that say the same are equally right."""

    def heard(self, tokens: int) -> Chains:
        """Return them as they are if an interim answer may take so many tokens: a longer is cut."""
        is_cut = self.asked > tokens
        return replace(
            self, group=np.where(is_cut, NONE, self.group), asked=np.minimum(self.asked, tokens)
        )

    @classmethod
    def of(cls, recording: Recording) -> Chains:
        """Lay a recording out.

        Raises:
            InputError: its problems have not equally many chains, or probes lie too close.
        """
        chains = [recording.chains[problem.id] for problem in recording.problems]
        n, sizes = len(chains[0]), {len(many) for many in chains}
        if len(sizes) > 1:
            raise InputError("episodes need as many chains of every problem")
        probes = {depth for many in chains for one in many for depth in one.depths[:-1]}
        step = gcd(*probes) or recording.longest
        if recording.longest // step >= _PROBES:
            raise InputError(f"chains were asked every {step} tokens: too often for episodes")
        shape = (len(chains), n, recording.longest // step + 1)
        group, asked = np.full(shape, NONE, np.int16), np.ones(shape, np.int16)
        final, answers = np.full(shape[:2], NONE, np.int16), list[tuple[str, ...]]()
        is_even = True
        for i, (problem, many) in enumerate(zip(recording.problems, chains, strict=True)):
            groups = Groups(problem.kind, key=canonical)
            for j, one in enumerate(many):
                numbers = [groups.number(answer) for answer in one.answers]
                final[i, j] = numbers[-1]
                _lay(one, numbers, step, group[i, j], asked[i, j])
            answers.append(tuple(groups.answers))
            texts = {answer for one in many for answer in one.answers if answer is not None}
            grades = {(groups.number(text), recording.grade(problem, text)) for text in texts}
            is_even &= len(grades) == len(groups.answers)
        right = np.zeros((len(chains), max(map(len, answers)) + 1))
        for i, (problem, own) in enumerate(zip(recording.problems, answers, strict=True)):
            right[i, : len(own)] = [recording.grade(problem, answer) for answer in own]
        tokens = np.array([[one.tokens for one in many] for many in chains], np.int32)
        names = tuple(problem.id for problem in recording.problems)
        return cls(names, tuple(answers), step, tokens, final, group, asked, right, is_even)


def _lay(chain: Chain, numbers: list[int], step: int, group: Ints, asked: Ints) -> None:
    """Write what a chain says from each probe to the next."""
    for depth, number, answer in zip(chain.depths, numbers, chain.answers, strict=True):
        at = -(-depth // step)
        group[at:], asked[at:] = number, asked_tokens(answer)


class Played(NamedTuple):
    """What runs came to; arrays [run]."""

    answer: Ints
    """Its group among the problem's, `NONE` without one."""
    right: Floats
    work: Ints
    span: Ints
    chains: Ints
    """That were begun."""
    latest: Ints
    """[run, chain], the latest answer of each chain."""
    is_whole: NDArray[np.bool_]
    """False of a run that was left where its account might have refused something."""


class Account(NamedTuple):
    """A limit on the work of each run; the rule knows it, and names no more than fits."""

    work: int
    probe: int
    """Tokens of an interim answer, at most."""

    def might_refuse(
        self, before: Ints, grow: Ints, after: Ints, silent: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Tell the runs [run] that an account would treat in another way than `play`.

        Chains that grow by one block are asked at the same time, when none needs more for its
        block; who must wait for others' answers is answered in the end if all fit together. Where
        chains have nothing to say at their end they are asked before the others have grown: then
        there must be room for everything at once.

        Args:
            before: work so far.
            grow: [run, chain], what each chain may grow by.
            after: work with what was grown and asked.
            silent: a chain is at its end without an answer.
        """
        most = before + grow.sum(axis=1) + self.probe * (grow > 0).sum(axis=1)
        found: NDArray[np.bool_] = (after > self.work) | (silent & (most > self.work))
        return found


def orders(chains: Chains, times: int, seed: int = 0) -> tuple[Ints, Ints]:
    """Return problems and orders of chains for `play`: the orders in which a replay gives them."""
    n = chains.tokens.shape[1]
    rows = []
    for name in chains.names:
        for i in range(times):
            order = [*range(n)]
            random.Random(f"{seed_for(seed, f'{i} {name}')} {name}").shuffle(order)
            rows.append(order[::-1])
    return np.repeat(np.arange(len(chains.names)), times), np.array(rows)


def play(
    policy: BatchPolicy,
    chains: Chains,
    problem: Ints,
    order: Ints,
    account: Account | None = None,
) -> Played:
    """Play a rule to its end, without limits but those that the rule itself knows.

    Args:
        policy: the rule.
        chains: that runs are given.
        problem: [run], the row of each run's problem.
        order: [run, chain], the chains that it is given, in order.
        account: of each run; None is without limit.
    """
    order = order[:, : policy.chains]
    parts = (slice(i, i + _AT_ONCE) for i in range(0, len(problem), _AT_ONCE))
    found = [_play(policy, chains, problem[part], order[part], account) for part in parts]
    return Played(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _play(
    policy: BatchPolicy, chains: Chains, problem: Ints, order: Ints, account: Account | None
) -> Played:
    runs, rule = _begun(*order.shape), policy.rule(len(order))
    ends, latest = np.zeros((4, len(order)), np.int64), np.full(order.shape, NONE, np.int16)
    first = problem[:, None]
    tokens, final = chains.tokens[first, order], chains.final[first, order]
    stuck, is_whole = np.zeros(len(order), bool), np.ones(len(order), bool)
    left = stuck
    while len(runs.work):
        grow = rule.decide(runs).grow
        going = np.any(grow > 0, axis=1) & ~(stuck | left)
        if not going.all():
            told = (rule.answers(runs), runs.work, runs.span, runs.started)
            stopped = ~going
            ends[:, runs.number[stopped]] = np.stack(told)[:, stopped]
            latest[runs.number[stopped]] = runs.group[stopped]
            rule.keep(going)
            runs, grow, tokens, final = runs.on(going), grow[going], tokens[going], final[going]
        before = runs.work.copy()
        stuck, silent = _grow(
            *(runs, grow, tokens, final, chains, problem, order), knows_ends=policy.knows_ends
        )
        left = np.zeros(len(grow), bool)
        if account is not None:
            left = account.might_refuse(before, grow, runs.work, silent)
            is_whole[runs.number[left]] = False
    answer, work, span, begun = ends
    right = np.where(answer == NONE, 0.0, chains.right[problem, answer])
    return Played(answer, right, work, span, begun, latest, is_whole)


def _begun(runs: int, chains: int) -> Runs:
    """Begin runs."""
    shape = (runs, chains)
    depth, since = np.zeros((2, *shape), np.int32)
    said, group = np.full((2, *shape), NONE, np.int16)
    ended, answered = np.zeros((2, *shape), bool)
    started, work, span = np.zeros((3, runs), np.int64)
    number = np.arange(runs)
    return Runs(depth, said, group, since, ended, answered, started, work, span, number)


def _grow(
    runs: Runs,
    grow: Ints,
    tokens: Ints,
    final: Ints,
    chains: Chains,
    problem: Ints,
    order: Ints,
    *,
    knows_ends: bool,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Grow chains, and ask those that have not ended, or ended without an answer: in vain.

    Return the runs that are at an end, since no chain of theirs had a token left, and those of
    which a chain is at its end without an answer.
    """
    place = np.flatnonzero(grow)
    run, chain = np.divmod(place, grow.shape[1])
    number = runs.number[run]
    before, whole, last = (one.ravel()[place] for one in (runs.depth, tokens, final))
    depth = np.minimum(before + grow.ravel()[place], whole)
    seen = (last != NONE) | (depth - before < (grow.ravel()[place] if knows_ends else 1))
    has_ended = (depth == whole) & seen
    where = (problem[number], order[number, chain], depth // chains.step)
    is_end = depth == whole
    said = np.where(is_end, last, chains.group[where])
    cost = depth - before + np.where(is_end, last == NONE, chains.asked[where])
    earlier, since = runs.group.ravel()[place], runs.since.ravel()[place]
    latest = np.where(said == NONE, earlier, said)
    is_new = (latest != earlier) | (since == 0)
    spent = np.zeros(grow.shape, np.int32)
    told = (
        (runs.depth, depth),
        (runs.said, said),
        (runs.group, latest),
        (runs.since, np.where(is_new, depth, since)),
        (runs.ended, has_ended),
        (runs.has_answered, has_ended & (last != NONE)),
        (spent, cost),
    )
    for column, values in told:
        column.ravel()[place] = values  # a view: all of them are whole
    runs.work += spent.sum(axis=1)
    runs.span += spent.max(axis=1)
    runs.started[:] = (runs.depth > 0).sum(axis=1)
    moved, silent = np.zeros((2, len(grow)), bool)
    moved[run[depth > before]] = True
    silent[run[is_end & (last == NONE)]] = True
    return ~moved & (not knows_ends), silent
