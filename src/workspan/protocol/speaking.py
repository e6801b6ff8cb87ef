"""A chat's reply taken apart into what other dialects call items or blocks, one after another."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from workspan.errors import EngineProtocolError
from workspan.protocol.chat_texts import text_alone

PartKind: TypeAlias = Literal["thought", "text", "refusal", "call"]
Piece: TypeAlias = bytes | list[str]
"""Whole events of a chat; or the texts of some that are a piece of its text each, and no more."""
_DATA = re.compile(rb"^data: (?!\[DONE\]$)(.*)$", re.MULTILINE)


@dataclass(slots=True)
class Part:
    """One part of a reply."""

    kind: PartKind
    place: int
    """Among the parts."""
    id: str = ""
    """Of a call, the model's own."""
    name: str = ""
    call_kind: str = "function"
    pieces: list[str] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    """What must come back with it, such as the signature of a thought."""
    scored: list[Any] = field(default_factory=list)
    """Tokens with their log-probabilities, as the wire has them."""
    notes: list[Any] = field(default_factory=list)
    """Annotations of a text."""

    @property
    def text(self) -> str:
        """All that came of it."""
        return "".join(self.pieces)


class Delta(msgspec.Struct):
    """What a piece of a reply, or all of it, says."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: Any = None
    annotations: Any = None


class Choice(msgspec.Struct):
    """A choice: a piece of it, or all."""

    index: int = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    stop_reason: Any = None
    """The stop sequence that ended it, where a server tells."""
    logprobs: Any = None


class Chunk(msgspec.Struct):
    """A piece of a reply, or all of it."""

    model: str = ""
    choices: list[Choice] = msgspec.field(default_factory=list)
    usage: dict[str, Any] | None = None
    workspan: Any = None


_chunk = msgspec.json.Decoder(Chunk).decode
_written = msgspec.json.Encoder().encode


def event(name: str, value: Mapping[str, Any]) -> bytes:
    """Write an event with its name."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _written(value))


