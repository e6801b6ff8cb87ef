"""The events of OpenAI's Responses, from an upstream that speaks it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from workspan.data.types import Usage
from workspan.engines.endpoint.wire import Choice, Delta, Event, Report
from workspan.errors import EngineProtocolError
from workspan.protocol.speaking import event
from workspan.serve.dialects.responses import code_of
from workspan.serve.relay.blocks import written
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


class _Said(msgspec.Struct):
    type: str = ""
    delta: Any = None
    output_index: Any = None
    item_id: Any = None
    item: Any = None
    response: Any = None
    sequence_number: Any = None


@dataclass(slots=True)
class _Item:
    """An item of the output, as far as it has come."""

    told: dict[str, Any]
    is_done: bool = False
    pieces: list[str] = field(default_factory=list)


class _Piece(msgspec.Struct, gc=False):
    """An event that holds a piece of text, which nearly all are."""

    type: Literal["response.output_text.delta"]
    delta: NotEmpty
    output_index: int
    sequence_number: int | None = None


_decode = msgspec.json.Decoder(_Said).decode
_decode_piece = msgspec.json.Decoder(_Piece).decode
_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that call tools of the client, and where what they are called with stands."""
_ENDS = ("response.completed", "response.incomplete")
_FAILS = ("response.failed", "error")
_OPENINGS = ("response.created", "response.in_progress", "response.queued")
_ITEM = "response.output_item."
_TEXTS = ("response.content_part.", "response.output_text.", "response.refusal.")
_PLACED = (
    *(_ITEM, *_TEXTS, "response.reasoning_"),
    *("response.function_call_arguments.", "response.custom_tool_call_input."),
)
"""Events that belong to an item of the output."""
_PART_LACKS: Mapping[str, Any] = {"annotations": [], "text": ""}


