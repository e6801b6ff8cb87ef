"""Whatever an upstream sends, its stream goes on or has failed: nothing of it is a bug of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.test_properties import FORMS, attempt
from workspan.errors import EngineProtocolError
from workspan.protocol import messages, responses
from workspan.serve.relay.native.backward import Backward

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 9), st.text(max_size=4))
KEYS = (
    *("type", "index", "delta", "text", "content", "message", "usage", "item", "response", "id"),
    *("output_index", "item_id", "content_block", "stop_reason", "status", "output", "choices"),
    *("finish_reason", "tool_calls", "function", "name", "arguments", "reasoning_details"),
    *("input_tokens", "output_tokens", "model", "error", "partial_json", "annotations", "logprobs"),
    *("incomplete_details", "custom", "thinking", "signature", "workspan", "part"),
)
TYPES = (
    *("response.created", "response.output_item.added", "response.output_item.done"),
    *("response.output_text.delta", "response.content_part.added", "response.completed"),
    *("response.function_call_arguments.delta", "response.incomplete", "response.failed"),
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop", "ping", "error", "tool_use", "message", "function_call"),
)
VALUES = st.recursive(
    LEAVES | st.sampled_from(TYPES),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=10,
)
EVENTS = st.lists(
    st.tuples(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=5)),
    min_size=1,
    max_size=5,
).map(lambda told: [{**fields, "type": kind} for kind, fields in told])


def _stream(events: list[dict[str, Any]]) -> bytes:
    blocks = [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n" for one in events]
    return "".join(blocks).encode()


@pytest.mark.parametrize("path", sorted(FORMS))
@settings(deadline=None, max_examples=120)
@given(events=EVENTS)
def test_events_of_a_dialect(path: str, events: list[dict[str, Any]]) -> None:
    told = attempt(path)
    told.events(_stream(events))
    assert told.native is not None
    if told.failure is None and told.cutter.is_done:
        usage = told.counts.settled("up")
        assert told.native.ending(told.native.usage_value(usage), {"work": 1})
    else:
        assert told.native.cut({}, {})


@pytest.mark.parametrize("path", sorted(FORMS))
@settings(deadline=None, max_examples=120)
@given(value=st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_whole_replies_of_a_dialect(path: str, value: dict[str, Any]) -> None:
    told = attempt(path)
    assert told.native is not None
    try:
        event = told.native.whole(value)
    except EngineProtocolError:
        return
    told.counts.take([event])
    told.native.completed(value, told.native.usage_value(told.counts.settled("up")))
    assert json.dumps(value)


@settings(deadline=None, max_examples=120)
@given(events=EVENTS)
def test_events_that_become_a_chats(events: list[dict[str, Any]]) -> None:
    try:
        out = Backward("message").feed(_stream(events))
    except EngineProtocolError:
        return
    assert not out or out.startswith(b"data: ")


@settings(deadline=None, max_examples=120)
@given(chunks=st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), max_size=4))
def test_chunks_of_a_chat(chunks: list[dict[str, Any]]) -> None:
    choices = [{"choices": [{"index": 0, "delta": one}]} for one in chunks]
    data = "".join(f"data: {json.dumps(one)}\n\n" for one in (*choices, *chunks)).encode()
    for speaker in (
        responses.Speaker("r", 7, {"model": "m"}, {}),
        messages.Speaker("r", {"model": "m"}),
    ):
        try:
            out = speaker.part(data) + speaker.last(b"")
        except EngineProtocolError:
            continue
        assert out.startswith(b"event: ")
