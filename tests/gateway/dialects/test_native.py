"""Upstreams that speak a client's own dialect: bytes as they came, metered, cut at the budget."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from gateway.dialects.speech import (
    BODIES,
    HELLO,
    HI,
    ITEM,
    MESSAGE,
    PATHS,
    RESPONSE,
    THOUGHT,
    USED,
    events,
    kinds,
    message_ending,
    message_opening,
    message_text,
    named,
    native,
    response_ending,
    response_opening,
    response_text,
    spoken,
    wholly,
)
from gateway.rig import PAUSE, Scripted, gate, run, upstream
from workspan.core.engine import Price
from workspan.serve.config import Limits


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_goes_through_by_its_bytes(path: str) -> None:
    parts = spoken(path, "It", " is", " 4")

    async def main() -> None:
        async with Scripted(native(*parts)).serve() as up, gate(up.url) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            assert got.status == 200
            held = -1 if path == "/responses" else -2  # the end is written once all is settled
            assert got.body.startswith(b"".join(parts[:held]))
            assert kinds(got) == [json.loads(one.split(b"data: ")[1])["type"] for one in parts]
            last = events(got)[held]
            spent = (last.get("response") or last)["workspan"]
            record = await gw.record()
            total = record.total
            told = (total.input_tokens, total.cached_tokens, total.output_tokens, total.source)
            prompt = 11 if path == "/responses" else 13
            assert told == (prompt, 3, 4, "measured")
            assert (spent["work"], spent["source"], spent["stop"]) == (4, "measured", "done")
            assert [one.path for one in up.seen] == [f"/v1{path}"] * 2  # one asked what it speaks
            await gw.post({**BODIES[path], "stream": True}, path)
            assert len(up.seen) == 3

    run(main)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("is_stream", [True, False])
def test_a_body_goes_upstream_byte_for_byte(path: str, is_stream: bool) -> None:
    odd = {"unknown": {"z": 1, "a": [1.0, "é"]}, "tools": [{"type": "web_search_20260101"}]}
    body = json.dumps({**BODIES[path], "stream": is_stream, **odd}, indent=1).encode()
    told = {**RESPONSE, "status": "completed", "output": [ITEM]}
    told = {**told, "usage": USED} if path == "/responses" else {**MESSAGE, "stop_reason": "x"}

    async def main() -> None:
        answer = native(*spoken(path, "4")) if is_stream else wholly(told)
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.post(body, path)
            assert got.status == 200, got.body
            assert up.seen[-1].body == body

    run(main)


def test_whole_replies_go_through_with_what_was_spent() -> None:
    response = {**RESPONSE, "status": "completed", "output": [THOUGHT, ITEM], "usage": USED}
    block = {"type": "thinking", "thinking": "Hm", "signature": "c2ln"}
    message = {**MESSAGE, "content": [block], "stop_reason": "end_turn"}

    async def main() -> None:
        for path, told in (("/responses", response), ("/messages", message)):
            async with Scripted(wholly(told)).serve() as up, gate(up.url) as gw:
                got = await gw.post(BODIES[path], path)
                assert got.body.startswith(json.dumps(told).encode()[:-1])
                assert got.value["workspan"]["work"] == (4 if path == "/responses" else 1)

    run(main)


def test_what_a_careless_upstream_leaves_out_is_there() -> None:
    text = {"type": "output_text", "text": "4"}
    call = {"type": "function_call", "name": "f", "arguments": "{}"}
    response = {"output": [{"type": "message", "content": [text]}, call]}

    async def main() -> None:
        async with Scripted(wholly(response)).serve() as up, gate(up.url) as gw:
            told = (await gw.post(HI, "/responses")).value
            message, called = told["output"]
            assert told["id"].startswith("resp_")
            assert (told["object"], told["status"], told["model"]) == ("response", "completed", "m")
            assert told["usage"]["total_tokens"] > 0
            assert (message["role"], message["status"]) == ("assistant", "completed")
            assert message["content"] == [{**text, "annotations": []}]
            assert called["id"]
            assert called["call_id"]
        async with (
            Scripted(wholly({"content": [{"type": "text", "text": "4"}]})).serve() as up,
            gate(up.url) as gw,
        ):
            told = (await gw.post(HELLO, "/messages")).value
            assert (told["type"], told["role"], told["model"]) == ("message", "assistant", "m")
            assert told["usage"]["output_tokens"] > 0
            assert told["stop_reason"] is None

    run(main)


def _as_llama_cpp_says_it() -> list[bytes]:
    """No places, no numbers, no date; and always "completed", at its cap too."""
    opening = {"id": "resp_l", "object": "response", "status": "in_progress"}
    item = {"type": "message", "id": "msg_l", "role": "assistant", "status": "in_progress"}
    part = {"type": "output_text", "text": "It is 4"}
    told = {"id": "resp_l", "status": "completed", "model": "l", "usage": USED}
    done = {**item, "status": "completed", "content": [part]}
    call = {"type": "function_call", "id": "fc_l", "name": "f", "arguments": ""}
    return [
        named({"type": "response.created", "response": opening}),
        named({"type": "response.in_progress", "response": opening}),
        named({"type": "response.output_item.added", "item": {**item, "content": []}}),
        named(
            {
                "type": "response.content_part.added",
                "item_id": "msg_l",
                "part": {"type": "output_text", "text": ""},
            }
        ),
        named({"type": "response.output_text.delta", "item_id": "msg_l", "delta": "It is 4"}),
        named({"type": "response.output_text.done", "item_id": "msg_l", "text": "It is 4"}),
        named({"type": "response.content_part.done", "item_id": "msg_l", "part": part}),
        named({"type": "response.output_item.done", "item": done}),
        named({"type": "response.output_item.added", "item": call}),
        named({"type": "response.function_call_arguments.delta", "item_id": "fc_l", "delta": "{}"}),
        named({"type": "response.output_item.done", "item": {**call, "arguments": "{}"}}),
        named({"type": "response.completed", "response": {**told, "output": [done, call]}}),
    ]


def test_a_stream_without_places_is_given_them() -> None:
    async def main() -> None:
        answer = native(*_as_llama_cpp_says_it())
        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.post({**HI, "stream": True}, "/responses")
            told = events(got)
            assert told[0]["response"]["created_at"] is not None
            assert told[0]["response"]["model"] == "m"
            places = [e.get("output_index") for e in told[2:-1]]
            assert places == [0] * 6 + [1] * 3
            names = ("response.content", "response.output_text")
            texts = [one for one in told if one["type"].startswith(names)]
            assert {one["content_index"] for one in texts} == {0}
            dones = [e["item"] for e in told if e["type"] == "response.output_item.done"]
            assert dones[0]["content"][0]["annotations"] == []
            assert dones[1]["call_id"]
            assert dones[1]["status"] == "completed"
            last = told[-1]["response"]
            assert [one["id"] for one in last["output"]] == ["msg_l", "fc_l"]
            assert last["output"][1]["call_id"] == dones[1]["call_id"]

    run(main)


def test_what_ends_at_a_cap_of_ours_is_incomplete_whatever_its_server_says() -> None:
    async def main() -> None:
        answer = native(*_as_llama_cpp_says_it())
        async with Scripted(answer).serve() as up, gate(up.url, budget="4 work") as gw:
            got = await gw.post({**HI, "stream": True}, "/responses")
            assert up.seen[-1].value["max_output_tokens"] == 4
            last = events(got)[-1]
            assert last["type"] == "response.incomplete"
            assert last["response"]["status"] == "incomplete"
            assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
            assert last["response"]["workspan"]["stop"] == "budget: work"
        told = {**RESPONSE, "status": "completed", "output": [ITEM], "usage": USED}
        async with Scripted(wholly(told)).serve() as up, gate(up.url, budget="4 work") as gw:
            got = await gw.post(HI, "/responses")
            assert got.value["status"] == "incomplete"

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_is_cut_at_its_budget_and_says_so(path: str) -> None:
    opening = response_opening() if path == "/responses" else message_opening()
    text = response_text if path == "/responses" else message_text
    words = [*[text("w ")] * 400, PAUSE, *[text("w ")] * 50]

    async def main() -> None:
        async with (
            Scripted(native(*opening, *words)).serve() as up,
            gate(up.url, budget="300 work") as gw,
        ):
            name = "max_output_tokens" if path == "/responses" else "max_tokens"
            got = await gw.post({**BODIES[path], name: 9_000, "stream": True}, path)
            assert up.seen[-1].value[name] == 300  # the upstream minds no cap
            told = events(got)
            if path == "/responses":
                last = told[-1]
                assert last["type"] == "response.incomplete"
                response = last["response"]
                assert response["id"] == "resp_up"
                assert response["incomplete_details"] == {"reason": "max_output_tokens"}
                (item,) = response["output"]
                said = "".join(one["delta"] for one in told if "delta" in one)
                assert item["content"][0]["text"] == said
                assert item["status"] == "incomplete"
                spent, used = response["workspan"], response["usage"]
            else:
                assert [one["type"] for one in told[-3:]] == [
                    "content_block_stop",
                    "message_delta",
                    "message_stop",
                ]
                assert told[-2]["delta"]["stop_reason"] == "max_tokens"
                spent, used = told[-2]["workspan"], told[-2]["usage"]
            assert spent["stop"] == "budget: work"
            assert used["output_tokens"] == spent["work"] >= 250
            record = await gw.record()
            assert record.total.output_tokens + record.total.unseen_tokens <= 900

    run(main)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", ["cut", "ends", "errs"])
def test_a_stream_that_died_never_looks_finished(path: str, how: str) -> None:
    is_responses = path == "/responses"
    parts = [*(response_opening() if is_responses else message_opening())]
    parts.append(response_text("It") if is_responses else message_text("It"))
    parts.append(PAUSE)
    if how == "errs":
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
        flat = {"type": "error", "code": "server_error", "message": "Overloaded"}
        told = flat if is_responses else error
        parts.append(f"event: error\ndata: {json.dumps(told)}\n\n".encode())

    async def main() -> None:
        async with Scripted(native(*parts, ends=how != "cut")).serve() as up, gate(up.url) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            last = events(got)[-1]
            if is_responses:
                assert last["type"] == "response.failed"
                assert last["response"]["id"] == "resp_up"
                assert last["response"]["error"]["code"] == "server_error"
                assert last["sequence_number"] == 4
            else:
                assert last["type"] == "error"
                assert last["error"]["type"] in ("api_error", "overloaded_error")
            assert not {"response.completed", "response.incomplete", "message_stop"} & {*kinds(got)}
            if how == "errs":
                assert b"Overloaded" in got.body
            assert (await gw.record()).total.output_tokens >= 1

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_silence_is_kept_alive_in_the_dialects_own_way(path: str) -> None:
    opening = response_opening() if path == "/responses" else message_opening()
    text = response_text if path == "/responses" else message_text
    ending = response_ending() if path == "/responses" else message_ending()
    parts = [*opening, text("It"), PAUSE, PAUSE, text(" is 4"), *ending]
    limits = Limits(comment_seconds=0.4, drain_seconds=1)

    async def main() -> None:
        async with Scripted(native(*parts)).serve() as up, gate(up.url, limits=limits) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            name = "keepalive" if path == "/responses" else "ping"
            assert name in kinds(got)
            said = [one for one in events(got) if one["type"] != name]
            assert len(said) == len(parts) - 2

    run(main)


def test_a_refusal_has_the_dialects_own_form() -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}}

    async def main() -> None:
        async with Scripted(wholly_refused(error)).serve() as up, gate(upstream(up.url)) as gw:
            got = await gw.post(HELLO, "/messages")
            assert got.status == 400
            assert got.value["type"] == "error"
            assert got.value["error"]["type"] == "invalid_request_error"
            assert "too long" in got.value["error"]["message"]
            assert got.value["request_id"] == got.headers["x-request-id"]
            got = await gw.post(HI, "/responses")
            assert got.status == 400
            assert "too long" in got.error["message"]

    run(main)


def wholly_refused(error: Any) -> Any:
    from gateway.rig import replies

    return replies(error, 400)


def test_money_is_held_to_the_price_and_thinking_below_a_lowered_cap() -> None:
    price = Price(Decimal(1), Decimal(10))

    async def main() -> None:
        async with (
            Scripted(native(*spoken("/messages", "4"))).serve() as up,
            gate(upstream(up.url, price=price), budget="4k work") as gw,
        ):
            thinking = {"type": "enabled", "budget_tokens": 20_000}
            body = {**HELLO, "max_tokens": 32_000, "stream": True, "thinking": thinking}
            got = await gw.post(body, "/messages")
            assert got.status == 200, got.body
            sent = up.seen[-1].value
            assert sent["max_tokens"] == 4_000
            assert 1_024 <= sent["thinking"]["budget_tokens"] < 4_000
            assert events(got)[-2]["workspan"]["cost"] == pytest.approx(
                (13 * 1 + 4 * 10) / 1_000_000, rel=0.3
            )

    run(main)


def test_an_effort_goes_in_the_models_words() -> None:
    async def main() -> None:
        async with (
            Scripted(native(*spoken("/responses", "4"))).serve() as up,
            gate(upstream(up.url, model="gpt-5")) as gw,
        ):
            reasoning = {"effort": "xhigh", "summary": "auto"}
            body = {"model": "gpt-5", "input": "Hi", "stream": True, "reasoning": reasoning}
            got = await gw.post(body, "/responses")
            assert up.seen[-1].value["reasoning"] == {"summary": "auto", "effort": "high"}
            (notice,) = events(got)[-1]["response"]["workspan"]["notices"]
            assert "xhigh" in notice
            body["reasoning"] = {"effort": "a lot"}
            assert (await gw.post(body, "/responses")).status == 400
        async with (
            Scripted(native(*spoken("/messages", "4"))).serve() as up,
            gate(upstream(up.url, model="claude-opus-4-6")) as gw,
        ):
            body = {**HELLO, "model": "claude-opus-4-6", "stream": True}
            await gw.post({**body, "output_config": {"effort": "xhigh"}}, "/messages")
            assert up.seen[-1].value["output_config"] == {"effort": "high"}

    run(main)


def test_headers_of_the_dialect_go_upstream_and_the_clients_key_does_not() -> None:
    async def main() -> None:
        async with Scripted(native(*spoken("/messages", "4"))).serve() as up, gate(up.url) as gw:
            told = {"anthropic-beta": "a-2026", "x-api-key": "sk-client", "x-other": "no"}
            await gw.post({**HELLO, "stream": True}, "/messages", told)
            seen = up.seen[-1].headers
            assert (seen["anthropic-beta"], seen["anthropic-version"]) == ("a-2026", "2023-06-01")
            assert "x-other" not in seen
            assert "sk-client" not in seen.values()
            told["anthropic-version"] = "2026-10-21"
            await gw.post({**HELLO, "stream": True}, "/messages", told)
            assert up.seen[-1].headers["anthropic-version"] == "2026-10-21"

    run(main)


HOSTED = {
    "/responses": {"type": "web_search"},
    "/messages": {"type": "web_search_20250305", "name": "w"},
}


@pytest.mark.parametrize("path", PATHS)
def test_what_no_chat_can_say_goes_straight_past_a_routes_own_strategy(path: str) -> None:
    async def main() -> None:
        answer = native(*spoken(path, "4"))
        async with (
            Scripted(answer).serve() as up,
            gate(up.url, strategy="self_consistency(n=3)") as gw,
        ):
            body = {**BODIES[path], "stream": True, "tools": [HOSTED[path]]}
            got = await gw.post(body, path)
            assert got.status == 200, got.body
            assert (await gw.record()).why_straight == "dialect"
            named = await gw.post({**body, "model": "m:self_consistency(n=3)"}, path)
            assert named.status == 400
            assert "tools" in named.error["message"]

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_no_limit_on_money_is_promised_where_nothing_bounds_the_prompt(path: str) -> None:
    price = Price(Decimal(1), Decimal(10))

    async def main() -> None:
        answer = native(*spoken(path, "4"))
        async with (
            Scripted(answer).serve() as up,
            gate(upstream(up.url, price=price), budget="$1") as gw,
        ):
            body = {**BODIES[path], "stream": True, "tools": [HOSTED[path]]}
            got = await gw.post(body, path)
            assert (got.status, got.error["code"]) == (400, "unsupported")
            assert "web_search" in got.error["message"]
            assert (await gw.post({**BODIES[path], "stream": True}, path)).status == 200

    run(main)
