"""Events of a chat's stream that are a piece of its text and no more: what nearly all of them are.

Whether one is is seen while it is decoded, which takes a third of the time that it takes to look at
its fields. What holds anything else is for others to read.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec


class _Delta(msgspec.Struct, gc=False):
    content: Annotated[str, msgspec.Meta(min_length=1)]
    reasoning_content: None = None
    reasoning: None = None
    reasoning_details: None = None
    thinking: None = None
    thinking_blocks: None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    annotations: None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Delta
    index: Literal[0] = 0
    logprobs: None = None
    finish_reason: None = None
    usage: None = None


class _Event(msgspec.Struct):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1, max_length=1)]
    usage: None = None
    error: None = None
    service_tier: None = None
    workspan: None = None


_decode = msgspec.json.Decoder(_Event).decode


def text_alone(event: bytes) -> str | None:
    """Return the text of an event, in JSON, that goes on with the first choice's and no more.

    None where it says anything else that is known, or is no event; never an empty text.
    """
    try:
        return _decode(event).choices[0].delta.content
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
