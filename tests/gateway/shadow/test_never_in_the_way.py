"""Shadows that fail, are slow or hang: no answer changes, fails, waits, or pays for them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.rig import (
    ASK,
    DONE,
    GOOD,
    Answer,
    Scripted,
    Seen,
    begin,
    end,
    line,
    part,
    replies,
    reply,
    whole,
)
from gateway.rig import usage as told
from gateway.shadow.rig import NUMBER, SHADOW, kept, outcomes, shadowed, usage
from workspan.serve.config import Limits

BODY = {**ASK, "messages": NUMBER}


def is_shadow(seen: Seen) -> bool:
    """A strategy's calls have a seed; the client's have none."""
    return "seed" in seen.value


async def failing(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    await reply(writer, {"error": {"message": "no", "code": "boom"}}, 500)


async def limited(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    await reply(writer, {"error": {"message": "slow down"}}, 429, {"Retry-After": "0"})


async def torn(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    await begin(writer)
    await part(writer, GOOD[1])
    writer.transport.abort()


async def garbage(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    await reply(writer, b"\xff\x00not json")


async def refusing(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    said = "Unsupported parameter: 'temperature' is not supported with this model."
    await reply(writer, {"error": {"message": said, "param": "temperature"}}, 400)


async def hanging(_: Scripted, __: Seen, ___: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def dripping(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    await begin(writer)
    while True:
        await part(writer, GOOD[1])
        await asyncio.sleep(0.01)


def beside(fault: Answer) -> Answer:
    """Answer clients at once, and shadows by a fault."""

    async def answer(up: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if is_shadow(seen):
            await fault(up, seen, writer)
        elif seen.value.get("stream"):
            await begin(writer)
            billed = line({"id": "c-1", "choices": [], "usage": told(9, 1)})
            await part(writer, b"".join(GOOD) + billed + DONE)
            await end(writer)
        else:
            await reply(writer, whole("4", completion=3))

    return answer


FAULTS = (failing, limited, torn, garbage, refusing, hanging, dripping)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
def test_no_fault_of_a_shadow_reaches_a_client(tmp_path: Path, fault: Answer) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        limits = Limits(drain_seconds=0.1)
        async with shadowed(path, beside(fault), limits=limits, settings={"concurrency": "1"}) as (
            gw,
            up,
            headers,
        ):
            for place in range(4):
                sent = {**BODY, "temperature": 0.5}
                got = await gw.post(sent, headers=headers)
                assert (got.status, got.value) == (200, {**whole("4", completion=3), **_ours(got)})
                streamed = await gw.post({**sent, "stream": True}, headers=headers)
                assert streamed.body == b"".join(GOOD) + DONE
                if place == 0:
                    await _until_asked(up)  # one shadow is on its way
            clients = [one for one in up.seen if not is_shadow(one)]
            assert len(clients) == 8
            assert all(one.value["temperature"] == 0.5 for one in clients)  # nothing was learnt
        assert await kept(path) == []
        spent = await usage(path, time.time())
        assert spent["client"].totals.requests == 8
        assert spent["client"].totals.work == 4 * 3 + 4 * 1

    asyncio.run(main())


def _ours(got: Any) -> dict[str, Any]:
    return {"workspan": got.value["workspan"]} if "workspan" in got.value else {}


async def _until_asked(up: Scripted, calls: int = 1) -> None:
    while sum(map(is_shadow, up.seen)) < calls:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_a_client_takes_the_place_of_a_shadow_that_hangs(tmp_path: Path) -> None:
    """With one place at the upstream, which the shadow holds when the client comes."""

    async def main() -> None:
        limits = Limits(drain_seconds=0.1)
        async with shadowed(
            tmp_path / "s.db", beside(hanging), limits=limits, settings={"concurrency": "1"}
        ) as (gw, up, headers):
            assert (await gw.post(BODY, headers=headers)).status == 200
            await _until_asked(up)
            assert (await gw.post(BODY, headers=headers)).status == 200
            assert (await outcomes(gw))["busy"] >= 1

    asyncio.run(main())


def test_more_than_can_wait_is_dropped_and_counted(tmp_path: Path) -> None:
    async def main() -> None:
        async with shadowed(
            tmp_path / "s.db",
            beside(hanging),
            f"{SHADOW}, width=1, waiting=1",
            limits=Limits(drain_seconds=0.1),
        ) as (gw, up, headers):
            for _ in range(4):
                assert (await gw.post(BODY, headers=headers)).status == 200
                await _until_asked(up)
            assert (await outcomes(gw, 2)) == {"busy": 2}  # one runs, one waits

    asyncio.run(main())


def test_what_waits_and_runs_is_bounded_by_its_bytes_too(tmp_path: Path) -> None:
    """Of three requests that each hold half of what may be held, the third is dropped."""

    async def main() -> None:
        bounded = f"{SHADOW}, width=1, waiting=9, waiting_bytes=50_000"
        long = [{"role": "user", "content": "x" * 10_000 + NUMBER[0]["content"]}]
        async with shadowed(
            tmp_path / "s.db", beside(hanging), bounded, limits=Limits(drain_seconds=0.1)
        ) as (gw, up, headers):
            for place in range(3):
                got = await gw.post({**BODY, "messages": long}, headers=headers)
                assert got.status == 200
                if not place:
                    await _until_asked(up)
            assert await outcomes(gw) == {"busy": 1}
            huge = [{"role": "user", "content": "x" * 60_000 + NUMBER[0]["content"]}]
            assert (await gw.post({**BODY, "messages": huge}, headers=headers)).status == 200
            assert await outcomes(gw, 2) == {"busy": 2}
            shadow = gw.serving.gateway.shadow
            assert shadow is not None
            assert 40_000 < shadow._held <= 50_000

    asyncio.run(main())


def test_what_was_run_beside_is_held_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        answer = replies(whole("4", completion=3))
        async with shadowed(tmp_path / "s.db", answer) as (gw, _, headers):
            for place in range(3):
                assert (await gw.post(BODY, headers=headers)).status == 200
                await outcomes(gw, place + 1)
            shadow = gw.serving.gateway.shadow
            assert shadow is not None
            while shadow._held:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    asyncio.run(main())


def test_a_shadow_that_takes_too_long_is_cut(tmp_path: Path) -> None:
    async def main() -> None:
        shadow = f"{SHADOW}, seconds=0.05"
        async with shadowed(
            tmp_path / "s.db", beside(hanging), shadow, limits=Limits(drain_seconds=0.1)
        ) as (gw, _, headers):
            assert (await gw.post(BODY, headers=headers)).status == 200
            assert await outcomes(gw) == {"slow": 1}

    asyncio.run(main())


def test_an_upstream_in_trouble_is_asked_once_and_then_left_alone(tmp_path: Path) -> None:
    async def main() -> None:
        shadow = SHADOW.replace("n=3", "n=2")
        async with shadowed(tmp_path / "s.db", beside(limited), shadow) as (gw, up, headers):
            for place in range(3):
                assert (await gw.post(BODY, headers=headers)).status == 200
                await outcomes(gw, place + 1)
            assert await outcomes(gw, 3) == {"failed": 1, "paused": 2}
            assert sum(map(is_shadow, up.seen)) == 2

    asyncio.run(main())


def test_the_end_waits_a_moment_then_cuts_and_settles(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        async with shadowed(path, beside(dripping), limits=Limits(drain_seconds=0.2)) as (
            gw,
            up,
            headers,
        ):
            assert (await gw.post(BODY, headers=headers)).status == 200
            await _until_asked(up, 3)
        spent = await usage(path, time.time())
        assert spent["shadow"].totals.calls == 3
        assert spent["shadow"].totals.work > 0  # what had come, and what may be unseen
        [limit] = spent["shadow"].spendings
        assert (limit.spent, limit.held) == (spent["shadow"].totals.work, 0)
        assert spent["client"].totals.work == 3

    asyncio.run(main())
