"""In which dialect one client is spoken to: replies, errors, and what keeps a stream alive.

What answers a request speaks Chat Completions, whatever the client speaks; a voice puts it into the
client's words on its way out. What an upstream said in the client's own dialect goes as it came.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from workspan.protocol.speaking import Piece
from workspan.serve.wire import sse
from workspan.serve.wire.errors import Failed


class Voice(Protocol):
    """How one client is spoken to."""

    def whole(self, body: bytes) -> bytes:
        """Write a reply that is not streamed."""
        ...

    def part(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:
        """Write some whole events of a stream; `pieces` are the same, where they were read."""
        ...

    def last(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:
        """Write the last events of a stream that ended well."""
        ...

    def error(self, error: Failed) -> bytes:
        """Write an error in the place of a reply."""
        ...

    def error_event(self, error: Failed) -> bytes:
        """Write the end of a stream that died."""
        ...

    def keep_alive(self) -> bytes:
        """Write what keeps a silent stream alive."""
        ...


class ChatVoice:
    """Chat Completions: nothing is to be changed."""

    def whole(self, body: bytes) -> bytes:
        """Leave it as it is."""
        return body

    def part(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:  # noqa: ARG002
        """Leave it as it is."""
        return data

    def last(self, data: bytes, pieces: Sequence[Piece] | None = None) -> bytes:  # noqa: ARG002
        """Leave it as it is."""
        return data

    def error(self, error: Failed) -> bytes:
        """Write OpenAI's object."""
        return error.body

    def error_event(self, error: Failed) -> bytes:
        """Write it as an event; no last word follows."""
        return sse.error_event(error)

    def keep_alive(self) -> bytes:
        """Write a comment, which all clients skip."""
        return sse.COMMENT


CHAT = ChatVoice()
