"""The messages of Chat Completions, both ways.

What is read comes out again as it was: fields that are not known here, and such as are null, are
carried in `extra`. The form is OpenAI's; reasoning is kept under the names that vLLM, DeepSeek and
OpenRouter give it, and parts that only some servers take (video, sound by address) are known, too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from workspan.data.content import (
    NO_FIELDS,
    Content,
    JsonObject,
    Media,
    MediaKind,
    Other,
    Part,
    Refusal,
    Text,
    ToolCall,
)
from workspan.data.types import Message, Prompt, Role
from workspan.errors import InputError, nearest
from workspan.legible import is_whole_unicode, quoted

_REASONING = ("reasoning_content", "reasoning")
_SIGHTS: Mapping[str, MediaKind] = {
    "image_url": "image",
    "video_url": "video",
    "audio_url": "audio",
}
"""Parts that hold an address."""


def read_messages(told: Any) -> Prompt:
    """Read the field `messages`.

    Raises:
        InputError: something in it is none; its place is named.
    """
    if not isinstance(told, Sequence) or isinstance(told, str | bytes) or not told:
        raise InputError(f"messages must be a list of at least one message, not {quoted(told)}")
    return tuple(read_message(message, f"messages[{i}]") for i, message in enumerate(told))


def write_messages(prompt: Prompt) -> list[dict[str, Any]]:
    """Write them again."""
    return [write_message(message) for message in prompt]


def read_message(told: Any, place: str = "message") -> Message:
    """Read one message.

    Raises:
        InputError: it is none, or has a role that nobody knows.
    """
    if not isinstance(told, Mapping):
        raise InputError(f"{place} must be an object, not {quoted(told)}")
    rest = dict(told)
    role = rest.pop("role", None)
    roles = get_args(Role)
    if role not in roles:
        hint = nearest(role, roles) if isinstance(role, str) else f"known: {', '.join(roles)}"
        raise InputError(f"{place}.role is {quoted(role)}: {hint}")
    content = None
    if rest.get("content") is not None:
        content = read_content(rest.pop("content"), f"{place}.content")
    calls: tuple[ToolCall, ...] = ()
    if rest.get("tool_calls"):
        calls = _calls(rest.pop("tool_calls"), f"{place}.tool_calls")
    thought = next((name for name in _REASONING if rest.get(name)), "")
    return Message(
        role,
        content,
        _taken(rest, "name", place),
        calls,
        _taken(rest, "tool_call_id", place),
        _taken(rest, thought, place) if thought else "",
        thought or _REASONING[0],
        _taken(rest, "refusal", place) or None,
        _extra(rest, place),
    )


def write_message(message: Message) -> dict[str, Any]:
    """Write one message; what it does not have is left out."""
    told: dict[str, Any] = {"role": message.role}
    if message.content is not None:
        told["content"] = write_content(message.content)
    beside = {
        "name": message.name,
        message.reasoning_name: message.reasoning,
        "refusal": message.refusal,
        "tool_call_id": message.tool_call_id,
    }
    told |= {name: value for name, value in beside.items() if value}
    if message.tool_calls:
        told["tool_calls"] = [write_call(call) for call in message.tool_calls]
    return told | message.extra.value if message.extra else told


def read_content(told: Any, place: str = "content") -> Content:
    """Read a text or a list of parts.

    Raises:
        InputError: it is neither.
    """
    if isinstance(told, str):
        return checked_text(told, place)
    if not isinstance(told, Sequence) or isinstance(told, bytes):
        raise InputError(f"{place} must be a text or a list of parts, not {quoted(told)}")
    return tuple(_part(part, f"{place}[{i}]") for i, part in enumerate(told))


def write_content(content: Content) -> str | list[dict[str, Any]] | None:
    """Write it again."""
    return [_written(part) for part in content] if isinstance(content, tuple) else content


def write_call(call: ToolCall) -> dict[str, Any]:
    """Write a tool call."""
    field = "input" if call.kind == "custom" else "arguments"
    inner: dict[str, Any] = {"name": call.name, field: call.arguments}
    told: dict[str, Any] = {"id": call.id} if call.id else {}
    if call.kind:
        told["type"] = call.kind
    extra = call.extra.value if call.extra else {}
    home = call.kind or "function"
    return told | {home: inner | extra.pop(home, {})} | extra


def _calls(told: Any, place: str) -> tuple[ToolCall, ...]:
    if not isinstance(told, Sequence) or isinstance(told, str):
        raise InputError(f"{place} must be a list of calls, not {quoted(told)}")
    return tuple(_call(call, f"{place}[{i}]") for i, call in enumerate(told))


def _call(told: Any, place: str) -> ToolCall:
    rest = dict(_object(told, place))
    kind = _taken(rest, "type", place)
    home = kind or "function"
    if home not in ("function", "custom"):
        raise InputError(f"{place}.type is {quoted(home)}: {nearest(home, ('function', 'custom'))}")
    inner = dict(_object(rest.pop(home, None), f"{place}.{home}"))
    field = "input" if home == "custom" else "arguments"
    name, arguments = (
        checked_text(inner.pop(part, None), f"{place}.{home}.{part}") for part in ("name", field)
    )
    id = _taken(rest, "id", place)
    if inner:
        rest[home] = inner
    return ToolCall(id, name, arguments, kind, _extra(rest, place))


def _part(told: Any, place: str) -> Part:
    """Read a part; one of an unknown kind or form is carried as it is."""
    rest = dict(_object(told, place))
    kind = checked_text(rest.pop("type", None), f"{place}.type")
    if kind in _TEXTS:
        said = checked_text(rest.pop(kind, None), f"{place}.{kind}")
        return _TEXTS[kind](said, _extra(rest, place))
    reads = _READERS.get(kind)
    inner = rest.pop(kind, None)
    known = reads(inner) if reads is not None and isinstance(inner, Mapping) else None
    if known is None:
        return Other(JsonObject.of(_checked(told, place)))
    return Media(**known, extra=_extra(rest, place))


_TEXTS: Mapping[str, Callable[[str, JsonObject], Text | Refusal]] = {
    "text": Text,
    "refusal": Refusal,
}


def _reader(kind: MediaKind, **names: str) -> Callable[[Mapping[str, Any]], dict[str, Any] | None]:
    """Make what reads a part whose fields have these names here; None for what has others."""

    def read(inner: Mapping[str, Any]) -> dict[str, Any] | None:
        is_known = set(inner) <= set(names) and all(
            isinstance(value, str) and is_whole_unicode(value) for value in inner.values()
        )
        found = {names[name]: value for name, value in inner.items()} if is_known else {}
        return {"kind": kind, **found} if "address" in found or "data" in found else None

    return read


_READERS = {
    "input_audio": _reader("audio", data="data", format="format"),
    "file": _reader("file", file_id="address", file_data="data", filename="name"),
    **{name: _reader(kind, url="address", detail="detail") for name, kind in _SIGHTS.items()},
}


def _written(part: Part) -> dict[str, Any]:
    if isinstance(part, Other):
        return part.fields.value
    if isinstance(part, Media):
        kind, told = _written_media(part)
        return {"type": kind, kind: told} | part.extra.value
    kind = "text" if isinstance(part, Text) else "refusal"
    told_text: dict[str, Any] = {"type": kind, kind: part.text}
    return told_text | part.extra.value if part.extra else told_text


def _written_media(part: Media) -> tuple[str, dict[str, Any]]:
    """Write by address where there is one; data of an image or video become an address."""
    if part.kind == "file":
        told = {"file_id": part.address, "file_data": part.data, "filename": part.name}
        return "file", {name: value for name, value in told.items() if value is not None}
    if part.kind == "audio" and part.address is None:
        told = {"data": part.data, "format": part.format}
        return "input_audio", {name: value for name, value in told.items() if value is not None}
    address = part.address
    if address is None:
        address = f"data:{part.format or f'{part.kind}/*'};base64,{part.data}"
    detail = {} if part.detail is None else {"detail": part.detail}
    return f"{part.kind}_url", {"url": address, **detail}


def _object(told: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(told, Mapping):
        raise InputError(f"{place} must be an object, not {quoted(told)}")
    return told


def checked_text(told: Any, place: str) -> str:
    """Return a text.

    Raises:
        InputError: it is none, or holds half of a character.
    """
    if not isinstance(told, str):
        raise InputError(f"{place} must be a text, not {quoted(told)}")
    if not is_whole_unicode(told):
        raise InputError(f"{place} holds half of a character (a lone surrogate): {quoted(told)}")
    return told


def _taken(rest: dict[str, Any], name: str, place: str) -> str:
    """Take a text out of the fields; an empty or absent one stays among them."""
    if not rest.get(name):
        if rest.get(name) not in ("", None):
            raise InputError(f"{place}.{name} must be a text, not {quoted(rest[name])}")
        return ""
    return checked_text(rest.pop(name), f"{place}.{name}")


def _checked(told: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    for name in told:
        if not isinstance(name, str):
            raise InputError(f"{place} has a field {quoted(name)}: names are texts")
    return told


def _extra(rest: Mapping[str, Any], place: str) -> JsonObject:
    return JsonObject.of(_checked(rest, place)) if rest else NO_FIELDS