class NativeResponses(Native):
    """One response."""

    def __init__(self, known: Mapping[str, Any], *, keeps: bool, lowered: int | None) -> None:
        super().__init__(known, keeps=keeps, lowered=lowered)
        self._response: dict[str, Any] = {}
        self._places: dict[str, int] = {}
        """Of the items, by their ids."""
        self._items: dict[int, _Item] = {}
        self._number = -1
        self._end = b""
        self._is_cut = False

    def _text(self, content: bytes) -> str | None:
        piece = if_such(_decode_piece, content)
        item = None if piece is None else self._items.get(piece.output_index)
        if piece is None or item is None:
            return None
        if piece.sequence_number is not None:
            self._number = piece.sequence_number
        if self._keeps:
            item.pieces.append(piece.delta)
        return piece.delta

    def _read(self, content: bytes) -> _Said:
        return decoded(_decode, _Said, content)

    def _take(self, content: bytes, said: _Said, heard: Heard) -> bytes | None:
        kind = said.type
        if isinstance(said.sequence_number, int):
            self._number = max(self._number, said.sequence_number)
        if kind in _FAILS:
            heard.error = _why(as_object(content))
            return None
        if kind in _ENDS:
            self._end, heard.is_over = content, True
            heard.events.append(self._ended(said.response))
            return None
        shown = self._mended(content, said)
        if (field_of := _DELTAS.get(kind)) is not None:
            self._grow(said, field_of, heard)
        elif kind.startswith("response.output_item."):
            self._item(said, heard)
        elif kind in _OPENINGS:
            self.is_begun = True
            if isinstance(said.response, dict):
                self._response = said.response
        return shown

    def _mended(self, content: bytes, said: _Said) -> bytes:
        """Return an event with what clients break without; as it came where nothing lacks."""
        kind = said.type
        if kind in _OPENINGS:
            if not isinstance(said.response, dict) or not _fill(said.response, self._lacking):
                return content
            value = {**as_object(content), "response": said.response}
        else:
            is_placed = isinstance(said.output_index, int) or not kind.startswith(_PLACED)
            is_item = kind.startswith(_ITEM) and isinstance(said.item, dict)
            if is_placed and not (is_item and self._complete(said)):
                return content
            value = self._placed(as_object(content), said)
            if is_item:
                value["item"] = said.item
        return written(value)

    def _complete(self, said: _Said) -> bool:
        place = said.output_index
        if not isinstance(place, int):
            place = self._places.get(str(said.item.get("id")), len(self._places))
        is_done = said.type.endswith(".done")
        status = "completed" if is_done else "in_progress"
        return _complete(said.item, f"{self._known['id']}_{place}", status)

    def _placed(self, value: dict[str, Any], said: _Said) -> dict[str, Any]:
        """Say where an event belongs: some servers name no places, or no items."""
        if isinstance(said.output_index, int):
            return value
        if isinstance(said.item, dict):
            self._complete(said)
            id = str(said.item["id"])
            place = self._places.setdefault(id, len(self._places))
        else:
            last = next(reversed(self._places), "")
            id = str(said.item_id or last)
            place = self._places.get(id, max(0, len(self._places) - 1))
            value.setdefault("item_id", id)
            if said.type.startswith(_TEXTS):
                value.setdefault("content_index", 0)
            if isinstance(part := value.get("part"), dict):
                _fill(part, _PART_LACKS)
        said.output_index = place
        return {**value, "output_index": place}

    @property
    def _lacking(self) -> dict[str, Any]:
        return {
            "id": f"resp_{self._known['id']}",
            "object": "response",
            "created_at": 0,
            "model": self._known["model"],
            "output": [],
        }

    def _ended(self, response: Any) -> Event:
        """Read the end; one that came at a cap of ours is no whole answer, whatever it says."""
        event = _ended(response)
        made = event.usage.completion_tokens if event.usage is not None else 0
        if self._lowered is not None and made >= self._lowered:
            event.choices[0].finish_reason = "length"
        self._is_cut = event.choices[0].finish_reason == "length"
        return event

    def _grow(self, said: _Said, written: Callable[[int, str], Delta], heard: Heard) -> None:
        text = said.delta
        if not isinstance(text, str) or not text:
            return
        place = number(said.output_index)
        heard.events.append(Event([Choice(delta=written(place, text))]))
        if self._keeps and place in self._items:
            self._items[place].pieces.append(text)

    def _item(self, said: _Said, heard: Heard) -> None:
        if not isinstance(said.item, dict):
            return
        place, item = number(said.output_index), said.item
        if said.type.endswith(".done"):
            self._items[place] = _Item(item, is_done=True)
            return
        self._items[place] = _Item(item)
        if item.get("type") in _CALLS:
            name = str(item.get("name") or "")
            delta = _call(place, "", name=name, id=str(item.get("call_id") or ""))
            heard.events.append(Event([Choice(delta=delta)]))

    def ending(self, usage: Mapping[str, Any], workspan: Mapping[str, Any]) -> bytes:
        """Write the end that was held back."""
        value = as_object(self._end)
        response = value.get("response")
        if isinstance(response, dict):
            self.completed(response, usage)
            response["workspan"] = workspan
            value["type"] = f"response.{response['status']}"
        return event(str(value["type"]), value)

    def cut(self, usage: Mapping[str, Any], workspan: Mapping[str, Any]) -> bytes:
        """End what is open, and the reply, as one that reached its cap."""
        out = [
            self._event("output_item.done", output_index=place, item=_left(one))
            for place, one in sorted(self._items.items())
            if not one.is_done
        ]
        output = [_left(one) for _, one in sorted(self._items.items())]
        told = {
            **self._response,
            "status": "incomplete",
            "incomplete_details": {"reason": "max_output_tokens"},
            "output": output,
            "usage": usage,
            "workspan": workspan,
        }
        self.final = told
        return b"".join([*out, self._event("incomplete", response=told)])

    def failed(self, error: Failed) -> bytes:
        """End in an error."""
        why = {"code": code_of(error), "message": str(error)}
        return self._event("failed", response={**self._response, "status": "failed", "error": why})

    def keep_alive(self) -> bytes:
        """Write what means nothing, and shows that somebody is there."""
        return event("keepalive", {"type": "keepalive", "sequence_number": max(0, self._number)})

    def _event(self, kind: str, **fields: Any) -> bytes:
        self._number += 1
        name = f"response.{kind}"
        return event(name, {"type": name, "sequence_number": self._number, **fields})

    def whole(self, value: dict[str, Any]) -> Event:
        """Read a reply in one body."""
        if not isinstance(value.get("output"), list):
            raise EngineProtocolError("what came is no response")
        told = Delta("", tool_calls=[])
        for place, item in enumerate(value["output"]):
            if not isinstance(item, dict):
                continue
            if (named := _CALLS.get(str(item.get("type")))) is not None:
                text, id = str(item.get(named) or ""), str(item.get("call_id") or "")
                call = _call(place, text, name=str(item.get("name") or ""), id=id)
                told.tool_calls += call.tool_calls
            elif item.get("type") == "reasoning":
                told.reasoning_content = (told.reasoning_content or "") + _texts(item)
            else:
                told.content = (told.content or "") + _texts(item)
        ended = self._ended(value)
        return Event(
            [Choice(message=told, finish_reason=ended.choices[0].finish_reason)], ended.usage
        )

    def completed(self, value: dict[str, Any], usage: Mapping[str, Any]) -> bool:
        """Add what clients break without."""
        self.final = value
        if self._response.get("id"):
            value.setdefault("id", self._response["id"])
        is_changed = _fill(value, {**self._lacking, "status": "completed", "usage": usage})
        for place, item in enumerate(_list(value["output"])):
            if isinstance(item, dict):
                is_changed |= _complete(item, f"{self._known['id']}_{place}", "completed")
        if self._is_cut and value["status"] == "completed":
            value["status"] = "incomplete"
            value["incomplete_details"] = {"reason": "max_output_tokens"}
            return True
        return is_changed

    def usage_value(self, usage: Usage) -> dict[str, Any]:
        """Write a bill in the dialect."""
        return {
            "input_tokens": usage.input_tokens,
            "input_tokens_details": {"cached_tokens": usage.cached_tokens},
            "output_tokens": usage.output_tokens,
            "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            "total_tokens": usage.input_tokens + usage.output_tokens,
        }


