"""One verdict: what was claimed, where it comes from, on what it was measured, what came out."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Literal, NamedTuple, TypeAlias

Word: TypeAlias = Literal["held", "held in part", "came out against", "undecided", "not measured"]
Kind: TypeAlias = Literal["reasoner", "model", "program"]
"""The transformer trained here; a model that people use; a program, which is no model."""

KINDS: dict[Kind, str] = {
    "reasoner": "the reasoner trained here",
    "model": "a model that people use",
    "program": "a program, no model",
}


class Part(NamedTuple):
    """One of the figures that a verdict rests on, or that stands beside it."""

    what: str
    found: float
    low: float
    high: float
    """Of the 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One claim, measured on one model. What is unknown is None, or empty."""

    name: str
    """Of the experiment, such as "long_chain"."""
    idea: str
    """The node of the map that it bears on; see `ideas`."""
    claim: str
    source: str
    verdict: Word
    statistic: str = ""
    """What the figures are of, with its unit."""
    line: float | None = None
    """What the statistic must lie above."""
    found: float | None = None
    low: float | None = None
    """Of the 95 % interval."""
    high: float | None = None
    problems: int = 0
    budget: str = ""
    model: str = ""
    kind: Kind = "model"
    command: str = ""
    """Measures it again."""
    measured: float | None = None
    """When, in seconds of UTC's epoch."""
    machine: str = ""
    """What kind of machine measured it."""
    why: str = ""
    """What limits it; of what was not measured: why not."""
    parts: tuple[Part, ...] = field(default=())

    @property
    def id(self) -> str:
        """What it is kept under: the same measurement, made again, takes its place."""
        told = "\0".join((self.name, self.idea, self.model, self.budget, self.command))
        return blake2b(told.encode("utf-8", "replace"), digest_size=8).hexdigest()

    @property
    def date(self) -> str:
        """The day it was measured, by UTC; empty where it was not."""
        if self.measured is None:
            return ""
        return datetime.fromtimestamp(self.measured, UTC).strftime("%Y-%m-%d")


def word_of(low: float, high: float, line: float) -> Word:
    """Judge one interval: held above the line, against at or below it, else undecided."""
    if low > line:
        return "held"
    return "came out against" if high <= line else "undecided"


def together(words: Iterable[Word]) -> Word:
    """Sum up several verdicts on one claim.

    All held: held. Some held: held in part. None held: against if any came out against and the rest
    are undecided no more than it, else undecided. What was not measured has no say.
    """
    found = [word for word in words if word != "not measured"]
    if not found:
        return "not measured"
    if all(word == "held" for word in found):
        return "held"
    if any(word in ("held", "held in part") for word in found):
        return "held in part"
    against = sum(word == "came out against" for word in found)
    return "came out against" if 2 * against > len(found) else "undecided"


def of_parts(parts: Sequence[Part], pooled: Part, line: float) -> Word:
    """Judge a claim by several figures of one line.

    All held: held. Some held: held in part. None held: as all of them together stand.
    """
    words = [word_of(part.low, part.high, line) for part in parts]
    if "held" in words:
        return "held" if {*words} == {"held"} else "held in part"
    word = word_of(pooled.low, pooled.high, line)
    return "held in part" if word == "held" else word


def sound(value: float | None) -> float | None:
    """Return a figure that every database and JSON can hold: no infinity, no NaN."""
    return value if value is not None and math.isfinite(value) else None


def this_machine() -> str:
    """Say what kind of machine this is, and nothing that tells it from others of its kind."""
    cores = os.cpu_count() or 1
    return f"{cores} {'cores' if cores > 1 else 'core'}, {platform.machine()}"
