"""What each route should be set to: change, keep, or not decided yet, with an interval and a cost.

A change is advised where another setting is surely more accurate, or surely cheaper and not less
accurate by as much as a margin. All intervals of one route hold together with 95 % (Bonferroni:
each of m settings at 1 - 0.05 / m), by problem, so that a prompt that comes again counts once.
Agreement alone ranks nothing: it bounds how far two settings can differ, whatever is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from statistics import NormalDist, fmean
from typing import Literal

from workspan.errors import InputError
from workspan.lab.advising.kept import Arm, Shadowed
from workspan.lab.advising.truth import Pair, Pairs, Truth, pairs_of
from workspan.lab.certifying.binomial import upper
from workspan.lab.pairs import by_problem, clustered, score_difference
from workspan.lab.stats import CONFIDENCE, POWER, Interval, mean_of_runs
from workspan.legible import counted

Verdict = Literal["change", "keep", "undecided"]
MARGIN = 0.02
"""Of accuracy: what a cheaper setting may surely not lose, and what a dearer one must bring."""
FEWEST = 20
"""Problems below which nothing is advised."""
_PICO = Decimal(10) ** -12


@dataclass(frozen=True, slots=True)
class Compared:
    """One setting beside the present one."""

    strategy: str
    truth: Truth
    requests: int
    """That it was run on."""
    judged: int
    """Of them, those whose difference is known."""
    difference: float | None
    """In accuracy, above 0 where it is better; None where nothing says what is right."""
    low: float
    high: float
    agreement: float
    """Share of requests on which it gave the present answer."""
    cost: float
    """Of a request, on average."""
    cost_now: float
    """Of the same requests as they were answered."""
    is_cheaper: bool
    """Surely: the interval of the difference in cost lies below 0."""
    verdict: Verdict
    more: int | None
    """Further requests that would decide it, about; None where it is, or no number would."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What one route should be set to."""

    route: str
    model: str
    kind: str
    requests: int
    now: str
    recommend: str
    """The setting to change to; the present one where nothing is to be changed yet."""
    verdict: Verdict
    compared: tuple[Compared, ...]
    """Every setting that was run beside, the one that the advice rests on first."""
    cost_now: float
    """Of a request, on those that the advice rests on."""
    cost_unit: Literal["USD", "work"]
    """Tokens decoded, where a price is not known or nothing has one."""
    margin: float
    truth: Truth

    @property
    def first(self) -> Compared:
        """The setting that the advice rests on."""
        return self.compared[0]

    @property
    def more(self) -> int | None:
        """Further requests that would decide it, about; None where it is, or no number would."""
        return None if self.verdict != "undecided" else self.first.more

    @property
    def why(self) -> str:
        """The reason, in one sentence."""
        return _why(self)


def advise(
    requests: Sequence[Shadowed], margin: float = MARGIN, confidence: float = CONFIDENCE
) -> list[Advice]:
    """Advise on each route, model, kind of turn and present setting, in their order.

    Args:
        requests: in the order of their ids.
        margin: above 0, below 1.
        confidence: of all intervals of one route together.

    Raises:
        InputError: the margin or the confidence is out of range.
    """
    if not 0 < margin < 1 or not 0.5 <= confidence < 1:
        raise InputError("the margin lies between 0 and 1, the confidence from 0.5 to below 1")
    ordered = sorted(requests, key=lambda one: (_place(one), one.id))
    return [
        _of_route(place, [*some], margin, confidence) for place, some in groupby(ordered, _place)
    ]


def _place(one: Shadowed) -> tuple[str, str, str, str]:
    return one.route, one.model, one.kind, one.now.strategy


def _of_route(
    place: tuple[str, str, str, str],
    requests: Sequence[Shadowed],
    margin: float,
    confidence: float,
) -> Advice:
    route, model, kind, now = place
    names = sorted({arm.strategy for one in requests for arm in one.beside})
    every = [arm for one in requests for arm in one.arms]
    unit = _unit(every)
    each = 1 - (1 - confidence) / len(names)
    pairs = [pairs_of(requests, name) for name in names]
    found = sorted((_compared(one, unit, margin, each) for one in pairs), key=_rank)
    found = _best_first(found, margin)
    verdict = _together([one.verdict for one in found])
    recommend = found[0].strategy if verdict == "change" else now
    return Advice(
        *(route, model, kind, len(requests), now, recommend, verdict, tuple(found)),
        *(found[0].cost_now, unit, margin, found[0].truth),
    )


