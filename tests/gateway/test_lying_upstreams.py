"""Upstreams whose figures can't be, or come too early: what the fuzzer found, kind by kind."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.rig import (
    DONE,
    Gate,
    Scripted,
    Seen,
    begin,
    gate,
    line,
    part,
    piece,
    replies,
    reply,
    run,
    streams,
    upstream,
)
from gateway.rig import usage as reported
from workspan.core.engine import Price
from workspan.serve.store import store_at
from workspan.serve.store.base import KeyUsage
from workspan.serve.store.driven import DrivenStore
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits


async def key_of(gw: Gate, limits: str) -> tuple[str, str]:
    stored, text = make_key("test", parse_limits(limits), now=time.time())
    assert gw.serving.gateway.store is not None
    await gw.serving.gateway.store.add(stored)
    gw.client.headers["Authorization"] = f"Bearer {text}"
    return stored.key.id, text


async def spent(store: Path, key: str) -> KeyUsage:
    opened = store_at(str(store))
    await opened.open()
    [found] = await opened.usage(time.time(), key)
    await opened.aclose()
    return found


def whole(**usage: object) -> dict[str, object]:
    choice = {"index": 0, "message": {"role": "assistant", "content": "4"}, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice]} | {
        "usage": reported(9, 1) | usage
    }


@pytest.mark.parametrize("lie", [{"cost": 1e300}, {"cost": 1e7}, {"completion_tokens": 2**40 - 1}])
def test_a_bill_beyond_any_number_stops_nothing(lie: dict[str, object], tmp_path: Path) -> None:
    """The store holds 64 bits: a bill that passes them must not end the task that writes it."""
    price = Price(Decimal(100), Decimal(10_000))
    store = tmp_path / "store"

    async def main() -> None:
        async with (
            Scripted(replies(whole(**lie))).serve() as up,
            gate(upstream(up.url, price=price), store=str(store)) as gw,
        ):
            key, _ = await key_of(gw, "1000 work/total")
            for _ in range(3):
                got = await gw.ask(max_tokens=5)
                assert got.status in (200, 429), got.body
        found = await spent(store, key)
        assert found.spendings[0].held == 0
        assert found.totals.requests >= 1  # those that were refused at the door have no row
        assert found.spendings[0].spent >= 3 if "cost" in lie else 2**40 - 1

    run(main)


def test_usage_that_comes_before_the_last_tokens_is_not_all(tmp_path: Path) -> None:
    """Two choices: the figures come when the first ends, and the other goes on."""
    store = tmp_path / "store"
    early = line({"id": "c", "choices": [], "usage": reported(9, 2)})
    answer = streams(
        piece({"content": "one"}, index=0),
        piece({"content": "one"}, index=1),
        early,
        piece({}, "stop", index=0),
        *(piece({"content": f" w{i}"}, index=1) for i in range(20)),
        piece({}, "stop", index=1),
        DONE,
    )

    async def main() -> None:
        async with Scripted(answer).serve() as up, gate(up.url, store=str(store)) as gw:
            key, _ = await key_of(gw, "1000 work/total")
            got = await gw.stream(n=2, max_tokens=50, stream_options={"include_usage": True})
            assert got.events[-1]["workspan"]["work"] >= 22
            assert got.events[-1]["workspan"]["source"] == "estimated"
        assert (await spent(store, key)).spendings[0].spent >= 22

    run(main)


@pytest.mark.parametrize(
    ("parts", "told", "work", "source"),
    [
        (
            [piece({"content": ""}, index=i) for i in (0, 1, 0, 1)]
            + [piece({}, "length", index=i) for i in (0, 1)],
            2,  # of one choice: all of its cap, and nothing of it can be seen
            4,
            "estimated",
        ),
        (
            [piece({"content": f" w{i}"}, index=0) for i in range(2)] + [piece({}, "stop")],
            2,  # of both, though one never came
            2,
            "measured",
        ),
        (
            [piece({"content": "🙂"}, index=i) for i in (0, 1)]
            + [piece({}, "length", index=i) for i in (0, 1)],
            2,  # of one choice: two tokens of three or four that came in one piece
            4,
            "estimated",
        ),
    ],
)
def test_the_usage_of_two_choices_is_held_against_each(
    parts: list[bytes], told: int, work: int, source: str
) -> None:
    last = line({"id": "c", "choices": [], "usage": reported(9, told)})

    async def main() -> None:
        async with Scripted(streams(*parts, last, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream(n=2, max_tokens=2, stream_options={"include_usage": True})
            assert got.events[-1]["workspan"]["work"] == work
            assert got.events[-1]["workspan"]["source"] == source

    run(main)


def test_an_end_that_comes_after_the_usage_of_two_choices_is_charged() -> None:
    early = line({"id": "c", "choices": [], "usage": reported(9, 2)})
    parts = (*(piece({"content": "one"}, index=i) for i in (0, 1)), piece({}, "stop"), early)

    async def main() -> None:
        answer = streams(*parts, piece({}, "stop", index=1), DONE)
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.stream(n=2, stream_options={"include_usage": True})
            assert got.events[-1]["workspan"]["work"] == 3
            assert got.events[-1]["workspan"]["source"] == "estimated"

    run(main)


def test_a_body_that_breaks_off_in_a_stream_s_place_is_charged_whole() -> None:
    """Nothing tells how much of it was decoded, by a server that minds no cap either."""

    async def torn(_: Scripted, __: object, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
        writer.write(head + b'{"id": "c", "choices": [')
        await writer.drain()
        writer.close()

    async def main() -> None:
        async with Scripted(torn).serve() as up, gate(up.url) as gw:
            assert (await gw.stream(max_tokens=300)).status == 502
            total = (await gw.record()).total
            assert total.output_tokens + total.unseen_tokens == 300
            server = gw.serving.gateway.servers["up"]
            server.pace.ignores_cap = True
            assert (await gw.ask(max_tokens=300)).status == 502
            total = (await gw.record(2)).total
            assert total.output_tokens + total.unseen_tokens == 300

    run(main)


def test_thinking_under_two_names_in_one_message_is_counted_under_both() -> None:
    message = {
        "reasoning_content": "14961147126166376",
        "reasoning_details": [{"type": "reasoning.text", "text": "6139326440040798602"}],
    }
    told = whole() | {}
    told["choices"][0]["message"] |= message  # type: ignore[index]
    del told["usage"]

    async def main() -> None:
        async with Scripted(replies(told)).serve() as up, gate(up.url) as gw:
            got = await gw.ask(max_tokens=300)
            assert got.value["workspan"]["work"] == 17 + 19 + 1 + 1

    run(main)


def test_a_running_figure_whose_total_alone_has_the_thinking_is_believed(tmp_path: Path) -> None:
    """As Gemini's: a stream that is cut is charged the hidden part of what it has said."""
    store = tmp_path / "store"
    told = line({"id": "c", "choices": [], "usage": {**reported(9, 1), "total_tokens": 509}})

    async def answer(_: Scripted, __: object, writer: asyncio.StreamWriter) -> None:
        await begin(writer)
        await part(writer, piece({"content": "a"}) + told)
        await asyncio.sleep(50)

    async def main() -> None:
        async with Scripted(answer).serve() as up, gate(up.url, store=str(store)) as gw:
            await key_of(gw, "5000 work/total")
            got = await gw.stream(max_tokens=2000, workspan={"budget": "5s"})
            assert got.events[-1]["workspan"]["work"] == 500

    run(main)


