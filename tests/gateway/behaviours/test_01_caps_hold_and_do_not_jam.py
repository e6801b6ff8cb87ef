"""01: a cap holds under concurrency, and large `max_tokens` of a few don't lock out the others."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gateway.rig import ASK, DONE, Scripted, gate, line, piece, streams, usage
from gateway.test_keys_http import bearing, key_for
from workspan.serve.store import store_at

DECODED = 40
ANSWER = (
    *(piece({"content": f" word{i}"}) for i in range(DECODED)),
    piece({}, "stop"),
    line({"id": "c", "choices": [], "usage": usage(9, DECODED)}),
    DONE,
)


@pytest.mark.parametrize("stated", [8_000, None])
def test_what_may_be_decoded_is_not_held_and_what_is_spent_never_passes_the_cap(
    tmp_path: Path, stated: int | None
) -> None:
    cap, at_once = 9_000, 16

    async def main() -> None:
        path = tmp_path / "keys.db"
        key = bearing(await key_for(path, f"{cap} work/day"))
        body = {**ASK, "stream": True} | ({} if stated is None else {"max_tokens": stated})
        async with (
            Scripted(streams(*ANSWER)).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            served = 0
            while True:  # worst cases held: one request would fill the cap, and spend nothing
                async with asyncio.TaskGroup() as group:
                    asked = [group.create_task(gw.post(body, headers=key)) for _ in range(at_once)]
                got = [one.result() for one in asked]
                fine = [one for one in got if one.status == 200]
                served += len(fine)
                refused = {one.error["code"] for one in got if one.status != 200}
                assert refused <= {"budget_exceeded", "budget_busy"}
                if "budget_exceeded" in refused:
                    break
        store = store_at(str(path))
        await store.open()
        (found,) = await store.usage(time.time())
        await store.aclose()
        assert found.totals.work == DECODED * len(up.seen) <= cap
        assert found.totals.work >= 0.985 * cap - at_once * DECODED

    asyncio.run(main())  # on the real clock: the store has a thread of its own
