"""What a request looks like over its span: its calls as bars, its votes, what was chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

from workspan.data.types import Usage

LONGEST = 2_000
"""Characters of a text that an operator lets be shown."""
_MOST_BARS = 256
"""Of one request: a picture of more shows nothing more."""
_NOTHING = Usage()


class Counter(Protocol):
    """Counts a reply while it streams."""

    @property
    def seen(self) -> int:
        """Decoded tokens that have come, at most."""
        ...


@dataclass(slots=True)
class Bar:
    """One call of an engine."""

    key: str
    engine: str
    start: int
    """Place on the span, in decoded tokens."""
    began: float
    """In seconds from the request."""
    outcome: str = "running"
    """Then sample, cut, lost or failed."""
    ended: float = 0.0
    usage: Usage = _NOTHING
    tokens: int = 0
    counter: Counter | None = None
    """Of a call that goes on."""
    vote: int | None = None
    """The answer that it voted for, by its place among the votes."""
    is_chosen: bool = False
    text: str = ""
    """What it said; empty unless the operator lets it be shown."""

    @property
    def length(self) -> int:
        """Decoded tokens so far."""
        return self.tokens if self.counter is None else self.counter.seen

    def end(self, outcome: str, usage: Usage, seconds: float) -> None:
        """Close it with its bill."""
        self.outcome, self.usage, self.ended = outcome, usage, seconds
        self.tokens, self.counter = usage.output_tokens, None

    def value(self) -> dict[str, Any]:
        """Return it as the feed writes it."""
        told: dict[str, Any] = {
            "key": self.key,
            "engine": self.engine,
            "start": self.start,
            "tokens": self.length,
            "outcome": self.outcome,
            "began": round(self.began, 4),
            "ended": round(self.ended, 4),
            "vote": self.vote,
            "chosen": self.is_chosen,
        }
        return told | ({"text": self.text} if self.text else {})


@dataclass(frozen=True, slots=True)
class Vote:
    """One answer's votes."""

    weight: float
    is_chosen: bool
    answer: str = ""
    """Empty unless the operator lets it be shown."""

    def value(self) -> dict[str, Any]:
        """Return it as the feed writes it."""
        told: dict[str, Any] = {"weight": round(self.weight, 6), "chosen": self.is_chosen}
        return told | ({"answer": self.answer} if self.answer else {})


@dataclass(slots=True)
class Timeline:
    """The calls of one request, as they come and go."""

    engine: str = ""
    shows: bool = False
    """Texts are kept, for an operator who asked for them."""
    since: float = field(default_factory=perf_counter)
    bars: list[Bar] = field(default_factory=list)
    hidden: int = 0
    """Calls beyond the first so many, which have no bar."""
    votes: tuple[Vote, ...] = ()
    rule: str = ""
    is_tied: bool = False
    queued: float = 0.0
    """Seconds that calls stood in line, added up."""

    def begin(self, key: str, engine: str, start: int) -> Bar:
        """Draw a new bar."""
        bar = Bar(key, engine or self.engine, start, perf_counter() - self.since)
        if len(self.bars) < _MOST_BARS:
            self.bars.append(bar)
        else:
            self.hidden += 1
        return bar

    def end(self, bar: Bar, outcome: str, usage: Usage) -> None:
        """Close a bar."""
        bar.end(outcome, usage, perf_counter() - self.since)
