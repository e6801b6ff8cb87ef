"""How a stream's bytes fall into reads changes nothing: not what is counted, nor what goes on."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.errors import EngineProtocolError
from workspan.serve.relay.blocks import Cutter, parsed, written
from workspan.serve.relay.native import NATIVES
from workspan.serve.relay.native.base import NamedCutter

AT = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
ITEM = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant"}
USAGE = {"input_tokens": 9, "output_tokens": 3}
TOLD = {"id": "resp_1", "object": "response", "created_at": 7, "model": "m", "output": []}


def piece(text: str) -> dict[str, Any]:
    return {"type": "response.output_text.delta", **AT, "delta": text, "logprobs": []}


def response(*between: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "response.created", "response": TOLD},
        {"type": "response.output_item.added", "output_index": 0, "item": {**ITEM, "content": []}},
        *between,
        {"type": "response.output_item.done", "output_index": 0, "item": {**ITEM, "content": []}},
        {"type": "response.completed", "response": {**TOLD, "usage": USAGE}},
    ]


def message(*between: dict[str, Any]) -> list[dict[str, Any]]:
    block = {"type": "text", "text": ""}
    return [
        {"type": "message_start", "message": {"id": "m", "usage": USAGE}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *between,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE},
        {"type": "message_stop"},
    ]


def grown(text: str) -> dict[str, Any]:
    delta = {"type": "text_delta", "text": text}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


TEXTS = st.lists(st.sampled_from(["a", "", "\n\nevent: error\n", "é", "data: [DONE]"]), max_size=9)
FORMS = {"response": (response, piece), "message": (message, grown)}


def sent(events: list[dict[str, Any]]) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (one["type"].encode(), json.dumps(one).encode())
        for one in events
    )


def heard(form: str, reads: list[bytes]) -> tuple[bytes, str, bytes]:
    """Return what goes on, the text that is counted, and the end."""
    native = NATIVES[form]({"id": "r", "model": "m"}, keeps=True, lowered=None)
    cutter, out, texts = NamedCutter(), b"", ""
    for read in reads:
        found = native.hear(blocks) if (blocks := cutter.feed(read)).contents else None
        out += found.written if found is not None else b""
        for one in found.events if found is not None else ():
            if isinstance(one, list):
                texts += "".join(one)
            else:
                texts += "".join(c.delta.content or "" for c in one.choices if c.delta is not None)
    return out, texts, native.ending(USAGE, {"work": 3})


@pytest.mark.parametrize("form", FORMS)
@given(texts=TEXTS, places=st.lists(st.integers(0, 2000), max_size=12))
def test_reads_fall_anywhere(form: str, texts: list[str], places: list[int]) -> None:
    whole, grow = FORMS[form]
    events = whole(*map(grow, texts))
    said = sent(events)
    cuts = [0, *sorted(min(place, len(said)) for place in places), len(said)]
    reads = [said[a:b] for a, b in pairwise(cuts)]
    out, counted, end = heard(form, reads)
    held = 1 if form == "response" else 2
    assert out == sent(events[:-held])
    assert counted == "".join(texts)
    assert (out, counted, end) == heard(form, [said])


LINES = [
    *('data: {"a": 1}', "data: {", "data:{}", "data: 1", "data: [DONE]"),
    *("event: x", "event: error", "xevent: y", "id: 7", ": c", ""),
]


@pytest.mark.parametrize("cutter", [Cutter, NamedCutter])
@given(
    lines=st.lists(
        st.sampled_from(LINES),
        max_size=14,
    )
)
def test_blocks_are_what_a_plain_reading_finds(cutter: type[Cutter], lines: list[str]) -> None:
    said = "\n".join([*lines, "", ""])
    found = cutter()
    contents = found.feed(said.encode()).contents
    expected: list[str] = []
    for block in said.split("\n\n"):
        rows = block.split("\n")
        data = "\n".join(row[5:].strip() for row in rows if row.startswith("data:")).strip()
        if data == "[DONE]":
            break
        if data:
            expected.append(data)
            if any(row.startswith("event: error") for row in rows):
                break
    assert [one.decode() for one in contents] == expected


@pytest.mark.parametrize("said", ['{"a":"\\ud800"}', f'{{"a":{2**70}}}'])
def test_values_go_through_as_they_are(said: str) -> None:
    assert json.loads(written(parsed(said.encode()))) == json.loads(said)


def test_what_no_json_can_say_is_null() -> None:
    assert written(parsed(b'{"a":1e400,"b":NaN}')) == b'{"a":null,"b":null}'


@pytest.mark.parametrize("said", [b"", b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_is_an_error(said: bytes) -> None:
    with pytest.raises(EngineProtocolError):
        parsed(said)
