"""One request as it is remembered: no prompt, no answer, no secret."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from workspan.data.types import Usage
from workspan.legible import one_line
from workspan.serve.seeing.timeline import Timeline
from workspan.serve.store.keys import Key
from workspan.serve.trajectories.book import Turn

if TYPE_CHECKING:
    from workspan.runner import Result

_LONGEST_NAME = 200
"""Characters of a name of a model, which a client wrote."""
_MOST_PARTS = 500
_LONGEST_PART = 20_000
_NOTHING = Usage()
_MOST_TOLD = 1 << 20
"""Bytes of a reply that is kept to be compared."""


def _rounded(value: float, parts: int) -> float:
    """Return a number, not negative, to so many parts of one: four times as fast as `round`."""
    return int(value * parts + 0.5) / parts


class Line(msgspec.Struct):
    """A request in the log: nothing that a client or a model wrote, but for a model's name."""

    event: str
    time: float
    id: str
    route: str
    status: int
    code: str
    key: str
    model: str
    answered: str
    engine: str
    strategy: str
    straight: str
    stop: str
    trajectory: str
    turn: int
    stream: bool
    work: int
    span: int
    unseen: int
    prefill: int
    cached: int
    calls: int
    cost: str | None
    source: str
    overrun: int
    waited: float
    first: float
    seconds: float
    overhead_ms: float


@dataclass(slots=True)
class Record:
    """What a request came to."""

    id: str = ""
    at: float = field(default_factory=time.time)
    """When it came, in seconds of UTC's epoch."""
    method: str = ""
    parent: Mapping[str, str] = field(default_factory=dict)
    """The client's own trace, as its headers name it."""
    route: str = ""
    key: str = ""
    """The id of the key; empty where there is none."""
    key_name: str = ""
    asked_model: str = ""
    model: str = ""
    """The one that answered, as its server calls it."""
    engine: str = ""
    strategy: str = ""
    """Empty where it was passed on."""
    why_straight: str = ""
    """The rule by which a request was passed on in spite of the route's strategy."""
    status: int = 0
    code: str = ""
    """Of the error."""
    stop: str = ""
    is_stream: bool = False
    has_begun: bool = False
    """The client has been sent a part of an answer."""
    usage: Usage = _NOTHING
    """Of the attempt that answered."""
    is_settled: bool = False
    total: Usage = _NOTHING
    """Of all attempts."""
    span: int = 0
    over: int = 0
    """Decoded tokens beyond what the request was allowed."""
    failures: list[tuple[str, str]] = field(default_factory=list)
    """Upstreams that did not answer, each with the code of its error."""
    waited: float = 0.0
    """Seconds in line before an upstream."""
    first_seconds: float = 0.0
    """Until the first part of an answer was there; 0 where none came."""
    turn: Turn | None = None
    """Its place in a trajectory."""
    timeline: Timeline = field(default_factory=Timeline)
    prompt: str = ""
    """The last turn; empty unless the operator lets it be shown, as the next is."""
    said: list[bytes] = field(default_factory=list)
    """A reply that was passed on."""
    told: list[bytes] | None = None
    """A reply that was passed on, whole, where the request is to be run beside; None keeps none."""
    told_bytes: int = 0
    decided: Result | None = None
    """Of the strategy that answered, until the request is over."""
    seconds: float = 0.0
    overhead_ms: float = 0.0

    def by(self, key: Key | None) -> None:
        """Note whose it is."""
        if key is not None:
            self.key, self.key_name = key.id, key.name

    def keep(self, said: bytes) -> None:
        """Keep what a client is told, where the operator lets it be shown, and not without end."""
        if self.timeline.shows and len(self.said) < _MOST_PARTS:
            self.said.append(said[:_LONGEST_PART])
        self.tell(said)

    def tell(self, said: bytes) -> None:
        """Keep a part of a reply that is to be compared; of one that is too long, nothing."""
        if self.told is None:
            return
        self.told.append(said)
        self.told_bytes += len(said)
        if self.told_bytes > _MOST_TOLD:
            self.told.clear()

    def begin(self) -> None:
        """Note that an answer has begun."""
        if not self.has_begun:
            self.has_begun = True
            self.first_seconds = perf_counter() - self.timeline.since

    def settle(self, usage: Usage, stop: str) -> None:
        """Note the bill of a reply that ended, or was cut."""
        self.usage, self.stop, self.is_settled = usage, stop, True

    def add(self, usage: Usage) -> None:
        """Note what one attempt was charged."""
        self.total = usage if self.total is _NOTHING else self.total + usage

    def by_engine(self) -> dict[str, Usage]:
        """Return what each engine was charged for; all is its own where nobody can tell."""
        if len(self.timeline.bars) < 2:
            return {self.engine: self.total}
        found: dict[str, Usage] = {}
        for bar in self.timeline.bars:
            if bar.usage.calls:
                found[bar.engine] = found.get(bar.engine, _NOTHING) + bar.usage
        told = sum(found.values(), _NOTHING)
        is_all = (told.calls, told.work) == (self.total.calls, self.total.work)
        return found if is_all and len(found) > 1 else {self.engine: self.total}

    @property
    def queued(self) -> float:
        """Seconds in line, of all its calls."""
        return max(self.waited, self.timeline.queued)

    @property
    def line(self) -> Line:
        """What a log holds of it."""
        total, turn = self.total, self.turn
        return Line(
            "request",
            _rounded(self.at, 1_000),
            self.id,
            self.route,
            self.status,
            self.code,
            self.key,
            one_line(self.asked_model, _LONGEST_NAME),
            self.model,
            self.engine,
            self.strategy,
            self.why_straight,
            self.stop,
            "" if turn is None else turn.trajectory.id,
            0 if turn is None else turn.number,
            self.is_stream,
            total.output_tokens,
            self.span or total.output_tokens,
            total.unseen_tokens,
            total.prefill,
            total.cached_tokens,
            total.calls,
            None if total.cost is None else str(total.cost),
            total.source,
            self.over,
            _rounded(self.queued, 10_000),
            _rounded(self.first_seconds, 10_000),
            _rounded(self.seconds, 10_000),
            _rounded(self.overhead_ms, 1_000),
        )
