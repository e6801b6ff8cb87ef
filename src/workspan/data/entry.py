"""What a journal keeps: the one declaration of its lines, and their version."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from workspan.data.explanation import Explanation
from workspan.data.types import Notice, Sample, Usage

FORMAT = 3
"""Of a journal. The first had no checksums; the second packed a run's identity into one text."""

Outcome = Literal["open", "sample", "cut", "lost", "failed", "retry", "closed", "value", "end"]
"""open: asked, may cost up to `usage`; sample: done; cut: cancelled; lost: died on the way, asked
again at once; failed: gave up; retry: the failure ended the run, so a resumed run asks again;
closed: a race was decided; value: a tool's result; end: the run finished under `End.budget`.
"""


class RunId(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes a run the run that it is: resuming is finding the same one again.

    Another budget is another run, since it cuts other chains.
    """

    strategy: str
    """As `spec.write` writes it."""
    problem: str
    """Its id: any text."""
    digest: str = ""
    """Of all that a strategy may see of the problem (`journal.digest`)."""
    budget: str = ""
    """As `str(budget)` writes it: equal budgets are written the same."""
    seed: int = 0
    """Root of the run's randomness."""


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a call failed."""

    kind: str
    """Name of the error's class."""
    text: str
    status: int | None = None
    """Of HTTP, where the server gave one."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"


class End(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a run ended."""

    budget: str
    """Under which, as in `RunId`: a run may be gone on with under another."""
    stop: str
    """"done", or the limit that ended it."""
    why: Explanation | None = None
    """How the strategy explains what it bought."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened in a run. Never changed once written."""

    key: str
    outcome: Outcome
    fingerprint: str = ""
    usage: Usage = Usage()
    sample: Sample | None = None
    value: Any = None
    """A tool's result, or a vote's outcome: any JSON, read by who wrote it."""
    error: Failure | None = None
    """Of a "lost" or "failed" call."""
    refused: str = ""
    """The limit that cut a "sample", or that refused one of the calls of a "closed" race."""
    end: End | None = None
    """Of an "end"."""
    notices: tuple[Notice, ...] = ()
    """What was odd about the call."""
    began: float = 0.0
    """Seconds from the start of the run, summed over resumptions, when the engine was asked."""
    ended: float = 0.0
    asked: float | None = None
    """When the strategy asked: from then on the call stood in line."""
    after: int = 0
    """Tokens of another call that this one waited for, so that its prompt was in a cache."""
    member: str = ""
    """Who answered, where the engine is a pool."""


class Header(msgspec.Struct, frozen=True, tag_field="journal", tag="workspan"):
    """First line of a file of journals: what every run in it shares."""

    engine: str
    """Names and models of all engines, for people: another one is another journal."""
    seed: int
    model: str = ""
    """Of the runs' own engine, alone."""
    format: int = FORMAT


class Line(msgspec.Struct, frozen=True):
    """Every other line of the file."""

    run: RunId
    entry: Entry
