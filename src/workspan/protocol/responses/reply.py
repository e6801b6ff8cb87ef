"""A response of OpenAI's Responses, whole or as a stream of events, from what a chat says.

Every field that a client was seen to need is there (`tests/gateway/dialects`): one id throughout,
items with theirs, a call's `call_id`, `name`, `arguments` and `status`, a text's `annotations`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from workspan.protocol import speaking
from workspan.protocol.speaking import Part, count, event

_encode = msgspec.json.Encoder().encode
_ECHOED = (
    *("instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "reasoning"),
    *("temperature", "text", "tool_choice", "tools", "top_p", "truncation", "user"),
    *("prompt_cache_key", "safety_identifier", "service_tier", "top_logprobs"),
)
_UNSAID: Mapping[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "truncation": "disabled",
}
"""What a response says of a setting that the request left out."""


class Speaker(speaking.Speaker):
    """Writes one response."""

    def __init__(
        self,
        id: str,
        created: int,
        body: Mapping[str, Any],
        spaces: Mapping[str, tuple[str, str]],
    ) -> None:
        """Begin.

        Args:
            id: of the request.
            created: seconds since 1970.
            body: of the request, as JSON's values: a response says again what was asked.
            spaces: namespaces of tools, see `Carried.spaces`.
        """
        super().__init__()
        self.id = f"resp_{id}"
        self._created = created
        self._asked = str(body.get("model") or "")
        self._echo = {**_UNSAID} | {n: body[n] for n in _ECHOED if body.get(n) is not None}
        self._spaces = spaces
        self._number = 0
        self._framed: tuple[Part, bytes] | None = None
        self.is_kept = False
        """It may be gone on from."""
        self._before = body.get("previous_response_id")
        self.final: dict[str, Any] = {}
        """The response, once it is whole."""

    def _event(self, kind: str, **fields: Any) -> bytes:
        name = f"response.{kind}"
        told = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return event(name, told)

    def keep_alive(self) -> bytes:
        """Say that all is well; a client waits for the beginning first."""
        if not self.is_begun:
            return self.opening()
        told = {"type": "keepalive", "sequence_number": self._number}
        self._number += 1
        return event("keepalive", told)

    def began(self) -> bytes:
        """Begin the response."""
        told = self._response("in_progress", [])
        return self._event("created", response=told) + self._event("in_progress", response=told)

    def opened(self, part: Part) -> bytes:
        """Begin an item, and the part that it holds."""
        return _OPENED[part.kind](self, part)

    def more(self, part: Part, text: str, scored: Sequence[Any]) -> bytes:
        """Go on with an item."""
        if part.kind == "text" and not scored:
            return self.texts(part, (text,))[0]
        kind, field = _DELTAS[part.call_kind if part.kind == "call" else part.kind]
        told = self._at(part, kind)
        if part.kind == "text":
            told["logprobs"] = list(scored)
        return self._event(f"{field}.delta", **told, delta=text)

    def texts(self, part: Part, texts: Sequence[str]) -> list[bytes]:
        """Go on with a text."""
        frame, first = self._frame(part), self._number
        self._number += len(texts)
        return [frame % (n, _encode(text)) for n, text in enumerate(texts, first)]

    def _frame(self, part: Part) -> bytes:
        """Return what stands around a piece of text: its number and its words are left open."""
        if self._framed is None or self._framed[0] is not part:
            at = _encode({**self._at(part, "text"), "logprobs": []})[1:-1].replace(b"%", b"%%")
            name = b"response.output_text.delta"
            told = b'{"type":"%b","sequence_number":%%d,%b,"delta":%%b}' % (name, at)
            self._framed = (part, b"event: %b\ndata: %b\n\n" % (name, told))
        return self._framed[1]

    def closed(self, part: Part) -> bytes:
        """Say that a part, and the item that it is, are whole."""
        out = b""
        item = self._item(part, self._ended(part))
        kind, field = _DELTAS[part.call_kind if part.kind == "call" else part.kind]
        if part.kind == "call":
            named = {"name": item["name"]} if kind == "arguments" else {}
            out = self._event(f"{field}.done", **self._at(part, kind), **named, **{kind: part.text})
        elif part.pieces:
            told = self._at(part, kind)
            if part.kind == "text":
                told["logprobs"] = part.scored
            inner = item["content"][0]
            out = self._event(f"{field}.done", **told, **{kind: part.text})
            out += self._event("content_part.done", **self._at(part, kind), part=inner)
        return out + self._event("output_item.done", output_index=part.place, item=item)

    def lacking(self, part: Part) -> str:
        """Return an object without fields for no arguments: clients read them as JSON."""
        is_call = part.kind == "call" and part.call_kind == "function"
        is_open = not is_call or part.text.strip() or self._ended(part) != "completed"
        return "" if is_open else "{}"

    def _ended(self, part: Part) -> str:
        is_last = part.place == len(self.parts) - 1
        return "incomplete" if is_last and self.finish in _UNFINISHED else "completed"

    def ending(self) -> bytes:
        """End it with the response, whole or incomplete."""
        told = self.reply()
        return self._event(str(told["status"]), response=told)

    def failed(self, code: str, message: str) -> bytes:
        """Write the end of a response that died."""
        opening = self.opening()
        told = self._response("failed", [])
        told["error"] = {"code": code, "message": message}
        return opening + self._event("failed", response=told)

    def reply(self) -> dict[str, Any]:
        """Return the response."""
        why = _UNFINISHED.get(self.finish)
        output = [self._item(part, self._ended(part)) for part in self.parts]
        told = self._response("completed" if why is None else "incomplete", output)
        if why is not None:
            told["incomplete_details"] = {"reason": why}
        told["usage"] = self._usage()
        if self.workspan is not None:
            told["workspan"] = self.workspan
        self.final = told
        return told

    def _usage(self) -> dict[str, Any]:
        usage = self.usage
        read, made = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
        cached = count(usage, "prompt_tokens_details", "cached_tokens")
        thought = count(usage, "completion_tokens_details", "reasoning_tokens")
        return {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": cached},
            "output_tokens": made,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": count(usage, "total_tokens") or read + made,
        }

    def _response(self, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self.model or self._asked,
            "output": output,
            "previous_response_id": self._before,
            "store": self.is_kept,
            "usage": None,
            **self._echo,
        }

    def _at(self, part: Part, kind: str) -> dict[str, Any]:
        told: dict[str, Any] = {"item_id": self._id(part), "output_index": part.place}
        return told if kind in ("arguments", "input") else {**told, "content_index": 0}

    def _id(self, part: Part) -> str:
        known = part.kept.get("id") if part.kind == "thought" else None
        return str(known or f"{_PREFIXES[part.kind]}_{self.id[5:]}_{part.place}")

    def _message(self, part: Part) -> bytes:
        item = {"id": self._id(part), "type": "message", "status": "in_progress"}
        item |= {"role": "assistant", "content": []}  # type: ignore[dict-item]
        return self._added(part, item) + self._part_added(part)

    def _thought(self, part: Part) -> bytes:
        is_shown = part.kept.get("type") is None
        if not is_shown:
            return self._added(part, self._item(part, "in_progress"))
        item = {"id": self._id(part), "type": "reasoning", "summary": [], "content": []}
        return self._added(part, item) + self._part_added(part)

    def _call_added(self, part: Part) -> bytes:
        return self._added(part, self._item(part, "in_progress"))

    def _added(self, part: Part, item: Mapping[str, Any]) -> bytes:
        return self._event("output_item.added", output_index=part.place, item=item)

    def _part_added(self, part: Part) -> bytes:
        empty = _INNER[part.kind](Part(part.kind, part.place))
        return self._event("content_part.added", **self._at(part, part.kind), part=empty)

    def _item(self, part: Part, status: str) -> dict[str, Any]:
        id = self._id(part)
        if part.kind == "thought":
            return {"id": id, "type": "reasoning", **_thinking(part)}
        if part.kind == "call":
            return {"id": id, **self._called(part), "status": status}
        content = [_INNER[part.kind](part)]
        told = {"id": id, "type": "message", "status": status, "role": "assistant"}
        return {**told, "content": content}

    def _called(self, part: Part) -> dict[str, Any]:
        call_id = part.id or f"call_{self.id[5:]}_{part.place}"
        if part.call_kind == "custom":
            told = {"type": "custom_tool_call", "call_id": call_id, "name": part.name}
            return {**told, "input": part.text}
        space, name = self._spaces.get(part.name, ("", part.name))
        named = {"name": name, "namespace": space} if space else {"name": name}
        return {"type": "function_call", "call_id": call_id, **named, "arguments": part.text}


_PREFIXES = {"text": "msg", "refusal": "msg", "thought": "rs", "call": "fc"}
_UNFINISHED: Mapping[str, str] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
"""Why a response is incomplete, by why the chat ended."""
_DELTAS: Mapping[str, tuple[str, str]] = {
    "text": ("text", "output_text"),
    "thought": ("text", "reasoning_text"),
    "refusal": ("refusal", "refusal"),
    "function": ("arguments", "function_call_arguments"),
    "custom": ("input", "custom_tool_call_input"),
}
"""By the kind of a part, or of a call: the field of its text when whole, and its events."""


def _output_text(part: Part) -> dict[str, Any]:
    told = {"type": "output_text", "text": part.text, "annotations": [_note(n) for n in part.notes]}
    return {**told, "logprobs": part.scored}


def _note(told: dict[str, Any]) -> dict[str, Any]:
    """Write an annotation flat, as Responses has it."""
    inner = told.get(str(told.get("type")))
    return {"type": told.get("type"), **inner} if isinstance(inner, dict) else told


def _thinking(part: Part) -> dict[str, Any]:
    """Write thinking, with what must come back with it."""
    kept = dict(part.kept)
    kept.pop("id", None)
    kind = kept.pop("type", None)
    if kind == "reasoning.encrypted":
        return {"summary": [], "encrypted_content": kept.pop("data", ""), **kept}
    if kind == "reasoning.summary":
        said = str(kept.pop("summary", "") or "")
        return {"summary": [{"type": "summary_text", "text": said}], **kept}
    content = [_INNER["thought"](part)] if part.pieces or kind is None else []
    return {"summary": [], "content": content, **kept}


_INNER: Mapping[str, Callable[[Part], dict[str, Any]]] = {
    "text": _output_text,
    "refusal": lambda part: {"type": "refusal", "refusal": part.text},
    "thought": lambda part: {"type": "reasoning_text", "text": part.text},
}
_OPENED: Mapping[str, Callable[[Speaker, Part], bytes]] = {
    "text": Speaker._message,
    "refusal": Speaker._message,
    "thought": Speaker._thought,
    "call": Speaker._call_added,
}
