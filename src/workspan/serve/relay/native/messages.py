"""The events of Anthropic's Messages, from an upstream that speaks it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from workspan.data.types import Usage
from workspan.engines.endpoint.wire import Choice, Delta, Event, Report
from workspan.errors import EngineProtocolError
from workspan.protocol.messages.reply import PING, STOP
from workspan.protocol.speaking import event
from workspan.serve.dialects.messages import error_of
from workspan.serve.relay.native.base import (
    Heard,
    Native,
    NotEmpty,
    as_object,
    decoded,
    if_such,
    inner,
    number,
    report,
)
from workspan.serve.wire.errors import Failed


class _Delta(msgspec.Struct):
    type: Any = None
    text: Any = None
    thinking: Any = None
    partial_json: Any = None
    stop_reason: Any = None


class _Said(msgspec.Struct):
    type: str = ""
    index: Any = None
    delta: _Delta | None = None
    content_block: Any = None
    message: Any = None
    usage: Any = None


class _Text(msgspec.Struct, gc=False):
    text: NotEmpty


class _Piece(msgspec.Struct, gc=False):
    """An event that holds a piece of text, which nearly all are."""

    type: Literal["content_block_delta"]
    delta: _Text


_decode = msgspec.json.Decoder(_Said).decode
_decode_piece = msgspec.json.Decoder(_Piece).decode
_FINISHES: Mapping[str, str] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Why a chat would have ended; other reasons are a stop."""


