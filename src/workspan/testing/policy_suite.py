"""What every allocation rule must keep: moves within what is left, the same for the same state.

A rule (`strategies.auto.policies.state.Policy`) is asked in states that are drawn from a seed, or
played on simulated chains: no model, no session. Each check raises AssertionError where the promise
is broken. None needs a good decision: what a rule is worth is its author's to show.

    check_policy(MyRule())
    check_price(MyRule(price=0.0), MyRule(price=0.1))

Rules for many runs at once have a suite of their own, `batch_policy_suite`.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import combinations
from math import isclose, isfinite

import msgspec

from workspan.data.explanation import Explanation, Tried
from workspan.strategies.auto.policies.explaining import explain
from workspan.strategies.auto.policies.state import NONE, Chain, Decision, Policy, Probe, State
from workspan.strategies.auto.prompt_features import NAMES

SEEDS = range(60)
"""States that are asked about, and runs that are played, unless told otherwise."""
MOST_DECISIONS = 5_000
"""Of one run, after which it is held to go on for ever."""
MOST_CHAINS = 24
"""Of a run that is played: no more are begun, as `auto(n=24)` begins no more."""
_ANSWERS = 4
_DEPTHS = (1, 40, 100, 400, 400, 1_000, 3_000)
"""Some of them alike, so that chains are."""
_PROBE = 4
"""Tokens of an interim answer."""


def check_policy(
    policy: Policy,
    *,
    arms: int = 0,
    is_judged: bool = False,
    in_order: bool = False,
    seeds: Iterable[int] = SEEDS,
) -> None:
    """Run every check that needs nothing but the rule.

    Args:
        policy: the rule, as a run gets it.
        arms: other strategies that it may switch to.
        is_judged: a verifier scores what ends.
        in_order: it takes in chains one after the other, as a sequential test does, so that their
            order may count.
        seeds: of states and runs; each is asked for with limits and without.
    """
    for seed in seeds:
        state = drawn_state(seed, arms=arms, is_judged=is_judged)
        check_move(policy, state, arms=arms)
        check_same(policy, state, drawn_state(seed + 1, arms=arms, is_judged=is_judged))
        check_names(policy, state, seed)
        if not in_order:
            check_order(policy, state)
        check_run(policy, seed, arms=arms, is_judged=is_judged)


def drawn_state(seed: int, *, arms: int = 0, is_judged: bool = False) -> State:
    """Return a state that some run might be in, with limits or without."""
    rng = random.Random(seed)
    chains = tuple(_chain(rng, is_judged=is_judged) for _ in range(rng.choice((0, 1, 2, 3, 5, 9))))
    tried = tuple(
        _try(rng, arms, is_judged=is_judged) for _ in range(rng.randint(0, 2) * bool(arms))
    )
    work = sum(chain.depth + chain.cost_of_probes for chain in chains) + sum(
        one.work for one in tried
    )
    limits = [None, 0, 1, 7, rng.randint(8, 500), rng.randint(500, 20_000)]
    prompt_features = tuple(float(rng.randint(0, 90)) for _ in NAMES) * rng.randint(0, 1)
    span = max((chain.depth for chain in chains), default=0)
    return State(chains, work, span, rng.choice(limits), rng.choice(limits), tried, prompt_features)


def _chain(rng: random.Random, *, is_judged: bool) -> Chain:
    depth, ended = rng.choice(_DEPTHS), rng.random() < 0.6
    depths = sorted(rng.sample(range(1, depth), min(depth - 1, rng.randint(0, 4))))
    probes = tuple(Probe(at, rng.randint(NONE, _ANSWERS - 1)) for at in depths)
    group = probes[-1].group if probes and not ended else rng.randint(NONE, _ANSWERS - 1)
    score = rng.choice((0.0, 0.5, 1.0)) if is_judged and ended and group != NONE else None
    return Chain(depth, probes, group, ended, _PROBE * len(probes), score)


def _try(rng: random.Random, arms: int, *, is_judged: bool) -> Tried:
    group = rng.randint(NONE, _ANSWERS - 1)
    score = rng.choice((0.5, 1.0)) if is_judged and group != NONE else None
    return Tried(rng.randrange(arms), rng.randint(0, 2_000), group, score)


def check_move(policy: Policy, state: State, *, arms: int = 0) -> Decision:
    """Its decision can be done, with what is left; return it."""
    move = policy.decide(state)
    known = {chain.group for chain in state.chains} | {one.group for one in state.tried} | {NONE}
    assert move.leader in known, f"group {move.leader} leads, and nobody said that"
    assert 0 <= move.confidence <= 1, f"{move.confidence} is no probability"
    assert move.leader != NONE or not move.confidence, "no answer leads, with confidence"
    assert isfinite(move.gain), f"{move.gain=}"
    assert isfinite(move.cost), f"{move.cost=}"
    assert move.cost >= 0, f"{move.cost=}"
    if move.action in ("stop", "abstain"):
        assert (move.chains, move.n, move.block) == ((), 0, 0), "ends and goes on"
        assert move.why.get("because"), "ends without a word of why"
    elif move.action == "switch":
        assert 0 <= move.arm < arms, f"switches to arm {move.arm} of {arms}"
        assert (move.chains, move.n) == ((), 0), "switches and goes on with chains"
        _check_room(move, 1, state)
    else:
        assert (move.n > 0) == (move.action == "widen"), f"{move.action} begins {move.n} chains"
        assert move.n or move.chains, "goes on with no chain"
        assert len({*move.chains}) == len(move.chains), "names a chain twice"
        assert all(0 <= i < len(state.chains) for i in move.chains), (
            "names a chain that is not there"
        )
        assert not any(state.chains[i].ended for i in move.chains), "grows a chain that has ended"
        _check_room(move, len(move.chains) + move.n, state)
    return move


def _check_room(move: Decision, n: int, state: State) -> None:
    assert move.block > 0, f"grows by {move.block} tokens"
    asked = n * move.block
    assert state.work_left is None or asked <= state.work_left, f"{asked} of {state.work_left}"
    if move.action != "switch":  # an arm's own chains are bounded where it runs
        assert state.span_left is None or move.block <= state.span_left, "longer than is left"


def check_same(policy: Policy, state: State, other: State) -> None:
    """The same state gets the same decision, whatever was asked between."""
    first = policy.decide(state)
    policy.decide(other)
    assert policy.decide(deepcopy(state)) == first, "the same state, another decision"


def check_names(policy: Policy, state: State, seed: int = 0) -> None:
    """What number stands for an answer changes nothing but the leader's."""
    numbers = [*range(_ANSWERS)]
    random.Random(seed).shuffle(numbers)
    new = {NONE: NONE, **{old: number + 7 for old, number in enumerate(numbers)}}

    def renamed(chain: Chain) -> Chain:
        probes = tuple(Probe(probe.depth, new[probe.group]) for probe in chain.probes)
        return replace(chain, probes=probes, group=new[chain.group])

    chains = tuple(map(renamed, state.chains))
    tried = tuple(one._replace(group=new[one.group]) for one in state.tried)
    was, now = policy.decide(state), policy.decide(replace(state, chains=chains, tried=tried))
    _check_alike(was, now)
    assert now.leader == new[was.leader], "another answer leads under other numbers"


