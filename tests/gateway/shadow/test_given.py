"""The answer as a client was given it, read back in every dialect, whole and streamed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.dialects.speech import MESSAGE, RESPONSE, USED, native, spoken, wholly
from gateway.rig import ASK, DONE, GOOD, Scripted, Seen, line, piece, reply, streams, whole
from gateway.shadow.rig import NUMBER, SHADOW, kept, outcomes, shadowed
from gateway.shadow.test_never_in_the_way import is_shadow
from workspan.serve.shadow.given import read_given

CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
TOOL = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {}}}},
}


def pieces() -> bytes:
    first = {"index": 0, "id": "c1", "type": "function", "function": {"name": "look"}}
    more = ({"index": 0, "function": {"arguments": part}} for part in ('{"at"', ": 1}"))
    deltas = [piece({"tool_calls": [one]}) for one in (first, *more)]
    return b"".join([*deltas, piece({}, "tool_calls"), DONE])


RESPONSES = {
    **RESPONSE,
    "status": "completed",
    "usage": USED,
    "output": [
        {"type": "reasoning", "summary": []},
        {"type": "message", "content": [{"type": "output_text", "text": "It is 4"}]},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": 1}'},
    ],
}
MESSAGES = {
    **MESSAGE,
    "stop_reason": "tool_use",
    "content": [
        {"type": "text", "text": "It is 4"},
        {"type": "tool_use", "id": "c1", "name": "look", "input": {"at": 1}},
    ],
}


@pytest.mark.parametrize(
    ("said", "text", "calls"),
    [
        (json.dumps(whole("It is 4")).encode(), "It is 4", 0),
        (b"".join(GOOD) + DONE, "4", 0),
        (json.dumps(whole("", tool_calls=[CALL])).encode(), "", 1),
        (pieces(), "", 1),
        (json.dumps(RESPONSES).encode(), "It is 4", 1),
        (line({"type": "response.completed", "response": RESPONSES}), "It is 4", 1),
        (json.dumps(MESSAGES).encode(), "It is 4", 1),
        (b"".join(spoken("/messages", "It ", "is 4")), "It is 4", 0),
        (b"".join(spoken("/responses", "It ", "is 4")), "It is 4", 0),
    ],
)
def test_a_reply_is_read_back(said: bytes, text: str, calls: int) -> None:
    found = read_given(said)
    assert found is not None
    assert (found.text, found.finish) == (text, "stop")
    assert len(found.tool_calls) == calls
    for call in found.tool_calls:
        assert (call.name, json.loads(call.arguments)) == ("look", {"at": 1})


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b'{"choices": 3}',
        b'{"choices": [{"message": {"content": "half"}}]}',
        b"".join(GOOD[:2]),
        b"data: nothing\n\n",
        b"data: [1]\n\n",
        b'{"object": "response", "output": [{"type": "function_call"}]}',
        b'{"type": "message", "content": 4}',
        b"\xff\xfe",
    ],
)
def test_what_is_no_whole_reply_is_none(said: bytes) -> None:
    assert read_given(said) is None


def test_a_reply_cut_by_its_cap_is_no_finished_one() -> None:
    said = json.loads(json.dumps(whole("It is 4")))
    said["choices"][0]["finish_reason"] = "length"
    found = read_given(json.dumps(said).encode())
    assert found is not None
    assert found.finish == "length"


BODIES: dict[str, dict[str, Any]] = {
    "/chat/completions": {**ASK, "messages": NUMBER},
    "/messages": {"model": "m", "max_tokens": 50, "messages": NUMBER},
    "/responses": {"model": "m", "input": NUMBER},
}


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("speaks", ["chat", "chat,responses,messages"])
def test_every_dialect_is_compared(tmp_path: Path, path: str, is_stream: bool, speaks: str) -> None:
    """Whether its upstream speaks it too, or is asked by Chat."""

    async def answer(up: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if is_shadow(seen) or seen.path.endswith("/chat/completions"):
            if seen.value.get("stream") and not is_shadow(seen):
                await streams(*GOOD, DONE)(up, seen, writer)
            else:
                await reply(writer, whole("4" if not is_shadow(seen) else "5"))
        elif is_stream:
            await native(*events)(up, seen, writer)
        else:
            await wholly(told)(up, seen, writer)

    item = {
        "type": "message",
        "role": "assistant",
        "id": "i",
        "status": "completed",
        "content": [{"type": "output_text", "text": "4", "annotations": []}],
    }
    response = {**RESPONSE, "status": "completed", "usage": USED, "output": [item]}
    message = {**MESSAGE, "stop_reason": "end_turn", "content": [{"type": "text", "text": "4"}]}
    told = response if path == "/responses" else message
    events = list(spoken(path, "4")) if path != "/chat/completions" else []
    if path == "/responses":
        last = {"type": "response.completed", "sequence_number": 9, "response": response}
        events[-1] = b"event: response.completed\ndata: " + json.dumps(last).encode() + b"\n\n"

    async def main() -> None:
        async with shadowed(tmp_path / "s.db", answer, SHADOW, speaks=speaks) as (
            gw,
            _,
            headers,
        ):
            got = await gw.post({**BODIES[path], "stream": is_stream}, path, headers)
            assert got.status == 200, got.body
            assert await outcomes(gw) == {"kept": 1}
            [one] = await kept(tmp_path / "s.db")
            assert one.route == f"/v1{path}"
            assert (one.kind, one.now.answer, one.beside[0].answer) == ("number", 0, 1)

    asyncio.run(main())


def test_calls_of_tools_are_compared_by_value(tmp_path: Path) -> None:
    other = {**CALL, "id": "other", "function": {"name": "look", "arguments": '{ "at":1.0 }'}}

    async def answer(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        await reply(writer, whole("", tool_calls=[other if is_shadow(seen) else CALL]))

    async def main() -> None:
        async with shadowed(tmp_path / "s.db", answer, SHADOW) as (gw, _, headers):
            await gw.post({**ASK, "tools": [TOOL]}, headers=headers)
            assert await outcomes(gw) == {"kept": 1}
            [one] = await kept(tmp_path / "s.db")
            assert (one.kind, one.now.answer, one.beside[0].answer) == ("tools", 0, 0)

    asyncio.run(main())