def test_a_store_that_fails_in_an_unknown_way_is_said_and_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(tmp_path / "store")) as gw,
        ):
            await key_of(gw, "1000 work/total")
            right = DrivenStore.exchange

            async def wrong(*_: object) -> None:
                raise OverflowError("too large")

            monkeypatch.setattr(DrivenStore, "exchange", wrong)
            got = await gw.ask(max_tokens=5)
            assert (got.status, got.error["code"]) == (503, "store_unreachable")
            assert "OverflowError" in got.error["message"]
            monkeypatch.setattr(DrivenStore, "exchange", right)
            while (await gw.ask(max_tokens=5)).status == 503:  # noqa: ASYNC110
                await asyncio.sleep(0.5)  # as a client does that was told to
            assert (await gw.ask(max_tokens=5)).status == 200

    run(main)


def test_a_reply_that_cannot_be_read_is_charged_and_not_asked_again() -> None:
    """The upstream had taken the request; a connection that it closed unread is another matter."""

    async def answer(up: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
        if len(up.seen) == 2:
            writer.write(b'{"left": "of the reply before"}')
        await reply(writer, whole())

    async def main() -> None:
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            assert (await gw.ask()).status == 200
            got = await gw.ask(max_tokens=40)
            assert (got.status, got.error["code"]) == (502, "upstream_broke")
            assert len(up.seen) == 2
            assert (await gw.record(2)).total.unseen_tokens == 40

    run(main)
