"""What a key may spend in a stretch of time, and how people write it: ``1M work/day, $5/day``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Literal, get_args

from workspan.data.budget import Budget
from workspan.data.money import exactly
from workspan.errors import InputError, SpecError, nearest
from workspan.legible import quoted

Quantity = Literal["requests", "calls", "work", "prefill", "cost"]
"""What is limited: requests to the gateway, or a column of a ledger."""
Period = Literal["minute", "hour", "day", "month", "total"]
"""Windows begin by UTC; "total" never ends. Each lies within one of the next longer."""

PERIODS: tuple[Period, ...] = get_args(Period)
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)
_WORDS: dict[str, Period] = {name: name for name in PERIODS} | {
    "min": "minute",
    "m": "minute",
    "h": "hour",
    "d": "day",
}
_LENGTH = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
}
_OF_MONEY = 12
"""Decimal places of a dollar that the store counts in: what a token costs is whole."""
_MOST_MONEY = Decimal(1_000_000)
"""Of a limit, so that its sums fit 64 bits."""
LARGEST = 2**62
"""The most of anything that is counted; more, as a lying engine may bill, is this much. Two of them
fit what databases hold."""
_EXAMPLE = (
    "a key's budget limits work, prefill, calls or money; write limits like '1M work/day, "
    "$5/month, 200 calls/hour, 10M prefill/total'"
)


def units(quantity: Quantity, amount: float | Decimal) -> int:
    """Return an amount as the store counts it: dollars in 10^-12, rounded up."""
    if quantity != "cost":
        return min(LARGEST, int(amount))
    with exactly():
        counted = Decimal(amount).scaleb(_OF_MONEY)
        return LARGEST if counted > LARGEST else int(counted.to_integral_value(ROUND_CEILING))


def amount_of(quantity: Quantity, counted: int) -> int | Decimal:
    """Return what `units` made a count of."""
    with exactly():
        return counted if quantity != "cost" else Decimal(counted).scaleb(-_OF_MONEY)


@dataclass(frozen=True, slots=True)
class Limit:
    """The most of one quantity in each window of one length."""

    quantity: Quantity
    period: Period
    most: int
    """As the store counts it: see `units`."""

    def __str__(self) -> str:
        return f"{shown(self.quantity, self.most)}/{self.period}"


def shown(quantity: Quantity, counted: int) -> str:
    """Write what the store counts for people: ``$0.5``, ``100 work``."""
    amount = amount_of(quantity, counted)
    if quantity != "cost":
        return f"{amount} {quantity}"
    said = f"${amount:f}"
    return said.rstrip("0").rstrip(".") if "." in said else said


def window_start(period: Period, at: float) -> int:
    """Return when the window began that a moment lies in, both in seconds of UTC's epoch."""
    if period == "total":
        return 0
    moment = datetime.fromtimestamp(at, UTC)
    kept = ("year", "month", "day", "hour", "minute")[: 5 - PERIODS.index(period)]
    first = {"month": 1, "day": 1} | {name: getattr(moment, name) for name in kept}
    return int(datetime(**first, tzinfo=UTC).timestamp())


def window_end(period: Period, start: int) -> int | None:
    """Return when the window ends that began at `start`; None is never."""
    if period == "total":
        return None
    began = datetime.fromtimestamp(start, UTC)
    if period == "month":
        return window_start("month", (began + timedelta(days=32)).timestamp())
    return int((began + _LENGTH[period]).timestamp())


def parse_limits(text: str) -> tuple[Limit, ...]:
    """Read ``1M work/day, $5/day``; an item without a window holds in all, as with ``/total``.

    Raises:
        SpecError: an item is not understood, limits what a key can't, or is given twice.
    """
    found: dict[tuple[Quantity, Period], Limit] = {}
    column = 0
    for item in text.split(","):
        start = column + len(item) - len(item.lstrip())
        limit = _limit(item.strip(), text, start)
        if (limit.quantity, limit.period) in found:
            said = f"{limit.quantity} per {limit.period} is limited twice"
            raise SpecError(said, text=text, column=start)
        found[limit.quantity, limit.period] = limit
        column += len(item) + 1
    return in_order(found.values())


def in_order(limits: object) -> tuple[Limit, ...]:
    """Return limits from the shortest window to the longest, the order in which they nest."""
    held: list[Limit] = list(limits)  # type: ignore[call-overload]
    rank = {name: place for place, name in enumerate((*PERIODS, *QUANTITIES))}
    return tuple(sorted(held, key=lambda one: (rank[one.period], rank[one.quantity])))


def per_minute(requests: int) -> Limit:
    """Limit the requests of a minute.

    Raises:
        InputError: to none, or to more than any gateway answers.
    """
    if not 1 <= requests <= 10**9:
        raise InputError(f"requests a minute are from 1 to 10^9, not {quoted(requests)}")
    return Limit("requests", "minute", requests)


def _limit(item: str, text: str, column: int) -> Limit:
    said, slash, word = item.partition("/")
    period = _WORDS.get(word.strip().lower() if slash else "total")
    if period is None:
        at = column + len(said) + 1
        hint = nearest(word.strip().lower(), _WORDS) if word.strip() else _EXAMPLE
        raise SpecError(f"unknown window {quoted(word)}: {hint}", text=text, column=at)
    try:
        budget = Budget.parse(said, only=QUANTITIES, example=_EXAMPLE)
    except SpecError as error:
        why = str(error).partition("\n")[0]
        raise SpecError(why, text=text, column=column + (error.column or 0)) from None
    [quantity] = [name for name in QUANTITIES if getattr(budget, name, None) is not None]
    most = getattr(budget, quantity)
    if quantity == "cost" and most > _MOST_MONEY:
        too_much = "a key's money is limited to at most $1000000 a window"
        raise SpecError(too_much, text=text, column=column)
    return Limit(quantity, period, units(quantity, most))
