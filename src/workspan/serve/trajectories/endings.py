"""Where runs stand that nobody named: trajectories that were told the same up to some answer."""

from __future__ import annotations

from collections import OrderedDict

from workspan.serve.store.trajectories import MOST_ALIKE


class Ending:
    """Trajectories whose conversations are one to the letter, in the order they are gone on with.

    Two agents with one task may be told the same at first. Each is kept: the one that was gone on
    with least, and longest ago, is the next to be.
    """

    __slots__ = ("_taken", "at")

    def __init__(self) -> None:
        """Begin with none."""
        self._taken: OrderedDict[str, int] = OrderedDict()
        self.at = 0.0
        """When the last one came here."""

    def keep(self, name: str, now: float) -> None:
        """Keep one more; beyond so many the one that was gone on with most makes room."""
        self._taken.setdefault(name, 0)
        self.at = now
        if len(self._taken) > MOST_ALIKE:
            del self._taken[max(self._taken, key=self._taken.__getitem__)]

    def take(self) -> str:
        """Return the one that is gone on with now."""
        name = min(self._taken, key=self._taken.__getitem__)
        self._taken[name] += 1
        return name

    def also(self, name: str) -> None:
        """Note that one was gone on with, found elsewhere."""
        if name in self._taken:
            self._taken[name] += 1
