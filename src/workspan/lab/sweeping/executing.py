"""The seam between a sweep and whatever runs its cells: this process, or a cluster's workers.

An executor may run a unit more than once, in any order, and lose it: the sweep keeps a cell once,
under its key, and charges what the executor's journals show, each sweep its own part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workspan.data.types import Amount, Usage
from workspan.lab.sweeping.cell import Cell
from workspan.lab.sweeping.nested import Family
from workspan.lab.sweeping.outcome import TrialRow


@dataclass(frozen=True, slots=True)
class Recorded:
    """What earlier processes spent on one run of a cell."""

    run: Usage = field(default_factory=Usage)
    """Within the run's own budget: it is gone on with from there."""
    lost: Usage = field(default_factory=Usage)
    """The bounds of calls that were in flight when a process was killed."""
    is_over: bool = False
    """The run came to its end: measuring it again takes nothing more."""
    paid: Mapping[str, Amount] = field(default_factory=dict)
    """All of it, by the sweep that paid."""

    @property
    def amount(self) -> Amount:
        """All of it."""
        return self.run.amount.plus(self.lost.amount) if self.lost.calls else self.run.amount


@dataclass(frozen=True, slots=True)
class Measured:
    """One run, and whether any more of its cell are worth beginning."""

    row: TrialRow | None
    """A failed run is a row, too, with what it cost and its error. None where what ran it was lost
    in mid-run: it may be measured anew."""
    recorded: Recorded
    """What was spent on it when it was opened, or by now where there is no row."""
    gone: str = ""
    """Why no more can be run: the engine does not answer, a sandbox is missing."""
    is_engine: bool = False
    """It is the engine: its other cells would fail as well."""


class Executor(Protocol):
    """Runs cells, one problem at a time."""

    def places(self, cell: Cell) -> int:
        """Return how many runs of this cell's engine may go on side by side."""
        ...

    async def recorded(self, cell: Cell) -> Mapping[int, Recorded]:
        """Return what was spent on a cell by now, by the problem's place, whoever runs it.

        Nothing is asked.

        Raises:
            JournalError: it can't be read.
        """
        ...

    def take(self, family: Family, cells: Sequence[Cell]) -> Mapping[str, Mapping[int, Recorded]]:
        """Hold cells of a family for this sweep alone, until they are released.

        Returns what was spent on those that have a journal, by the cell: nobody adds to it now.

        Raises:
            JournalInUse: another sweep runs one of them; none is held.
            JournalError: one can't be read.
        """
        ...

    async def measure(self, cell: Cell, place: int, sweep: str) -> Measured:
        """Run a cell on one of its problems at a sweep's expense, and grade the answer.

        Raises:
            JournalError: its calls can't be kept.
        """
        ...

    async def share(self, cell: Cell, drawn: Cell, place: int) -> TrialRow | None:
        """Run a cell on the calls that another one drew; None where it would need others."""
        ...

    def at_once(self, family: Family) -> Mapping[str, Sequence[TrialRow]] | None:
        """Return all rows of a family, by the cell, where no run is needed for them."""
        ...

    def passed(self, family: Family, place: int) -> None:
        """Give back what was held for a family's runs on one problem: all of them are through."""
        ...

    def release(self, family: Family) -> None:
        """Give back what was held for cells that are finished."""
        ...
