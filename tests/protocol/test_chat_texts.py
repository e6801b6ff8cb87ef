"""What is told apart while it is decoded is what a look at each field would say."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.engines.endpoint.wire import Event, decode_usual
from workspan.protocol.chat_texts import text_alone

NOTHING = st.none()
SAID = st.one_of(NOTHING, st.text(max_size=3))
DELTAS = st.fixed_dictionaries(
    {"content": st.one_of(SAID, st.just(7), st.just([{"type": "text", "text": "a"}]))},
    optional={
        "role": st.just("assistant"),
        "reasoning_content": SAID,
        "reasoning": SAID,
        "reasoning_details": st.one_of(NOTHING, st.just([])),
        "thinking": SAID,
        "thinking_blocks": NOTHING,
        "refusal": SAID,
        "tool_calls": st.one_of(NOTHING, st.just([{"index": 0}])),
        "function_call": NOTHING,
        "of_its_own": st.integers(),
    },
)
CHOICES = st.fixed_dictionaries(
    {"delta": st.one_of(NOTHING, DELTAS, DELTAS, DELTAS)},
    optional={
        "index": st.integers(0, 1),
        "logprobs": st.one_of(NOTHING, st.just({"content": [{"logprob": -1.0}]})),
        "finish_reason": st.sampled_from([None, None, "stop", "length"]),
        "usage": st.one_of(NOTHING, st.just({"completion_tokens": 1})),
        "of_its_own": st.integers(),
    },
)
EVENTS = st.fixed_dictionaries(
    {"choices": st.lists(CHOICES, min_size=0, max_size=2)},
    optional={
        "id": st.just("a"),
        "model": st.just("m"),
        "usage": st.one_of(NOTHING, st.just({"completion_tokens": 1})),
        "error": st.one_of(NOTHING, st.just({"message": "no"})),
        "service_tier": st.sampled_from([None, "default"]),
        "of_its_own": st.integers(),
    },
)
REST = (
    *("reasoning_content", "reasoning", "refusal", "thinking", "reasoning_details"),
    *("thinking_blocks", "tool_calls", "function_call"),
)


def _looked_at(event: Event) -> str | None:
    """Say the same, field by field."""
    if len(event.choices) != 1 or event.usage or event.error or event.service_tier:
        return None
    [choice] = event.choices
    delta = choice.delta
    if delta is None or choice.index or choice.finish_reason is not None:
        return None
    if choice.logprobs is not None or choice.usage is not None:
        return None
    is_more = any(getattr(delta, name) is not None for name in REST)
    return None if is_more else delta.content or None


@given(EVENTS)
@settings(max_examples=300, deadline=None)
def test_an_event_is_a_text_alone_where_nothing_else_is_in_it(value: dict[str, Any]) -> None:
    content = json.dumps(value).encode()
    read = decode_usual([content])
    assert text_alone(content) == (None if read is None else _looked_at(read[0]))


@given(st.binary(max_size=40))
@settings(max_examples=200, deadline=None)
def test_what_is_no_event_is_none(content: bytes) -> None:
    assert text_alone(content) is None