def check_order(policy: Policy, state: State) -> None:
    """Which of two chains that ended alike said what changes nothing but who leads of equals."""
    scores = [chain.score for chain in state.chains] + [one.score for one in state.tried]
    if any((score or 0) >= 1 for score in scores):
        return  # the first pass is the answer
    ended = [i for i, chain in enumerate(state.chains) if chain.ended]
    was = policy.decide(state)
    for i, j in combinations(ended, 2):
        one, other = state.chains[i], state.chains[j]
        if (one.depth, one.cost_of_probes, one.score) != (
            other.depth,
            other.cost_of_probes,
            other.score,
        ):
            continue
        chains = [*state.chains]
        chains[i], chains[j] = other, one
        now = policy.decide(replace(state, chains=tuple(chains)))
        _check_alike(was, now)
        votes = Counter(chain.group for chain in chains if chain.ended)
        assert votes[was.leader] == votes[now.leader], "another answer leads in another order"


def _check_alike(was: Decision, now: Decision) -> None:
    told = [(one.action, one.chains, one.n, one.block, one.arm) for one in (was, now)]
    assert told[0] == told[1], f"{told[0]} became {told[1]}"
    for what in ("confidence", "gain", "cost"):
        a, b = getattr(was, what), getattr(now, what)
        assert isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), f"{what} {a} became {b}"


