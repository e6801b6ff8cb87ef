"""The other dialects are guarded as Chat is: bodies, keys, addresses, sites, what models write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.dialects.speech import BODIES, HELLO, HI, PATHS, chat, chatting, native, spoken
from gateway.rig import KEY, Scripted, gate, run, upstream, whole

DEEP = 100_000
NINES = b"9" * 5_000
ALL = (*PATHS, "/messages/count_tokens")
_TURN: dict[str, bytes] = {
    "/responses": b'{"model":"m","input":"hi"',
    "/messages": b'{"model":"m","messages":[{"role":"user","content":"hi"}]',
    "/messages/count_tokens": b'{"model":"m","messages":[{"role":"user","content":"hi"}]',
}
BAD: dict[str, bytes] = {
    "deep lists": b',"x":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep objects": b',"x":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "NaN": b',"temperature":NaN}',
    "torn": b',"x":',
    "half a character": b',"instructions":"\\ud800","system":"\\ud800"}',
    "half a character deep down": b',"metadata":{"user_id":"\\ud83d"},"text":{"a":"\\ud83d"}}',
    "a cap of many digits": b',"max_tokens":' + NINES + b',"max_output_tokens":' + NINES + b"}",
    "a stream of no truth": b',"stream":"no","messages":1}',
    "a wish of no object": b',"workspan":[]}',
    "tools of no list": b',"tools":7}',
    "tools of numbers": b',"tools":[7]}',
    "thinking of no object": b',"thinking":"hard","reasoning":"hard"}',
}


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("rest", BAD.values(), ids=BAD)
def test_what_is_no_request_is_a_clear_400(path: str, rest: bytes) -> None:
    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            got = await gw.post(_TURN[path] + rest, path)
            assert got.status in (400, 404), got
            assert got.headers["content-type"] == "application/json"
            assert got.error["message"]
            assert len(got.body) < 3_000
            assert not [one for one in up.seen if one.path.endswith("/completions")]
            assert got.value.get("type", "error") == "error"
            record = await gw.record()
            assert record.code != "bug"

    run(main)


@pytest.mark.parametrize("path", ALL)
def test_keys_are_asked_for_and_a_clients_own_goes_no_further(path: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Scripted(native(*spoken("/messages", "4"))).serve() as up,
            gate(up.url, store=str(tmp_path / "s.db")) as gw,
        ):
            for headers in ({}, {"Authorization": "Bearer x"}, {"x-api-key": "sk-ws-a-b"}):
                got = await gw.post(BODIES.get(path, HELLO), path, headers)
                assert got.status == 401
                if path != "/responses":
                    assert got.error["type"] == "authentication_error"
            assert not up.seen

    run(main)


@pytest.mark.parametrize("path", ALL)
def test_a_site_elsewhere_spends_nothing(path: str) -> None:
    async def main() -> None:
        async with Scripted(chatting(whole=whole())).serve() as up, gate(up.url) as gw:
            told = {"Origin": "https://elsewhere.example"}
            got = await gw.post(BODIES.get(path, HELLO), path, told)
            assert got.status == 403
            assert not up.seen

    run(main)


def test_addresses_are_passed_on_and_never_fetched() -> None:
    async def main() -> None:
        async with (
            Scripted(chatting(whole=whole())).serve() as elsewhere,
            Scripted(chatting(whole=whole())).serve() as up,
            gate(up.url) as gw,
        ):
            part = {"type": "input_image", "image_url": f"{elsewhere.url}/a.png"}
            await gw.post({**HI, "input": [{"role": "user", "content": [part]}]}, "/responses")
            source = {"type": "url", "url": f"{elsewhere.url}/a.png"}
            block = {"type": "image", "source": source}
            await gw.post(
                {**HELLO, "messages": [{"role": "user", "content": [block]}]}, "/messages"
            )
            tool = {"type": "function", "name": "f", "parameters": {"$ref": f"{elsewhere.url}/s"}}
            await gw.post({**HI, "tools": [tool]}, "/responses")
            assert len(up.seen) == 5
            assert not elsewhere.seen

    run(main)


@pytest.mark.parametrize("path", PATHS)
def test_an_upstreams_words_are_scrubbed_of_its_key(path: str) -> None:
    told = {"type": "error", "error": {"type": "api_error", "message": f"bad key {KEY}"}}
    parts = [*spoken(path, "It")[:3], f"event: error\ndata: {json.dumps(told)}\n\n".encode()]

    async def main() -> None:
        async with Scripted(native(*parts)).serve() as up, gate(upstream(up.url)) as gw:
            got = await gw.post({**BODIES[path], "stream": True}, path)
            assert b"bad key" in got.body
            assert KEY.encode() not in got.body

    run(main)


def test_names_of_events_and_breaks_of_lines_are_written_as_json() -> None:
    """A model that writes an event's end into its text can't begin another event."""
    text = 'x\n\nevent: error\ndata: {"type":"error"}\n\n'

    async def main() -> None:
        async with Scripted(chatting(*chat({"content": text}))).serve() as up, gate(up.url) as gw:
            for path in PATHS:
                got = await gw.post({**BODIES[path], "stream": True}, path)
                assert b"\nevent: error\n" not in got.body
                said = _said(got.body)
                assert said == text

    run(main)


def _said(body: bytes) -> str:
    found = []
    for block in body.decode().split("\n\n"):
        if not block:
            continue
        value: dict[str, Any] = json.loads(block.partition("\ndata: ")[2])
        delta = value.get("delta")
        if isinstance(delta, str):
            found.append(delta)
        elif isinstance(delta, dict):
            found.append(delta.get("text", ""))
    return "".join(found)
