"""The path of strategies through the gateway itself: worth, wishes, streams, clients that leave."""

from __future__ import annotations

import asyncio
from typing import Any

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
    reply,
    run,
    streams,
    upstream,
    usage,
    whole,
)

NUMBER = [{"role": "user", "content": "2 + 2? Reply with a single number."}]
TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def test_a_vote_is_one_reply_with_the_sum_of_its_calls() -> None:
    async def main() -> None:
        async with Scripted(replies(whole("4"))).serve() as up, gate(up.url) as gw:
            got = await gw.ask(model="m:self_consistency(n=3)", messages=NUMBER)
            assert got.status == 200
            assert got.value["choices"][0]["message"]["content"] == "4"
            assert got.value["usage"]["prompt_tokens"] == 27
            assert got.value["workspan"]["calls"] == 3
            assert got.value["model"] == "m"
            assert len(up.seen) == 3

    run(main)


def test_auto_passes_open_text_on_byte_for_byte() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            got = await gw.stream(model="auto")
            assert got.body == b"".join(GOOD) + DONE
            assert len(up.seen) == 1
            assert (await gw.record()).why_straight == "open"

    run(main)


def test_tools_are_voted_on_and_streamed() -> None:
    told = whole("", tool_calls=[CALL])
    told["choices"][0]["message"]["content"] = None

    async def main() -> None:
        async with Scripted(replies(told)).serve() as up, gate(up.url) as gw:
            got = await gw.stream(model="auto", tools=[TOOL])
            assert got.status == 200
            assert got.is_done
            deltas = [c["delta"] for e in got.events for c in e["choices"]]
            (first,) = [d["tool_calls"][0] for d in deltas if "tool_calls" in d and _opens(d)]
            assert (first["id"], first["function"]["name"]) == ("c1", "look")
            assert got.events[-1]["choices"][0]["finish_reason"] == "tool_calls"
            assert got.events[-1]["workspan"]["calls"] == 3

    run(main)


def _opens(delta: dict[str, Any]) -> bool:
    return "id" in delta["tool_calls"][0]


def test_what_a_strategy_can_not_do_is_a_400_unasked() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.ask(model="m:self_refine", tools=[TOOL])
            assert got.status == 400
            assert "self_consistency" in got.error["message"]
            got = await gw.ask(model="m:auto", messages=NUMBER, max_reasoning_tokens=5)
            assert got.status == 400
            assert not up.seen

    run(main)


def test_an_effort_is_mapped_or_refused_on_the_straight_path_too() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(upstream(up.url, model="gpt-5"), upstream(up.url, "old", "o3")) as gw,
        ):
            got = await gw.ask(model="gpt-5", reasoning_effort="xhigh")
            assert got.status == 200
            assert up.seen[0].value["reasoning_effort"] == "high"
            assert "was asked for" in got.value["workspan"]["notices"][0]
            got = await gw.ask(model="o3", reasoning_effort="none")
            assert got.status == 400
            assert "always thinks" in got.error["message"]
            got = await gw.ask(model="gpt-5", reasoning_effort="low")
            assert up.seen[-1].value["reasoning_effort"] == "low"
            got = await gw.ask(model="auto", reasoning_effort="max")
            assert up.seen[-1].value["reasoning_effort"] == "high"
            assert len(up.seen) == 3
            assert got.value["workspan"]["strategy"] is None

    run(main)


def test_room_is_kept_for_an_answer_on_the_straight_path_too() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(upstream(up.url, thinking_cap="thinking_token_budget")) as gw,
        ):
            await gw.ask(max_tokens=800)
            await gw.ask(max_tokens=800, max_reasoning_tokens=70)
            await gw.ask(max_tokens=800, thinking_token_budget=600)
            sent = [seen.value["thinking_token_budget"] for seen in up.seen]
            assert sent == [544, 70, 600]
            assert "max_reasoning_tokens" not in up.seen[1].value

    run(main)


def test_a_stream_whose_upstream_dies_ends_in_an_error() -> None:
    async def main() -> None:
        broken = streams(*GOOD[:2], ends=False)
        async with Scripted(broken).serve() as up, gate(up.url) as gw:
            got = await gw.stream(model="m:single", workspan={"explain": True})
            assert not got.is_done
            assert "error" in got.events[-1]
            assert got.text in ("", "4")

    run(main)


