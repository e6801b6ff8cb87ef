"""The shadow's account: exact against the upstream's own bill, and within its own budget."""

from __future__ import annotations

import asyncio
import random
import time
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.rig import ASK, Scripted, Seen, begin, part, piece, reply, whole
from gateway.shadow.rig import NUMBER, outcomes, shadowed, usage
from gateway.shadow.test_never_in_the_way import is_shadow
from workspan.core.engine import Price
from workspan.serve.config import Limits


class Fickle:
    """An upstream that keeps its own bill, and fails, tears or hangs shadows by a seed."""

    def __init__(self, seed: int, faults: float) -> None:
        self.rng, self.faults = random.Random(seed), faults
        self.bill = {True: 0, False: 0}

    async def answer(self, _: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if not seen.path.endswith("/chat/completions"):  # asked whether it counts tokens
            await reply(writer, {"error": {"message": "no such door"}}, 404)
            return
        shadow = is_shadow(seen)
        cap = seen.value.get("max_tokens") or seen.value.get("max_completion_tokens")
        tokens = min(cap, self.rng.randint(1, 12))
        if shadow and self.rng.random() < self.faults:
            await self._fail(writer, tokens)
            return
        self.bill[shadow] += tokens
        await reply(writer, whole(str(self.rng.randint(1, 3)), completion=tokens))

    async def _fail(self, writer: asyncio.StreamWriter, tokens: int) -> None:
        if self.rng.random() < 0.3:
            await reply(writer, {"error": {"message": "no"}}, 500)
            return
        await begin(writer)
        for _ in range(tokens):
            self.bill[True] += 1
            await part(writer, piece({"content": "a "}))
        if self.rng.random() < 0.5:
            writer.transport.abort()
        else:
            await asyncio.sleep(3600)


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(n, marks=pytest.mark.heavy) for n in range(4, 40))]
)
@pytest.mark.parametrize("faults", [0.0, 0.4])
def test_its_spend_is_the_upstreams_bill_and_within_its_budget(
    tmp_path: Path, seed: int, faults: float
) -> None:
    path, up, rng = tmp_path / "s.db", Fickle(seed, faults), random.Random(f"client {seed}")
    most = rng.choice([60, 300, 100_000])

    async def main() -> None:
        shadow = (
            f"share=1, strategies=['self_consistency(n=3)', auto], "
            f"budget='{most} work/day, $1/total', seconds={0.3 if faults else 60}"
        )
        requests = 12
        async with shadowed(
            path,
            up.answer,
            shadow,
            price=Price(Decimal(1), Decimal(2)),
            limits=Limits(drain_seconds=0.2),
            settings={"overshoot": "0", "concurrency": str(rng.choice([1, 4, 64]))},
        ) as (gw, _, headers):
            for place in range(requests):
                sent = {**ASK, "messages": NUMBER, "max_tokens": 12}
                assert (await gw.post(sent, headers=headers)).status == 200
                if rng.random() < 0.7:
                    await outcomes(gw, place + 1 - rng.randint(0, 1))
            told = await outcomes(gw, requests)
        spent = await usage(path, time.time())
        assert spent["client"].totals.work == up.bill[False]
        assert spent["client"].totals.requests == requests
        charged, bill = spent["shadow"].totals.work, up.bill[True]
        assert charged <= most
        assert all(limit.held == 0 for limit in spent["shadow"].spendings)
        by_work = next(one for one in spent["shadow"].spendings if one.limit.quantity == "work")
        assert by_work.spent == charged
        assert charged >= bill
        if not faults and "busy" not in told:  # nothing was cut
            assert charged == bill
            assert {*told} <= {"kept", "budget"}

    asyncio.run(main())
