"""The items of Responses, as the turns of Chat Completions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workspan.errors import InputError, nearest
from workspan.legible import quoted
from workspan.protocol.carried import Assistant, function, plain
from workspan.protocol.chat_messages import checked_text
from workspan.protocol.fields import as_list, as_object, not_carried, taken

_ROLES: Mapping[str, str] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}
"""Chat's name for each; what a developer says most templates know as the system's."""


def read_items(told: Any) -> list[dict[str, Any]]:
    """Read the field `input` into turns.

    Raises:
        InputError: an item is none, or of a kind that Chat has no turn for; it is named.
    """
    if isinstance(told, str):
        return [{"role": "user", "content": checked_text(told, "input")}]
    turns = _Turns()
    for i, item in enumerate(as_list(told, "input", "items")):
        turns.add(as_object(item, f"input[{i}]"), f"input[{i}]")
    turns.end()
    if not turns.found:
        raise InputError("input must be a text or a list of at least one item")
    return turns.found


class _Turns:
    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []
        self._own = Assistant()

    def add(self, item: dict[str, Any], place: str) -> None:
        kind = item.pop("type", None)
        kind = "message" if kind is None else kind
        read = _ITEMS.get(kind) if isinstance(kind, str) else None
        if read is None:
            raise not_carried(f"{place}.type", quoted(kind), _INSTEAD.get(str(kind), ""))
        read(self, item, place)

    def end(self) -> None:
        """End the model's turn, if it is its."""
        if self._own:
            self.found.append(self._own.message())
            self._own = Assistant()

    def message(self, item: dict[str, Any], place: str) -> None:
        role = item.get("role")
        if not isinstance(role, str) or role not in _ROLES:
            raise InputError(f"{place}.role is {quoted(role)}: {nearest(str(role), _ROLES)}")
        content = _content(item.get("content"), f"{place}.content")
        if role != "assistant":
            self.end()
            self.found.append({"role": _ROLES[role], "content": plain(content) or ""})
            return
        if self._own.has_spoken:
            self.end()
        self._own.is_empty = False
        for part in content:
            if part["type"] == "refusal":
                self._own.refusal += part["refusal"]
            else:
                self._own.text.append(part)

    def reasoning(self, item: dict[str, Any], place: str) -> None:
        if self._own.has_spoken:
            self.end()
        told = [
            as_object(part, f"{place}.content")
            for part in as_list(item.pop("content", None) or (), f"{place}.content", "parts")
        ]
        text = "".join(str(part.get("text") or "") for part in told)
        sums = as_list(item.pop("summary", None) or (), f"{place}.summary", "parts")
        item.pop("status", None)
        hidden, id = item.pop("encrypted_content", None), item.pop("id", None)
        for part in sums:
            said = as_object(part, f"{place}.summary").get("text")
            self._own.think("", {"type": "reasoning.summary", "summary": said, **item})
        if hidden is not None:
            named = {} if id is None else {"id": id}
            self._own.think("", {"type": "reasoning.encrypted", "data": hidden, **named, **item})
        if text:
            self._own.think(text, item)

    def call(self, item: dict[str, Any], place: str) -> None:
        name, arguments = taken(item, "name", place), taken(item, "arguments", place)
        space = item.get("namespace") or ""
        id = taken(item, "call_id", place)
        self._own.calls.append(function(f"{space}__{name}" if space else name, arguments, id))

    def custom(self, item: dict[str, Any], place: str) -> None:
        told = {"name": taken(item, "name", place), "input": taken(item, "input", place)}
        id = taken(item, "call_id", place)
        self._own.calls.append({"id": id, "type": "custom", "custom": told})

    def result(self, item: dict[str, Any], place: str) -> None:
        self.end()
        content = plain(_content(item.get("output"), f"{place}.output"))
        id = taken(item, "call_id", place)
        self.found.append({"role": "tool", "tool_call_id": id, "content": content or ""})


_INSTEAD: Mapping[str, str] = {
    "item_reference": "it stands for an item that is not kept here; send the item itself, as "
    "clients do that are told `store: false`, or let an operator keep (more) responses: "
    "--keep-responses N"
}
"""What would be right in the place of an item that Chat has no turn for."""
_ITEMS: Mapping[str, Callable[[_Turns, dict[str, Any], str], None]] = {
    "message": _Turns.message,
    "reasoning": _Turns.reasoning,
    "function_call": _Turns.call,
    "custom_tool_call": _Turns.custom,
    "function_call_output": _Turns.result,
    "custom_tool_call_output": _Turns.result,
}


def _content(told: Any, place: str) -> list[dict[str, Any]]:
    if told is None:
        return []
    if isinstance(told, str):
        return [{"type": "text", "text": checked_text(told, place)}] if told else []
    return [
        _part(as_object(part, f"{place}[{i}]"), f"{place}[{i}]")
        for i, part in enumerate(as_list(told, place, "parts"))
    ]


def _part(told: dict[str, Any], place: str) -> dict[str, Any]:
    kind = taken(told, "type", place)
    read = _PARTS.get(kind)
    if read is None:
        raise not_carried(f"{place}.type", quoted(kind))
    return read(told, place)


def _text(told: dict[str, Any], place: str) -> dict[str, Any]:
    return {"type": "text", "text": taken(told, "text", place)}


def _refusal(told: dict[str, Any], place: str) -> dict[str, Any]:
    return {"type": "refusal", "refusal": taken(told, "refusal", place)}


def _image(told: dict[str, Any], place: str) -> dict[str, Any]:
    if told.get("image_url") is None:
        raise not_carried(place, "an image by its file_id", "give its image_url")
    detail = {} if told.get("detail") is None else {"detail": told["detail"]}
    return {"type": "image_url", "image_url": {"url": taken(told, "image_url", place), **detail}}


def _file(told: dict[str, Any], place: str) -> dict[str, Any]:
    if told.get("file_url") is not None:
        raise not_carried(place, "a file by its address", "give its file_data")
    names = ("file_id", "file_data", "filename")
    return {"type": "file", "file": {n: told[n] for n in names if told.get(n) is not None}}


def _audio(told: dict[str, Any], place: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": as_object(told.get("input_audio"), place)}


_PARTS: Mapping[str, Callable[[dict[str, Any], str], dict[str, Any]]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
