"""One record an arm and a ladder, and the policy's: how right, how dear, what to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import numpy as np

from workspan.core.engine import Price
from workspan.data.efforts import thinking_tokens
from workspan.data.types import Usage
from workspan.lab.efforts.choosing import Chosen, choose
from workspan.lab.efforts.common import Common, ahead_of
from workspan.lab.efforts.pricing import Rates, priced
from workspan.lab.efforts.race import Measured, Raced
from workspan.lab.efforts.seen import ladders_of
from workspan.legible import counted
from workspan.search.betting import mean_within
from workspan.spec import write
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.ladders import Each, as_strategy, fixed_plans, hull_of, play
from workspan.strategies.auto.fit.laid import Climb
from workspan.strategies.auto.fit.seen import FEWEST, Ladders, Rung

if TYPE_CHECKING:
    from numpy.typing import NDArray

Verdict = Literal[
    "use",  # the policy: what to run
    "on the hull",  # no mixture of other arms is as right for as little
    "below the hull",
    "dropped",  # it left the race
    "unlabelled",  # nobody knows how right it is
    "too few problems",
]


@dataclass(frozen=True, slots=True)
class WhichRecord:
    """One arm's line, or the policy's. Means are over its problems; None is unknown."""

    arm: str
    """As `-s` takes it, like `strategy`; of a ladder and of the policy what it does, in words."""
    kind: Literal["arm", "ladder", "policy"]
    """Votes at one effort; two samples, and one more where they disagree; what to run."""
    engine: str
    """By the name of a further engine; "" is the run's own."""
    effort: str
    """"" is the model's default; of a ladder and of the policy those of its rungs, with commas
    between them."""
    cap: int | None
    """Tokens of thinking, where the effort is such a number."""
    width: int
    """Votes; of a ladder where nothing is settled below."""
    depth: int
    """Tokens of a sample, at most."""
    problems: int
    accuracy: float | None
    low: float | None
    """Of an interval that holds with 95 % however long the race went on."""
    high: float | None
    difference: float | None
    """Accuracy ahead of the policy on the problems that all efforts left in the race have, paired;
    None of the policy, of what was dropped, and without a policy."""
    difference_low: float | None
    """As `low`."""
    difference_high: float | None
    random: float | None
    """Accuracy of a random pick among what was drawn: a vote no better than it selects nothing."""
    coverage: float | None
    """How often the right answer was drawn at all: the best that a selector could do."""
    agreement: float | None
    """Share of pairs of its samples that say the same: no measure of being right."""
    missing: float
    """Share of its samples without an answer: they vote for nothing."""
    work: float
    span: float
    seconds: float | None
    """Of its calls, one stage after another; unknown in a replay."""
    cost: float | None
    """USD a problem: prompts, cached or not, and all that was decoded, thinking included."""
    cost_per_right: float | None
    prefill: float | None
    """Prompt tokens of a sample that no cache served; unknown in a replay."""
    cached: float | None
    reasoning: float | None
    """Tokens of a sample that were thinking, where the server tells."""
    pilot_spent: float | None
    """USD that the pilot spent on its efforts; of the policy, on all."""
    pilot_work: int
    """Tokens likewise."""
    verdict: Verdict
    why: str
    strategy: str
    """What to run it by: ``workspan solve -s '…'``."""


def records_of(
    raced: Raced,
    price: Price | None,
    *,
    pooled: bool = True,
    is_replay: bool = False,
    budget: float | None = None,
    seed: int = 0,
) -> list[WhichRecord]:
    """Sum a race up: each width of each setting, then plain ladders, and the policy at the end.

    Args:
        raced: the race.
        price: of the engine.
        pooled: answers of different settings can be compared.
        is_replay: its seconds and prompts are none of a server's.
        budget: work that the policy may take of a problem, on the mean; None is what comes within
            a point of the best (`fit.ladders.SLACK`).
        seed: of folds and orders.
    """
    book = _Book(raced, price, pooled=pooled, is_replay=is_replay)
    common = Common.of(raced, pooled=pooled, seed=seed)
    if common is not None and not common.played.right.any():
        common = None  # whatever was chosen would be a guess
    found = choose(common.ladders, budget, seed) if common else None
    arms = [
        record
        for place, one in enumerate(raced.entrants)
        for record in (
            book.common(common, found, common.votes(one.rung))
            if common and found and one.rung in common.ladders.rungs
            else book.arms(place)
        )
    ]
    if common is None or found is None:
        return _judged(arms, raced)
    ladders = book.common(common, found, common.climbs)
    return [*_judged([*arms, *ladders], raced), book.policy(common, found, seed)]


