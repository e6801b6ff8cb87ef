"""What an upstream says in Responses, as a chat would say it: for clients of another dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workspan.errors import EngineProtocolError
from workspan.protocol.speaking import count

ENDS = frozenset({"response.completed", "response.incomplete"})
"""Events after which nothing comes."""
_CALLS: Mapping[str, tuple[str, str]] = {
    "function_call": ("function", "arguments"),
    "custom_tool_call": ("custom", "input"),
}
"""Items that are calls: how a chat names their kind, and what they are called with."""


def usage_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """Write usage as a chat has it."""
    prompt, made = count(told, "input_tokens"), count(told, "output_tokens")
    read, thought = told.get("input_tokens_details"), told.get("output_tokens_details")
    cached = count(read, "cached_tokens") if isinstance(read, dict) else 0
    reasoning = count(thought, "reasoning_tokens") if isinstance(thought, dict) else 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": made,
        "total_tokens": prompt + made,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }


def whole(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a response as a whole chat.

    Raises:
        EngineProtocolError: it is none, or is not whole.
    """
    items = value.get("output")
    if not isinstance(items, list) or value.get("status") not in ("completed", "incomplete"):
        raise EngineProtocolError("what came is no response")
    message: dict[str, Any] = {"role": "assistant", "content": None}
    for item in items:
        for name, told in _of_item(item, len(message.get("tool_calls") or ())).items():
            known = message.get(name)
            message[name] = told if known is None else known + told
    return {
        "id": value.get("id"),
        "object": "chat.completion",
        "created": count(value, "created_at"),
        "model": value.get("model"),
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": _finish(value, has_calls="tool_calls" in message),
            }
        ],
        "usage": usage_of(_object(value.get("usage"))),
    }


def _object(told: Any) -> dict[str, Any]:
    return told if isinstance(told, dict) else {}


def _finish(value: Mapping[str, Any], *, has_calls: bool) -> str:
    if value.get("status") == "incomplete":
        reason = _object(value.get("incomplete_details")).get("reason")
        return "content_filter" if reason == "content_filter" else "length"
    return "tool_calls" if has_calls else "stop"


def _of_item(told: Any, calls: int) -> dict[str, Any]:
    item = _object(told)
    kind = item.get("type")
    if kind in _CALLS:
        return {"tool_calls": [_call(item, calls)]}
    if kind == "reasoning":
        return _thought(item)
    if kind != "message":
        return {}
    parts = [_object(one) for one in item.get("content") or ()]
    text = "".join(one.get("text") or "" for one in parts if one.get("type") == "output_text")
    refusal = "".join(one.get("refusal") or "" for one in parts)
    return {"content": text} | ({"refusal": refusal} if refusal else {})


def _call(item: Mapping[str, Any], place: int, *, is_open: bool = False) -> dict[str, Any]:
    kind, field = _CALLS[str(item["type"])]
    said = "" if is_open else item.get(field) or ""
    inner = {"name": item.get("name"), field: said}
    return {"index": place, "id": item.get("call_id"), "type": kind, kind: inner}


def _thought(item: Mapping[str, Any]) -> dict[str, Any]:
    parts = [*(item.get("summary") or ()), *(item.get("content") or ())]
    text = "\n\n".join(str(_object(one).get("text") or "") for one in parts)
    return ({"reasoning_content": text} if text else {}) | _kept(item)


def _kept(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return thinking that must go back as it came."""
    hidden = item.get("encrypted_content")
    if not hidden:
        return {}
    detail = {"type": "reasoning.encrypted", "data": hidden, "id": item.get("id")}
    return {"reasoning_details": [detail]}


class Hearer:
    """Puts the events of one stream into a chat's."""

    def __init__(self) -> None:
        self._frame: dict[str, Any] = {"object": "chat.completion.chunk", "created": 0}
        self._calls: dict[Any, int] = {}
        """Places of calls, by those of their items."""
        self._said: set[Any] = set()
        """Places of items of which something has come."""

    def hear(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the chunks that an event comes to."""
        take = _TAKES.get(str(value.get("type")))
        return [] if take is None else take(self, value)

    def _chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return {**self._frame, "choices": [choice]}

    def _begins(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        response = _object(value.get("response"))
        self._frame |= {"id": response.get("id"), "model": response.get("model")}
        return [self._chunk({"role": "assistant", "content": ""})]

    def _opens(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        item, place = _object(value.get("item")), value.get("output_index")
        if item.get("type") not in _CALLS:
            return []
        at = self._calls[place] = len(self._calls)
        return [self._chunk({"tool_calls": [_call(item, at, is_open=True)]})]

    def _grows(self, value: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
        self._said.add(value.get("output_index"))
        delta = value.get("delta")
        return [self._chunk({name: delta})] if isinstance(delta, str) and delta else []

    def _is_called(self, value: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
        place, field = value.get("output_index"), _CALLS[kind][1]
        self._said.add(place)
        inner = {field: value.get("delta") or ""}
        call = {"index": self._calls.get(place, 0), _CALLS[kind][0]: inner}
        return [self._chunk({"tool_calls": [call]})]

    def _closes(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Say what of an item did not come in pieces, as some servers do with short ones."""
        item, place = _object(value.get("item")), value.get("output_index")
        if item.get("type") == "reasoning" and (kept := _kept(item)):
            told = kept if place in self._said else _thought(item)
            return [self._chunk(told)]
        if place in self._said:
            return []
        self._said.add(place)
        if item.get("type") in _CALLS:
            opened = [] if place in self._calls else self._opens(value)
            kind, field = _CALLS[str(item["type"])]
            call = {"index": self._calls[place], kind: {field: item.get(field) or ""}}
            return [*opened, self._chunk({"tool_calls": [call]})]
        told = {name: said for name, said in _of_item(item, 0).items() if said}
        return [self._chunk(told)] if told else []

    def _ends(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        response = _object(value.get("response"))
        usage = usage_of(_object(response.get("usage")))
        last = {**self._frame, "choices": [], "usage": usage}
        return [self._chunk({}, _finish(response, has_calls=bool(self._calls))), last]


def _failed(hearer: Hearer, value: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: ARG001
    response = _object(value.get("response"))
    told = response.get("error") or value.get("error") or {"message": value.get("message")}
    return [{"error": told}]


_TAKES: Mapping[str, Callable[[Hearer, Mapping[str, Any]], list[dict[str, Any]]]] = {
    "response.created": Hearer._begins,
    "response.output_item.added": Hearer._opens,
    "response.output_text.delta": lambda one, value: one._grows(value, "content"),
    "response.refusal.delta": lambda one, value: one._grows(value, "refusal"),
    "response.reasoning_text.delta": lambda one, value: one._grows(value, "reasoning_content"),
    "response.reasoning_summary_text.delta": lambda one, value: one._grows(
        value, "reasoning_content"
    ),
    "response.function_call_arguments.delta": lambda one, value: one._is_called(
        value, "function_call"
    ),
    "response.custom_tool_call_input.delta": lambda one, value: one._is_called(
        value, "custom_tool_call"
    ),
    "response.output_item.done": Hearer._closes,
    "response.completed": Hearer._ends,
    "response.incomplete": Hearer._ends,
    "response.failed": _failed,
    "error": _failed,
}
