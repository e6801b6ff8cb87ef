"""The answer as a client was given it, read back from its bytes: the candidate of today's setting.

What can't be read is no candidate, and the request is not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from workspan.data.content import ToolCall
from workspan.data.types import Sample, Usage
from workspan.errors import EngineProtocolError
from workspan.protocol.messages import hearing

_FINISHES = {"tool_calls": "stop", "function_call": "stop", "stop": "stop", "length": "length"}


def read_given(said: bytes) -> Sample | None:
    """Return what a reply said, whole or as events, in any dialect; None where it can't be read."""
    try:
        if said.lstrip()[:1] == b"{":
            return _of_chats([_as_chat(json.loads(said))])
        return _of_events([json.loads(one) for one in _events(said)])
    except (ValueError, RecursionError, TypeError, AttributeError, KeyError, EngineProtocolError):
        return None


def _events(said: bytes) -> Iterator[bytes]:
    for line in said.split(b"\n"):
        data = line.removeprefix(b"data:").strip()
        if line.startswith(b"data:") and data != b"[DONE]":
            yield data


def _of_events(values: list[Any]) -> Sample | None:
    if any(one.get("type") == "message_start" for one in values):
        hearer = hearing.Hearer()
        return _of_chats(chunk for one in values for chunk in hearer.hear(one))
    for one in values:
        if one.get("type") in ("response.completed", "response.incomplete"):
            return _of_chats([_as_chat(one["response"])])
    return _of_chats(values)


def _as_chat(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put a whole reply of another dialect into a chat's words."""
    if value.get("type") == "message":
        return hearing.whole(value)
    if value.get("object") == "response":
        return _of_response(value)
    return value


def _of_response(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Put a whole Response into a chat's words: its texts and its calls of functions."""
    text, refusal, calls = "", "", list[dict[str, Any]]()
    for item in value.get("output") or ():
        if item.get("type") == "message":
            for part in item.get("content") or ():
                text += part.get("text") or ""
                refusal += part.get("refusal") or ""
        elif item.get("type") == "function_call":
            told = {"name": item["name"], "arguments": item["arguments"]}
            calls.append({"index": len(calls), "id": item.get("call_id"), "function": told})
    message = {"content": text, "tool_calls": calls, "refusal": refusal}
    finish = "stop" if value.get("status") == "completed" else "length"
    return {"choices": [{"index": 0, "message": message, "finish_reason": finish}]}


@dataclass(slots=True)
class _Gathered:
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    finish: str = ""
    calls: dict[int, dict[str, str]] = field(default_factory=dict)

    def take(self, told: Mapping[str, Any]) -> None:
        """Take a message, or a piece of one."""
        content = told.get("content")
        if isinstance(content, list):
            content = "".join(part.get("text") or "" for part in content)
        self.text += content or ""
        self.reasoning += told.get("reasoning_content") or told.get("reasoning") or ""
        self.refusal += told.get("refusal") or ""
        for place, call in enumerate(told.get("tool_calls") or ()):
            function = call.get("function") or call.get("custom") or {}
            own = self.calls.setdefault(
                call.get("index", place),
                {"id": "", "name": "", "arguments": "", "kind": call.get("type") or "function"},
            )
            own["id"] = own["id"] or call.get("id") or ""
            own["name"] += function.get("name") or ""
            own["arguments"] += function.get("arguments") or function.get("input") or ""


def _of_chats(values: Iterable[Mapping[str, Any]]) -> Sample | None:
    """Put together a chat, whole or in pieces; None where it has no first choice, or no end."""
    gathered = _Gathered()
    for value in values:
        for choice in value.get("choices") or ():
            if choice.get("index", 0) == 0:
                gathered.take(choice.get("message") or choice.get("delta") or {})
                gathered.finish = choice.get("finish_reason") or gathered.finish
    if not gathered.finish:
        return None
    calls = tuple(
        ToolCall(call["id"], call["name"], call["arguments"], call["kind"])
        for _, call in sorted(gathered.calls.items())
    )
    finish = _FINISHES.get(gathered.finish, "length")
    return Sample(
        gathered.text,
        "stop" if finish == "stop" else "length",
        Usage(),
        gathered.reasoning,
        tool_calls=calls,
        refusal=gathered.refusal,
    )
