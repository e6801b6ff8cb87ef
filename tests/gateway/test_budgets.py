"""Budgets on the straight path: caps cut, streams cut, nothing spent past one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.rig import (
    DONE,
    GOOD,
    Scripted,
    Seen,
    begin,
    end,
    gate,
    line,
    part,
    piece,
    replies,
    run,
    streams,
    until,
    upstream,
    usage,
    whole,
)
from workspan.core.engine import Price
from workspan.testing.server import Behaviour, SimulatedServer

WORDS = " ".join(f"w{i}" for i in range(400))


def test_a_cap_is_lowered_to_the_budget_by_its_own_name() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            wish = {"budget": "100 work"}
            await gw.ask(workspan=wish)
            await gw.ask(workspan=wish, max_completion_tokens=4000)
            await gw.ask(workspan=wish, max_tokens=30)
            await gw.ask(workspan=wish, n=4)
            told = [one.value for one in up.seen]
            assert told[0]["max_tokens"] == 100
            assert told[1]["max_completion_tokens"] == 100
            assert "max_tokens" not in told[1]
            assert told[2]["max_tokens"] == 30
            assert told[3]["max_tokens"] == 25

    run(main)


def test_the_operator_s_limit_holds_whatever_is_wished() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, budget="50 work") as gw,
        ):
            await gw.ask(workspan={"budget": "1M work"})
            await gw.ask(workspan={"budget": "unlimited"})
            assert [one.value["max_tokens"] for one in up.seen] == [50, 50]

    run(main)


def test_a_stream_is_never_past_its_budget_and_says_that_it_was_cut() -> None:
    """By a server that minds its cap, and by one that minds none."""

    async def main() -> None:
        server = SimulatedServer(Behaviour(text=WORDS))
        async with server.serve(), gate(upstream(server.url, model="simulated")) as gw:
            for budget in (1, 17, 399):
                got = await gw.stream(model="simulated", workspan={"budget": f"{budget} work"})
                assert len(got.text.split()) == budget
                assert got.events[-2]["choices"][0]["finish_reason"] == "length"
                assert got.events[-1]["workspan"]["stop"] == "budget: work"
                assert got.events[-1]["workspan"]["work"] == budget
                assert got.is_done
            assert server.bill.completion_tokens == 1 + 17 + 399

    run(main)


def test_a_server_that_minds_no_cap_is_cut_off() -> None:
    async def main() -> None:
        async def endless(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await begin(writer)
            while True:
                await part(writer, piece({"content": "word "}))
                await asyncio.sleep(0)

        async with Scripted(endless).serve() as up, gate(up.url) as gw:
            got = await gw.stream(workspan={"budget": "40 work", "explain": True})
            assert got.status == 200
            assert got.events[-2]["choices"][0]["finish_reason"] == "length"
            assert got.events[-1]["workspan"]["stop"] == "budget: work"
            assert got.is_done
            await up.closed.wait()  # it was hung up on

    run(main)


@pytest.mark.parametrize("model", ["m", "m:self_consistency(n=2)"])
@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("path", ["/chat/completions", "/messages"])
def test_seconds_end_what_has_not_begun(model: str, is_streamed: bool, path: str) -> None:
    """A reply that comes whole begins when it is there."""

    async def silent(_: Scripted, __: Seen, ___: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with (
            Scripted(silent).serve() as up,
            gate(replace(upstream(up.url), speaks=("chat",)), budget="30s") as gw,
        ):
            number = [{"role": "user", "content": "2 + 2? Reply with a single number."}]
            body = {"model": model, "messages": number, "max_tokens": 50, "stream": is_streamed}
            got = await gw.post({**body, "workspan": {"budget": "5s"}}, path)
            told = got.body.decode()
            assert "budget_exceeded" in told
            assert got.status == 429 or is_streamed
            await up.closed.wait()  # it was hung up on
            record = await gw.record()
            assert record.total.calls == len(up.seen) > 0
            assert record.total.unseen_tokens > 0

    run(main)


def test_seconds_in_line_count_and_cost_nothing() -> None:
    async def silent(_: Scripted, __: Seen, ___: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with Scripted(silent).serve() as up, gate(upstream(up.url, concurrency="1")) as gw:
            async with asyncio.TaskGroup() as group:
                group.create_task(gw.ask(workspan={"budget": "20s"}))
                await until(lambda: len(up.seen) == 1)
                got = await gw.ask(workspan={"budget": "5s"})
                assert (got.status, got.error["code"]) == (429, "budget_exceeded")
                assert got.headers["x-should-retry"] == "false"
                assert (await gw.record()).total.calls == 0
            assert len(up.seen) == 1

    run(main)


def test_seconds_end_a_stream_too() -> None:
    async def main() -> None:
        async def slow(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await begin(writer)
            await part(writer, GOOD[0] + GOOD[1])
            await asyncio.sleep(50)
            await end(writer)

        async with Scripted(slow).serve() as up, gate(up.url) as gw:
            got = await gw.stream(workspan={"budget": "5s"})
            assert got.text == "4"
            assert got.events[-1]["workspan"]["stop"] == "budget: seconds"
            assert got.is_done

    run(main)


def test_money_needs_a_price_and_buys_what_it_says() -> None:
    async def main() -> None:
        async with Scripted(replies(whole("4", 5))).serve() as up, gate(up.url) as gw:
            got = await gw.ask(workspan={"budget": "$0.01"})
            assert (got.status, got.error["code"]) == (400, "unpriced_model")
            assert not up.seen
        price = Price(Decimal(1), Decimal(10))
        async with (
            Scripted(replies(whole("4", 5))).serve() as up,
            gate(upstream(up.url, price=price)) as gw,
        ):
            got = await gw.ask(workspan={"budget": "$0.01"})
            cap = up.seen[0].value["max_tokens"]
            assert 900 <= cap < 1000  # a thousand tokens, less what the prompt may cost
            assert got.value["workspan"]["cost"] == (9 * 1 + 5 * 10) / 1_000_000
            picture = [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]
            turns = [{"role": "user", "content": picture}]
            got = await gw.ask(messages=turns, workspan={"budget": "$0.01"})
            assert got.status == 400
            assert "media_tokens" in got.error["message"]
            assert (await gw.ask(messages=turns)).status == 200
            assert len(up.seen) == 2

    run(main)


def test_wishes_that_are_none_are_refused_before_anything_is_asked() -> None:
    wrong = [
        {"budget": "many"},
        {"budget": 5},
        {"strategy": "selfconsistency"},
        {"strategy": ["x"]},
        {"explain": "yes"},
        {"budgets": "5 work"},
        "8k work",
    ]

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for wish in wrong:
                got = await gw.ask(workspan=wish)
                assert got.status == 400, wish
                assert len(got.error["message"]) > 20
            for name in ("Workspan-Budget", "Workspan-Strategy"):
                got = await gw.post({"model": "m", "messages": []}, headers={name: "what is this?"})
                assert got.status == 400
            assert not up.seen
            told = json.dumps({"model": "m", "messages": [], "workspan": None}).encode()
            assert (await gw.post(told)).status == 200
            assert "workspan" not in up.seen[0].value

    run(main)


def test_a_header_s_wish_counts_where_the_body_has_none() -> None:
    async def main() -> None:
        async with (
            Scripted(
                streams(*GOOD, line({"id": "c", "choices": [], "usage": usage(1, 1)}), DONE)
            ).serve() as up,
            gate(up.url) as gw,
        ):
            body = {"model": "m", "messages": [], "stream": True}
            await gw.post(body, headers={"Workspan-Budget": "64 work"})
            await gw.post(
                {**body, "workspan": {"budget": "32 work"}}, headers={"Workspan-Budget": "64 work"}
            )
            assert [one.value["max_tokens"] for one in up.seen] == [64, 32]

    run(main)
