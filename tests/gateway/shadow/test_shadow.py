"""Requests run beside: what is kept, what it cost, and that no client is told of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from gateway.rig import ASK
from gateway.shadow.rig import NUMBER, VOTE, Bill, kept, outcomes, shadowed, usage


def test_an_answer_is_run_beside_and_kept_as_marks(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        bill = Bill("4", "5", "5", "4")
        async with shadowed(path, bill.answer) as (gw, up, headers):
            got = await gw.post({**ASK, "messages": NUMBER}, headers=headers)
            assert got.value["choices"][0]["message"]["content"] == "4"
            assert await outcomes(gw) == {"kept": 1}
            assert len(up.seen) == 4
            [one] = await kept(path)
            assert (one.route, one.model, one.kind) == ("/v1/chat/completions", "m", "number")
            assert (one.question, [said.text for said in one.answers]) == (None, [None, None])
            now, [then] = one.now, one.beside
            assert (now.strategy, now.answer, now.work, now.calls) == ("straight", 0, 5, 1)
            assert (then.strategy, then.answer, then.work, then.calls) == (VOTE, 1, 15, 3)
            assert then.agreement is not None
            assert round(then.agreement, 3) == 0.667
        spent = await usage(path, time.time())
        assert (spent["client"].totals.work, spent["client"].totals.requests) == (5, 1)
        assert (spent["shadow"].totals.work, spent["shadow"].totals.calls) == (15, 3)
        assert bill.work == 20

    asyncio.run(main())  # on the real clock: the store has a thread of its own
