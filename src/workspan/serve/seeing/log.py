"""One line of JSON a request, on standard error: nothing that a client or a model wrote."""

from __future__ import annotations

import sys
from typing import TextIO

import msgspec

from workspan.legible import one_line
from workspan.serve.seeing.record import Record

_LONGEST = 200
"""Characters of a name of a model, which a client wrote."""


class RequestLog:
    """Writes records to a stream; None writes nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def add(self, record: Record) -> None:
        """Write a request that is over."""
        if self._stream is None:
            return
        line = record.line
        line["model"] = one_line(record.asked_model, _LONGEST)
        self._stream.write(msgspec.json.encode(line).decode() + "\n")


def to_standard_error() -> RequestLog:
    """Return the log of a server that a person started."""
    return RequestLog(sys.stderr)
