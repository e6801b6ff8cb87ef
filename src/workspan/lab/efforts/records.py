"""One record an arm, and one for the policy: how right, how dear, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Literal

import numpy as np

from workspan.core.engine import Price
from workspan.data.efforts import thinking_tokens
from workspan.data.types import Usage
from workspan.lab.efforts.crossing import Choose, Crossed, crossed, is_enough
from workspan.lab.efforts.pricing import Rates, priced
from workspan.lab.efforts.race import Measured, Raced
from workspan.lab.efforts.seen import ladders_of
from workspan.legible import counted
from workspan.search.betting import ahead_within, mean_within
from workspan.spec import write
from workspan.strategies.adaptive.ladder import Ladder
from workspan.strategies.auto.fit.ladders import (
    SLACK,
    Mix,
    Played,
    as_strategy,
    fixed_plans,
    hull_of,
    play,
)
from workspan.strategies.auto.fit.laid import Climb
from workspan.strategies.auto.fit.seen import FEWEST, Ladders, Rung, even

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
    """As `-s` takes it, like `strategy`; of the policy what it does, in words."""
    kind: Literal["arm", "policy"]
    engine: str
    """By the name of a further engine; "" is the run's own."""
    effort: str
    """"" is the model's default; of the policy those of its rungs, with commas between them."""
    cap: int | None
    """Tokens of thinking, where the effort is such a number."""
    width: int
    """Votes; of the policy where nothing is settled below."""
    depth: int
    """Tokens of a sample, at most."""
    problems: int
    accuracy: float | None
    low: float | None
    """Of an interval that holds with 95 % however long the race went on."""
    high: float | None
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
    """USD that the pilot spent on its effort; of the policy, on all."""
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
    """Sum a race up: a record for each width of each setting, and the policy's at the end.

    Args:
        raced: the race.
        price: of the engine.
        pooled: answers of different settings can be compared.
        is_replay: its seconds and prompts are none of a server's.
        budget: work that the policy may take of a problem, on the mean; None is what comes within
            `SLACK` of the best.
        seed: of folds and orders.
    """
    book = _Book(raced, price, pooled=pooled, is_replay=is_replay)
    arms = [record for place in range(len(raced.entrants)) for record in book.arms(place)]
    arms = _judged(arms, raced)
    policy = book.policy(budget, seed)
    return [*arms, policy] if policy is not None else arms


@dataclass(frozen=True, slots=True)
class _Measure:
    """What an arm or a policy came to."""

    right: list[float] | None
    work: float
    span: float
    parts: NDArray[np.float64]
    """[rung, 3]: calls, work and span at each rung."""


