"""What the calls of a sweep said, from their journals, as much of it as a page should hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workspan.data.entry import Entry, Line
from workspan.data.types import Sample
from workspan.errors import DataError
from workspan.lab.sweeping.here import journal_path
from workspan.lab.sweeping.outcome import CellRow, TrialRow
from workspan.legible import legible, one_line
from workspan.store.lines import read_lines

MOST = 6_000_000
"""Characters of all calls together; each cell has an equal share."""
LONGEST = 4_000
"""Characters of one text."""
_WIDEST = 64
"""Calls of one run."""
_ENDS = {"cut": "cancelled", "lost": "lost, and asked again", "failed": "failed", "retry": "failed"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a run. Its texts are a model's: untrusted."""

    key: str
    """Its place in the program: ``/2.0/1`` is call 1 of branch 0 of step 2."""
    ended: str
    """How: as the engine says, or why it did not."""
    tokens: int
    thinking: str
    text: str


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of some runs of a sweep."""

    of: Mapping[str, Mapping[int, tuple[Call, ...]]]
    """By the cell and the problem's place."""
    left_out: int
    """Runs whose calls are kept, and would be too much for a page."""
    unread: Mapping[str, str]
    """By the cell that drew: why nothing is known of its calls."""


def read_calls(
    cells: Sequence[CellRow],
    trials: Mapping[str, Sequence[TrialRow]],
    folder: Path,
    most: int = MOST,
) -> Calls:
    """Read the calls of each cell's first problems, until its share of the page is used up.

    Args:
        cells: those of the page.
        trials: their problems.
        folder: where their journals are kept; those of another machine are not there.
        most: characters.
    """
    found: dict[str, dict[int, tuple[Call, ...]]] = {}
    unread: dict[str, str] = {}
    share, left_out = most // max(1, len(cells)), 0
    for cell in cells:
        path = journal_path(folder, cell.id)
        if not path.exists():
            if cell.draws == cell.id:
                unread[cell.id] = "no journal of its calls is kept here"
            continue
        try:
            runs = _runs(cell, read_lines(path)[1])
        except DataError as error:
            unread[cell.id] = one_line(str(error))
            continue
        if not runs and cell.draws != cell.id:
            continue  # held for a while, and all of its calls are another's
        own = found[cell.id] = {}
        left = share
        for trial in trials[cell.id]:
            calls = runs.get(trial.problem, ())
            size = sum(len(call.thinking) + len(call.text) for call in calls)
            if calls and (left >= size or not own):
                own[trial.place] = calls
                left -= size
            else:
                left_out += bool(calls)
    return Calls(found, left_out, unread)


def _runs(cell: CellRow, lines: Sequence[Line]) -> dict[str, tuple[Call, ...]]:
    """Return the calls of each problem; problems of one id can't be told apart by it."""
    held: dict[tuple[str, str], dict[str, Entry]] = {}
    for line in lines:
        if line.run.strategy == cell.strategy:
            own = held.setdefault((legible(line.run.problem), line.run.digest), {})
            own[line.entry.key] = line.entry
    ids = Counter(id for id, _ in held)
    return {
        id: tuple(_calls([*entries.values()]))[:_WIDEST]
        for (id, _), entries in held.items()
        if ids[id] == 1
    }


def _calls(entries: Sequence[Entry]) -> Iterator[Call]:
    for entry in entries:
        if entry.sample is not None:
            yield _drawn(entry.key, entry.sample)
        elif entry.outcome in _ENDS:
            said = one_line(str(entry.error)) if entry.error else ""
            yield Call(entry.key, _ENDS[entry.outcome], entry.usage.work, "", said)


def _drawn(key: str, sample: Sample) -> Call:
    text = sample.text or sample.refusal
    for call in sample.tool_calls:
        text += f"\n{call.name} {call.arguments}"
    return Call(key, sample.finish, sample.usage.work, shortened(sample.reasoning), shortened(text))


def shortened(text: str) -> str:
    """Return a text as a page shows it, without its middle where it is long: ends matter."""
    left = len(text) - LONGEST
    if left > 0:
        half = LONGEST // 2
        text = f"{text[:half]}\n… {left:,} characters left out …\n{text[-half:]}"
    return legible(text)
