"""Keys and their accounts through the gateway itself."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from gateway.rig import (
    ASK,
    DONE,
    GOOD,
    Scripted,
    Seen,
    gate,
    line,
    replies,
    run,
    streams,
    usage,
    whole,
)
from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits


async def key_for(path: Path, budget: str, **more: object) -> str:
    """Add a key to a store; return its text."""
    store = store_at(str(path))
    await store.open()
    try:
        stored, text = make_key("test", parse_limits(budget), now=time.time(), **more)  # type: ignore[arg-type]
        await store.add(stored)
    finally:
        await store.aclose()
    return text


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_is_needed_proved_and_held_to_its_scope(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "keys.db"
        key = await key_for(path, "1M work/day", models=["m*"])
        other = await key_for(path, "1M work/day", models=["other"])
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            for wrong in ({}, bearing("sk-none"), bearing(key[:-1] + "x"), bearing("x" * 9000)):
                got = await gw.post(ASK, headers=wrong)
                assert (got.status, got.error["code"]) == (401, "invalid_api_key"), wrong
                assert key not in got.error["message"]
            got = await gw.post(ASK, headers=bearing(other))
            assert (got.status, got.error["code"]) == (403, "model_not_allowed")
            assert not up.seen
            assert (await gw.post(ASK, headers=bearing(key))).status == 200
            assert (await gw.post(ASK, headers={"x-api-key": key})).status == 200
            assert (await gw.get("/v1/models")).status == 401
            for one, names in ((key, ["m", "auto", "m:auto"]), (other, [])):
                async with gw.client.get(f"{gw.url}/models", headers=bearing(one)) as listed:
                    assert [x["id"] for x in (await listed.json())["data"]] == names
                async with gw.client.get(f"{gw.url}/models/m", headers=bearing(one)) as found:
                    assert found.status == (200 if names else 404)
            assert (await gw.get("/healthz")).status == 200
            for record in gw.log.records:
                assert key not in str(record.line)

    run(main)


def test_whole_replies_that_nobody_capped_share_a_small_key(tmp_path: Path) -> None:
    """None is told that the budget is used up while the others only hold it."""

    async def slow(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05)
        await replies(whole("4", 100))(server, seen, writer)

    async def main() -> None:
        path = tmp_path / "keys.db"
        key = bearing(await key_for(path, "3000 work/day"))
        async with Scripted(slow).serve() as up, gate(up.url, store=str(path)) as gw:
            answered, codes = 0, set[str]()
            while answered < 29:  # 100 tokens each, and the last of them has room for its own
                async with asyncio.TaskGroup() as group:
                    asked = [group.create_task(gw.post(ASK, headers=key)) for _ in range(6)]
                for got in (one.result() for one in asked):
                    answered += got.status == 200
                    if got.status != 200:
                        codes.add(got.error["code"])
                        left = 3000 - 100 * len(up.seen)
                        assert got.error["code"] == "budget_busy" or left < 100, got.error
                if "budget_exceeded" in codes:
                    break
            assert answered >= 29
            caps = [one.value["max_tokens"] for one in up.seen]
            assert max(caps) == 1500
            assert all(cap >= 1 for cap in caps)

    asyncio.run(main())  # on the real clock: the store has a thread of its own


def test_an_account_that_is_used_up_refuses_before_anything_is_asked(tmp_path: Path) -> None:
    told = line({"id": "c", "choices": [], "usage": usage(9, 300)})

    async def main() -> None:
        path = tmp_path / "keys.db"
        key = await key_for(path, "1000 work/day")
        async with (
            Scripted(streams(*GOOD, told, DONE)).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            body = {**ASK, "stream": True, "max_tokens": 300}
            statuses = [(await gw.post(body, headers=bearing(key))).status for _ in range(5)]
            got = await gw.post(body, headers=bearing(key))
            statuses.append(got.status)
            assert statuses[:3] == [200, 200, 200]
            assert (got.status, got.error["code"]) == (429, "budget_exceeded")
            assert len(up.seen) == statuses.count(200)
        store = store_at(str(path))
        await store.open()
        (found,) = await store.usage(time.time())
        await store.aclose()
        assert found.totals.work <= 1000
        assert found.totals.work == 300 * statuses.count(200)
        assert found.totals.failed == statuses.count(429)

    run(main)
