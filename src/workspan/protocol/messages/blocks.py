"""The turns of Messages, block by block, as those of Chat Completions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from workspan.errors import InputError, nearest
from workspan.legible import quoted
from workspan.protocol.carried import Assistant, function, plain
from workspan.protocol.chat_messages import checked_text
from workspan.protocol.fields import as_list, as_object, not_carried, taken

Parts = list[dict[str, Any]]


def read_system(told: Any, place: str = "system") -> list[dict[str, Any]]:
    """Read a text or blocks of the system into a turn; none is no turn."""
    content = plain(_shown(told, place))
    return [{"role": "system", "content": content}] if content else []


def read_turns(told: Any) -> list[dict[str, Any]]:
    """Read the field `messages`.

    Raises:
        InputError: a turn or block is none, or Chat has no words for it; it is named.
    """
    found: list[dict[str, Any]] = []
    for i, one in enumerate(as_list(told, "messages", "turns")):
        turn, place = as_object(one, f"messages[{i}]"), f"messages[{i}]"
        role = turn.get("role")
        read = _ROLES.get(role) if isinstance(role, str) else None
        if read is None:
            raise InputError(f"{place}.role is {quoted(role)}: {nearest(str(role), _ROLES)}")
        found += read(turn.get("content"), f"{place}.content")
    if not found:
        raise InputError("messages must be a list of at least one turn")
    return found


def _system(told: Any, place: str) -> list[dict[str, Any]]:
    return [{"role": "system", "content": plain(_shown(told, place)) or ""}]


def _blocks(told: Any, place: str) -> list[tuple[str, dict[str, Any], str]]:
    """Return blocks as their kind, their fields and their place; a text is one block."""
    if isinstance(told, str):
        return [("text", {"text": checked_text(told, place)}, place)]
    found = []
    for i, one in enumerate(as_list(told, place, "blocks")):
        block = as_object(one, f"{place}[{i}]")
        found.append((taken(block, "type", f"{place}[{i}]"), block, f"{place}[{i}]"))
    return found


def _shown(told: Any, place: str) -> Parts:
    """Read blocks that a model is shown."""
    return [part for kind, block, at in _blocks(told, place) for part in _part(kind, block, at)]


def _part(kind: str, block: dict[str, Any], place: str) -> Parts:
    read = _PARTS.get(kind)
    if read is None:
        raise not_carried(f"{place}.type", quoted(kind))
    return read(block, place)


def _text(block: dict[str, Any], place: str) -> Parts:
    text = taken(block, "text", place)
    if not text:
        return []
    marked = {} if block.get("cache_control") is None else {"cache_control": block["cache_control"]}
    return [{"type": "text", "text": text, **marked}]


def _image(block: dict[str, Any], place: str) -> Parts:
    source = as_object(block.get("source"), f"{place}.source")
    kind = source.get("type")
    if kind == "base64":
        url = f"data:{taken(source, 'media_type', place)};base64,{taken(source, 'data', place)}"
    elif kind == "url":
        url = taken(source, "url", f"{place}.source")
    else:
        raise not_carried(f"{place}.source.type", quoted(kind))
    return [{"type": "image_url", "image_url": {"url": url}}]


def _document(block: dict[str, Any], place: str) -> Parts:
    source = as_object(block.get("source"), f"{place}.source")
    kind = source.get("type")
    if kind == "text":
        return [{"type": "text", "text": taken(source, "data", f"{place}.source")}]
    if kind == "content":
        return _shown(source.get("content"), f"{place}.source.content")
    if kind != "base64":
        raise not_carried(f"{place}.source.type", quoted(kind))
    data = f"data:{taken(source, 'media_type', place)};base64,{taken(source, 'data', place)}"
    named = {} if block.get("title") is None else {"filename": block["title"]}
    return [{"type": "file", "file": {"file_data": data, **named}}]


_PARTS: Mapping[str, Callable[[dict[str, Any], str], Parts]] = {
    "text": _text,
    "image": _image,
    "document": _document,
}


def _user(told: Any, place: str) -> list[dict[str, Any]]:
    """Read what a user says; results of tools are turns of their own, before the rest."""
    results: list[dict[str, Any]] = []
    rest: Parts = []
    for kind, block, at in _blocks(told, place):
        if kind == "tool_result":
            results.append(_result(block, at))
        else:
            rest += _part(kind, block, at)
    content = plain(rest)
    if content is None and not results:
        content = ""
    return results if content is None else [*results, {"role": "user", "content": content}]


def _result(block: dict[str, Any], place: str) -> dict[str, Any]:
    content = block.get("content")
    shown = plain([] if content is None else _shown(content, f"{place}.content")) or ""
    if block.get("is_error") is True:  # Chat has no field for it: the model is told in words
        mark = "Error: "
        shown = mark + shown if isinstance(shown, str) else [{"type": "text", "text": mark}, *shown]
    id = taken(block, "tool_use_id", place)
    return {"role": "tool", "tool_call_id": id, "content": shown}


def _assistant(told: Any, place: str) -> list[dict[str, Any]]:
    own = Assistant()
    own.is_empty = False
    for kind, block, at in _blocks(told, place):
        read = _SAID.get(kind)
        if read is None:
            raise not_carried(f"{at}.type", quoted(kind))
        read(own, block, at)
    return [own.message()]


def _says(own: Assistant, block: dict[str, Any], place: str) -> None:
    own.text += _text({"text": block.get("text")}, place)


def _thinks(own: Assistant, block: dict[str, Any], place: str) -> None:
    text = taken(block, "thinking", place)
    block.pop("cache_control", None)
    own.think(text, block if block.get("signature") else {})


def _hides(own: Assistant, block: dict[str, Any], place: str) -> None:
    told = {"type": "reasoning.encrypted", "data": taken(block, "data", place)}
    own.think("", {**told, **block})


def _calls(own: Assistant, block: dict[str, Any], place: str) -> None:
    told = as_object(block.get("input"), f"{place}.input")
    arguments = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    own.calls.append(function(taken(block, "name", place), arguments, taken(block, "id", place)))


_SAID: Mapping[str, Callable[[Assistant, dict[str, Any], str], None]] = {
    "text": _says,
    "thinking": _thinks,
    "redacted_thinking": _hides,
    "tool_use": _calls,
}
_ROLES: Mapping[str, Callable[[Any, str], list[dict[str, Any]]]] = {
    "user": _user,
    "assistant": _assistant,
    "system": _system,
}
"""Instructions may stand between turns, too, as Claude Code has it."""
