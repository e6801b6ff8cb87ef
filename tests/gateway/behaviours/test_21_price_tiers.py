"""21: cache reads and writes, long prompts and service tiers are priced as the rows say."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.rig import DONE, GOOD, Scripted, gate, line, replies, run, streams, upstream, whole
from workspan.serve.prices import Lane, PriceRow, Rates, Tier


def rates(input: str, output: str, cached: str = "", write: str = "") -> Rates:
    read = [Decimal(one) if one else None for one in (cached, write)]
    return Rates(Decimal(input), Decimal(output), *read)


LONG = Tier(200_000, rates("2.5", "15"))
ROW = PriceRow.make(
    "m",
    Lane(rates("1.25", "10", "0.125", "1.5625"), LONG),
    source="a test",
    date=date(2026, 11, 1),
    batch=Lane(rates("0.625", "5")),
    priority=Lane(rates("2.5", "20")),
)
PLAIN = PriceRow.make("m", Lane(rates("1.25", "10")), source="a test", date=date(2026, 11, 1))


def told(prompt: int, decoded: int, cached: int = 0) -> dict[str, Any]:
    details = {"prompt_tokens_details": {"cached_tokens": cached}}
    counts = {"prompt_tokens": prompt, "completion_tokens": decoded}
    return {**counts, "total_tokens": prompt + decoded, **details}


CASES = [
    # nobody says what was written to a cache: 1,000 at the dearer 1.5625, 100 at 10
    (told(1_000, 100), None, "0.0025625"),
    # 900 read at .125, 100 at 1.5625, 100 at 10
    (told(1_000, 100, 900), None, "0.00126875"),
    # long: all of the prompt at 2.5, 100 at 15
    (told(200_001, 100), None, "0.5015025"),
    # before others: 1,000 at 2.5, 100 at 20
    (told(1_000, 100), "priority", "0.0045"),
    # as a batch: 1,000 at .625, 100 at 5
    (told(1_000, 100), "flex", "0.001125"),
    (told(1_000, 100), "default", "0.0025625"),
]


@pytest.mark.parametrize(("used", "tier", "dollars"), CASES)
def test_a_reply_costs_what_its_tiers_say(
    used: dict[str, Any], tier: str | None, dollars: str
) -> None:
    async def main() -> None:
        body = {**whole(), "usage": used, "service_tier": tier}
        price = upstream("", price=ROW)
        async with (
            Scripted(replies(body)).serve() as up,
            gate(upstream(up.url, price=price.price)) as gw,
        ):
            got = await gw.ask(**({"service_tier": tier} if tier else {}))
            assert got.value["service_tier"] == tier
            assert Decimal(str(got.value["workspan"]["cost"])) == Decimal(dollars)
            assert (await gw.record()).usage.cost == Decimal(dollars)

    run(main)


def test_a_stream_costs_the_same() -> None:
    async def main() -> None:
        last = line({"id": "c", "choices": [], "usage": told(1_000, 100), "service_tier": "flex"})
        async with (
            Scripted(streams(*GOOD, last, DONE)).serve() as up,
            gate(upstream(up.url, price=ROW)) as gw,
        ):
            assert (await gw.stream(service_tier="flex")).is_done
            assert (await gw.record()).usage.cost == Decimal("0.001125")

    run(main)


def test_a_tier_without_a_price_is_refused_where_money_is_limited() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up:
            async with gate(upstream(up.url, price=PLAIN), budget="$1") as gw:
                got = await gw.ask(service_tier="priority")
                assert (got.status, up.seen) == (400, [])
                assert "price" in got.error["message"]
                assert (await gw.ask()).status == 200
            async with gate(upstream(up.url, price=PLAIN)) as gw:
                assert (await gw.ask(service_tier="priority")).status == 200

    run(main)
