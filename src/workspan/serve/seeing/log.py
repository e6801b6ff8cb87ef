"""One line of JSON a request, on standard error: nothing that a client or a model wrote."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any, TextIO

import msgspec

from workspan.errors import StoreError
from workspan.legible import one_line
from workspan.serve.seeing.record import Record

_encode = msgspec.json.Encoder().encode
_LONGEST_ERROR = 500


class RequestLog:
    """Writes records to a stream; None writes nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def add(self, *records: Record) -> None:
        """Write requests that are over, all at once."""
        if self._stream is not None:
            lines = [_encode(record.line) for record in records]
            self._stream.write(b"\n".join([*lines, b""]).decode())

    def store(self, gone: StoreError | None) -> None:
        """Write that the store is gone, and why, or that it is back."""
        said = "" if gone is None else one_line(str(gone), _LONGEST_ERROR)
        line = {"event": "store", "time": time.time(), "is_up": gone is None, "error": said}
        self._write(line)

    def died(self, worker: str, status: int, pause: float) -> None:
        """Write that a process died: its exit status, below 0 a signal, and when it is begun anew.

        What it was drawing on is charged as the rows of the route `lost`.
        """
        told = {"worker": worker, "exit": status, "anew_in": pause}
        self._write({"event": "worker_died", "time": time.time(), **told})

    def bug(self, request_id: str, error: BaseException) -> None:
        """Write where one of our own was raised; its words may hold what a client wrote."""
        places = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)
        ]
        kind = type(error).__name__
        self._write({"event": "bug", "id": request_id, "error": kind, "at": places})

    def _write(self, line: dict[str, Any]) -> None:
        if self._stream is not None:
            self._stream.write(_encode(line).decode() + "\n")


def to_standard_error() -> RequestLog:
    """Return the log of a server that a person started."""
    return RequestLog(sys.stderr)
