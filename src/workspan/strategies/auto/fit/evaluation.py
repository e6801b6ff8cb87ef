"""The best plan for a budget: every one is run on a profile, and judged by what it did there.

Five numbers are chosen (width, cap, dive, the least worth, the doubt that is left to an arm), so
that little can be overfitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Protocol

import numpy as np

from workspan.strategies.auto.fit.choose import chosen
from workspan.strategies.auto.fit.races import Races
from workspan.strategies.auto.fit.replayed import Draws, Shape, draw, replayed, solo
from workspan.strategies.auto.fit.segments import Segment
from workspan.strategies.auto.fit.stops import Stops
from workspan.strategies.auto.fit.table import Table, tabulate
from workspan.strategies.auto.fit.vote_evaluation import Inductions, VoteEvaluation
from workspan.strategies.auto.policies.evidence import (
    Evidence,
    chain_features,
    fit_chain,
    fit_leader,
)
from workspan.strategies.auto.policies.plan import NEVER, End, Outcome, Plan, at_once, handed_on
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from workspan.strategies.auto.fit.profile import Profile
    from workspan.strategies.auto.policies.support import Support

    Floats = NDArray[np.float64]

WORTHS = tuple(0.012 * 2 ** (0.4 * i) for i in range(18))
"""From a plan that hardly ever stops to one that ends with its first chain."""
WIDTHS = ((1, 1), (4, 4))
"""Chains at the start, and chains added at a time: more for who is in a hurry."""
DIVERS = (2, 4, 8)
"""Chains at the start of a plan that takes only the first of them further than a dive."""
WIDE = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64)
MOST_CHAINS = 12
"""Chains of a plan that looks on the way; one that can't look has `WIDE[-1]`."""
_RUNS = 16
_SAMPLE = 20_000


@dataclass(frozen=True, eq=False)
class Evaluation:
    """All plans, run on a profile; equal to itself only, so that rules can be kept for it."""

    evaluations: Evaluations
    limit: float = np.inf
    """Work at which each run is cut."""

    @property
    def table(self) -> Table:
        """The profile."""
        return self.evaluations.table

    @property
    def evidence(self) -> Evidence:
        """What its chains are worth."""
        return self.evaluations.evidence

    @property
    def gain(self) -> float:
        """Rise of P(right) by one more chain, a unit of `worth` at a typical chain's cost."""
        return self.evaluations.gain

    @property
    def races(self) -> Races:
        """Chains side by side, told apart by what siblings say."""
        return self.evaluations.races

    @cached_property
    def voting(self) -> VoteEvaluation | None:
        """Rules for whole chains that are only voted on; None where few problems have two."""
        votes = self.evaluations.votes
        return votes.within(self.limit) if votes else None

    @cached_property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What each plan comes to."""
        stopped = tuple(end.outcome for _, ends in self._ends for end in ends)
        return (*stopped, *map(self.evaluations.split, _splits(self.table, self.limit)))

    @cached_property
    def handed(self) -> tuple[Outcome, ...]:
        """Plans that go on with an arm."""
        arms, limit = self.table.arms, self.limit
        handed = at_once(arms, limit, int(self.table.tokens.max()))
        for _, ends in self._ends:
            for end in ends:
                handed += handed_on(end, arms, limit)
        return (*handed,)

    @cached_property
    def _ends(self) -> list[tuple[Shape, list[End]]]:
        """Say where runs stop. They hang on no limit: one ends before what is beyond."""
        table, limit = self.table, self.limit
        shapes = (*_shapes(table), *_dives(table, limit))
        return [(x, [*self.evaluations.replay(x).under(x, WORTHS, limit)]) for x in shapes]

    def as_cut(self, span: float) -> Evaluation:
        """Return it as it is where no chain gets further: whole samples are cut there.

        Chains that are looked at on the way have an answer wherever they are cut: nothing changes.
        """
        if self.table.is_asked:
            return self
        return self.evaluations.as_cut(int(span)).within(self.limit)

    def best(
        self,
        work: float | None = None,
        span: float | None = None,
        price: float = 0.0,
        *,
        has_arms: bool = False,
    ) -> Outcome:
        """Return the plan of most accuracy, less its work at a price, within mean budgets.

        Args:
            work: tokens of a problem, on the mean.
            span: the same for the longest chain.
            price: accuracy that a token must be worth.
            has_arms: plans may use them, where they are better than chains by more than noise.
        """
        every = Segment(np.arange(len(self.table.tokens)))
        return chosen(self.plans(work, span, has_arms=has_arms), [every], work, span, price)[0]

    def plans(
        self, work: float | None = None, span: float | None = None, *, has_arms: bool = False
    ) -> tuple[Outcome, ...]:
        """Return what can be chosen from, within about these budgets."""
        found = (*self.outcomes, *self.handed) if has_arms else self.outcomes
        if span is not None and not self.table.is_asked:
            found = tuple(one for one in found if one.cases[2].max() <= span) or found
        told = (np.inf if limit is None else limit for limit in (work, self.limit, span))
        return (*found, *self.races.outcomes(*told))


class Known(Protocol):
    """What was found of a profile before, so that it need not be found again."""

    @property
    def evidence(self) -> Evidence:
        """What its chains are worth."""
        ...

    @property
    def gain(self) -> float:
        """See `Evaluation.gain`."""
        ...

    @property
    def support(self) -> Support:
        """What chains side by side are worth."""
        ...

    def replay(self, shape: Shape) -> Stops | None:
        """Say where the runs of a plan that probes on the way stop; None if that is not known."""
        ...

    def race(self, shape: Shape) -> Stops | None:
        """Say the same of a race; its shape's dive is its chains."""
        ...

    def split(self, shape: Shape) -> Outcome | None:
        """Say what a fixed split comes to; None if that is not known."""
        ...