class NativeMessages(Native):
    """One message."""

    def __init__(self, known: Mapping[str, Any], *, keeps: bool, lowered: int | None) -> None:
        super().__init__(known, keeps=keeps, lowered=lowered)
        self._usage: dict[str, Any] = {}
        self._open: list[int] = []
        self._end = b""

    def _text(self, content: bytes) -> str | None:
        piece = if_such(_decode_piece, content)
        return None if piece is None else piece.delta.text

    def _read(self, content: bytes) -> _Said:
        return decoded(_decode, _Said, content)

    def _take(self, content: bytes, said: _Said, heard: Heard) -> bytes | None:
        kind = said.type
        if kind == "error":
            heard.error = as_object(content)
        elif kind == "message_delta":
            return self._ends(content, said, heard)
        elif kind == "message_stop":
            if not self._end:
                raise EngineProtocolError("message_stop without a message_delta before it")
            heard.is_over = True
        else:
            if (take := _TAKES.get(kind)) is not None:
                take(self, said, heard)
            return content
        return None

    def _begins(self, said: _Said, heard: Heard) -> None:
        self.is_begun = True
        usage = said.message.get("usage") if isinstance(said.message, dict) else None
        if isinstance(usage, dict):
            self._usage |= usage
            heard.events.append(Event(usage=_report({**usage, "output_tokens": 0})))

    def _opens(self, said: _Said, heard: Heard) -> None:
        place = number(said.index)
        self._open.append(place)
        block = said.content_block if isinstance(said.content_block, dict) else {}
        if block.get("type") == "tool_use":
            inner = {"name": str(block.get("name") or ""), "arguments": ""}
            told = {"index": place, "id": str(block.get("id") or ""), "type": "function"}
            delta = Delta(tool_calls=[{**told, "function": inner}])
            heard.events.append(Event([Choice(delta=delta)]))
        elif text := block.get("text") or block.get("thinking"):
            heard.events.append(Event([Choice(delta=Delta(str(text)))]))

    def _grows(self, said: _Said, heard: Heard) -> None:
        delta = said.delta
        if delta is None:
            return
        if isinstance(delta.text, str):
            told = Delta(delta.text)
        elif isinstance(delta.thinking, str):
            told = Delta(reasoning_content=delta.thinking)
        elif isinstance(delta.partial_json, str):
            call = {"index": number(said.index), "function": {"arguments": delta.partial_json}}
            told = Delta(tool_calls=[call])
        else:
            return
        heard.events.append(Event([Choice(delta=told)]))

    def _closes(self, said: _Said, _: Heard) -> None:
        place = number(said.index)
        self._open = [one for one in self._open if one != place]

    def _ends(self, content: bytes, said: _Said, heard: Heard) -> bytes | None:
        """Hold the end back until the account is closed; return one that was none."""
        before, self._end = self._end or None, content
        if isinstance(said.usage, dict):
            self._usage |= {k: v for k, v in said.usage.items() if v is not None}
        reason = said.delta.stop_reason if said.delta is not None else None
        finish = None if reason is None else _FINISHES.get(str(reason), "stop")
        choices = [] if finish is None else [Choice(finish_reason=finish)]
        told = _report(self._usage) if isinstance(said.usage, dict) else None
        heard.events.append(Event(choices, told))
        return before

    def ending(self, usage: Mapping[str, Any], workspan: Mapping[str, Any]) -> bytes:
        """Write the end that was held back."""
        value = as_object(self._end)
        if not isinstance(value.get("usage"), dict):
            value["usage"] = usage
        value["workspan"] = workspan
        return event("message_delta", value) + STOP

    def cut(self, usage: Mapping[str, Any], workspan: Mapping[str, Any]) -> bytes:
        """End what is open, and the reply, as one that reached its cap."""
        out = [
            event("content_block_stop", {"type": "content_block_stop", "index": place})
            for place in self._open
        ]
        told = {
            "type": "message_delta",
            "delta": {"stop_reason": "max_tokens", "stop_sequence": None},
            "usage": usage,
            "workspan": workspan,
        }
        return b"".join([*out, event("message_delta", told), STOP])

    def failed(self, error: Failed) -> bytes:
        """End in an error."""
        return event("error", error_of(error))

    def keep_alive(self) -> bytes:
        """Write what means nothing, and shows that somebody is there."""
        return PING

    def whole(self, value: dict[str, Any]) -> Event:
        """Read a reply in one body."""
        if not isinstance(value.get("content"), list):
            raise EngineProtocolError("what came is no message")
        told = Delta("", tool_calls=[])
        for place, block in enumerate(value["content"]):
            if not isinstance(block, dict):
                continue
            if block.get("type") == "tool_use":
                call = {
                    "name": str(block.get("name") or ""),
                    "arguments": json.dumps(block.get("input")),
                }
                told.tool_calls.append(
                    {"index": place, "id": str(block.get("id")), "function": call}
                )
            told.content = (told.content or "") + str(block.get("text") or "")
            told.reasoning_content = (told.reasoning_content or "") + str(
                block.get("thinking") or ""
            )
        finish = _FINISHES.get(str(value.get("stop_reason")), "stop")
        return Event([Choice(message=told, finish_reason=finish)], _report(value.get("usage")))

    def completed(self, value: dict[str, Any], usage: Mapping[str, Any]) -> bool:
        """Add what clients break without."""
        lacking = {
            "id": f"msg_{self._known['id']}",
            "type": "message",
            "role": "assistant",
            "model": self._known["model"],
            "usage": usage,
        }
        new = {name: told for name, told in lacking.items() if value.get(name) is None}
        new |= {name: None for name in ("stop_reason", "stop_sequence") if name not in value}
        value |= new
        return bool(new)

    def usage_value(self, usage: Usage) -> dict[str, Any]:
        """Write a bill in the dialect."""
        return {
            "input_tokens": usage.input_tokens - usage.cached_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": usage.cached_tokens,
            "output_tokens": usage.output_tokens,
        }


_TAKES: Mapping[str, Callable[[NativeMessages, _Said, Heard], None]] = {
    "message_start": NativeMessages._begins,
    "content_block_start": NativeMessages._opens,
    "content_block_delta": NativeMessages._grows,
    "content_block_stop": NativeMessages._closes,
}


def _report(usage: Any) -> Report | None:
    """Read usage, whose prompt is told in three parts that do not overlap."""
    if not isinstance(usage, dict):
        return None
    cached = number(usage.get("cache_read_input_tokens"))
    written = number(usage.get("cache_creation_input_tokens"))
    prompt = number(usage.get("input_tokens")) + cached + written
    thought = inner(usage, "output_tokens_details", "thinking_tokens")
    return report(prompt, cached, number(usage.get("output_tokens")), thought)
