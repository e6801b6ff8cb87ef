"""A chat asked of an upstream that speaks Messages alone: its reply put into a chat's words."""

from __future__ import annotations

import json

import msgspec

from workspan.errors import EngineProtocolError
from workspan.protocol.messages import hearing
from workspan.serve.relay.blocks import Cutter, written
from workspan.serve.relay.native.base import as_object

PATH = "messages"
DONE = b"data: [DONE]\n\n"


class Backward:
    """One reply."""

    def __init__(self) -> None:
        self._cutter = Cutter()
        self._hearer = hearing.Hearer()

    def feed(self, received: bytes) -> bytes:
        """Return the events of a chat that these bytes come to; none where no event is whole."""
        blocks = self._cutter.feed(received) if received else self._cutter.end()
        out: list[bytes] = []
        for content in blocks.contents:
            value = as_object(content)
            out += [b"data: %b\n\n" % written(one) for one in self._hearer.hear(value)]
            if value.get("type") == "message_stop":
                out.append(DONE)
        return b"".join(out)

    def whole(self, content: bytes) -> bytes:
        """Return a whole chat; what is no message, such as an error, stays as it is."""
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return content
        if not isinstance(value, dict) or value.get("type") == "error":
            return content
        try:
            return msgspec.json.encode(hearing.whole(value))
        except EngineProtocolError:
            return content
