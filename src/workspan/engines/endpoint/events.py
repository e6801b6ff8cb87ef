"""Server-sent events: cut from a stream's bytes, however they were torn, and bounded in size."""

from __future__ import annotations

import msgspec

from workspan.engines.endpoint.wire import Event, decode_event, decode_usual
from workspan.errors import EngineProtocolError

_DONE = b"[DONE]"
EVENT_BYTES = 8 * 1024 * 1024
"""The most that one event, or one line, may take; a token with its alternatives takes thousands."""


class EventStream:
    """Cuts the bytes of a `text/event-stream` into events."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        """A line that has not ended yet."""
        self._held = 0
        """Bytes of it, and of the event's lines before it."""
        self._data: list[bytes] = []
        self._is_error = False
        self.is_done = False
        """The server has said that it is done."""
        self.failure: EngineProtocolError | None = None
        """What was wrong after the events returned so far; nothing beyond it is read."""

    def feed(self, received: bytes) -> list[Event]:
        """Return the events completed by these bytes, those before a failure included."""
        if b"\n" not in received:
            self._keep(received)
            return []
        if self._rest:
            received = b"".join([*self._rest, received])
            self._rest.clear()
        lines = received.split(b"\n")
        rest = lines.pop()
        events: list[Event] = []
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:])
            elif data and not line.strip():
                content = data[0] if len(data) == 1 else b"\n".join(data)
                data.clear()
                if not self._take(content, events):
                    return events
            elif line.startswith(b"event:"):
                self._is_error = line[6:].strip() == b"error"
        self._held = sum(map(len, data))
        if rest:
            self._keep(rest)
        return events

    def _take(self, content: bytes, events: list[Event]) -> bool:
        """Add one event; False if nothing after it can be read."""
        is_error, self._is_error = self._is_error, False
        if not is_error:
            try:
                events.append(decode_usual(content))
                return True
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                pass  # the usual end, or an odd event
        content = content.strip()
        if content == _DONE:
            self.is_done = True
        elif content:
            try:
                events.append(decode_event(content, is_error=is_error))
            except EngineProtocolError as error:
                self.failure = error
                return False
        return True

    def _keep(self, piece: bytes) -> None:
        """Hold a piece of a line; a comment's bytes are counted, but not kept."""
        self._held += len(piece)
        is_comment = (self._rest[0] if self._rest else piece).startswith(b":")
        if not (is_comment and self._rest):
            self._rest.append(piece)
        if self._held > EVENT_BYTES:
            self.failure = EngineProtocolError(
                f"malformed stream: an event of more than {EVENT_BYTES} bytes"
            )

    def end(self) -> list[Event]:
        """Return the event that was not followed by the blank line it needs."""
        return self.feed(b"\n\n")
