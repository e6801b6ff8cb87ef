"""Whatever a body of Responses, Messages or Chat holds, it is carried over or refused in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.errors import InputError
from workspan.protocol import messages, responses
from workspan.protocol.messages.telling import tell

WORDS = st.sampled_from(
    [
        "message",
        "user",
        "assistant",
        "tool",
        "system",
        "text",
        "input_text",
        "function",
        "custom",
        "function_call",
        "tool_use",
        "tool_result",
        "thinking",
        "reasoning",
        "image",
        "enabled",
        "namespace",
        "json_schema",
        "base64",
        "f",
        "m",
        "é",
    ]
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), WORDS)
NAMES = st.sampled_from(
    [
        "type",
        "role",
        "content",
        "text",
        "name",
        "arguments",
        "call_id",
        "id",
        "input",
        "output",
        "tools",
        "summary",
        "source",
        "media_type",
        "data",
        "url",
        "format",
        "schema",
        "function",
        "input_schema",
        "thinking",
        "signature",
        "tool_use_id",
        "budget_tokens",
        "effort",
        "tool_calls",
        "tool_call_id",
        "reasoning_details",
        "image_url",
        "file",
        "json_schema",
    ]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=14,
)
FIELDS = st.sampled_from(
    [
        "model",
        "input",
        "messages",
        "instructions",
        "system",
        "tools",
        "tool_choice",
        "text",
        "stop",
        "reasoning",
        "thinking",
        "output_config",
        "include",
        "metadata",
        "max_tokens",
        "n",
        "max_output_tokens",
        "response_format",
        "stream",
        "parallel_tool_calls",
        "stop_sequences",
    ]
)
READS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "responses": responses.carry,
    "messages": messages.carry,
    "chat to messages": tell,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
@settings(deadline=None, max_examples=120)
@given(body=st.dictionaries(FIELDS, VALUES, max_size=5), turns=VALUES)
def test_a_body_is_carried_or_refused_in_words(
    read: Callable[[dict[str, Any]], Any], body: dict[str, Any], turns: Any
) -> None:
    for told in (body, {**body, "input": turns, "messages": turns}):
        try:
            found = read(told)
        except InputError:
            continue
        assert isinstance(found.body["messages"], list)