@dataclass
class Played:
    """A run on simulated chains, decision by decision."""

    taken: list[tuple[State, Decision]]
    end: State
    answers: tuple[str, ...] = tuple(f"{'so it is ' * 100}{i}" for i in range(_ANSWERS))
    """One of each group: long and alike, to see whether they stay whole."""

    @property
    def explanation(self) -> Explanation:
        """The account of why."""
        return explain(self.taken, self.end, self.answers)


def play(
    policy: Policy,
    seed: int,
    *,
    work: int | None = None,
    span: int | None = None,
    arms: int = 0,
    is_judged: bool = False,
) -> Played:
    """Do as a rule says until it ends, on chains of drawn lengths, and check every move.

    Half of the seeds have chains that can be asked on the way; the others' are drawn whole. Where
    nothing grew any more the rule is asked as `auto` asks it: with no work left.
    """
    run, taken = _Run(random.Random(seed), work, span, is_judged=is_judged), []
    while True:
        state = run.state if run.is_growing else replace(run.state, work_left=0)
        move = check_move(policy, state, arms=arms)
        taken.append((state, move))
        if move.action in ("stop", "abstain"):
            return Played(taken, state)
        assert run.is_growing, "goes on where nothing is left"
        assert len(taken) < MOST_DECISIONS, f"no end after {MOST_DECISIONS} decisions"
        (run.switch if move.action == "switch" else run.grow)(move)


class _Run:
    """A run whose chains end where and with what a seed says."""

    def __init__(
        self, rng: random.Random, work: int | None, span: int | None, *, is_judged: bool
    ) -> None:
        self._rng, self._work, self._span, self._is_judged = rng, work, span, is_judged
        self._is_asked, share = rng.random() < 0.5, rng.random()
        self._ends = [rng.choice(_DEPTHS) for _ in range(MOST_CHAINS)]
        self._says = [0 if rng.random() < share else self._answer() for _ in self._ends]
        self._prompt_features = tuple(float(rng.randint(0, 90)) for _ in NAMES)
        self._chains, self._tried = list[Chain](), list[Tried]()
        self._used = self._longest = 0
        self.is_growing = True

    @property
    def state(self) -> State:
        """How it stands."""
        chains, tried, longest = tuple(self._chains), tuple(self._tried), self._longest
        span = None if self._span is None else max(0, self._span - longest)
        return State(chains, self._used, longest, self._left, span, tried, self._prompt_features)

    @property
    def _left(self) -> int | None:
        return None if self._work is None else self._work - self._used

    def _spend(self, tokens: int) -> int:
        """Return how many of these the account lets pass."""
        left = self._left
        spent = tokens if left is None else min(tokens, left)
        self._used += spent
        return spent

    def _answer(self) -> int:
        return self._rng.randint(NONE, _ANSWERS - 1)

    def _score(self, group: int) -> float | None:
        return float(group == 0) if self._is_judged and group != NONE else None

    def switch(self, move: Decision) -> None:
        """Let an arm have some of what it was given."""
        work = self._spend(self._rng.randint(0, min(move.block, 2_000)))
        group = self._answer() if work else NONE
        self._tried.append(Tried(move.arm, work, group, self._score(group)))
        self._longest += work

    def grow(self, move: Decision) -> None:
        """Grow chains side by side; one that got no token was not begun."""
        n, costs = len(self._chains), [0]
        for i in (*move.chains, *range(n, min(n + move.n, MOST_CHAINS))):
            used, before = self._used, self._chains[i] if i < n else Chain(0)
            grown = self._grown(i, before, move.block)
            costs.append(self._used - used)
            if i < n:
                self._chains[i] = grown
            elif grown.depth:
                self._chains.append(grown)
        self._longest += max(costs)
        self.is_growing = any(costs)

    def _grown(self, i: int, chain: Chain, block: int) -> Chain:
        size = min(block, self._ends[i] - chain.depth) if self._is_asked else self._ends[i]
        depth = chain.depth + self._spend(size)
        is_end = depth == self._ends[i]
        if is_end or not self._is_asked:  # a whole one that was cut can't go on
            group = self._says[i] if is_end else NONE
            score = self._score(group)
            return replace(chain, depth=depth, group=group, ended=True, score=score)
        probe = Probe(depth, self._answer())
        cost = chain.cost_of_probes + self._spend(_PROBE)
        probes = (*chain.probes, probe)
        return replace(chain, depth=depth, probes=probes, group=probe.group, cost_of_probes=cost)


