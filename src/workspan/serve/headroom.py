"""How much of a cap thinking must leave."""

from __future__ import annotations

_LEAST_ROOM = 256


def answer_room(cap: int) -> int:
    """Return the tokens of a cap that thinking must leave for the answer."""
    return min(max(_LEAST_ROOM, cap // 4), (cap + 1) // 2)
