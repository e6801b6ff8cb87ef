"""Which sweep paid for which part of a run: noted in the file of its calls, before they are asked.

Sweeps share cells: one may finish what another began and had no room for, or was killed in. Each
note says from which sum on the next sweep pays, so that each pays its own part, to the token.
"""

from __future__ import annotations

from workspan.core.journal import Journal
from workspan.data.entry import Entry, RunId
from workspan.data.types import Amount, Usage

_PAYER = "(on whose account)"


def payers_of(run: RunId) -> RunId:
    """Return the name under which the notes on a run are kept in the same file."""
    return RunId(f"{_PAYER} {run.strategy}", run.problem, run.digest, run.budget, run.seed)


def pays(notes: Journal, sweep: str, spent: Amount) -> None:
    """Note that a sweep pays for what a run spends from now on.

    Raises:
        JournalError: it can't be written.
    """
    if notes.entries and notes.entries[-1].value == sweep:
        return
    begun = Amount() if not notes.entries else spent  # what no note speaks of is the first one's
    notes.append(Entry(str(len(notes.entries)), "value", value=sweep, usage=usage_of(begun)))


def paid(notes: Journal, spent: Amount) -> dict[str, Amount]:
    """Return what each sweep paid of all that a run has spent by now."""
    found: dict[str, Amount] = {}
    ends = [*(one.usage.amount for one in notes.entries[1:]), spent]
    for note, end in zip(notes.entries, ends, strict=False):
        part = end.minus(note.usage.amount)
        found[note.value] = found.get(note.value, Amount()).plus(part)
    return found


def usage_of(amount: Amount) -> Usage:
    """Write an amount as usage, which a journal keeps and a ledger settles."""
    return Usage(amount.calls, amount.prefill, output_tokens=amount.work, cost=amount.cost)
