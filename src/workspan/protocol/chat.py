"""A body of Chat Completions as a request of ours, and back: nothing that a client said is lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from workspan.data.content import NO_FIELDS, JsonObject, ToolSpec
from workspan.data.types import Request
from workspan.errors import InputError
from workspan.legible import quoted
from workspan.protocol.chat_messages import checked_text, read_messages, write_messages

CAPS = ("max_completion_tokens", "max_tokens")
"""Names of the cap; the second is the older one."""
_ENVELOPE = ("model", "stream", "stream_options", "n")
"""How the answer is to come, and of which model: nothing that a single completion has."""
_UNSAID = {item.name: item.default for item in fields(Request)} | {"temperature": None}


@dataclass(frozen=True, slots=True)
class Chat:
    """A body of Chat Completions, read."""

    request: Request
    """One completion. What the body does not say has the value of an ordinary `Request`, but for
    the temperature, which is the model's own."""
    said: frozenset[str] = frozenset()
    """The fields of the request that the body said, by their names on the wire."""
    envelope: JsonObject = NO_FIELDS
    """model, stream, stream_options and n, as they were said."""
    nulls: tuple[str, ...] = ()
    """Fields of the request that the body gave as null."""
    is_stop_text: bool = False
    """The one stop sequence was not in a list."""

    @property
    def model(self) -> str:
        """The model that was asked for; empty where none was."""
        return str(self.envelope.get("model") or "")

    @property
    def n(self) -> int:
        """Choices that were asked for."""
        return int(self.envelope.get("n") or 1)

    @property
    def is_streamed(self) -> bool:
        """The answer is to come as it is made."""
        return bool(self.envelope.get("stream"))

    @property
    def wants_usage(self) -> bool:
        """A stream is to end with its usage."""
        return bool((self.envelope.get("stream_options") or {}).get("include_usage"))


def read_chat(body: Mapping[str, Any]) -> Chat:
    """Read a body, as JSON's values.

    Raises:
        InputError: a field is none; it is named. Fields that are not known are carried.
    """
    if not isinstance(body, Mapping) or not all(isinstance(name, str) for name in body):
        raise InputError(f"a request must be an object with a list of messages, not {quoted(body)}")
    rest = dict(body)
    prompt = read_messages(rest.pop("messages", None))
    envelope = {name: rest.pop(name) for name in _ENVELOPE if name in rest}
    _check_envelope(envelope)
    nulls = tuple(name for name in _FIELDS if name in rest and rest[name] is None)
    for name in nulls:
        del rest[name]
    said = frozenset(name for name in _FIELDS if name in rest)
    is_stop_text = isinstance(rest.get("stop"), str)
    found = {name: _FIELDS[name](rest.pop(name), name) for name in sorted(said)}
    caps = {found.pop(name) for name in CAPS if name in found}
    if len(caps) > 1:
        raise InputError(f"{' and '.join(CAPS)} differ: give one of them")
    if caps:
        found["max_tokens"] = caps.pop()
    found.setdefault("temperature", None)
    request = Request(prompt, **found, extra=JsonObject.of(rest) if rest else NO_FIELDS)
    return Chat(
        request, said, JsonObject.of(envelope) if envelope else NO_FIELDS, nulls, is_stop_text
    )


def write_chat(chat: Chat) -> dict[str, Any]:
    """Write a body again: the fields that it said, and such of the request as were set since."""
    request = chat.request
    body = chat.envelope.value | {"messages": write_messages(request.prompt)}
    body |= dict.fromkeys(chat.nulls)
    for name in _FIELDS:
        own = "max_tokens" if name in CAPS else name
        is_said = name in chat.said
        is_set = name not in CAPS and getattr(request, own) != _UNSAID[own]
        if is_said or is_set:
            body[name] = _plain(getattr(request, own))
    if not chat.said.intersection(CAPS) and request.max_tokens != _UNSAID["max_tokens"]:
        body[CAPS[0]] = request.max_tokens
    if chat.is_stop_text and len(request.stop) == 1:
        body["stop"] = request.stop[0]
    return body | request.extra.value


def write_settings(request: Request) -> dict[str, Any]:
    """Write those fields of a request that have the same name and form on every wire, where set."""
    return {
        name: _plain(value) for name in _SAME if (value := getattr(request, name)) != _UNSAID[name]
    }


def _plain(value: Any) -> Any:
    if isinstance(value, JsonObject):
        return value.value
    if isinstance(value, tuple):
        return [one.fields.value if isinstance(one, ToolSpec) else one for one in value]
    return value


def _number(told: Any, name: str) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        raise InputError(f"{name} must be a number, not {quoted(told)}")
    return told


def _count(least: int) -> Callable[[Any, str], int]:
    def read(told: Any, name: str) -> int:
        told = _without_fraction(told)
        if isinstance(told, bool) or not isinstance(told, int) or told < least:
            raise InputError(
                f"{name} must be a whole number of at least {least}, not {quoted(told)}"
            )
        return told

    return read


def _without_fraction(told: Any) -> Any:
    """Return ``2.0`` as 2: it is a whole number in JSON Schema."""
    return int(told) if isinstance(told, float) and told.is_integer() else told


def _whole(told: Any, name: str) -> int:
    told = _without_fraction(told)
    if isinstance(told, bool) or not isinstance(told, int):
        raise InputError(f"{name} must be a whole number, not {quoted(told)}")
    return told


def _flag(told: Any, name: str) -> bool:
    if not isinstance(told, bool):
        raise InputError(f"{name} must be true or false, not {quoted(told)}")
    return told


def _object(told: Any, name: str) -> JsonObject:
    if not isinstance(told, Mapping):
        raise InputError(f"{name} must be an object, not {quoted(told)}")
    return JsonObject.of(told)


def _stops(told: Any, name: str) -> tuple[str, ...]:
    listed = [told] if isinstance(told, str) else told
    if not isinstance(listed, Sequence) or not all(isinstance(one, str) for one in listed):
        raise InputError(f"{name} must be a text or a list of texts, not {quoted(told)}")
    return tuple(checked_text(one, name) for one in listed)


def _tools(told: Any, name: str) -> tuple[ToolSpec, ...]:
    if not isinstance(told, Sequence) or isinstance(told, str):
        raise InputError(f"{name} must be a list of tools, not {quoted(told)}")
    return tuple(ToolSpec(_object(one, f"{name}[{i}]")) for i, one in enumerate(told))


def _choice(told: Any, name: str) -> str | JsonObject:
    return checked_text(told, name) if isinstance(told, str) else _object(told, name)


_SAME: Mapping[str, Callable[[Any, str], Any]] = {
    "tools": _tools,
    "tool_choice": _choice,
    "parallel_tool_calls": _flag,
    "response_format": _object,
    "frequency_penalty": _number,
    "presence_penalty": _number,
    "logit_bias": _object,
}
_FIELDS: Mapping[str, Callable[[Any, str], Any]] = {
    **dict.fromkeys(CAPS, _count(1)),
    "temperature": _number,
    "top_p": _number,
    "stop": _stops,
    "seed": _whole,
    "logprobs": _flag,
    "top_logprobs": _count(0),
    "reasoning_effort": checked_text,
    **_SAME,
}
"""What a `Request` has a field for, and how it is read."""


def _check_envelope(envelope: Mapping[str, Any]) -> None:
    """Refuse what can't say how the answer is to come; null is as good as absent."""
    reads: Mapping[str, Callable[[Any, str], Any]] = {
        "model": checked_text,
        "stream": _flag,
        "stream_options": _object,
        "n": _count(1),
    }
    for name, told in envelope.items():
        if told is not None:
            reads[name](told, name)