def _call(place: int, text: str, name: str = "", id: str = "") -> Delta:
    told = {"index": place, "function": {"name": name, "arguments": text}}
    if id:
        told |= {"id": id, "type": "function"}
    return Delta(tool_calls=[told])


_DELTAS: Mapping[str, Callable[[int, str], Delta]] = {
    "response.output_text.delta": lambda _, text: Delta(text),
    "response.refusal.delta": lambda _, text: Delta(refusal=text),
    "response.reasoning_text.delta": lambda _, text: Delta(reasoning_content=text),
    "response.reasoning_summary_text.delta": lambda _, text: Delta(reasoning_content=text),
    "response.function_call_arguments.delta": _call,
    "response.custom_tool_call_input.delta": _call,
}
"""What was decoded, by the name of an event."""


def _why(value: dict[str, Any]) -> Any:
    """Return what went wrong, in the form in which most servers say it."""
    response = value.get("response")
    told = response.get("error") if isinstance(response, dict) else value.get("error")
    flat = {name: value.get(name) for name in ("message", "code", "param") if value.get(name)}
    return {"error": told or flat or {"message": "the response failed"}}


def _ended(response: Any) -> Event:
    """Read the end of a response, and its usage."""
    told = response if isinstance(response, dict) else {}
    why = told.get("incomplete_details")
    reason = why.get("reason") if isinstance(why, dict) else None
    finish = {"content_filter": "content_filter", None: "stop"}.get(reason, "length")
    return Event([Choice(finish_reason=finish)], _report(told.get("usage")))


def _report(usage: Any) -> Report | None:
    if not isinstance(usage, dict):
        return None
    cached = inner(usage, "input_tokens_details", "cached_tokens")
    thought = inner(usage, "output_tokens_details", "reasoning_tokens")
    read, made = number(usage.get("input_tokens")), number(usage.get("output_tokens"))
    return report(read, cached, made, thought)


def _texts(item: dict[str, Any]) -> str:
    parts = [*_list(item.get("content")), *_list(item.get("summary"))]
    told = [one.get("text") or one.get("refusal") for one in parts if isinstance(one, dict)]
    return "".join(one for one in told if isinstance(one, str))


def _list(told: Any) -> list[Any]:
    return told if isinstance(told, list) else []


def _left(item: _Item) -> dict[str, Any]:
    """Return an item as a cut left it."""
    if item.is_done:
        return item.told
    told, text = {**item.told, "status": "incomplete"}, "".join(item.pieces)
    kind = str(told.get("type"))
    if (named := _CALLS.get(kind)) is not None:
        told[named] = text
    elif kind == "message":
        told["content"] = [{"type": "output_text", "text": text, "annotations": []}]
    return told


def _fill(value: dict[str, Any], lacking: Mapping[str, Any]) -> bool:
    new = {name: told for name, told in lacking.items() if value.get(name) is None}
    value |= new
    return bool(new)


def _complete(item: dict[str, Any], id: str, status: str) -> bool:
    """Add to an item what clients break without; False where nothing lacked."""
    kind = str(item.get("type"))
    prefix = "msg" if kind == "message" else "rs" if kind == "reasoning" else "fc"
    lacking: dict[str, Any] = {"id": f"{prefix}_{id}"}
    if kind == "message":
        lacking |= {"role": "assistant", "status": status, "content": []}
    if kind in _CALLS:
        lacking |= {"call_id": f"call_{id}", "status": status, _CALLS[kind]: ""}
    if kind == "reasoning":
        lacking["summary"] = []
    is_changed = _fill(item, lacking)
    for part in _list(item.get("content")) if kind == "message" else ():
        if isinstance(part, dict) and part.get("type") == "output_text":
            is_changed |= _fill(part, _PART_LACKS)
    return is_changed
