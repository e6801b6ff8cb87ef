"""Server-sent events, written: an event is one line of data, a comment keeps a stream alive."""

from __future__ import annotations

from typing import Any

import msgspec

from workspan.serve.wire.errors import Failed

DONE = b"data: [DONE]\n\n"
COMMENT = b": keep-alive\n\n"
HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # else nginx holds events back
)


def event(value: Any) -> bytes:
    """Write a value as one event."""
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def error_event(error: Failed) -> bytes:
    """Write the end of a stream that died: no finish, and no [DONE], comes after it."""
    return b"data: " + error.body + b"\n\n"
