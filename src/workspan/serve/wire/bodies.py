"""What the bodies of all open requests of a process hold together, bounded: of all, and of a key.

Requests wait in line with their bodies: without a bound some hundred large ones take the memory of
the machine. Small bodies are never refused for large ones; their number is what bounds them.
"""

from __future__ import annotations

from workspan.serve.wire.errors import Failed

_FREE = 65_536
"""Bytes of each body that are not counted."""
_SHARE = 2
"""One key's bodies may hold one part in so many."""


class Bodies:
    """Counts what open requests hold."""

    def __init__(self, most: int, largest: int = 0) -> None:
        """Let all of them hold so many bytes, and a key one of the largest that is taken."""
        self._most = max(most, _SHARE * largest)
        self._held = 0
        self._of: dict[str, int] = {}

    def take(self, key: str, before: int, size: int) -> None:
        """Let a body of a key grow from so many bytes to a size.

        Raises:
            Failed: there is no room for it now; nothing more is held.
        """
        if size <= _FREE:
            return
        more = _counted(size) - _counted(before)
        of_key = self._of.get(key, 0) + more
        is_full = self._held + more > self._most
        if more and (is_full or (key and of_key > self._most // _SHARE)):
            said = "requests that are open hold too many bytes together: try again soon"
            raise Failed(503, said, code="queue_full", headers={"retry-after": "1"})
        self._held += more
        if of_key:
            self._of[key] = of_key

    def give_back(self, key: str, size: int) -> None:
        """Let go of a body."""
        if size <= _FREE:
            return
        counted = _counted(size)
        self._held -= counted
        left = self._of.get(key, 0) - counted
        if left > 0:
            self._of[key] = left
        else:
            self._of.pop(key, None)


def _counted(size: int) -> int:
    return max(0, size - _FREE)
