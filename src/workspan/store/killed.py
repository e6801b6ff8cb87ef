"""A run that a kill cut short, gone on with as if nothing had happened to it.

A call that was in flight is asked anew under its own key, so that the run is the one that nobody
disturbed: its budget pays for no bound of a call that came to nothing. That bound was spent all the
same. It stands in a journal of its own, in the same file, for whoever keeps an account above.
"""

from __future__ import annotations

from dataclasses import dataclass

from workspan.core.journal import Journal
from workspan.data.entry import Entry, RunId
from workspan.data.types import Usage
from workspan.store.journals import JournalFile

KILLED = "(in flight when a process was killed)"
"""Stands before the strategy of what is lost."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """A run without what was in flight, and that beside it."""

    journal: Journal
    """The run's own: what is asked from now on is appended to it."""
    lost: Journal
    """The bounds of the calls that were in flight, one entry each."""

    @property
    def gone(self) -> Usage:
        """What the lost calls may have cost together."""
        return self.lost.usage()


def resumed(file: JournalFile, run: RunId) -> Resumed:
    """Open a run of a file, with what kills had in flight set aside.

    Raises:
        InputError: the run was opened before.
        JournalError: what is set aside can't be written.
    """
    return set_aside(file.journal(run), file.journal(lost_of(run)))


def set_aside(raw: Journal, lost: Journal) -> Resumed:
    """Take the calls that are open out of a journal, and note their bounds in another."""
    if not raw.entries:
        return Resumed(Journal((), raw.append), lost)
    latest = {entry.key: place for place, entry in enumerate(raw.entries)}
    dead = {key for key, place in latest.items() if raw.entries[place].outcome == "open"}
    known = {entry.key for entry in lost.entries}
    for key in sorted(dead, key=latest.__getitem__):
        place = latest[key]
        bound = raw.entries[place].usage
        if bound.calls and str(place) not in known:  # else no request was out
            lost.append(Entry(str(place), "value", usage=bound))
    kept = [entry for entry in raw.entries if entry.key not in dead]
    return Resumed(Journal(kept, raw.append), lost)


def lost_of(run: RunId) -> RunId:
    """Return the name under which a run's lost calls are kept in the same file."""
    return RunId(f"{KILLED} {run.strategy}", run.problem, run.digest, run.budget, run.seed)
