"""The plan of each segment of problems, within what all of them may spend on the mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from workspan.strategies.auto.fit.segments import Segment, Tree, divide
from workspan.strategies.auto.policies.plan import Outcome, Plan
from workspan.strategies.auto.policies.state import NONE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TIE = 1e-9
"""Accuracy that a token is worth at the least: of equals the cheaper one is taken."""
_HALVINGS = 60
WIDE_RACE = 8
"""Chains of a race from which on it is preferred to chains that are drawn one after another."""


class _Menu(NamedTuple):
    """What can be chosen for the problems of a segment; arrays [option]."""

    share: float
    """Of all problems."""
    options: Sequence[Outcome]
    value: Floats
    work: Floats

    def at(self, price: float) -> int:
        """Return the best option where a token has this price; the cheaper of equals."""
        return int((self.value - price * self.work).argmax())


def chosen(
    plans: Sequence[Outcome],
    segments: Sequence[Segment],
    work: float | None = None,
    span: float | None = None,
    price: float = 0.0,
    rate: float = 0.0,
) -> list[Outcome]:
    """Return each segment's plan of most accuracy, less work at a price, within budgets.

    Segments share the budget: all that fits together is looked at, but for what is dearer than
    something better. A plan that hands on to an arm must be ahead by a standard error of a share,
    so that noise does not choose.

    Args:
        plans: to choose from.
        segments: that problems come in; together all of the profile's.
        work: tokens of a problem, on the mean over all segments.
        span: of its longest chain, on the mean of each segment.
        price: accuracy that a token must be worth.
        rate: tokens of work that one of span is priced as.
    """
    total = sum(len(segment.problems) for segment in segments)
    limits = (work if len(segments) == 1 else None, span)
    menus = [_menu(plans, segment, total, limits, (price, rate)) for segment in segments]
    picked = _together(menus, work)
    return [menu.options[at] for menu, at in zip(menus, picked, strict=True)]


def segments_for(
    plans: Sequence[Outcome], prompt_features: Floats, work: float | None, price: float = 0.0
) -> Tree:
    """Tell segments apart where a plan for each is worth more, at a price that meets the budget."""
    cases = np.stack([one.cases for one in plans])
    value = cases[:, 0] - (price + TIE) * cases[:, 1] - _handicap(plans, cases.shape[2])[:, None]
    whole = _Menu(1.0, plans, value.mean(axis=1), cases[:, 1].mean(axis=1))
    return divide(value - _price(whole, work) * cases[:, 1], prompt_features)


def _menu(
    plans: Sequence[Outcome],
    segment: Segment,
    total: int,
    limits: tuple[float | None, float | None],
    prices: tuple[float, float],
) -> _Menu:
    """Keep the plans that fit limits on work and span; the cheapest where none does."""
    options = [one.on(segment.problems) for one in plans]
    most_work, most_span = (np.inf if limit is None else limit * (1 + TIE) for limit in limits)
    fits = [one for one in options if one.work <= most_work and one.span <= most_span]
    options = fits or [min(options, key=lambda one: (one.work, one.span))]
    spent = np.array([one.work for one in options])
    price, rate = prices
    dear = spent + rate * np.array([one.span for one in options])
    value = np.array([one.accuracy for one in options]) - price * dear - TIE * spent
    value -= _handicap(options, len(segment.problems))
    return _Menu(len(segment.problems) / total, options, value, spent)


def _handicap(plans: Sequence[Outcome], problems: int) -> Floats:
    """Return what a plan must be ahead by, so that noise does not choose.

    One with an arm by a standard error of a share, at most; one that is no race, where a wide race
    fits, by half of that: races were smoothed, and of hundreds of plans one is always lucky.
    """
    error = 0.5 / float(np.sqrt(problems))
    is_wide = any(one.plan.is_race and one.plan.chains >= WIDE_RACE for one in plans)

    def ahead(plan: Plan) -> float:
        if plan.arm != NONE:
            return error
        return error / 2 if is_wide and not plan.is_race else 0.0

    return np.array([ahead(one.plan) for one in plans])


def _price(menu: _Menu, work: float | None) -> float:
    """Return the lowest price of a token at which the best option meets the mean budget."""
    low, high = 0.0, 1.0
    if work is None or menu.work[menu.at(low)] <= work:
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if menu.work[menu.at(middle)] <= work else (middle, high)
    return high


def _together(menus: Sequence[_Menu], work: float | None) -> NDArray[np.int64]:
    """Return the option of each segment, the best that fit together; the cheapest if none does."""
    limit = np.inf if work is None else work * (1 + TIE)
    spent, value, picked = np.zeros(1), np.zeros(1), np.zeros((1, 0), dtype=np.int64)
    for menu in menus:
        spends = (spent[:, None] + menu.share * menu.work).ravel()
        values = (value[:, None] + menu.share * menu.value).ravel()
        order = np.lexsort((-values, spends))
        fits = order[: max(1, int((spends <= limit).sum()))]
        ahead = np.maximum.accumulate(values[fits])
        kept = fits[np.concatenate([[True], ahead[1:] > ahead[:-1]])]  # dearer, so better
        before, option = np.divmod(kept, len(menu.work))
        picked = np.column_stack([picked[before], option])
        spent, value = spends[kept], values[kept]
    best: NDArray[np.int64] = picked[-1]
    return best
