"""A reply in a dialect of its own: read for its account alone, handed on by its bytes."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from workspan.data.types import Usage
from workspan.engines.endpoint.wire import CompletionDetails, Event, PromptDetails, Report
from workspan.errors import EngineProtocolError
from workspan.serve.relay.blocks import Blocks, Cutter, parsed
from workspan.serve.wire.errors import Failed

T = TypeVar("T")
NotEmpty: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
_USUAL = re.compile(rb"^event: (?!error).*\ndata: (\{.*)\n\n", re.MULTILINE)
"""An event's data."""


class NamedCutter(Cutter):
    """Cuts a stream whose events have names."""

    __slots__ = ()

    def _cut(self, whole: bytes) -> Blocks:
        found = _USUAL.findall(whole)
        if 3 * len(found) != whole.count(b"\n"):  # not all of it are such events
            return self._odd(whole[:-2].split(b"\n\n"))
        return Blocks(found, whole)


@dataclass(slots=True)
class Heard:
    """What some events say."""

    events: list[Event | list[str]] = field(default_factory=list)
    """As the account reads them; events that hold a piece of text each are a list of these."""
    out: list[bytes] = field(default_factory=list)
    """What goes to the client at once: events without the blank line behind each."""
    error: Any = None
    """What the upstream said in the place of more; nothing beyond it is read."""
    is_over: bool = False
    """The upstream has said that it is done."""

    def add(self, text: str) -> None:
        """Add a piece of a text."""
        if self.events and isinstance(run := self.events[-1], list):
            run.append(text)
        else:
            self.events.append([text])

    @property
    def written(self) -> bytes:
        """All that goes to the client."""
        return b"\n\n".join([*self.out, b""])


class Native(ABC):
    """One reply."""

    is_begun = False
    """Its opening was read, and is handed on before anything else."""

    def __init__(self, known: Mapping[str, Any], *, keeps: bool, lowered: int | None) -> None:
        """Begin.

        Args:
            known: the request's ``id`` and ``model``, for an upstream that tells none.
            keeps: what was said is needed, since the reply may be cut.
            lowered: the cap, where it is below the client's own.
        """
        self.final: dict[str, Any] = {}
        """The reply, once it is whole."""
        self._known = known
        self._keeps = keeps
        self._lowered = lowered

    def hear(self, blocks: Blocks) -> Heard:
        """Take events in: pieces of a text, which nearly all are, and others.

        Raises:
            EngineProtocolError: one is none.
        """
        heard, raw = Heard(), blocks.raw
        parts = None if raw is None else raw[:-2].split(b"\n\n")
        for place, content in enumerate(blocks.contents):
            if parts is not None and (text := self._text(content)) is not None:
                heard.add(text)
                heard.out.append(parts[place])
                continue
            said = self._read(content)
            shown = self._take(content, said, heard)
            if shown is not None:
                is_same = parts is not None and shown is content
                heard.out.append(parts[place] if parts and is_same else named(shown, said))
            if heard.error is not None or heard.is_over:
                break
        return heard

    @abstractmethod
    def _text(self, content: bytes) -> str | None:
        """Take in an event that is a piece of a text and no more, and return that, never empty.

        None where it is anything else: nothing was taken in.
        """

    @abstractmethod
    def _read(self, content: bytes) -> Any:
        """Decode an event.

        Raises:
            EngineProtocolError: it is none.
        """

    @abstractmethod
    def _take(self, content: bytes, said: Any, heard: Heard) -> bytes | None:
        """Take one event in; return what of it goes to the client, the same where it is as it came.

        None is nothing.
        """

    @abstractmethod
    def ending(self, usage: Mapping[str, Any], workspan: Mapping[str, Any]) -> bytes:
        """Write the end of a stream that is whole; `usage` is ours, if an upstream tells none."""

    @abstractmethod
    def cut(self, usage: Mapping[str, Any], workspan: Mapping[str, Any]) -> bytes:
        """Write the end of a stream that was cut at its budget."""

    @abstractmethod
    def whole(self, value: dict[str, Any]) -> Event:
        """Read a reply in one body.

        Raises:
            EngineProtocolError: it is none.
        """

    @abstractmethod
    def completed(self, value: dict[str, Any], usage: Mapping[str, Any]) -> bool:
        """Add the fields of a whole reply that clients break without; False where none lack."""

    @abstractmethod
    def usage_value(self, usage: Usage) -> dict[str, Any]:
        """Write a bill as the dialect has it."""

    @abstractmethod
    def keep_alive(self) -> bytes:
        """Write what keeps a stream alive that has begun."""

    @abstractmethod
    def failed(self, error: Failed) -> bytes:
        """Write the end of a stream that died."""


def named(content: bytes, said: Any) -> bytes:
    """Write an event with its name, without the blank line behind it."""
    name: str = said.type
    told = name.encode() if name.isprintable() else b"unknown"  # a line's end would begin another
    return b"event: %b\ndata: %b" % (told, content.replace(b"\n", b""))


def as_object(content: bytes) -> dict[str, Any]:
    """Return an event's fields.

    Raises:
        EngineProtocolError: it is no JSON object.
    """
    try:
        value = parsed(content)
    except EngineProtocolError:
        value = None
    if not isinstance(value, dict):
        raise EngineProtocolError(f"an event of {len(content)} bytes is no JSON object")
    return value


def decoded(decode: Callable[[bytes], T], one: type[T], content: bytes) -> T:
    """Decode an event, one that is nearly JSON, too.

    Raises:
        EngineProtocolError: it is none.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return decode(content)
    try:
        return msgspec.convert(as_object(content), one, strict=False)
    except msgspec.ValidationError as error:
        raise EngineProtocolError(f"malformed stream: {error}") from None


def if_such(decode: Callable[[bytes], T], content: bytes) -> T | None:
    """Decode an event that is of one kind; None where it is not."""
    try:
        return decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def number(told: Any) -> int:
    """Return a count; 0 where there is none."""
    return told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else 0


def inner(told: Any, name: str, of: str) -> int:
    """Return a count within a part of usage."""
    part = told.get(name)
    return number(part.get(of)) if isinstance(part, dict) else 0


def report(prompt: int, cached: int, made: int, thought: int) -> Report:
    """Write usage as the account reads it: parts within their sums."""
    return Report(
        prompt,
        made,
        prompt + made,
        PromptDetails(cached),
        CompletionDetails(thought),
    )