@dataclass(frozen=True, slots=True)
class _Measure:
    """What an arm or a policy came to."""

    right: list[float] | None
    work: float
    span: float
    parts: NDArray[np.float64]
    """[rung, 3]: calls, work and span at each rung."""
    random: float | None = None
    coverage: float | None = None

    @classmethod
    def of(cls, found: Each) -> _Measure:
        """Sum up what something came to on each problem."""
        told = (found.work, found.span, found.random, found.coverage)
        work, span, random, coverage = (float(one.mean()) for one in told)
        return cls(_values(found.right), work, span, found.parts.mean(axis=0), random, coverage)


class _Book:
    """The race with all that prices it."""

    def __init__(self, raced: Raced, price: Price | None, *, pooled: bool, is_replay: bool) -> None:
        self.raced, self.price, self.pooled, self.is_replay = raced, price, pooled, is_replay
        self.places = {one.rung: place for place, one in enumerate(raced.entrants)}

    def arms(self, place: int) -> list[WhichRecord]:
        """Return a record for each width of one setting, on all problems that it was measured on.

        One alone where none can be graded.
        """
        held = [one for _, one in self.raced.of(place)]
        if not held:
            return []
        ladders = ladders_of(self.raced, [place], pooled=self.pooled)
        if len(ladders.problems) < FEWEST:
            return [self._ungraded(place, held, is_few=bool(ladders.problems))]
        played = play(ladders, fixed_plans(ladders))
        return [
            self._record([place], plan.votes, _Measure.of(played.at(i)), "on the hull")
            for i, plan in enumerate(played.plans)
        ]

    def _ungraded(self, place: int, held: Sequence[Measured], *, is_few: bool) -> WhichRecord:
        width = max(len(one.samples) for one in held)
        work = fmean(sum(s.usage.output_tokens for s in one.samples) for one in held)
        span = fmean(one.span for one in held)
        found = _Measure(None, work, span, np.array([[width, work, span]]))
        few = f"fewer than {FEWEST} problems were graded"
        blind = "no right answers are known: agreement says how sure it is of itself, not how right"
        verdict: Verdict = "too few problems" if is_few else "unlabelled"
        return replace(
            self._record([place], width, found, verdict),
            problems=len(held),
            why=few if is_few else blind,
        )

    def common(self, common: Common, found: Chosen, places: Sequence[int]) -> list[WhichRecord]:
        """Return the records of some plans on the problems of all, held against the policy."""
        return [self._common(common, found, place) for place in places]

    def _common(self, common: Common, found: Chosen, place: int) -> WhichRecord:
        plan, each = common.played.plans[place], common.played.at(place)
        used = sorted({stage.rung for stage in plan.stages})
        measure = _Measure.of(each)
        measure = replace(measure, parts=measure.parts[used])
        places = [self.places[common.ladders.rungs[i]] for i in used]
        record = self._record(places, plan.votes, measure, "on the hull")
        if len(plan.stages) > 1:
            record = _climbing(record, "ladder", plan, common.ladders, common.played.weights)
        ahead = ahead_of(measure.right or (), _values(found.each.right))
        return replace(
            record, difference=ahead.mean, difference_low=ahead.low, difference_high=ahead.high
        )

    def policy(self, common: Common, found: Chosen, seed: int) -> WhichRecord:
        """Return the policy's record, held against the best arm."""
        plan, ladders, measure = found.plan, common.ladders, _Measure.of(found.each)
        weights = play(ladders, [plan], seed=seed).weights
        places = [self.places[rung] for rung in ladders.rungs]
        record = self._record(places, plan.votes, measure, "use")
        spent = self.raced.spent
        return replace(
            _climbing(record, "policy", plan, ladders, weights),
            pilot_spent=None if spent.cost is None else float(spent.cost),
            pilot_work=spent.output_tokens,
            why=_to_best(common, measure),
        )

    def _record(
        self, places: Sequence[int], width: int, found: _Measure, verdict: Verdict
    ) -> WhichRecord:
        samples = [s for p in places for _, held in self.raced.of(p) for s in held.samples]
        one = self.raced.entrants[places[0]]
        spent = sum((self.raced.usage.get(place, Usage()) for place in places), Usage())
        rates = [self._rates(place) for place in places]
        cost, seconds = priced(found.parts, rates)
        accuracy = fmean(found.right) if found.right else None
        interval = mean_within(found.right) if found.right else None
        agreement = _agreement([held for p in places for _, held in self.raced.of(p)])

        def mean(name: str) -> float | None:
            return None if self.is_replay else fmean(getattr(s.usage, name) for s in samples)

        alone = write(_alone(one.rung, width, one.strategy.max_tokens))
        return WhichRecord(
            arm=alone,
            kind="arm",
            engine=one.rung.engine,
            effort=one.rung.effort,
            cap=thinking_tokens(one.rung.effort),
            width=width,
            depth=one.strategy.max_tokens,
            problems=len(found.right or ()),
            accuracy=accuracy,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            difference=None,
            difference_low=None,
            difference_high=None,
            random=found.random,
            coverage=found.coverage,
            agreement=agreement,
            missing=fmean(s.answer is None for s in samples),
            work=found.work,
            span=found.span,
            seconds=seconds,
            cost=cost,
            cost_per_right=cost / accuracy if cost is not None and accuracy else None,
            prefill=mean("prefill"),
            cached=mean("cached_tokens"),
            reasoning=mean("reasoning_tokens"),
            pilot_spent=None if spent.cost is None else float(spent.cost),
            pilot_work=spent.output_tokens,
            verdict=verdict,
            why="",
            strategy=alone,
        )

    def _rates(self, place: int) -> Rates:
        samples = [s for _, held in self.raced.of(place) for s in held.samples]
        return Rates.of(samples, self.price, is_replay=self.is_replay)