def check_run(policy: Policy, seed: int, *, arms: int = 0, is_judged: bool = False) -> None:
    """Runs come to an end, within their budgets, and say of all that they did why."""
    rng = random.Random(seed)
    for work in (None, rng.randint(0, 300), rng.randint(300, 20_000)):
        for span in (None, rng.randint(0, 6_000)):
            run = play(policy, seed, work=work, span=span, arms=arms, is_judged=is_judged)
            assert work is None or run.end.work <= work
            check_explained(run)


def check_explained(run: Played) -> None:
    """Every decision says why in whole words, and the account of them is read as it was written."""
    told = run.explanation
    assert msgspec.json.decode(msgspec.json.encode(told), type=Explanation) == told
    assert told.answers == run.answers
    for step, (_, move) in zip(told.steps, run.taken, strict=True):
        assert move.why, f"no word of why it would {move.action}"
        for name, value in move.why.items():
            kept = step.why[name]
            assert not isinstance(value, str) or (value.strip() and kept == value), f"cut: {kept!r}"


def check_price(cheap: Policy, dear: Policy, *, seeds: Sequence[int] = SEEDS) -> None:
    """Where tokens are dearer no chain grows that would not grow where they are cheap.

    Args:
        cheap: a rule, at one price.
        dear: the same at a higher price, and alike in all else.
        seeds: of states.
    """
    for seed in seeds:
        state = drawn_state(seed)
        if dear.decide(state).action in ("widen", "deepen"):
            assert cheap.decide(state).action in ("widen", "deepen"), "buys more for being dearer"


def check_settled(policy: Policy, most: int, *, seeds: Sequence[int] = SEEDS) -> None:
    """It stops where the votes that may still come can't overtake the leader.

    Args:
        policy: a rule that votes on whole chains.
        most: chains that it may have in all.
        seeds: of runs that are torn or of one mind.
    """
    for seed in seeds:
        rng = random.Random(seed)
        share = rng.random()
        says = [0 if rng.random() < share else rng.randint(1, 3) for _ in range(most)]
        for n in range(1, most + 1):
            (_, first), (_, second) = [*Counter(says[:n]).most_common(2), (NONE, 0)][:2]
            state = State(tuple(Chain(400, (), group, ended=True) for group in says[:n]))
            is_settled = first - second > most - n
            action = policy.decide(state).action
            assert not is_settled or action in ("stop", "abstain"), f"{first} to {second} of {most}"
