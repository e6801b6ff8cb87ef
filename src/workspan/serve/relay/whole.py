"""A reply in one body, handed on: as it came, with what clients need and ours at its end."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from workspan.data.types import Usage
from workspan.serve.relay.attempt import Attempt
from workspan.serve.relay.blocks import written
from workspan.serve.relay.native import Native
from workspan.serve.relay.telling import spent, usage_value


class _Call(msgspec.Struct):
    id: str
    type: str
    function: msgspec.Raw


class _Message(msgspec.Struct):
    role: str
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct):
    index: int
    finish_reason: str
    message: _Message


class _Complete(msgspec.Struct):
    """A chat that every client reads: what one of them breaks without is there."""

    id: str
    object: str
    created: int
    model: str
    choices: list[_Choice]
    usage: dict[str, Any]


_check = msgspec.json.Decoder(_Complete).decode


def as_reply(attempt: Attempt, usage: Usage, stop: str) -> bytes:
    """Return the body for the client: the upstream's own bytes, with ``workspan`` at their end."""
    told = msgspec.json.encode(spent(attempt, usage, stop))
    body = attempt.whole.rstrip()
    if attempt.native is not None:
        body = _native(attempt, attempt.native, usage) or body
    elif attempt.passed.form == "chat" and not _is_complete(body):
        body = written(_completed(attempt, json.loads(body), usage))
    if not body.endswith(b"}") or len(body) < 3:
        return body
    return b'%b,"workspan":%b}' % (body[:-1], told)


def _native(attempt: Attempt, native: Native, usage: Usage) -> bytes:
    """Return a body of another dialect with what it lacked; empty where it lacked nothing."""
    value = attempt.value
    return written(value) if native.completed(value, native.usage_value(usage)) else b""


def _is_complete(body: bytes) -> bool:
    try:
        _check(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _completed(attempt: Attempt, value: dict[str, Any], usage: Usage) -> dict[str, Any]:
    """Add the fields that clients break without; what was said stays as it is."""
    asked = attempt.passed.asked
    known = {
        "id": asked.id,
        "object": "chat.completion",
        "created": 0,
        "model": attempt.server.model or asked.model,
        "usage": usage_value(attempt, usage),
    }
    for name, told in known.items():
        if value.get(name) is None:
            value[name] = told
    for place, choice in enumerate(value.get("choices") or ()):
        if isinstance(choice, dict):
            _complete_choice(choice, place)
    return value


def _complete_choice(choice: dict[str, Any], place: int) -> None:
    choice.setdefault("index", place)
    choice.setdefault("finish_reason", None)
    message = choice.get("message")
    if not isinstance(message, dict):
        return
    if message.get("role") is None:
        message["role"] = "assistant"
    for i, call in enumerate(message.get("tool_calls") or ()):
        if isinstance(call, dict):
            if not call.get("id"):
                call["id"] = f"call_{place}_{i}"
            if call.get("type") is None:
                call["type"] = "function"


def as_event(attempt: Attempt) -> bytes:
    """Write a whole reply as the one event of a stream: the upstream does not stream."""
    value = json.loads(attempt.whole)
    attempt.first = attempt.whole
    told = value.pop("usage", None)
    attempt.usage = told if isinstance(told, dict) else None
    if attempt.passed.form == "chat":
        value["object"] = "chat.completion.chunk"
    for choice in value.get("choices") or ():
        if isinstance(choice, dict) and isinstance(message := choice.pop("message", None), dict):
            for i, call in enumerate(message.get("tool_calls") or ()):
                if isinstance(call, dict):
                    call.setdefault("index", i)
            choice["delta"] = message
    return b"data: %b\n\n" % written(value)
