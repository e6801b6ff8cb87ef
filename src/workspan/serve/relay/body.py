"""A body edited at its top level: every value that is not touched keeps its bytes.

The order of the fields is kept, too: providers' caches of prompts go by bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from workspan.errors import InputError
from workspan.legible import quoted

T = TypeVar("T")
_WHY: Mapping[type[Exception], str] = {
    RecursionError: "it is nested too deeply",
    UnicodeDecodeError: "it is no UTF-8",
}
_HALVES = "a text in it holds half a character, such as \\ud83d without its other half"
_MARK = b"\xef\xbb\xbf"
"""Of the order of bytes: some editors of files begin them with it."""
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


@lru_cache
def _reader(kind: type[T]) -> Callable[[bytes], T | None]:
    """Return what reads a value of a type, or null: made once, which takes longer than to read."""
    return msgspec.json.Decoder(kind | None, strict=True).decode


def _why_not(content: bytes, error: Exception) -> str:
    """Say why a body is none: where Python's JSON reads it, it is one of what that takes beyond."""
    if not content.strip():
        return "there is none"
    if content.startswith(_MARK):
        return "it begins with a mark of the order of bytes (BOM)"
    if (why := _WHY.get(type(error))) is not None:
        return why
    numbers: list[str] = []
    try:
        found = json.loads(content, parse_constant=numbers.append)
    except (ValueError, RecursionError):
        return str(error)
    if numbers:
        return f"JSON has no number {numbers[0]}"
    return _HALVES if isinstance(found, dict) else str(error)


def _whole(raw: msgspec.Raw) -> msgspec.Raw:
    """Write ``2.0`` and ``2e0`` as 2: what has no fraction is whole, as JSON Schema has it."""
    value = msgspec.json.decode(raw)
    is_whole = isinstance(value, float) and value.is_integer()
    return msgspec.Raw(b"%d" % int(value)) if is_whole else raw


class Body:
    """The top level of a JSON object."""

    __slots__ = ("_came", "_fields")

    def __init__(self, fields: dict[str, msgspec.Raw], came: bytes | None = None) -> None:
        self._fields = fields
        self._came = came
        """All of it as it came; None once a field was changed."""

    @classmethod
    def read(cls, content: bytes) -> Body:
        """Read a body.

        Raises:
            InputError: it is no JSON object.
        """
        try:
            if not content.isascii():
                content.decode()  # deeper down nobody here looks, and an upstream may fail on it
            return cls(_decode(content), content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            why = _why_not(content, error)
            raise InputError(f"the body must be a JSON object: {why}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def copy(self) -> Body:
        """Return one that can be changed apart from this."""
        return Body(dict(self._fields), self._came)

    def get(self, name: str, kind: type[T], said: str) -> T | None:
        """Return a field's value; None where it is not there, or null.

        Raises:
            InputError: it is of another type; `said` is what it must be.
        """
        raw = self._fields.get(name)
        if raw is None:
            return None
        try:
            if kind is int and not bytes(raw).isdigit():
                raw = _whole(raw)
            read: Callable[[bytes], T | None] = _reader(kind)  # type: ignore[arg-type]  # hashable
            found = read(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            shown = quoted(bytes(memoryview(raw)[:60]).decode(errors="replace"))
            raise InputError(f"{name} must be {said}, not {shown}") from None
        return found

    def raw(self, name: str) -> bytes:
        """Return a field's bytes; empty where it is not there."""
        return bytes(self._fields.get(name, b""))

    def set(self, name: str, value: Any) -> None:
        """Write a field anew, at its place."""
        self._fields[name] = msgspec.Raw(_encode(value))
        self._came = None

    def drop(self, name: str) -> None:
        """Leave a field out."""
        if self._fields.pop(name, None) is not None:
            self._came = None

    def rename(self, old: str, new: str) -> None:
        """Give a field another name, at its place."""
        self._fields = {new if k == old else k: v for k, v in self._fields.items()}
        self._came = None

    @property
    def names(self) -> Mapping[str, object]:
        """The fields by name."""
        return self._fields

    def written(self) -> bytes:
        """Write it: as it came where nothing was changed."""
        if self._came is None:
            parts = [b"%b:%b" % (_encode(name), raw) for name, raw in self._fields.items()]
            self._came = b"{%b}" % b",".join(parts)
        return self._came