class Evaluations:
    """A profile on which plans are run: once each, whatever the budgets that are asked for."""

    def __init__(
        self,
        table: Table,
        seed: int = 0,
        votes: Inductions | None = None,
        known: Known | None = None,
    ) -> None:
        self.table, self.seed, self.votes, self._known = table, seed, votes, known
        self.races = Races(table, seed, *((known.support, known.race) if known else ()))
        self._replays: dict[Shape, Stops] = {}
        self._splits: dict[Shape, Outcome] = {}
        self._found: dict[float, Evaluation] = {}
        self._cut: dict[int, Evaluations] = {}

    @classmethod
    def of(cls, profile: Profile) -> Evaluations:
        """Evaluate plans on a profile: what is asked for, and once."""
        return cls(tabulate(profile), votes=Inductions.of(profile))

    @cached_property
    def evidence(self) -> Evidence:
        """What chains are worth."""
        return self._known.evidence if self._known else learn(self.table, self._draws)

    @cached_property
    def gain(self) -> float:
        """See `Evaluation.gain`."""
        told = (self.table, self.evidence)
        return self._known.gain if self._known else _gain(*told, self._draws, self._weights)

    @cached_property
    def _draws(self) -> Draws:
        most = MOST_CHAINS if self.table.is_asked else WIDE[-1]
        return draw(self.table, _RUNS, most, self.seed)

    @cached_property
    def _weights(self) -> Floats:
        return solo(self.table, self.evidence)

    def within(self, limit: float = np.inf) -> Evaluation:
        """Say what every plan comes to where each run is cut at so much work; the same twice."""
        if limit not in self._found:
            self._found[limit] = Evaluation(self, limit)
        return self._found[limit]

    def as_cut(self, cap: int) -> Evaluations:
        """Return the same of a table of whole samples that is cut at a cap."""
        if cap >= self.table.tokens.max():
            return self
        if cap not in self._cut:
            self._cut[cap] = Evaluations(self.table.cut(cap), self.seed)
        return self._cut[cap]

    def all(self) -> tuple[dict[Shape, Stops], dict[Shape, Outcome]]:
        """Run every plan that looks on the way, and every fixed split, whatever the limit."""
        shapes = (*_shapes(self.table), *_dives(self.table, np.inf))
        splits = _splits(self.table, np.inf)
        return {x: self.replay(x) for x in shapes}, {x: self.split(x) for x in splits}

    def replay(self, shape: Shape) -> Stops:
        """Run a plan that looks on the way."""
        if shape not in self._replays:
            known = self._known.replay(shape) if self._known else None
            self._replays[shape] = known or self._replay(shape)
        return self._replays[shape]

    def _replay(self, shape: Shape) -> Stops:
        told = (self.table, self.evidence, self._draws, shape)
        found = replayed(*told, enough=WORTHS[0], weights=self._weights)
        has_arms = self.table.arms is not None
        return Stops.of(found, self._draws, WORTHS, keeps_belief=has_arms)

    def split(self, shape: Shape) -> Outcome:
        """Run a fixed split: one state a run."""
        if shape not in self._splits:
            known = self._known.split(shape) if self._known else None
            self._splits[shape] = known or self._split(shape)
        return self._splits[shape]

    def _split(self, shape: Shape) -> Outcome:
        part = draw(self.table, max(_RUNS, 64 // shape.width), shape.width, self.seed)
        # a chain alone leads whatever it weighs
        even = np.broadcast_to(np.float64(1), self.table.group.shape)
        weights = self._weights if shape.width > 1 else even
        done = replayed(self.table, self.evidence, part, shape, weights=weights)
        values = (done.right.astype(float), done.work, done.span, done.belief)
        end = End(Plan(shape, part.order.shape[1], NEVER), *values, part.problem)
        return _watched(end.outcome, self.table)


def evaluation(table: Table, *, limit: float = np.inf, seed: int = 0) -> Evaluation:
    """Run every plan on a profile.

    Args:
        table: the profile.
        limit: work at which each run is cut, for a budget that is hard on every problem.
        seed: of the orders of chains.
    """
    return Evaluations(table, seed).within(limit)


def learn(table: Table, draws: Draws) -> Evidence:
    """Fit the evidence: first of chains alone, then of the leaders of a few kinds of run."""
    rng = np.random.default_rng(0)
    n_problems = len(table.tokens)
    depth = np.minimum(np.arange(table.steps + 1) * table.block, table.tokens[..., None])
    ended = (table.tokens[..., None] <= depth) & table.ended[..., None]
    begun = np.concatenate([np.zeros_like(ended[..., :1]), ended[..., :-1]], axis=-1)
    places = np.argwhere((table.group != NONE) & ~begun)
    places = places[rng.permutation(len(places))[:_SAMPLE]]
    at = tuple(places.T)
    features = chain_features(depth[at].astype(float), table.since[at], ended[at], table.scale)
    evidence = Evidence(table.scale, fit_chain(features, table.right[at], n_problems))
    cap = int(table.tokens.max())
    few = Draws(draws.problem, draws.order[:, :8])
    kinds = [Shape(width, cap, table.watch) for width in (1, 4)]
    replays = [replayed(table, evidence, few, kind, keeps_features=True) for kind in kinds]
    order = [
        np.lexsort((one.run, one.step)) for one in replays
    ]  # which of them are taken hangs on it
    features = np.concatenate([one.features[i] for one, i in zip(replays, order, strict=True)])
    right = np.concatenate([one.right[i] for one, i in zip(replays, order, strict=True)])
    chosen = rng.permutation(len(right))[:_SAMPLE]
    leader = fit_leader(features[chosen], right[chosen], n_problems)
    return Evidence(evidence.scale, evidence.chain, leader)


def caps(table: Table, fine: int = 2) -> list[int]:
    """Return caps from the longest chain down to a tenth of a typical one."""
    longest, least = int(table.tokens.max()), table.scale / 10
    if not table.is_asked:
        return [longest]
    ratios = (2 ** (-i / fine) for i in range(1, 12 * fine))
    falling = {max(1, round(longest * r / table.block)) * table.block for r in ratios}
    return sorted({longest, *(cap for cap in falling if least <= cap < longest)}, reverse=True)


def _shapes(table: Table) -> Iterator[Shape]:
    """Yield the ways of growing that look on the way."""
    deep = [cap for cap in caps(table) if cap >= 0.8 * table.scale]
    for width, more in WIDTHS:
        for cap in deep[: 3 if width == 1 else 1]:
            yield Shape(width, cap, table.watch, more)


def _dives(table: Table, limit: float) -> Iterator[Shape]:
    """Yield one long chain beside dives that no run takes beyond a limit."""
    cap, *shorter = caps(table, 1)
    for width, dive in product(DIVERS, shorter):
        probes = 1 + dive // table.watch
        if dive <= table.scale and width * (dive + probes * table.asked) <= limit:
            yield Shape(width, cap, table.watch, dive=dive)


def _splits(table: Table, limit: float) -> Iterator[Shape]:
    """Yield the fixed splits that no run can take beyond a limit."""
    for width in (n for n in WIDE if n <= table.tokens.shape[1]):
        for cap in caps(table, 2 if width > 1 else 8):
            probes = 1 + cap // table.watch
            if width * (cap + probes * table.asked) <= limit:
                yield Shape(width, cap, cap)
    yield Shape(1, *2 * (int(min(limit, table.tokens.max())),))


def _watched(split: Outcome, table: Table) -> Outcome:
    """Let a fixed split look on the way: what says nothing at its cap has its latest answer."""
    shape = split.plan.shape._replace(block=min(table.watch, split.plan.shape.cap))
    probes = np.minimum(table.tokens, shape.cap) // shape.block - (table.tokens > shape.cap)
    right, work, span = split.cases
    work = work + shape.width * table.asked * np.maximum(0.0, probes.mean(axis=1))
    return Outcome.of(split.plan._replace(shape=shape), np.stack([right, work, span]))


def _gain(table: Table, evidence: Evidence, draws: Draws, weights: Floats) -> float:
    """Fit the rise of P(right) by a further chain to (1 - belief) / n, through the origin."""
    cap = int(table.tokens.max())
    few = Draws(draws.problem, draws.order[:, :8])
    found = replayed(table, evidence, few, Shape(1, cap, cap), weights=weights)
    if few.order.shape[1] < 2:
        return 0.0
    belief, n, right = (
        np.ascontiguousarray(one.reshape(len(few.order), -1).T)
        for one in (found.belief, found.n, found.right.astype(float))
    )
    chance = ((1 - belief) / (n + 0.5))[:-1]
    rise = np.diff(right, axis=0)
    return max(0.0, float((chance * rise).sum() / (chance**2).sum()))
