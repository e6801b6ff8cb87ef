"""What a dialect is, and the voice of one that is not Chat Completions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from workspan.protocol.carried import Carried
from workspan.protocol.speaking import Piece, Speaker
from workspan.serve.wire import sse
from workspan.serve.wire.errors import Failed

Form: TypeAlias = Literal["response", "message"]


class Begun(Protocol):
    """A stream in the client's own dialect, as far as it has come."""

    is_begun: bool
    """Its opening was handed on."""
    final: dict[str, Any]
    """The reply, once it is whole."""

    def keep_alive(self) -> bytes:
        """Write what keeps it alive."""
        ...

    def failed(self, error: Failed) -> bytes:
        """Write its end, where it died."""
        ...


class Voiced(ABC):
    """Speaks to one client."""

    def __init__(self, id: str) -> None:
        """Begin; until the body is read, only errors can be said."""
        self.id = id
        self.native: Begun | None = None
        """What an upstream says in this very dialect; None where it speaks Chat."""
        self.make: Callable[[], Speaker] | None = None
        """Makes what a chat is put into words by."""
        self._speaker: Speaker | None = None

    @property
    def speaker(self) -> Speaker:
        """What a chat is put into words by."""
        if self._speaker is None:
            assert self.make is not None  # the body was read
            self._speaker = self.make()
        return self._speaker

    def whole(self, body: bytes) -> bytes:
        """Write a reply."""
        return body if self.native is not None else self.speaker.whole(body)

    def part(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:
        """Write events."""
        return data if self.native is not None else self.speaker.part(data, pieces)

    def last(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:
        """Write the end."""
        return data if self.native is not None else self.speaker.last(data, pieces)

    def keep_alive(self) -> bytes:
        """Keep a stream alive; before its opening, a comment does."""
        if self.native is not None:
            return self.native.keep_alive() if self.native.is_begun else sse.COMMENT
        return self.kept_alive()

    @abstractmethod
    def kept_alive(self) -> bytes:
        """Keep a stream alive that is put into words here."""

    @abstractmethod
    def error(self, error: Failed) -> bytes:
        """Write an error in the place of a reply."""

    @abstractmethod
    def error_event(self, error: Failed) -> bytes:
        """Write the end of a stream that died."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One of them."""

    name: str
    """As an operator calls it."""
    form: Form
    path: str
    """Below an upstream's address."""
    prompt: str
    """The field that holds what is asked."""
    cap: str
    """The field that caps what is decoded."""
    carry: Callable[[Mapping[str, Any]], Carried]
    """Puts a body into Chat's words."""
    speaker: Callable[[str, Mapping[str, Any], Mapping[str, tuple[str, str]]], Speaker]
    """Puts a chat into words: the request's id, its body, its tools' namespaces."""
    voice: Callable[[str], Voiced]
    effort: Callable[[Mapping[str, Any]], str | None]
    """Reads how much is to be thought."""
    with_effort: Callable[[Mapping[str, Any], str | None], tuple[str, Any]]
    """Writes it: the field, and its value."""
    headers: tuple[bytes, ...] = ()
    """Of a client, that an upstream of the dialect sees."""
    needed: Mapping[str, str] = field(default_factory=dict)
    """Headers that an upstream of the dialect needs, where a client sends none."""
