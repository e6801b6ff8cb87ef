"""A message of Anthropic's Messages, whole or as a stream of events, from what a chat says.

Every field that a client was seen to need is there (`tests/gateway/dialects`): lines that name each
event, a text that begins empty, an `input` that is an object, usage at both ends, and a last word.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from workspan.errors import EngineProtocolError
from workspan.protocol import speaking
from workspan.protocol.speaking import Part, count, event

_encode = msgspec.json.Encoder().encode
_TEXT = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
    b'"delta":{"type":"text_delta","text":%b}}\n\n'
)
"""A piece of text, which most events are: its block's place and its words are left open."""
PING = event("ping", {"type": "ping"})
_REASONS: Mapping[str, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
"""Why a message ended, by why the chat did."""


class Speaker(speaking.Speaker):
    """Writes one message."""

    def __init__(self, id: str, body: Mapping[str, Any]) -> None:
        """Begin; `id` is the request's, `body` its JSON's values."""
        super().__init__()
        self.id = f"msg_{id}"
        self._asked = str(body.get("model") or "")
        stops = body.get("stop_sequences")
        self._stops = (
            [one for one in stops if isinstance(one, str)] if isinstance(stops, list) else []
        )

    def began(self) -> bytes:
        """Begin; what was read is told at the end, where a chat tells it."""
        told = self._message([])
        told |= {"stop_reason": None, "stop_sequence": None}
        told["usage"] = {"input_tokens": 0, "output_tokens": 0}
        return event("message_start", {"type": "message_start", "message": told})

    def opened(self, part: Part) -> bytes:
        """Begin a block."""
        block = _OPENED[part.kind](self, part)
        if part.kind == "thought" and part.kept.get("type") is not None:
            block = self._block(part)
        told = {"type": "content_block_start", "index": part.place, "content_block": block}
        return event("content_block_start", told)

    def more(self, part: Part, text: str, scored: Sequence[Any]) -> bytes:  # noqa: ARG002
        """Go on with a block."""
        if part.kind == "text":
            return self.texts(part, (text,))[0]
        kind, field = _DELTAS[part.kind]
        return self._delta(part, {"type": kind, field: text})

    def texts(self, part: Part, texts: Sequence[str]) -> list[bytes]:
        """Go on with a text."""
        return [_TEXT % (part.place, _encode(text)) for text in texts]

    def closed(self, part: Part) -> bytes:
        """End a block; a thought is signed there."""
        out = b""
        if part.kind == "thought" and (signature := part.kept.get("signature")):
            out = self._delta(part, {"type": "signature_delta", "signature": signature})
        elif part.kind == "call" and not part.pieces:
            out = self._delta(part, {"type": "input_json_delta", "partial_json": ""})
        told = {"type": "content_block_stop", "index": part.place}
        return out + event("content_block_stop", told)

    def _delta(self, part: Part, told: Mapping[str, Any]) -> bytes:
        value = {"type": "content_block_delta", "index": part.place, "delta": told}
        return event("content_block_delta", value)

    def ending(self) -> bytes:
        """Say why it ended, and what it took."""
        told: dict[str, Any] = {
            "type": "message_delta",
            "delta": self._stopped(),
            "usage": self._usage(),
        }
        if self.workspan is not None:
            told["workspan"] = self.workspan
        return event("message_delta", told) + STOP

    def reply(self) -> dict[str, Any]:
        """Return the message."""
        parts = [part for part in self.parts if not self._is_torn(part)]
        told = self._message([self._block(part) for part in parts])
        told |= {**self._stopped(), "usage": self._usage()}
        return told if self.workspan is None else {**told, "workspan": self.workspan}

    def _is_torn(self, part: Part) -> bool:
        """Tell a call that a cap cut short, which is none."""
        return part.kind == "call" and self.finish == "length" and _input(part.text) is None

    def _message(self, content: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model or self._asked,
            "content": content,
        }

    def _stopped(self) -> dict[str, Any]:
        calls = any(part.kind == "call" for part in self.parts)
        if any(part.kind == "refusal" for part in self.parts):
            return {"stop_reason": "refusal", "stop_sequence": None}
        if self.finish in ("", "stop") and calls:
            return {"stop_reason": "tool_use", "stop_sequence": None}
        if self.finish == "stop" and self.stop_reason in self._stops:
            return {"stop_reason": "stop_sequence", "stop_sequence": self.stop_reason}
        return {"stop_reason": _REASONS.get(self.finish, "end_turn"), "stop_sequence": None}

    def _usage(self) -> dict[str, Any]:
        """Say what was read apart from what a cache served, as this dialect has it."""
        cached = count(self.usage, "prompt_tokens_details", "cached_tokens")
        return {
            "input_tokens": max(0, count(self.usage, "prompt_tokens") - cached),
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": cached,
            "output_tokens": count(self.usage, "completion_tokens"),
        }

    def _block(self, part: Part) -> dict[str, Any]:
        """Write a block that is whole."""
        if part.kind == "thought":
            return _thinking(part)
        if part.kind == "call":
            if (told := _input(part.text)) is None:
                raise EngineProtocolError(f"the arguments of {part.name} are no JSON object")
            return {**self._tool_use(part), "input": told}
        return {"type": "text", "text": part.text}

    def _tool_use(self, part: Part) -> dict[str, Any]:
        id = part.id or f"toolu_{self.id[4:]}_{part.place}"
        return {"type": "tool_use", "id": id, "name": part.name, "input": {}}


STOP = event("message_stop", {"type": "message_stop"})
_DELTAS: Mapping[str, tuple[str, str]] = {
    "text": ("text_delta", "text"),
    "refusal": ("text_delta", "text"),
    "thought": ("thinking_delta", "thinking"),
    "call": ("input_json_delta", "partial_json"),
}
_OPENED: Mapping[str, Callable[[Speaker, Part], dict[str, Any]]] = {
    "text": lambda _, __: {"type": "text", "text": ""},
    "refusal": lambda _, __: {"type": "text", "text": ""},
    "thought": lambda _, __: {"type": "thinking", "thinking": "", "signature": ""},
    "call": Speaker._tool_use,
}


def _thinking(part: Part) -> dict[str, Any]:
    """Write thinking, with what must come back with it."""
    kept = dict(part.kept)
    kind = kept.pop("type", None)
    if kind == "reasoning.encrypted":
        return {"type": "redacted_thinking", "data": kept.pop("data", ""), **kept}
    text = str(kept.pop("summary", "") or "") if kind == "reasoning.summary" else part.text
    return {"type": "thinking", "thinking": text, "signature": "", **kept}


def _input(arguments: str) -> dict[str, Any] | None:
    """Read a call's arguments; None where they are no object."""
    try:
        told = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None
