"""A body of another dialect, put into the words of Chat Completions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspan.errors import InputError


@dataclass(frozen=True, slots=True)
class Carried:
    """The same request as a body of Chat Completions."""

    body: dict[str, Any]
    """JSON's values, its usage asked for where it streams."""
    notices: tuple[str, ...] = ()
    """What was left out, since nothing hangs on it, one sentence each."""
    spaces: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Of tools that had a namespace: by their name in the body, that and their name in it."""


_OF_CHAT = frozenset(
    {
        *("messages", "n", "max_tokens", "max_completion_tokens", "response_format"),
        *("reasoning_effort", "functions", "function_call", "stop"),
    }
)
"""Fields that mean something to Chat, or that an account rests on."""


def refuse_others(rest: Mapping[str, Any], dialect: str) -> None:
    """Refuse what is no field of a dialect, and would be one of the chat that it becomes.

    Raises:
        InputError: there is such a field.
    """
    for name in sorted(_OF_CHAT.intersection(rest)):
        raise InputError(f"{name} is no field of {dialect}: it is one of Chat Completions")


def wishes_of_stream(body: dict[str, Any]) -> None:
    """Let a stream end with its usage, which the other dialects always tell."""
    if body.get("stream"):
        body["stream_options"] = {"include_usage": True}


class Assistant:
    """The turn of a model, put together from what other dialects tell apart."""

    def __init__(self) -> None:
        self.text: list[Any] = []
        """Parts of Chat's content."""
        self.calls: list[dict[str, Any]] = []
        self.thoughts: list[str] = []
        self.details: list[dict[str, Any]] = []
        """Thinking that must go back as it came, in OpenRouter's form."""
        self.refusal = ""
        self.is_empty = True
        """Nobody has said that there is such a turn, be it an empty one."""

    def __bool__(self) -> bool:
        return bool(not self.is_empty or self.has_spoken or self.thoughts or self.details)

    @property
    def has_spoken(self) -> bool:
        """Something follows its thinking."""
        return bool(self.text or self.calls or self.refusal)

    def think(self, text: str, kept: Mapping[str, Any]) -> None:
        """Add thinking; `kept` are the fields, such as a signature, that must go back with it."""
        if text:
            self.thoughts.append(text)
        if kept:
            told = {"type": "reasoning.text", "text": text} if text else {}
            self.details.append({**told, **kept})

    def message(self) -> dict[str, Any]:
        """Write it."""
        content = plain(self.text)
        if content is None and not self.calls:
            content = ""
        told: dict[str, Any] = {"role": "assistant", "content": content}
        if self.thoughts:
            told["reasoning_content"] = "\n".join(self.thoughts)
        if self.details:
            told["reasoning_details"] = self.details
        if self.refusal:
            told["refusal"] = self.refusal
        if self.calls:
            told["tool_calls"] = self.calls
        return told


def plain(parts: list[Any]) -> Any:
    """Write a content: as one text where it is nothing else, as all servers take it."""
    if not parts:
        return None
    if all(set(part) == {"type", "text"} and part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def function(name: str, arguments: str, id: str) -> dict[str, Any]:
    """Write a call of a function."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def joined_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make one turn of the instructions that a conversation begins with.

    Templates of several open models take one turn of the system, at the beginning.
    """
    parts: list[Any] = []
    rest = list(messages)
    while rest and rest[0]["role"] == "system":
        content = rest.pop(0)["content"]
        parts += [{"type": "text", "text": content}] if isinstance(content, str) else content
    content = plain(parts)
    if isinstance(content, str):
        content = "\n\n".join(part["text"] for part in parts)
    return [{"role": "system", "content": content}, *rest] if parts else rest