def _unit(arms: Sequence[Arm]) -> Literal["USD", "work"]:
    """Count in tokens where a price is not known, or nothing costs anything."""
    is_priced = all(arm.cost is not None for arm in arms) and any(arm.cost for arm in arms)
    return "USD" if is_priced else "work"


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """One change is enough; to keep, no setting may be open."""
    if "change" in verdicts:
        return "change"
    return "undecided" if "undecided" in verdicts else "keep"


_ORDER: dict[Verdict, int] = {"change": 0, "undecided": 1, "keep": 2}


def _rank(one: Compared) -> tuple[int, float, str]:
    """Put what was decided first, then what is needed least for."""
    more = math.inf if one.more is None else one.more
    return _ORDER[one.verdict], more, one.strategy


def _best_first(found: list[Compared], margin: float) -> list[Compared]:
    """Put the change that is advised first.

    Of those that are surely better the cheapest that is within the margin of the best; else, all
    being as good, the cheapest.
    """
    changes = [one for one in found if one.verdict == "change"]
    better = [one for one in changes if one.low > 0]
    if better:
        most = max(one.difference or 0.0 for one in better)
        changes = [one for one in better if (one.difference or 0.0) >= most - margin]
    if not changes:
        return found
    chosen = min(changes, key=lambda one: (one.cost, one.strategy))
    return [chosen, *(one for one in found if one is not chosen)]


def _compared(pairs: Pairs, unit: str, margin: float, confidence: float) -> Compared:
    used = pairs.all if pairs.truth == "agreement" else pairs.judged
    difference, low, high = _difference(pairs, confidence)
    costs = [_cost(one.then, unit) - _cost(one.now, unit) for one in pairs.all]
    problems = [one.problem for one in pairs.all]
    is_cheaper = _mean_within(by_problem(costs, problems)).high < 0
    is_enough = len({one.problem for one in used}) >= FEWEST
    verdict = _verdict(low, high, margin, is_cheaper=is_cheaper) if is_enough else "undecided"
    more = None
    if verdict == "undecided":
        more = _more(pairs, difference, (low, high), margin, confidence, is_cheaper=is_cheaper)
    return Compared(
        pairs.strategy,
        pairs.truth,
        len(pairs.all),
        len(pairs.judged),
        difference,
        low,
        high,
        fmean(one.is_same for one in pairs.all),
        fmean(_cost(one.then, unit) for one in pairs.all),
        fmean(_cost(one.now, unit) for one in pairs.all),
        is_cheaper,
        verdict,
        more,
    )


def _verdict(low: float, high: float, margin: float, *, is_cheaper: bool) -> Verdict:
    """Decide on one setting by an interval of how much better it is."""
    if low > 0 or (is_cheaper and low > -margin):
        return "change"
    if high < 0 or (not is_cheaper and high < margin):
        return "keep"
    return "undecided"


def _difference(pairs: Pairs, confidence: float) -> tuple[float | None, float, float]:
    """Return how much better a setting is, and between what that lies."""
    if pairs.truth == "agreement":
        most = _unlike_at_most(pairs.all, 1 - confidence)
        return None, -most, most
    if not pairs.judged:
        return None, -1.0, 1.0
    values = [pair.difference or 0.0 for pair in pairs.judged]
    problems = [pair.problem for pair in pairs.judged]
    if len({*problems}) == len(problems) and all(one in (-1, 0, 1) for one in values):
        ours, theirs = values.count(1), values.count(-1)
        found = score_difference(ours, theirs, len(values), confidence)
        return found.mean, found.low, found.high
    if len({*problems}) < 2:
        return fmean(values), -1.0, 1.0
    mean, low, high, *_ = clustered(values, problems, confidence)
    return mean, max(-1.0, low), min(1.0, high)


