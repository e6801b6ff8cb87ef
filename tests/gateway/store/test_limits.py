"""The grammar of a key's budgets, windows by UTC, and counts of money."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.errors import InputError, SpecError
from workspan.serve.store.limits import (
    PERIODS,
    Limit,
    amount_of,
    parse_limits,
    per_minute,
    units,
    window_end,
    window_start,
)


def test_budgets_are_read_in_the_order_of_their_windows() -> None:
    assert parse_limits("10M prefill, 1M work/day,$5/day , 200 calls / h, 8k tokens/min") == (
        Limit("work", "minute", 8_000),
        Limit("calls", "hour", 200),
        Limit("work", "day", 1_000_000),
        Limit("cost", "day", 5 * 10**12),
        Limit("prefill", "total", 10_000_000),
    )


@pytest.mark.parametrize("text", ["1000000 work/day", "$0.05/month", "$5/total", "3 calls/hour"])
def test_a_limit_is_written_as_it_is_read(text: str) -> None:
    [limit] = parse_limits(text)
    assert str(limit) == text


@pytest.mark.parametrize(
    ("text", "said", "column"),
    [
        ("1M work/dya", "did you mean 'day'", 8),
        ("1M work/day, 5 werk/day", "did you mean 'work'", 13),
        ("1M work/", "write limits like", 8),
        ("", "not understood", 0),
        ("30s/day", "'30s' limits seconds", 0),
        ("8 wide", "'8 wide' limits width, which can't be limited here: a key's budget", 0),
        ("2k span/day", "'2k span' limits span", 0),
        ("1k spam", r"unknown budget word 'spam': known: call, calls, dollars, prefill, tokens", 0),
        ("9 secnds", "did you mean 'tokens'", 0),
        ("1k work/day, 2k tokens/d", "work per day is limited twice", 13),
        ("$2M/day", "at most", 0),
        ("0 work/day", "above 0", 0),
        ("1 work, 1k/day", "name what", 8),
    ],
)
def test_what_is_wrong_is_pointed_at(text: str, said: str, column: int) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        parse_limits(text)
    assert caught.value.column == column


@pytest.mark.parametrize("text", ["8 wrk", "8 wdth", "x", "8", "8 secnds", "8 wide", "", "-1 work"])
def test_no_hint_names_what_a_key_can_t_have(text: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_limits(f"1 call, {text}")
    said = str(caught.value).partition("\n")[0].partition(": ")[2]
    assert not [word for word in ("span", "depth", "wide", "width", "30s", "sec") if word in said]


def test_requests_a_minute_are_some() -> None:
    assert per_minute(60) == Limit("requests", "minute", 60)
    with pytest.raises(InputError):
        per_minute(0)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("minute", "2024-02-29T23:59:00", "2024-03-01T00:00:00"),
        ("hour", "2024-02-29T23:00:00", "2024-03-01T00:00:00"),
        ("day", "2024-02-29T00:00:00", "2024-03-01T00:00:00"),
        ("month", "2024-02-01T00:00:00", "2024-03-01T00:00:00"),
    ],
)
def test_windows_begin_and_end_by_utc(period: str, start: str, end: str) -> None:
    at = datetime(2024, 2, 29, 23, 59, 58, 999_000, UTC).timestamp()
    began = window_start(period, at)  # type: ignore[arg-type]
    assert datetime.fromtimestamp(began, UTC).isoformat()[:19] == start
    over = window_end(period, began)  # type: ignore[arg-type]
    assert over is not None
    assert datetime.fromtimestamp(over, UTC).isoformat()[:19] == end


@given(st.integers(0, 4_000_000_000))
def test_windows_nest(at: int) -> None:
    """So that a request's accounts are one chain."""
    starts = [window_start(period, at) for period in PERIODS]
    assert starts == sorted(starts, reverse=True)
    for period, start in zip(PERIODS, starts, strict=True):
        end = window_end(period, start)
        assert start <= at
        assert end is None or at < end
        if end is not None:
            assert window_start(period, end) == end
            assert window_start(period, end - 1) == start


def test_the_window_without_an_end() -> None:
    assert window_start("total", 1e9) == 0
    assert window_end("total", 0) is None


@given(st.decimals(0, 1_000_000, allow_nan=False, places=15))
def test_money_is_counted_upwards(amount: Decimal) -> None:
    counted = units("cost", amount)
    assert amount <= amount_of("cost", counted) < amount + Decimal("1e-12")
    assert counted < 2**63
