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

    def keep(self, key: str, asked: Any, response: dict[str, Any]) -> None:
        """Keep what was asked, a text or items, and what came of it."""
        before = [{"role": "user", "content": asked}] if isinstance(asked, str) else [*asked]
        content = msgspec.json.encode([*before, *response.get("output", ())])
        if len(content) > self._most_bytes:
            return
        place = (key, str(response.get("id")))
        self._size += len(content) - len(self._known.pop(place, b""))
        self._known[place] = content
        while len(self._known) > self._most or self._size > self._most_bytes:
            self._size -= len(self._known.popitem(last=False)[1])
