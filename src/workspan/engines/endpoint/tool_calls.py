"""A tool's call in pieces, put together.

Servers differ in every detail: OpenAI sends the id and the name once and the arguments in pieces;
others repeat id and name in each piece, or send them empty or null; Gemini's compatible endpoint
gives every call the index 0, or none; Ollama sends whole calls, arguments as an object.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from workspan.data.content import NO_FIELDS, JsonObject, ToolCall
from workspan.errors import InputError
from workspan.legible import whole_unicode

FRAME = 64
"""Tokens of the marks that a model writes around a call, and a server takes away, at most."""


@dataclass(slots=True)
class _Pieces:
    """One call so far."""

    index: int | None
    id: str = ""
    name: str = ""
    kind: str = ""
    arguments: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    def call(self) -> ToolCall:
        """Put it together."""
        try:
            extra = JsonObject.of(self.extra) if self.extra else NO_FIELDS
        except InputError:
            extra = NO_FIELDS  # such as NaN, which no JSON has
        said = whole_unicode("".join(self.arguments))
        id, name = whole_unicode(self.id), whole_unicode(self.name)
        return ToolCall(id, name, said, self.kind or "function", extra)


class ToolCalls:
    """The calls of one choice."""

    __slots__ = ("_pieces", "beside")

    def __init__(self) -> None:
        self._pieces: list[_Pieces] = []
        self.beside = 0
        """Bytes of names and marks: tokens that were decoded for them, at most."""

    def __bool__(self) -> bool:
        return bool(self._pieces)

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """Those that have a name, in the order of their first pieces."""
        return tuple(one.call() for one in self._pieces if one.name)

    def take(self, told: Any) -> list[str]:
        """Take in a delta's `tool_calls`; return the pieces of arguments that it holds.

        What is no list of objects is nothing.
        """
        if not isinstance(told, list):
            return []
        return [text for one in told if isinstance(one, dict) for text in self._take(one)]

    def take_function(self, told: Any) -> list[str]:
        """Take in the older form, a delta's `function_call`: one call without an id."""
        return self._take({"index": 0, "function": told}) if isinstance(told, dict) else []

    def _take(self, told: dict[str, Any]) -> list[str]:
        kind = "custom" if isinstance(told.get("custom"), dict) else "function"
        inner = told.get(kind)
        if not isinstance(inner, dict):
            return []
        id, name = _text(told.get("id")), _text(inner.get("name"))
        one = self._place(told.get("index"), id, name)
        one.id, one.kind = one.id or id, kind
        self._name(one, name)
        one.extra |= {key: value for key, value in told.items() if key not in _KNOWN}
        arguments = inner.get("input" if kind == "custom" else "arguments")
        if isinstance(arguments, dict | list):  # whole, and written by the server, not the model
            text = json.dumps(arguments, ensure_ascii=False)
            one.arguments.append(text)
            self.beside += len(text.encode(errors="surrogatepass"))
            return []
        if not isinstance(arguments, str) or not arguments:
            return []
        one.arguments.append(arguments)
        return [arguments]

    def _place(self, index: Any, id: str, name: str) -> _Pieces:
        """Find the call that a piece goes on with, or begin one."""
        number = index if isinstance(index, int) and not isinstance(index, bool) else None
        same = [one for one in self._pieces if one.index == number]
        last = same[-1] if same else None
        if last is None and number is None and self._pieces and not (id or name):
            last = self._pieces[-1]
        is_other = last is not None and id and last.id and id != last.id
        if last is None or is_other or (number is None and not id and name and last.arguments):
            last = _Pieces(number)
            self._pieces.append(last)
            self.beside += FRAME
        return last

    def _name(self, one: _Pieces, name: str) -> None:
        """Take a name that comes once, again and again, or in pieces."""
        if not name or name == one.name:
            return
        whole = name if name.startswith(one.name) else one.name + name
        self.beside += len(whole.encode(errors="surrogatepass")) - len(
            one.name.encode(errors="surrogatepass")
        )
        one.name = whole


_KNOWN = frozenset({"index", "id", "type", "function", "custom"})


def _text(told: Any) -> str:
    return told if isinstance(told, str) else ""
