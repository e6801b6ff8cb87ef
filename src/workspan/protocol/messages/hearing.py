"""What an upstream says in Messages, as a chat would say it: for clients of another dialect."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from workspan.errors import EngineProtocolError
from workspan.protocol.speaking import count

_FINISHES: Mapping[str, str] = {
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
"""Why a chat would have ended; other reasons are a stop."""


def usage_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """Write usage as a chat has it: what caches held is part of the prompt."""
    cached = count(told, "cache_read_input_tokens")
    written = count(told, "cache_creation_input_tokens")
    prompt, made = count(told, "input_tokens") + cached + written, count(told, "output_tokens")
    return {
        "prompt_tokens": prompt,
        "completion_tokens": made,
        "total_tokens": prompt + made,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def whole(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message as a whole chat.

    Raises:
        EngineProtocolError: it is none.
    """
    blocks = value.get("content")
    if not isinstance(blocks, list):
        raise EngineProtocolError("what came is no message")
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for block in blocks:
        for name, told in _of_block(block, len(message.get("tool_calls") or ())).items():
            known = message.get(name)
            message[name] = told if known is None else known + told
    finish = _FINISHES.get(str(value.get("stop_reason")), "stop")
    usage = value.get("usage")
    return {
        "id": value.get("id"),
        "object": "chat.completion",
        "created": 0,
        "model": value.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage_of(usage if isinstance(usage, dict) else {}),
    }


def _of_block(block: Any, calls: int) -> dict[str, Any]:
    told = block if isinstance(block, dict) else {}
    kind = told.get("type")
    if kind == "text":
        return {"content": told.get("text") or ""}
    if kind == "thinking":
        text, signature = told.get("thinking") or "", told.get("signature")
        detail = {"type": "reasoning.text", "text": text, "signature": signature}
        kept = {"reasoning_details": [detail]} if signature else {}
        return {"reasoning_content": text, **kept}
    if kind == "redacted_thinking":
        return {"reasoning_details": [{"type": "reasoning.encrypted", "data": told.get("data")}]}
    if kind == "tool_use":
        inner = {"name": told.get("name"), "arguments": json.dumps(told.get("input") or {})}
        call = {"index": calls, "id": told.get("id"), "type": "function", "function": inner}
        return {"tool_calls": [call]}
    return {}


class Hearer:
    """Puts the events of one stream into a chat's."""

    def __init__(self) -> None:
        self._frame: dict[str, Any] = {"object": "chat.completion.chunk", "created": 0}
        self._usage: dict[str, Any] = {}
        self._calls: dict[Any, int] = {}
        """Places of calls, by their blocks'."""

    def hear(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the chunks that an event comes to."""
        take = _TAKES.get(str(value.get("type")))
        return [] if take is None else take(self, value)

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {**self._frame, "choices": [choice]}

    def _begins(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        message = value.get("message")
        if isinstance(message, dict):
            self._frame |= {"id": message.get("id"), "model": message.get("model")}
            self._usage |= message.get("usage") or {}
        return [self._chunk({"role": "assistant", "content": ""})]

    def _opens(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        block = value.get("content_block")
        told = _of_block(block, len(self._calls))
        if "tool_calls" in told:
            self._calls[value.get("index")] = len(self._calls)
            told["tool_calls"][0]["function"]["arguments"] = ""
        said = {name: one for name, one in told.items() if one}
        return [self._chunk(said)] if said else []

    def _grows(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        delta = value.get("delta")
        told = delta if isinstance(delta, dict) else {}
        if "text" in told:
            return [self._chunk({"content": told["text"]})]
        if "thinking" in told:
            return [self._chunk({"reasoning_content": told["thinking"]})]
        if "signature" in told:
            detail = {"type": "reasoning.text", "signature": told["signature"]}
            return [self._chunk({"reasoning_details": [detail]})]
        if "partial_json" not in told:
            return []
        place = self._calls.get(value.get("index"), 0)
        call = {"index": place, "function": {"arguments": told["partial_json"]}}
        return [self._chunk({"tool_calls": [call]})]

    def _ends(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        usage = value.get("usage")
        if isinstance(usage, dict):
            self._usage |= {name: one for name, one in usage.items() if one is not None}
        delta = value.get("delta")
        reason = delta.get("stop_reason") if isinstance(delta, dict) else None
        last = {**self._frame, "choices": [], "usage": usage_of(self._usage)}
        return [self._chunk({}, _FINISHES.get(str(reason), "stop")), last]


_TAKES: Mapping[str, Callable[[Hearer, Mapping[str, Any]], list[dict[str, Any]]]] = {
    "message_start": Hearer._begins,
    "content_block_start": Hearer._opens,
    "content_block_delta": Hearer._grows,
    "message_delta": Hearer._ends,
    "error": lambda _, value: [dict(value)],
}