class _Book:
    """The race with all that prices it."""

    def __init__(self, raced: Raced, price: Price | None, *, pooled: bool, is_replay: bool) -> None:
        self.raced, self.price, self.pooled, self.is_replay = raced, price, pooled, is_replay
        self.places = {one.rung: place for place, one in enumerate(raced.entrants)}

    def arms(self, place: int) -> list[WhichRecord]:
        """Return a record for each width of one setting; one alone where none can be graded."""
        held = [one for _, one in self.raced.of(place)]
        if not held:
            return []
        ladders = ladders_of(self.raced, [place], pooled=self.pooled)
        if len(ladders.problems) < FEWEST:
            return [self._ungraded(place, held, is_few=bool(ladders.problems))]
        played = play(ladders, fixed_plans(ladders))
        return [
            self._record([place], plan.votes, _measure(played, i), "on the hull")
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

    def policy(self, budget: float | None, seed: int) -> WhichRecord | None:
        """Return the policy's record; None where too few problems were graded to choose one."""
        alive = [place for place in self.raced.alive if self.raced.of(place)]
        ladders = ladders_of(self.raced, alive, pooled=self.pooled) if alive else None
        if ladders is None or sum(all(one.draws) for one in ladders.problems) < 2 * FEWEST:
            return None
        ladders = even(ladders)
        if not is_enough(ladders):
            return None

        plan, found = _best_family(ladders, budget, seed)
        weights = play(ladders, [plan], seed=seed).weights
        right = [float(value) for value in found.right]
        measure = _Measure(
            right, float(found.work.mean()), float(found.span.mean()), found.parts.mean(axis=0)
        )
        rungs = [ladders.rungs[stage.rung] for stage in plan.stages]
        places = [self.places[rung] for rung in ladders.rungs]
        record = self._record(places, plan.votes, measure, "use")
        spent = self.raced.spent
        return replace(
            record,
            arm=plan.say(ladders.rungs),
            kind="policy",
            effort=",".join(dict.fromkeys(rung.effort for rung in rungs)),
            engine=",".join(dict.fromkeys(rung.engine for rung in rungs)),
            cap=None,
            agreement=None,
            pilot_spent=None if spent.cost is None else float(spent.cost),
            pilot_work=spent.output_tokens,
            why=_against(ladders, right, measure.work),
            strategy=write(as_strategy(plan, ladders, weights)),
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


def _measure(played: Played, i: int) -> _Measure:
    right = [float(value) for value in played.right[i]]
    work, span = float(played.work[i].mean()), float(played.span[i].mean())
    return _Measure(right, work, span, played.parts[i].mean(axis=0))


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


def chosen(played: Played, budget: float | None) -> Mix:
    """Return the plan within a mean budget that is most often right, or one about as right.

    A budget below the cheapest plan is met by that.
    """
    if budget is None:
        plan = played.best()
        return Mix(plan, plan)
    work, right = played.work.mean(axis=1), played.right.mean(axis=1)
    fits = [i for i in range(len(work)) if work[i] <= budget] or [int(work.argmin())]
    most = max(right[i] for i in fits)
    best = min((i for i in fits if right[i] >= most - SLACK), key=lambda i: work[i])
    return Mix(played.plans[best], played.plans[best])


_FAMILIES: tuple[Callable[[Climb], bool], ...] = (
    lambda plan: len(plan.stages) == 1,
    lambda plan: plan.is_plain,
    lambda _: True,
)
"""Votes at one effort, plain ladders too, all ladders: the more there are to choose among, the more
of what looks best is chance."""


def _best_family(ladders: Ladders, budget: float | None, seed: int) -> tuple[Climb, Crossed]:
    """Choose the family whose choice does best on problems that it was not made by, and the plan.

    Of those that do about as well, the one that takes the least work.
    """

    def choosing(fits: Callable[[Climb], bool]) -> Choose:
        return lambda played: chosen(played.keep(fits), budget)

    found = crossed(ladders, [choosing(fits) for fits in _FAMILIES], seed=seed)
    most = max(float(one.right.mean()) for one in found)
    good = [i for i, one in enumerate(found) if one.right.mean() >= most - SLACK]
    best = min(good, key=lambda i: float(found[i].work.mean()))
    return choosing(_FAMILIES[best])(play(ladders, seed=seed)).first, found[best]


def _judged(arms: Sequence[WhichRecord], raced: Raced) -> list[WhichRecord]:
    """Say of each graded arm whether it is on the hull of all, and of those dropped by what."""
    graded = [i for i, one in enumerate(arms) if one.accuracy is not None]
    if not graded:
        return [*arms]
    is_priced = all(arms[i].cost is not None for i in graded)
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


def _against(ladders: Ladders, right: Sequence[float], work: float) -> str:
    """Hold the policy against the arm that is most often right on the same problems."""
    fixed = play(ladders, fixed_plans(ladders))
    means = fixed.right.mean(axis=1)
    best = int(max(range(len(means)), key=lambda i: (means[i], -fixed.work[i].mean())))
    name = fixed.plans[best].say(ladders.rungs)
    theirs = [float(value) for value in fixed.right[best]]
    low, high = ahead_within(right, theirs)
    ahead = fmean(right) - fmean(theirs)
    share = work / float(fixed.work[best].mean())
    return (
        f"{100 * ahead:+.1f} points [{100 * low:+.0f}, {100 * high:+.0f}] to {name}, for "
        f"{share:.2f} of its work, on problems that it was not chosen by"
    )
