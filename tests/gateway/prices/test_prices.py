"""Price rows: every tier against sums made by hand, and files that say what is wrong with them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.data.types import Usage
from workspan.errors import DataError, UnpricedModel
from workspan.serve.prices import NO_PRICES, Lane, PriceRow, Prices, Rates, Tier, read_prices

FILE = """
[[price]]
model = "vendor/large"
input = 1.25
output = 10
cached = 0.125
cache_write = 1.5625
source = "https://prices.example/large"
date = 2026-11-01
[price.long]
above = 272_000
input = 2.5
output = 15
cached = 0.25
[price.batch]
input = 0.625
output = 5

[[price]]
model = "small"
input = 0.05
output = 0.4
source = "contract 7"
date = 2026-10-02
"""


def rows(tmp_path: Path, text: str = FILE) -> Prices:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    return read_prices(path)


def usage(prompt: int, output: int, cached: int = 0, unseen: int = 0) -> Usage:
    return Usage(1, prompt, cached, output, unseen_tokens=unseen)


@pytest.mark.parametrize(
    ("used", "written", "is_batch", "dollars"),
    [
        # 10,000 fresh at 1.25, 2,000 decoded at 10: 0.0125 + 0.02
        (usage(10_000, 2_000), 0, False, "0.0325"),
        # the same, and nobody says what was written to a cache: 10,000 at 1.5625
        (usage(10_000, 2_000), None, False, "0.035625"),
        # 4,000 written at 1.5625, 6,000 fresh at 1.25: 0.00625 + 0.0075 + 0.02
        (usage(10_000, 2_000), 4_000, False, "0.03375"),
        # 9,000 read from the cache at .125, 1,000 fresh: 0.001125 + 0.00125 + 0.02
        (usage(10_000, 2_000, cached=9_000), 0, False, "0.022375"),
        # at the threshold: 272,000 at 1.25, 100 at 10
        (usage(272_000, 100), 0, False, "0.341"),
        # one above it, the whole request is long: 272,001 at 2.5, 100 at 15
        (usage(272_001, 100), 0, False, "0.6815025"),
        # cached tokens make a prompt long, too: 272,000 at .25, 1 at 2.5, 100 at 15
        (usage(272_001, 100, cached=272_000), 0, False, "0.0695025"),
        # a write in the long tier has no rate of its own: the prompt's
        (usage(300_000, 0), 300_000, False, "0.75"),
        # a batch: 10,000 at .625, 2,000 at 5
        (usage(10_000, 2_000), 0, True, "0.01625"),
        # a long batch, of which the file says nothing: no cheaper than a long request
        (usage(272_001, 100), 0, True, "0.6815025"),
        # what a cut left unseen is charged as decoded
        (usage(0, 10, unseen=5), 0, False, "0.00015"),
    ],
)
def test_each_tier(
    tmp_path: Path, used: Usage, written: int | None, is_batch: bool, dollars: str
) -> None:
    row = rows(tmp_path).need("vendor/large")
    assert row.of(used, written=written, is_batch=is_batch) == Decimal(dollars)


def test_an_engine_takes_a_row_for_a_price(tmp_path: Path) -> None:
    row = rows(tmp_path).need("vendor/large")
    rates = (row.input, row.output, row.cached)
    assert rates == (Decimal("1.25"), Decimal(10), Decimal("0.125"))
    assert (row.source, row.date) == ("https://prices.example/large", date(2026, 11, 1))
    small = rows(tmp_path).need("small")
    assert small.of(usage(1_000_000, 1_000_000)) == Decimal("0.45")
    assert small.of(usage(1_000_000, 0), is_batch=True) == Decimal("0.05")


def test_a_model_without_a_row_is_not_free(tmp_path: Path) -> None:
    held = rows(tmp_path)
    assert held.of("smal") is None
    with pytest.raises(UnpricedModel, match="did you mean 'small'"):
        held.need("smal")
    with pytest.raises(UnpricedModel, match="no price is known at all"):
        NO_PRICES.need("small")


@given(
    st.integers(0, 400_000),
    st.integers(0, 100_000),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
)
def test_a_bound_is_never_below_what_a_call_costs(
    prompt: int, output: int, cached: float, written: float, is_batch: bool
) -> None:
    """The most that a call may cost is held before: its whole prompt fresh, nothing told."""
    lane = Lane(
        Rates(Decimal("1.25"), Decimal(10), Decimal("0.125"), Decimal("1.5625")),
        Tier(200_000, Rates(Decimal("2.5"), Decimal(15))),
    )
    row = PriceRow.make("m", lane, source="a test", date=date(2026, 1, 1))
    from_cache = int(prompt * cached)
    used = usage(prompt, output, from_cache)
    told = int((prompt - from_cache) * written)
    bound = row.of(usage(prompt, output), is_batch=is_batch)
    assert row.of(used, written=told, is_batch=is_batch) <= bound
    assert row.of(used, is_batch=is_batch) >= row.of(used, written=told, is_batch=is_batch)


def test_costs_are_whole_counts_of_the_accounts() -> None:
    rates = Rates(Decimal("0.0000001"), Decimal("0.0000001"))
    row = PriceRow.make("m", Lane(rates), source="a test", date=date(2026, 1, 1))
    assert row.of(usage(1, 0)) == Decimal("0.000000000001")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds .*price.* tables"),
        ("x = 1", "holds .*price.* tables"),
        ("[[price", "no TOML"),
        ("price = [1]", "price 1 is no table"),
        (FILE.replace('model = "small"', ""), "price 2 needs model"),
        (FILE.replace('source = "contract 7"', ""), "price 2 needs source"),
        (FILE.replace("date = 2026-10-02", ""), "'small'.* needs the day"),
        (FILE.replace("2026-10-02", "2026-10-02T10:00:00"), "needs the day"),
        (FILE.replace("output = 0.4", ""), "needs output"),
        (FILE.replace("output = 0.4", "output = -1"), "output is USD per million"),
        (FILE.replace("output = 0.4", "output = nan"), "output is USD per million"),
        (FILE.replace("output = 0.4", 'output = "0.4"'), "output is USD per million"),
        (FILE.replace("output = 0.4", "output = true"), "output is USD per million"),
        (FILE.replace("output = 0.4", "output = 0.4\noutptu = 1"), "did you mean 'output'"),
        (FILE.replace("above = 272_000", ""), "needs long.above"),
        (FILE.replace("input = 0.625", ""), "needs batch.input"),
        (FILE.replace('"small"', '"vendor/large"'), "two prices of"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        rows(tmp_path, text)
    assert "prices.toml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't be read"):
        read_prices(tmp_path / "none.toml")


def test_a_file_may_say_what_going_before_others_costs(tmp_path: Path) -> None:
    more = FILE.replace(
        "[price.batch]", "[price.priority]\ninput = 2.5\noutput = 20\n\n[price.batch]", 1
    )
    row = rows(tmp_path, more).need("vendor/large")
    first = row.before_others()
    assert first is not None
    assert first.of(usage(1_000, 100)) == Decimal("0.0045")
    assert rows(tmp_path).need("vendor/large").before_others() is None
    assert row.in_batch().of(usage(10_000, 2_000)) == Decimal("0.01625")
    assert row.in_batch().of(usage(272_001, 100), written=0) == Decimal("0.6815025")  # long


def test_a_device_without_end_is_no_file() -> None:
    with pytest.raises(DataError, match="is a device"):
        read_prices(Path("/dev/zero"))
