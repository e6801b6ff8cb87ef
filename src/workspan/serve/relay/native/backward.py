"""A chat asked of an upstream that speaks no Chat: its reply put into a chat's words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from workspan.errors import EngineProtocolError
from workspan.protocol.carried import Carried
from workspan.protocol.messages import hearing as of_messages
from workspan.protocol.messages import telling as to_messages
from workspan.protocol.responses import hearing as of_responses
from workspan.protocol.responses import telling as to_responses
from workspan.serve.dialects.base import Form
from workspan.serve.relay.blocks import Cutter, written
from workspan.serve.relay.native.base import as_object

DONE = b"data: [DONE]\n\n"


class Hearer(Protocol):
    """Puts events of a dialect into a chat's."""

    def hear(self, value: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return the chunks that an event comes to."""
        ...


@dataclass(frozen=True, slots=True)
class Tongue:
    """What one dialect takes to be asked a chat in it."""

    tell: Callable[[Mapping[str, Any]], Carried]
    """Writes the body."""
    hearer: Callable[[], Hearer]
    whole: Callable[[Mapping[str, Any]], dict[str, Any]]
    """Reads a reply that is not streamed."""
    ends: frozenset[str]
    """Events after which nothing comes."""


TONGUES: Mapping[Form, Tongue] = {
    "message": Tongue(
        to_messages.tell, of_messages.Hearer, of_messages.whole, frozenset({"message_stop"})
    ),
    "response": Tongue(
        to_responses.tell, of_responses.Hearer, of_responses.whole, of_responses.ENDS
    ),
}


class Backward:
    """One reply."""

    def __init__(self, form: Form) -> None:
        self.tongue = TONGUES[form]
        self._cutter = Cutter()
        self._hearer = self.tongue.hearer()

    def written(self, content: bytes) -> bytes:
        """Return a chat's body in the upstream's words.

        Raises:
            InputError: something in it can't be said in them.
        """
        return msgspec.json.encode(self.tongue.tell(msgspec.json.decode(content)).body)

    def feed(self, received: bytes) -> bytes:
        """Return the events of a chat that these bytes come to; none where no event is whole."""
        blocks = self._cutter.feed(received) if received else self._cutter.end()
        out: list[bytes] = []
        for content in blocks.contents:
            value = as_object(content)
            out += [b"data: %b\n\n" % written(one) for one in self._hearer.hear(value)]
            if value.get("type") in self.tongue.ends:
                out.append(DONE)
        return b"".join(out)

    def whole(self, content: bytes) -> bytes:
        """Return a whole chat; what is no reply, such as an error, stays as it is."""
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            return content
        if not isinstance(value, dict) or value.get("type") == "error":
            return content
        try:
            return msgspec.json.encode(self.tongue.whole(value))
        except EngineProtocolError:
            return content
