"""What models cost, as the operator states it: rows with a source and a date, none of ours."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from workspan.boundary.inputs import read_whole
from workspan.core.engine import Price
from workspan.data.money import exactly
from workspan.data.types import Usage
from workspan.errors import DataError, UnpricedModel, nearest
from workspan.legible import quoted

_WHOLE = Decimal(1).scaleb(-12)
"""What a call costs is rounded up to this part of a dollar, in which accounts count."""
_HIGHEST = Decimal(1_000_000)
"""USD per million tokens."""
_EXAMPLE = (
    'a row is [[price]] with a line each for model = "NAME", input = 1.25, output = 10, '
    'source = "where it was read" and date = 2026-11-01'
)


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    """For prompt tokens read from a cache; the input price where None."""
    cache_write: Decimal | None = None
    """For prompt tokens written to one; the input price where None."""

    def of(self, usage: Usage, written: int | None = None) -> Decimal:
        """Return what a call costs at these rates, in USD.

        Where nobody says how many tokens were written to a cache, each that was not read from one
        may have been: it costs the dearer of the two.
        """
        cached = self.input if self.cached is None else self.cached
        write = self.input if self.cache_write is None else self.cache_write
        fresh = usage.prefill
        kept = fresh if written is None else min(max(0, written), fresh)
        dearest = max(self.input, write) if written is None else write
        with exactly():
            prompt = (fresh - kept) * self.input + kept * dearest
            decoded = (usage.output_tokens + usage.unseen_tokens) * self.output
            total = (prompt + usage.cached_tokens * cached + decoded) / 1_000_000
            return total.quantize(_WHOLE, ROUND_CEILING)


@dataclass(frozen=True, slots=True)
class Tier:
    """Rates of all tokens of a request whose prompt is longer than so many."""

    above: int
    """Prompt tokens, cached ones among them: one more, and the whole request costs these rates."""
    rates: Rates


@dataclass(frozen=True, slots=True)
class Lane:
    """Rates by the length of the prompt."""

    rates: Rates
    long: Tier | None = None

    def of(self, usage: Usage, written: int | None = None) -> Decimal:
        """Return what a call costs, in USD."""
        tier = self.long
        rates = self.rates if tier is None or not self.is_long(usage) else tier.rates
        return rates.of(usage, written)

    def is_long(self, usage: Usage) -> bool:
        """Say whether a call's prompt is in the long tier."""
        return self.long is not None and usage.input_tokens > self.long.above


@dataclass(frozen=True)
class PriceRow(Price):
    """The price of one model; to engines it is a `Price` that knows its tiers.

    `input`, `output` and `cached` are the rates of a request that is neither long nor in a batch.
    """

    model: str = ""
    source: str = ""
    """Where the figures were read."""
    date: datetime.date = datetime.date.min
    """When."""
    lane: Lane | None = None
    batch: Lane | None = None
    """Of requests in batches; they cost the ordinary rates where None."""
    priority: Lane | None = None
    """Of requests that go before others; what they cost is not known where None."""

    @classmethod
    def make(
        cls,
        model: str,
        lane: Lane,
        *,
        source: str,
        date: datetime.date,
        batch: Lane | None = None,
        priority: Lane | None = None,
    ) -> PriceRow:
        """Make a row of its lanes."""
        rates = lane.rates
        return cls(
            rates.input, rates.output, rates.cached, model, source, date, lane, batch, priority
        )

    def in_batch(self) -> PriceRow:
        """Return the row of what is served in a batch."""
        if self.lane is None or self.batch is None:
            return self
        lane = Lane(self.batch.rates, self.batch.long or self.lane.long)
        return self.make(self.model, lane, source=self.source, date=self.date)

    def before_others(self) -> PriceRow | None:
        """Return the row of what is served before others; None where it is not known."""
        if self.priority is None:
            return None
        return self.make(self.model, self.priority, source=self.source, date=self.date)

    def of(self, usage: Usage, *, written: int | None = None, is_batch: bool = False) -> Decimal:
        """Return what one call costs, in USD: never less than the rates say.

        `written` are the prompt tokens that the server said it wrote to a cache; None is unknown.
        As a bound before a call, give a usage whose prompt and output are the most there can be.
        """
        if self.lane is None:  # made without tiers
            return super().of(usage)
        if not is_batch or self.batch is None:
            return self.lane.of(usage, written)
        is_long = self.lane.is_long(usage) and self.batch.long is None  # what it costs is not said
        return (self.lane if is_long else self.batch).of(usage, written)


@dataclass(frozen=True, slots=True)
class Prices:
    """All rows by the model's name, as the server that answers knows it."""

    rows: Mapping[str, PriceRow]

    def of(self, model: str) -> PriceRow | None:
        """Return a model's row; None where its price is unknown."""
        return self.rows.get(model)

    def need(self, model: str) -> PriceRow:
        """Return a model's row where money is limited.

        Raises:
            UnpricedModel: there is none, which is never the same as costing nothing.
        """
        row = self.rows.get(model)
        if row is None:
            known = nearest(model, self.rows) if self.rows else "no price is known at all"
            raise UnpricedModel(
                f"the budget limits money, and no price is known for {quoted(model)}: {known}"
            )
        return row


