"""The blocks of an event stream, cut from its bytes: usual ones at once, odd ones mended."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec

from workspan.engines.endpoint.events import EVENT_BYTES
from workspan.errors import EngineProtocolError

_DONE = b"[DONE]"
_LAST = b"data: [DONE]\n\n"
_USUAL = re.compile(rb"^data: (\{.*)\n\n", re.MULTILINE)


@dataclass(slots=True)
class Blocks:
    """The whole events among some bytes."""

    contents: list[bytes] = field(default_factory=list)
    """What their `data` holds: nothing empty, and not the last word."""
    raw: bytes | None = None
    """The same events as they came; None where something is not to be passed on as it is."""
    is_error: bool = False
    """The last of them is marked as an error."""


class Cutter:
    """Cuts one stream."""

    __slots__ = ("_rest", "is_done")

    def __init__(self) -> None:
        self._rest = b""
        self.is_done = False
        """The server has said that it is done; nothing after that is read."""

    def feed(self, received: bytes) -> Blocks:
        """Return the events that these bytes complete.

        Raises:
            EngineProtocolError: an event goes on without end.
        """
        if self._rest:
            received = self._rest + received
        if b"\r" in received:
            received = received.replace(b"\r\n", b"\n")
        end = received.rfind(b"\n\n") + 2
        if end == 1:
            self._keep(received)
            return Blocks()
        if end == len(received):
            self._rest = b""
        else:
            self._keep(received[end:])
            received = received[:end]
        return self._cut(received)

    def end(self) -> Blocks:
        """Return the event that was not followed by the blank line that it needs."""
        rest, self._rest = self._rest.strip(), b""
        return self._cut(rest + b"\n\n") if rest else Blocks()

    def _keep(self, rest: bytes) -> None:
        if len(rest) > EVENT_BYTES:
            raise EngineProtocolError(f"an event of more than {EVENT_BYTES} bytes")
        self._rest = rest

    def _cut(self, whole: bytes) -> Blocks:
        size = len(_LAST)
        if whole.endswith(_LAST) and whole[-size - 2 : -size] in (b"", b"\n\n"):
            self.is_done = True
            whole = whole[:-size]
        found = _USUAL.findall(whole)
        if 2 * len(found) == whole.count(b"\n"):  # all of it are such events
            return Blocks(found, whole)
        return self._odd(whole[:-2].split(b"\n\n"))

    def _odd(self, parts: list[bytes]) -> Blocks:
        """Read blocks with comments, names, several lines, or the last word."""
        found = Blocks()
        for part in parts:
            lines = part.split(b"\n")
            data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
            content = b"\n".join(data).strip()
            if content == _DONE:
                self.is_done = True
                break
            if content:
                found.contents.append(content)
                if any(line.startswith(b"event:") and b"error" in line for line in lines):
                    found.is_error = True
                    break
        return found


def joined(contents: list[bytes]) -> bytes:
    """Write events of one line each."""
    return b"data: %b\n\n" % b"\n\ndata: ".join(contents) if contents else b""


def parsed(content: bytes) -> Any:
    """Return an event's value.

    Raises:
        EngineProtocolError: it is no JSON.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.decode(content)
    try:
        return json.loads(content)  # takes what is nearly JSON, too, such as half a pair
    except (ValueError, RecursionError):
        raise EngineProtocolError(f"an event of {len(content)} bytes is no JSON") from None


def written(value: Any) -> bytes:
    """Write a value on one line."""
    with suppress(UnicodeEncodeError):
        return msgspec.json.encode(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "backslashreplace"
    )