def _alone(rung: Rung, width: int, depth: int) -> Ladder:
    """Return the strategy of an arm."""
    engines = (rung.engine,) if rung.engine else ()
    return Ladder((rung.effort,), (width,), engines=engines, max_tokens=depth)


def _climbing(
    record: WhichRecord,
    kind: Literal["ladder", "policy"],
    plan: Climb,
    ladders: Ladders,
    weights: Sequence[float],
) -> WhichRecord:
    """Say of a plan of several efforts what it does, and by what to run it."""
    rungs = [ladders.rungs[stage.rung] for stage in plan.stages]
    return replace(
        record,
        arm=plan.say(ladders.rungs),
        kind=kind,
        effort=",".join(dict.fromkeys(rung.effort for rung in rungs)),
        engine=",".join(dict.fromkeys(rung.engine for rung in rungs)),
        cap=None,
        agreement=None,
        strategy=write(as_strategy(plan, ladders, weights)),
    )


def _values(of: NDArray[np.float64]) -> list[float]:
    return [float(value) for value in of]


def _agreement(held: Sequence[Measured]) -> float | None:
    """Return the share of pairs of samples of one problem that say the same; None without pairs."""
    found = []
    for one in held:
        said = [s.answer for s in one.samples]
        n = len(said)
        if n > 1:
            same = sum(said.count(a) - 1 for a in said if a is not None)
            found.append(same / (n * (n - 1)))
    return fmean(found) if found else None


def _judged(arms: Sequence[WhichRecord], raced: Raced) -> list[WhichRecord]:
    """Say of each graded arm and ladder whether it is on the hull of all, and what was dropped."""
    graded = [i for i, one in enumerate(arms) if one.accuracy is not None]
    if not graded:
        return [*arms]
    costs = [arms[i].cost for i in graded]
    is_priced = None not in costs and any(costs)  # where all is free, work tells arms apart
    cost = np.array([(arms[i].cost if is_priced else arms[i].work) or 0.0 for i in graded])
    right = np.array([arms[i].accuracy or 0.0 for i in graded])
    hull = hull_of(cost, right)
    found = [*arms]
    gone = {raced.entrants[one.place].rung: one for one in raced.out}
    for k, i in enumerate(graded):
        one = arms[i]
        out = gone.get(Rung(one.effort, one.engine))
        if out is not None:
            by = raced.entrants[out.by].rung.name
            dear = "though it is cheaper" if out.is_cheaper else "and is no cheaper"
            why = (
                f"surely {100 * out.low:.0f} points or more behind {by} {dear}, "
                f"after {counted(out.problems, 'problem')}"
            )
            found[i] = replace(one, verdict="dropped", why=why)
        elif k not in hull:
            level = float(np.interp(cost[k], cost[hull], right[hull]))
            why = f"{100 * (level - right[k]):.1f} points below what others bring for as much"
            found[i] = replace(one, verdict="below the hull", why=why)
    return found


def _to_best(common: Common, policy: _Measure) -> str:
    """Hold the policy against the arm that is most often right on the same problems."""
    best = common.best
    ahead = ahead_of(policy.right or (), _values(common.played.right[best]))
    share = policy.work / float(common.played.work[best].mean())
    return (
        f"{100 * ahead.mean:+.1f} points [{100 * ahead.low:+.0f}, {100 * ahead.high:+.0f}] to "
        f"{common.played.plans[best].say(common.ladders.rungs)}, for {share:.2f} of its work, on "
        "problems that it was not chosen by"
    )