class Speaker(ABC):
    """Writes one reply in another dialect, from the pieces of a chat's."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.is_begun = False
        """The opening was written."""
        self.model = ""
        self.finish = ""
        """As the chat had it; empty until it ends."""
        self.stop_reason: Any = None
        self.usage: Mapping[str, Any] = {}
        self.workspan: Any = None
        self._open: Part | None = None
        self._calls: dict[int, Part] = {}

    def part(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:
        """Write what whole events of a chat say; `pieces` are the same, where they were read.

        Raises:
            EngineProtocolError: one can't be said in this dialect.
        """
        out: list[bytes] = []
        is_first = not (self.model or (pieces and isinstance(pieces[0], bytes)))
        if pieces is None or is_first:  # the first event names the model, be it a text or not
            self._read(data, out)
            return b"".join(out)
        for piece in pieces:
            if isinstance(piece, bytes):
                self._read(piece, out)
            else:
                self._texts(piece, out)
        return b"".join(out)

    def _read(self, data: bytes, out: list[bytes]) -> None:
        for content in _DATA.findall(data):
            part = self._open
            goes_on = part is not None and part.kind == "text" and self.model
            if part is not None and goes_on and (text := text_alone(content)) is not None:
                part.pieces.append(text)
                out.append(self.more(part, text, ()))
            else:
                self._take(_decoded(content), out)

    def _texts(self, texts: Sequence[str], out: list[bytes]) -> None:
        """Go on with the text."""
        part = self._open
        if part is None or part.kind != "text":
            self._more("text", texts[0], out)
            part, texts = self.parts[-1], texts[1:]
        part.pieces += texts
        out += self.texts(part, texts)

    def last(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:
        """Write what the last events say, and the end."""
        out = [self.part(data, pieces), self.opening()]
        self._close(out)
        out.append(self.ending())
        return b"".join(out)

    def whole(self, data: bytes) -> bytes:
        """Write a reply that came in one body."""
        self._take(_decoded(data), None)
        self._close(None)
        return _written(self.reply())

    def opening(self) -> bytes:
        """Write the beginning, once."""
        if self.is_begun:
            return b""
        self.is_begun = True
        return self.began()

    @abstractmethod
    def began(self) -> bytes:
        """Write the beginning."""

    @abstractmethod
    def opened(self, part: Part) -> bytes:
        """Write that a part begins."""

    @abstractmethod
    def more(self, part: Part, text: str, scored: Sequence[Any]) -> bytes:
        """Write that a part goes on."""

    @abstractmethod
    def texts(self, part: Part, texts: Sequence[str]) -> list[bytes]:
        """Write that a text goes on by several pieces, as `more` writes each."""

    def lacking(self, part: Part) -> str:  # noqa: ARG002  # of this dialect
        """Return what a part that is to be closed lacks; it is added to it."""
        return ""

    @abstractmethod
    def closed(self, part: Part) -> bytes:
        """Write that a part is whole."""

    @abstractmethod
    def ending(self) -> bytes:
        """Write the end."""

    @abstractmethod
    def reply(self) -> dict[str, Any]:
        """Return the whole reply."""

    def _take(self, chunk: Chunk, out: list[bytes] | None) -> None:
        """Take a piece of a reply; where `out` is None, no events are written of it."""
        self.model = self.model or chunk.model
        if chunk.usage:
            self.usage = chunk.usage
        if chunk.workspan is not None:
            self.workspan = chunk.workspan
        for choice in chunk.choices:
            if choice.index:
                raise EngineProtocolError("a reply of more than one choice")
            said = choice.delta or choice.message
            if said is not None:
                self._say(said, choice.logprobs, out)
            if choice.finish_reason:
                self.finish, self.stop_reason = choice.finish_reason, choice.stop_reason

    def _say(self, said: Delta, logprobs: Any, out: list[bytes] | None) -> None:
        if said.reasoning_details:
            for detail in _objects(said.reasoning_details):
                self._detail(detail, out)
        elif thought := _text(said.reasoning_content) or _text(said.reasoning):
            self._more("thought", thought, out)
        if text := _text(said.content):
            scored = logprobs.get("content") if isinstance(logprobs, dict) else None
            self._more("text", text, out, scored or ())
        if said.annotations and self._open is not None:
            self._open.notes += _objects(said.annotations)
        if refusal := _text(said.refusal):
            self._more("refusal", refusal, out)
        for place, call in enumerate(_objects(said.tool_calls)):
            self._call(call, place, out)

    def _more(
        self, kind: PartKind, text: str, out: list[bytes] | None, scored: Sequence[Any] = ()
    ) -> None:
        part = self._open
        if part is None or part.kind != kind or part.kept.get("type"):
            part = self._begin(Part(kind, len(self.parts)), out)
        part.scored += scored
        self._add(part, text, out, scored)

    def _add(
        self, part: Part, text: str, out: list[bytes] | None, scored: Sequence[Any] = ()
    ) -> None:
        part.pieces.append(text)
        if out is not None:
            out.append(self.more(part, text, scored))

    def _begin(self, part: Part, out: list[bytes] | None) -> Part:
        if out is not None:
            out.append(self.opening())
        self._close(out)
        self.parts.append(part)
        self._open = part
        if out is not None:
            out.append(self.opened(part))
        return part

    def _close(self, out: list[bytes] | None) -> None:
        part = self._open
        if part is None:
            return
        if lacks := self.lacking(part):
            self._add(part, lacks, out)
        if out is not None:
            out.append(self.closed(part))
        self._open = None

    def _detail(self, told: dict[str, Any], out: list[bytes] | None) -> None:
        """Add thinking that must go back as it came (OpenRouter's `reasoning_details`)."""
        kind = told.pop("type", None)
        if kind != "reasoning.text":
            # hidden or summed up: a part of its own, which holds the detail whole
            self._begin(Part("thought", len(self.parts), kept={"type": kind, **told}), out)
            self._close(out)
            return
        text = _text(told.pop("text", None))
        kept = {name: value for name, value in told.items() if value is not None}
        part = self._open
        if part is None or part.kind != "thought" or _differ(part.kept, kept):
            part = self._begin(Part("thought", len(self.parts)), out)
        part.kept |= kept
        if text:
            self._add(part, text, out)

    def _call(self, told: dict[str, Any], place: int, out: list[bytes] | None) -> None:
        """Add to a call of a tool: its id and name come first, its arguments in pieces."""
        index = told.get("index") if isinstance(told.get("index"), int) else place
        assert isinstance(index, int)
        kind = "custom" if "custom" in told or told.get("type") == "custom" else "function"
        inner = told.get(kind)
        inner = inner if isinstance(inner, dict) else {}
        part = self._calls.get(index)
        if part is None:
            name = _text(inner.get("name"))
            if not name:
                raise EngineProtocolError("a call of a tool without a name")
            new = Part("call", len(self.parts), _text(told.get("id")), name, kind)
            part = self._calls[index] = self._begin(new, out)
        text = _text(inner.get("input" if part.call_kind == "custom" else "arguments"))
        if not text:
            return
        if part is not self._open:
            raise EngineProtocolError("pieces of several calls of tools in turns")
        self._add(part, text, out)


def _differ(known: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell a further thought from more of the same."""
    return any(known.get(name, new.get(name)) != new.get(name) for name in ("index", "id"))


def _decoded(content: bytes) -> Chunk:
    try:
        return _chunk(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise EngineProtocolError(f"an event of {len(content)} bytes is no chat's") from None


def _text(told: Any) -> str:
    return told if isinstance(told, str) else ""


def _objects(told: Any) -> list[dict[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def count(usage: Mapping[str, Any], name: str, inner: str = "") -> int:
    """Return a count of a usage; 0 where it was not told."""
    found = usage.get(name)
    if inner:
        found = found.get(inner) if isinstance(found, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) else 0
