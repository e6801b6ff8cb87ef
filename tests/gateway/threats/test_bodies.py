"""Bodies that are too large, too deep, or no JSON: a clear 400, nothing asked, nothing kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.rig import ASK, Scripted, gate, replies, run, whole
from gateway.wires import BODY, head, send
from workspan.serve.config import Limits

TURN = b'{"model":"m","messages":[{"role":"user","content":"hi"}]'
DEEP = 100_000
BAD: dict[str, bytes] = {
    "nothing": b"",
    "no object": b"[1]",
    "a text": b'"text"',
    "null": b"null",
    "deep lists": TURN + b',"x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": TURN + b',"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "deep at the top": b"[" * DEEP,
    "NaN": TURN + b',"temperature":NaN}',
    "Infinity": TURN + b',"temperature":-Infinity}',
    "no UTF-8": TURN[:-2] + b'"\xff\xfe"}]}',
    "UTF-16": TURN.decode().encode("utf-16"),
    "torn": BODY[:-3],
    "two": BODY + BODY,
    "a comment": b"/* */" + BODY,
    "a comma too many": BODY[:-1] + b",}",
    "single quotes": BODY.replace(b'"', b"'"),
    "compressed": b"\x1f\x8b\x08\x00",
    "a cap of many digits": TURN + b',"max_tokens":' + b"9" * 5_000 + b"}",
    "a cap with an exponent": TURN + b',"max_tokens":1e400}',
    "a cap that is a text": TURN + b',"max_tokens":"9"}',
    "a cap below 0": TURN + b',"max_tokens":-1}',
    "choices without end": TURN + b',"n":' + b"9" * 400 + b"}",
    "a model of no text": b'{"model":{"a":1},"messages":[]}',
    "a model without end": b'{"model":"' + b"m" * 100_000 + b'","messages":[]}',
    "choices of a million": TURN + b',"n":1000000}',
    "a wish of no object": TURN + b',"workspan":[]}',
    "a budget of nonsense": TURN + b',"workspan":{"budget":"' + b"9" * 5_000 + b' work"}}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
@pytest.mark.parametrize("is_scaled", [False, True], ids=["passed on", "scaled"])
def test_what_is_no_request_is_a_clear_400(body: bytes, is_scaled: bool) -> None:
    async def main() -> None:
        own = "self_consistency(n=2)" if is_scaled else ""
        async with Scripted(replies(whole())).serve() as up, gate(up.url, strategy=own) as gw:
            got = await gw.post(body)
            assert got.status in (400, 404), got
            assert got.headers["content-type"] == "application/json"
            assert got.error["message"]
            assert len(got.body) < 3_000
            assert not up.seen
            assert (await gw.get("/healthz")).status == 200

    run(main)


DUPLICATES: dict[str, Any] = {
    "model": ("other", "m"),
    "max_tokens": (1, 1_000_000),
    "n": (1, 50),
    "stream": (False, True),
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_a_field_said_twice_is_read_as_it_is_passed_on(name: str) -> None:
    """What is checked is what goes up: otherwise a cap could be said twice."""

    async def main() -> None:
        first, last = DUPLICATES[name]
        rest = {key: value for key, value in ASK.items() if key != name}
        text = json.dumps(rest)[:-1]
        body = f'{text},"{name}":{json.dumps(first)},"{name}":{json.dumps(last)}}}'.encode()
        async with Scripted(replies(whole())).serve() as up, gate(up.url, budget="500 work") as gw:
            got = await gw.post(body)
            if got.status != 200:
                assert got.status in (400, 404)
                assert not up.seen
                return
            sent = up.seen[0].body
            assert sent.count(f'"{name}"'.encode()) == 1, sent
            if name == "max_tokens":
                assert up.seen[0].value[name] <= 500

    run(main)


def test_a_body_is_refused_by_its_length_before_it_is_read() -> None:
    async def main() -> None:
        limits = Limits(body_bytes=10_000, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            got = await send(gw, head("/v1/chat/completions", "Content-Length: 10000000000"))
            assert got.status == 413
            assert got.error["code"] == "body_too_large"
            got = await send(
                gw,
                head("/v1/chat/completions", "Transfer-Encoding: chunked"),
                b"400\r\n" + b"x" * 0x400 + b"\r\n",
                *[b"400\r\n" + b"x" * 0x400 + b"\r\n" for _ in range(20)],
            )
            assert got.status in (0, 413)  # a client that goes on sending may lose the reply
            assert (await gw.record(2)).code == "body_too_large"
            assert not up.seen

    run(main)


def test_a_length_that_lies_is_waited_for_so_long_and_no_longer() -> None:
    async def main() -> None:
        limits = Limits(body_seconds=2, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            lines = "/v1/chat/completions", f"Content-Length: {len(BODY) + 50}"
            got = await send(gw, head(*lines), BODY, quiet=10)
            assert (got.status, got.error["code"]) == (408, "body_timeout")
            got = await send(gw, head(*lines), BODY, closes=True, quiet=10)
            assert got.status in (0, 400)  # the client left
            assert not up.seen
            short = head("/v1/chat/completions", f"Content-Length: {len(BODY) - 1}")
            got = await send(gw, short, BODY)
            assert got.statuses[0] == 400
            assert not up.seen

    run(main)


def test_a_compressed_body_is_not_unpacked() -> None:
    async def main() -> None:
        import gzip

        bomb = gzip.compress(BODY + b" " * 10_000_000)
        assert len(bomb) < 20_000
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for name in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
                got = await gw.post(bomb, headers={"Content-Encoding": name})
                assert (got.status, got.error["code"]) == (415, "body_compressed")
                assert name in got.error["message"]
            assert not up.seen

    run(main)
