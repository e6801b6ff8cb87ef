"""Responses that are kept for a next request that goes on from them, where the operator says so.

They are in the memory of one process: so many, and so many bytes, the oldest given up first.
Each belongs to the key that asked for it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import msgspec

_MOST_BYTES = 256 * 1024 * 1024


class Kept:
    """Conversations by the ids of their last responses."""

    def __init__(self, most: int, most_bytes: int = _MOST_BYTES) -> None:
        """Keep so many at most; 0 keeps none."""
        self._most, self._most_bytes = most, most_bytes
        self._known: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._homes: dict[tuple[str, str], tuple[str, str]] = {}
        """Of each item of a response, by its id, the last response that it is of."""
        self._size = 0

    @property
    def keeps(self) -> bool:
        """Something is kept at all."""
        return self._most > 0

    def items(self, key: str, id: str) -> list[Any] | None:
        """Return all items up to a response, its own included; None where it is not known."""
        found = self._known.get((key, id))
        if found is None:
            return None
        self._known.move_to_end((key, id))
        told: list[Any] = msgspec.json.decode(found)
        return told

    def item(self, key: str, id: str) -> Any | None:
        """Return one item of a response by its own id; None where it is not known."""
        home = self._homes.get((key, id))
        before = None if home is None else self.items(*home)
        return next((one for one in before or () if _id(one) == id), None)

    def keep(self, key: str, asked: Any, response: dict[str, Any]) -> None:
        """Keep what was asked, a text or items, and what came of it."""
        before = [{"role": "user", "content": asked}] if isinstance(asked, str) else [*asked]
        content = msgspec.json.encode([*before, *response.get("output", ())])
        if len(content) > self._most_bytes:
            return
        place = (key, str(response.get("id")))
        self._size += len(content) - len(self._known.pop(place, b""))
        self._known[place] = content
        for one in response.get("output", ()):
            self._homes[(key, str(_id(one)))] = place
        while len(self._known) > self._most or self._size > self._most_bytes:
            self._forget(*self._known.popitem(last=False))

    def _forget(self, place: tuple[str, str], content: bytes) -> None:
        self._size -= len(content)
        for one in msgspec.json.decode(content):
            at = (place[0], str(_id(one)))
            if self._homes.get(at) == place:
                del self._homes[at]


def _id(item: Any) -> Any:
    return item.get("id") if isinstance(item, dict) else None
