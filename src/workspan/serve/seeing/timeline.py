"""What a request looks like over its span: its calls as bars, its votes, what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Protocol

from workspan.answers import canonical
from workspan.call import Began, Delta, Ended, Event
from workspan.clock import Call
from workspan.types import AnswerKind, Candidate, Tally, Usage

_LONGEST = 2_000
"""Characters of a text that an operator lets be shown."""
_MOST_BARS = 256
"""Of one request: a picture of more shows nothing more."""
_COMPARED: frozenset[AnswerKind] = frozenset({"choice", "json", "number", "open", "text"})
"""Kinds of answers that are compared at once; formulas take a solver, and stand as they are."""

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
    _open: dict[str, Bar] = field(default_factory=dict)

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

    def take(self, event: Event) -> None:
        """Take an event of a strategy's run."""
        if isinstance(event, Delta):
            self._said(event)
        elif isinstance(event, Began):
            self._open[event.key] = self.begin(event.key, event.engine, event.start)
        elif isinstance(event, Ended):
            self._ended(event.call)

    def _said(self, event: Delta) -> None:
        bar = self._open.get(event.key)
        if bar is None:
            return
        bar.tokens += 1  # a piece is a token at least; the bill comes at the end
        if self.shows and len(bar.text) < _LONGEST:
            bar.text = (bar.text + event.chunk.text)[:_LONGEST]

    def _ended(self, call: Call) -> None:
        self.queued += call.queued
        bar = self._open.pop(call.key, None)
        if bar is None:  # it was refused, or cut in line, before any engine was asked
            return
        bar.start = call.start
        self.end(bar, call.outcome, call.usage)

    def decide(
        self,
        votes: Sequence[Tally],
        candidates: Sequence[Candidate],
        chosen: Sequence[str],
        kind: AnswerKind,
    ) -> None:
        """Note who voted for what, and which calls the reply stands for."""
        places = _places(votes, candidates, kind)
        taken = set(chosen)
        won = {places.get(key) for key in chosen}
        for bar in self.bars:
            bar.vote = places.get(bar.key)
            bar.is_chosen = bar.key in taken
        self.votes = tuple(
            Vote(vote.weight, place in won, vote.answer[:_LONGEST] if self.shows else "")
            for place, vote in enumerate(votes)
        )


def _places(
    votes: Sequence[Tally], candidates: Sequence[Candidate], kind: AnswerKind
) -> dict[str, int]:
    """Return the place among the votes of each call's answer."""
    exact = {vote.answer: place for place, vote in reversed([*enumerate(votes)])}
    alike = {}
    if kind in _COMPARED and any(one.answer not in exact for one in candidates):
        alike = {canonical(vote.answer, kind, 0.05): i for i, vote in enumerate(votes)}
    found: dict[str, int] = {}
    for one in candidates:
        if one.answer is None or not one.key:
            continue
        place = exact.get(one.answer)
        if place is None and alike:
            place = alike.get(canonical(one.answer, kind, 0.05))
        if place is not None:
            found[one.key] = place
    return found
