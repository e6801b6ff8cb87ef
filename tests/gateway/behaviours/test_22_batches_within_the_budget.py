"""22: what a provider serves at the price of batches counts under the same budget, at that price.

Batches of their own, `/v1/batches`, come with the lane for them.
"""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from gateway.behaviours.test_21_price_tiers import PLAIN, ROW, told
from gateway.rig import ASK, Scripted, gate, replies, run, upstream, whole
from gateway.test_keys_http import bearing, key_for
from workspan.core.engine import Price
from workspan.serve.store import store_at
from workspan.serve.store.limits import amount_of

PROMPT = [{"role": "user", "content": "one " * 300}]
"""A token is a byte at least: as long as the upstream says that it is."""
BODY = {**ASK, "messages": PROMPT, "max_tokens": 100, "service_tier": "flex"}


async def spent(path: Path, price: Price, served: str, budget: str) -> tuple[int, Decimal]:
    """Ask until the key is used up: replies and what they cost."""
    key = bearing(await key_for(path, budget))
    reply: dict[str, Any] = {**whole(), "usage": told(1_000, 100), "service_tier": served}
    async with (
        Scripted(replies(reply)).serve() as up,
        gate(upstream(up.url, price=price), store=str(path)) as gw,
    ):
        while (got := await gw.post(BODY, headers=key)).status == 200:
            pass
        assert (got.status, got.error["code"]) == (429, "budget_exceeded")
    store = store_at(str(path))
    await store.open()
    (found,) = await store.usage(time.time())
    await store.aclose()
    return len(up.seen), Decimal(amount_of("cost", found.totals.cost))


def test_a_batch_s_price_makes_the_budget_last_longer_and_never_passes_it(tmp_path: Path) -> None:
    async def main() -> None:
        cap = Decimal("0.05")
        in_batches = await spent(tmp_path / "a.db", ROW, "flex", f"${cap}/day")
        ordinary = await spent(tmp_path / "b.db", ROW, "default", f"${cap}/day")
        unknown = await spent(tmp_path / "c.db", PLAIN, "flex", f"${cap}/day")
        assert in_batches[0] > 2 * ordinary[0]
        assert in_batches[1] == in_batches[0] * Decimal("0.001125") <= cap
        assert ordinary[1] == ordinary[0] * Decimal("0.0025625") <= cap
        assert unknown[1] == unknown[0] * Decimal("0.00225") <= cap  # no row says less

    run(main)
