"""What clients send by mistake: said to be wrong here, and what it cost is what was used."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.rig import ASK, Scripted, Seen, gate, replies, reply, run, whole
from gateway.test_keys_http import bearing, key_for
from workspan.serve.store.limits import shown

NUMBER = [{"role": "user", "content": "What is 2 + 2? Answer with a single number."}]


def test_a_body_that_is_no_text_is_refused_here() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(b'{"model":"m","messages":[{"role":"user","content":"\xff\xfe"}]}')
            assert (got.status, got.error["code"]) == (400, "invalid_request")
            assert "UTF-8" in got.error["message"]
            assert not up.seen
            good = '{"model":"m","messages":[{"role":"user","content":"grün 東 🙂"}]}'
            assert (await gw.post(good.encode())).status == 200

    run(main)


def test_an_error_names_its_field() -> None:
    told = {
        "max_tokens": ("max_tokens", "many"),
        "n": ("n", 0),
        "stream": ("stream", "yes"),
        "messages[0].role": ("messages", [{"role": "wizard", "content": "x"}]),
        "tools[0]": ("tools", [1]),
        "workspan.explain": ("workspan", {"explain": "yes"}),
    }

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for param, (name, value) in told.items():
                body = {**ASK, "model": "up:self_consistency(n=2)", name: value}
                got = await gw.post(body)
                assert (got.status, got.error["param"]) == (400, param), got.error
            got = await gw.ask(workspan={"strategy": "self_consistency(n=0)"})
            assert (got.status, got.error["param"]) == (400, "workspan.strategy")
            got = await gw.ask(workspan={"budget": "many"})
            assert (got.status, got.error["param"]) == (400, "workspan.budget")
            got = await gw.ask(model="up:self-consistency(n=2)")
            assert (got.status, got.error["param"]) == (400, "model")
            assert "'self_consistency'" in got.error["message"]
            assert not up.seen

    run(main)


def test_small_mistakes_are_named() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            half = b'{"model":"m","messages":[{"role":"user","content":"a \\ud83d"}]}'
            got = await gw.post(half)
            assert (got.status, got.error["code"]) == (400, "invalid_request")
            assert "half a character" in got.error["message"]
            for other in (b"[]", b"5", b'"a"', b'["\\ud83d"]'):
                got = await gw.post(other)
                assert (got.status, got.error["code"]) == (400, "invalid_request")
                assert "half a character" not in got.error["message"]
            for body, why in (
                (b"", "there is none"),
                (b'{"model":"m","temperature":NaN}', "JSON has no number NaN"),
                (b'{"model":"m","temperature":-Infinity}', "JSON has no number -Infinity"),
                (b"\xef\xbb\xbf" + json.dumps(ASK).encode(), "a mark of the order of bytes"),
            ):
                got = await gw.post(body)
                assert (got.status, got.error["code"]) == (400, "invalid_request")
                assert why in got.error["message"]
            got = await gw.post(ASK, path="/v1/chat/completions")
            assert got.status == 404
            assert "leave it out of the base address" in got.error["message"]
            got = await gw.ask(model="up:cmc", messages=NUMBER)
            assert (got.status, got.error["code"]) == (400, "unsupported")
            assert "-o prefill=true" in got.error["message"]
            assert not up.seen

    run(main)


@pytest.mark.parametrize("model", ["m", "m:self_consistency(n=2)"])
def test_a_whole_number_may_be_written_with_a_point(model: str) -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            body = json.dumps({**ASK, "model": model}).encode()
            body = body[:-1] + b', "n": 1.0, "max_tokens": 50.0}'
            assert (await gw.post(body)).status == 200
            assert up.seen[0].value["max_tokens"] == 50
            assert (await gw.post(body.replace(b"50.0", b"5.1e1"))).status == 200
            assert up.seen[-1].value["max_tokens"] == 51
            for wrong in (b"50.5", b"5e-1", b"1e999", b"true", b'"50"', b"[]"):
                got = await gw.post(body.replace(b"50.0", wrong))
                assert (got.status, got.error["param"]) == (400, "max_tokens")

    run(main)


@pytest.mark.parametrize("path", ["/messages", "/messages/", "/messages/batches", "/nothing"])
def test_anthropic_s_clients_are_told_in_their_own_form_wherever_they_ask(path: str) -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(b"", path, headers={"anthropic-version": "2023-06-01"})
            told = json.loads(got.body)
            assert (told["type"], got.status) == ("error", 400 if path == "/messages" else 404)
            assert told["error"]["type"] in ("invalid_request_error", "not_found_error")
            assert told["request_id"] == got.headers["x-request-id"]
            got = await gw.post(b"", "/chat/completions", headers={"anthropic-version": "x"})
            assert got.error["code"] == "invalid_request"
            assert "type" not in json.loads(got.body)

    run(main)


def test_small_sums_of_money_are_written_out() -> None:
    assert shown("cost", 10_000) == "$0.00000001"
    assert shown("work", 10) == "10 work"


def test_a_whole_reply_without_a_cap_takes_half_of_what_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "keys.db"
        key = await key_for(path, "1000 work/day")
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url, store=str(path)) as gw,
        ):
            got = await gw.post(ASK, headers=bearing(key))
            assert got.status == 200, got.body
            assert up.seen[0].value["max_tokens"] == 500
            assert (await gw.post({**ASK, "n": 3}, headers=bearing(key))).status == 200
            assert up.seen[1].value["max_tokens"] == 499 // 3

    run(main)


def test_drafts_time_is_not_the_gateway_s() -> None:
    async def main() -> None:
        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            time.sleep(0.15)  # noqa: ASYNC251  # the real clock: the loop's stands still
            await reply(writer, whole("Answer: 4"))

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.ask(model="up:self_consistency(n=2)", messages=NUMBER)
            record = await gw.record()
            assert got.value["workspan"]["calls"] == 2
            assert record.seconds >= 0.3
            assert float(got.headers["x-workspan-overhead-ms"]) <= record.seconds * 1000 - 299

    run(main)


def test_seconds_alone_do_not_buy_tokens_without_end() -> None:
    long = whole("word " * 499 + "4", 500)

    async def main() -> None:
        async with Scripted(replies(long)).serve() as up, gate(up.url) as gw:
            wish = {"strategy": "self_consistency(n=1000000000)", "budget": "1h"}
            got = await gw.ask(messages=NUMBER, workspan=wish)
            assert got.value["workspan"]["stop"] == "work"
            assert 4_000 < got.value["workspan"]["work"] <= 8_000

    run(main)


def test_what_an_upstream_sends_is_neither_shown_nor_passed_on() -> None:
    head = b"HTTP/1.1 429 Too Many\r\nRetry-After: 1\x01\r\nContent-Length: 2\r\n\r\n{}"
    cut = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=s3cret\r\nContent-Le"
    wrong = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"

    async def main() -> None:
        sent = iter((head, cut, wrong))

        async def answer(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
            writer.write(next(sent))
            await writer.drain()
            raise ConnectionError

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert (got.status, got.error["code"]) == (429, "upstream_rate_limit")
            assert "\x01" not in got.headers.get("retry-after", "")
            for _ in range(2):
                got = await gw.ask()
                assert (got.status, got.error["code"]) == (502, "upstream_broke")
                for shown in ("s3cret", "127.0.0.1", "RawResponse"):
                    assert shown not in got.body.decode()

    run(main)


def test_a_strategy_s_upstream_fails_in_the_same_words_as_a_passed_on_one_s() -> None:
    def said(status: int, words: str, **more: str) -> Any:
        return replies({"error": {"message": words, **more}}, status)

    async def main() -> None:
        for answer, status, code in (
            (
                said(429, "You exceeded your quota.", code="insufficient_quota"),
                429,
                "upstream_quota",
            ),
            (said(401, "Incorrect API key."), 502, "upstream_unauthorized"),
            (said(422, "Unknown field."), 422, None),
        ):
            async with Scripted(answer).serve() as up, gate(up.url) as gw:
                straight = await gw.ask(messages=NUMBER)
                scaled = await gw.ask(model="up:self_consistency(n=2)", messages=NUMBER)
                for got in (straight, scaled):
                    assert (got.status, got.error["code"]) == (status, code), got.error
                    assert "127.0.0.1" not in got.error["message"]
                    assert "WORKSPAN_API_KEY" not in got.error["message"]

    run(main)
