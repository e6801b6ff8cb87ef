"""Whether one more run is likely to fit what is left of a pilot: the account cuts, this forestalls.

A run that the account cuts is paid for and says nothing. So none is begun that would not fit if it,
and all that are under way, took as much as the longest run of their setting so far; where none has
ended yet, as much as it may take at most. One that may fit later waits for others to end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import anyio

from workspan.core.ledger import Ledger
from workspan.data.types import Amount

_COLUMNS = ("cost", "work", "calls", "prefill")


class Guard:
    """What runs have taken so far, and which are under way."""

    def __init__(self, account: Ledger, bounds: Sequence[Amount]) -> None:
        """Begin with what one run of each setting may take at most."""
        self.account = account
        self._bounds = [_columns(bound) for bound in bounds]
        self._most: dict[int, dict[str, float]] = {}
        self._flying: Counter[int] = Counter()
        self._landed = anyio.Event()
        self._line = anyio.Lock()

    async def admit(self, setting: int) -> str:
        """Wait until one more run of a setting is likely to fit; name the limit if it never will.

        One that is admitted counts as under way. Runs are admitted in the order in which they ask,
        and the first of a setting in any case, when nothing else is under way.
        """
        async with self._line:
            while column := self._refusal(setting):
                if not self._flying.total():
                    break
                await self._landed.wait()
            if column and setting in self._most:
                return column
            self._flying[setting] += 1
            return ""

    def begin(self, setting: int) -> None:
        """Count a run as under way that costs nothing more."""
        self._flying[setting] += 1

    def land(self, setting: int) -> None:
        """Count a run as over that was admitted or begun."""
        self._flying[setting] -= 1
        self._landed.set()
        self._landed = anyio.Event()

    def note(self, setting: int, amount: Amount) -> None:
        """Take what a finished run has taken."""
        held, told = self._most.setdefault(setting, {}), _columns(amount)
        for column, value in told.items():
            held[column] = max(held.get(column, 0.0), value)

    def _refusal(self, setting: int) -> str:
        spent, owed = _columns(self.account.spent.amount), _columns(self.account.owed)
        for column in _COLUMNS:
            limit = getattr(self.account.budget, column)
            under_way = sum(n * self._likely(one)[column] for one, n in self._flying.items())
            wanted = spent[column] + owed[column] + under_way + self._likely(setting)[column]
            if limit is not None and wanted > float(limit):
                return column
        return ""

    def _likely(self, setting: int) -> Mapping[str, float]:
        return self._most.get(setting, self._bounds[setting])


def _columns(amount: Amount) -> dict[str, float]:
    return {column: float(getattr(amount, column)) for column in _COLUMNS}
