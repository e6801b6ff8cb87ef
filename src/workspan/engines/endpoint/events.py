"""Server-sent events: cut from a stream's bytes, however they were torn, and bounded in size."""

from __future__ import annotations

from workspan.engines.endpoint.wire import Event, decode_event, decode_usual
from workspan.errors import EngineProtocolError

_DONE = b"[DONE]"
EVENT_BYTES = 8 * 1024 * 1024
"""The most that one event, or one line, may take; a token with its alternatives takes thousands."""


def _usual(received: bytes) -> list[bytes] | None:
    """Return the contents of whole events of one `data:` line each; None if any is otherwise."""
    blocks = received.split(b"\n\n")
    if blocks.pop() or not all(b.startswith(b"data:") and b"\n" not in b for b in blocks):
        return None
    return [block[5:] for block in blocks]


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
        if not self._data and (contents := _usual(received)) is not None:
            return self._decode(contents)
        lines = received.split(b"\n")
        rest = lines.pop()
        contents = []
        data = self._data
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:])
            elif data and not line.strip():
                contents.append(data[0] if len(data) == 1 else b"\n".join(data))
                data.clear()
                if self._is_error:
                    break  # what an `event: error` holds is read for itself
            elif line.startswith(b"event:"):
                self._is_error = line[6:].strip() == b"error"
        self._held = sum(map(len, data))
        if rest:
            self._keep(rest)
        return self._decode(contents)

    def _decode(self, contents: list[bytes]) -> list[Event]:
        """Decode usual events at once, and one by one where any is odd."""
        if contents and contents[-1].strip() == _DONE:
            self.is_done = True
            contents.pop()
        if not self._is_error and (usual := decode_usual(contents)) is not None:
            return usual
        is_error, self._is_error = self._is_error, False
        events: list[Event] = []
        for content in contents:
            is_last = content is contents[-1]
            if not self._take(content.strip(), events, is_error=is_error and is_last):
                break
        return events

    def _take(self, content: bytes, events: list[Event], *, is_error: bool) -> bool:
        """Add one event; False if nothing after it can be read."""
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