def _unlike_at_most(pairs: Sequence[Pair], delta: float) -> float:
    """Bound the share of problems whose answers differ: accuracies can't differ by more.

    A problem that comes again counts once, and as unlike if it ever was: never too low.
    """
    every, unlike = _problems(pairs)
    return upper(unlike, every, delta)


def _problems(pairs: Sequence[Pair]) -> tuple[int, int]:
    """Return how many problems there are, and how many of them were unlike."""
    unlike = {one.problem for one in pairs if not one.is_same}
    return len({one.problem for one in pairs}), len(unlike)


def _cost(arm: Arm, unit: str) -> float:
    if unit == "work":
        return float(arm.work)
    return float(_PICO * (arm.cost or 0))


def _mean_within(values: Sequence[float]) -> Interval:
    return mean_of_runs(values) if len(values) > 1 else Interval(-math.inf, math.inf)


def _more(
    pairs: Pairs,
    difference: float | None,
    interval: tuple[float, float],
    margin: float,
    confidence: float,
    *,
    is_cheaper: bool,
) -> int | None:
    """Estimate the further requests that would decide, if things are as they look.

    What is needed is counted in problems, and so many requests come for each as have come so far.
    """
    used = pairs.all if pairs.truth == "agreement" else pairs.judged
    known = len({one.problem for one in used})
    if pairs.truth == "agreement":
        needed = _to_agree(pairs.all, margin, 1 - confidence)
    else:
        d = difference or 0.0
        to_change = [d, d + margin if is_cheaper else -1.0]
        to_keep = [-d, -1.0 if is_cheaper else margin - d]
        is_unlike = any(one.difference for one in used)
        half = (interval[1] - interval[0]) / 2 if is_unlike else None
        needed = _to_exclude(max(to_change + to_keep), known, half, confidence)
    if needed > _ENDLESS:
        return None
    missing = max(1, math.ceil(max(needed, FEWEST)) - known)
    more = math.ceil(missing * (len(used) / known if known else 1))
    return more if more < _ENDLESS else None


def _to_agree(pairs: Sequence[Pair], margin: float, delta: float) -> float:
    """Return the problems that bound the share of those unlike below the margin.

    By Chernoff's bound: n' = ln(1/delta) / KL(share, margin). It is a little more than the exact
    one, as is needed for it to be found so most times.
    """
    every, unlike = _problems(pairs)
    share = unlike / every
    if share >= margin:
        return math.inf
    apart = (1 - share) * math.log((1 - share) / (1 - margin))
    apart += share * math.log(share / margin) if share else 0.0
    return -math.log(delta) / apart


def _to_exclude(reach: float, problems: int, half: float | None, confidence: float) -> float:
    """Return the problems for which an interval ends before what lies `reach` from its mean.

    An interval's half-width goes with 1 / √n: n' = n (half (1 + z₈₀ / z₉₅) / reach)², and 80 % of
    such samples decide. Where nothing differs (`half` is None) the score interval ends at
    z² / (n + z²).
    """
    if reach <= 0:
        return math.inf
    normal = NormalDist()
    if half is None:
        return normal.inv_cdf(0.5 + confidence / 2) ** 2 * (1 - reach) / reach
    scale = 1 + normal.inv_cdf(POWER) / normal.inv_cdf(0.5 + CONFIDENCE / 2)
    return problems * (half * scale / reach) ** 2


_ENDLESS = 1_000_000
"""Requests: more is no advice."""


def _why(advice: Advice) -> str:
    one = advice.first
    if advice.verdict == "change":
        if one.low > 0:
            return f"{one.strategy} is more accurate"
        return f"{one.strategy} is cheaper, and not less accurate by {advice.margin:g}"
    if advice.verdict == "keep":
        return f"no setting is better by {advice.margin:g}, or as good and cheaper"
    if one.more is not None:
        noun = "more labelled request" if one.truth == "labels" else "more request"
        return f"about {counted(one.more, noun)} would decide on {one.strategy}"
    if one.truth == "agreement" and one.agreement < 1:
        return "answers differ too often for agreement to decide: label some"
    return f"{one.strategy} is too close to call"