def test_a_budget_in_the_request_ends_a_vote_with_what_it_has() -> None:
    async def main() -> None:
        async with Scripted(_capped).serve() as up, gate(up.url) as gw:
            asked = {"messages": NUMBER, "max_tokens": 8, "workspan": {"budget": "20 work"}}
            got = await gw.ask(model="m:self_consistency(n=9)", **asked)
            assert got.status == 200
            told = got.value["workspan"]
            assert told["stop"] == "work"
            assert told["work"] <= 20
            assert "workspan" not in up.seen[0].value

    run(main)


async def _capped(_: Scripted, seen: Seen, writer: Any) -> None:
    """Decode six tokens, or as many as were asked for."""
    cap = seen.value.get("max_tokens") or seen.value["max_completion_tokens"]
    await reply(writer, whole("4", min(6, cap)))


def test_a_client_that_leaves_cuts_all_drafts_and_they_are_settled() -> None:
    third = asyncio.Event()

    async def hang(up: Scripted, seen: Seen, writer: Any) -> None:
        if len(up.seen) < 3:
            await reply(writer, whole("4"))
            return
        third.set()
        await up.closed.wait()

    async def main() -> None:
        async with Scripted(hang).serve() as up, gate(up.url) as gw:
            asking = asyncio.create_task(gw.ask(model="m:self_consistency(n=3)", messages=NUMBER))
            await third.wait()
            asking.cancel()
            record = await gw.record()
            assert record.status == 499
            assert record.total.calls == 3

    run(main)


def test_drafts_and_relayed_requests_stand_in_one_line() -> None:
    most = now = 0

    async def slow(_: Scripted, __: Seen, writer: Any) -> None:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        await reply(writer, whole("4"))

    async def main() -> None:
        async with (
            Scripted(slow).serve() as up,
            gate(upstream(up.url, concurrency="2")) as gw,
        ):
            votes = [gw.ask(model="m:self_consistency(n=4)", messages=NUMBER) for _ in range(3)]
            plain = [gw.ask(messages=NUMBER) for _ in range(3)]
            tasks = [asyncio.create_task(one) for one in (*votes, *plain)]
            assert [(await task).status for task in tasks] == [200] * 6
            assert len(up.seen) == 15
            assert most == 2

    run(main)


def test_a_second_upstream_takes_over_where_the_first_is_gone() -> None:
    async def main() -> None:
        async with Scripted(replies(whole("4"))).serve() as up:
            gone = upstream("http://127.0.0.1:9/v1", "gone", "m", retries__attempts="1")
            async with gate(gone, upstream(up.url, "up", "m2"), failover=True) as gw:
                got = await gw.ask(model="m:self_consistency(n=3)", messages=NUMBER)
                assert got.status == 200
                assert got.value["model"] == "m2"
                assert got.value["workspan"]["engine"] == "up"
                told = await gw.stream(model="m:self_consistency(n=3)", messages=NUMBER)
                assert told.is_done
                assert told.text == "4"

    run(main)


def test_one_draft_warms_the_prompts_cache_before_the_others_go() -> None:
    asked_before_it_spoke = 0

    async def caching(up: Scripted, _: Seen, writer: Any) -> None:
        nonlocal asked_before_it_spoke
        is_first = len(up.seen) == 1
        await begin(writer)
        if is_first:
            await asyncio.sleep(0.05)
            asked_before_it_spoke = len(up.seen)
        cached = {"prompt_tokens_details": {"cached_tokens": 0 if is_first else 300}}
        told = usage(320, 1, **cached)
        await part(writer, piece({"content": "4"}))
        await part(writer, piece({}, "stop"))
        await part(writer, line({"id": "c-1", "choices": [], "usage": told}) + DONE)
        await end(writer)

    async def main() -> None:
        prompt = [{"role": "user", "content": "word " * 300 + NUMBER[0]["content"]}]
        async with Scripted(caching).serve() as up, gate(upstream(up.url, caches="200")) as gw:
            got = await gw.ask(model="m:self_consistency(n=4)", messages=prompt)
            assert asked_before_it_spoke == 1
            assert len(up.seen) == 4
            assert len({seen.body for seen in up.seen}) == 4  # seeds differ …
            assert len({str(seen.value["messages"]) for seen in up.seen}) == 1  # … and no more
            assert got.value["usage"]["prompt_tokens_details"]["cached_tokens"] == 900
            assert got.value["workspan"]["span"] == 2

    run(main)