NO_PRICES = Prices({})

_IN_BATCHES = frozenset({"batch", "flex"})
"""Service tiers that cost what batches do (OpenAI's guide to flex processing, November 2026)."""
IN_BATCHES = "flex"
"""The one of them that a single request may ask for."""
_BEFORE_OTHERS = "priority"


def price_asked(price: Price | None, tier: str) -> Price | None:
    """Return what a request is held to that asks for a service tier; None where it is not known.

    A cheaper tier may be full, and the request served in the ordinary one: it holds that much.
    """
    if tier != _BEFORE_OTHERS:
        return price
    return price.before_others() if isinstance(price, PriceRow) else None


def price_served(price: Price | None, asked: Price | None, tier: str) -> Price | None:
    """Return what a request costs by the tier that its reply names; else what it was held to."""
    if not isinstance(price, PriceRow) or not tier:
        return asked
    if tier in _IN_BATCHES:
        return price.in_batch()
    if tier == _BEFORE_OTHERS:
        return price.before_others() or asked
    return price


def read_prices(path: Path) -> Prices:
    """Read a file of rows, in TOML.

    Raises:
        DataError: it can't be read, or a row of it lacks something or can't be true.
    """
    try:
        held = tomllib.loads(read_whole(path).decode("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"no TOML: {error}", path=str(path)) from None
    tables = held.pop("price", None)
    if held or not isinstance(tables, list) or not tables:
        raise DataError(f"holds [[price]] tables and nothing else: {_EXAMPLE}", path=str(path))
    rows: dict[str, PriceRow] = {}
    for place, table in enumerate(tables, 1):
        row = _Reader(str(path), place).row(table)
        if row.model in rows:
            raise DataError(f"two prices of {quoted(row.model)}", path=str(path))
        rows[row.model] = row
    return Prices(rows)


class _Reader:
    """Reads one table; what is wrong is named with its place."""

    def __init__(self, path: str, place: int) -> None:
        self._path, self._where = path, f"price {place}"

    def row(self, table: object) -> PriceRow:
        if not isinstance(table, dict):
            raise self._wrong(f"is no table: {_EXAMPLE}")
        rest = dict(table)
        model, source = self._text(rest, "model"), self._text(rest, "source")
        self._where += f" ({quoted(model)})"
        day = rest.pop("date", None)
        if type(day) is not datetime.date:
            raise self._wrong("needs the day that it was read: date = 2026-11-01")
        batch, priority = rest.pop("batch", None), rest.pop("priority", None)
        lane = self._lane(rest, "")
        return PriceRow.make(
            model,
            lane,
            source=source,
            date=day,
            batch=None if batch is None else self._lane(batch, "batch."),
            priority=None if priority is None else self._lane(priority, "priority."),
        )

    def _lane(self, table: object, within: str) -> Lane:
        rest = self._table(table, within)
        long = rest.pop("long", None)
        rates = self._rates(rest, within)
        if long is None:
            return Lane(rates)
        tier = self._table(long, f"{within}long.")
        above = tier.pop("above", None)
        if type(above) is not int or above < 0:
            raise self._wrong(f"needs {within}long.above: prompt tokens, a whole number")
        return Lane(rates, Tier(above, self._rates(tier, f"{within}long.")))

    def _rates(self, rest: dict[str, Any], within: str) -> Rates:
        read = {name: self._rate(rest.pop(name, None), within + name) for name in _RATES}
        for name in ("input", "output"):
            if read[name] is None:
                raise self._wrong(f"needs {within}{name}, in USD per million tokens")
        if rest:
            known = nearest(next(iter(rest)), (*_RATES, "long", "batch", "priority", "above"))
            raise self._wrong(f"has an unknown field {within}{next(iter(rest))}: {known}")
        return Rates(**read)  # type: ignore[arg-type]  # the two that must be there are

    def _rate(self, value: object, name: str) -> Decimal | None:
        if value is None:
            return None
        if type(value) is int or isinstance(value, Decimal):
            rate = Decimal(value)
            if rate.is_finite() and 0 <= rate <= _HIGHEST:
                return rate
        raise self._wrong(f"{name} is USD per million tokens, from 0 to 1000000: {quoted(value)}")

    def _table(self, value: object, within: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self._wrong(f"{within.rstrip('.')} is a table of rates")
        return dict(value)

    def _text(self, rest: dict[str, Any], name: str) -> str:
        value = rest.pop(name, None)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(f"needs {name}, a text: {_EXAMPLE}")
        return value

    def _wrong(self, why: str) -> DataError:
        return DataError(f"{self._where} {why}", path=self._path)


_RATES = ("input", "output", "cached", "cache_write")
