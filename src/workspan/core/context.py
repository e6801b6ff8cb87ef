"""What all calls of one run share: engines, tools, journal, time, and what was odd."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import TypeAlias

import anyio

from workspan.core.alike import Draws
from workspan.core.clock import Call, Clock
from workspan.core.engine import Engine
from workspan.core.journal import Journal
from workspan.core.shaping import shaped
from workspan.core.stopwatch import WALL, Limit, Time
from workspan.core.warming import Warming
from workspan.data.entry import Entry
from workspan.data.types import Candidate, Chunk, Notice, NoticeCode, Problem, Request
from workspan.errors import BudgetExceeded, SpecError, nearest


@dataclass(frozen=True, slots=True)
class Delta:
    """Text as it arrives, for whoever watches."""

    key: str
    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Best:
    """The answer if the run ended now."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Began:
    """An engine is asked: the place in line and the account's room are had."""

    key: str
    start: int
    """Clock at the start, in decoded tokens."""
    engine: str = ""
    """As the request names it; empty is the run's own."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A call is settled, however it ended."""

    call: Call


Event: TypeAlias = Delta | Best | Began | Ended


@dataclass(slots=True)
class Verdicts:
    """How many judgements one verifier was asked for, and what became of them."""

    asked: int = 0
    lost: int = 0
    first: str = ""
    """Why the first one is missing."""


@dataclass(slots=True)
class Context:
    """What all calls of one run share."""

    engine: Engine
    journal: Journal
    seed: int
    limiter: anyio.CapacityLimiter
    started: float
    """By `time`: when the run would have started without interruptions."""
    time: Time = WALL
    engines: Mapping[str, Engine] = field(default_factory=dict)
    """Further engines, by the name that a request gives."""
    tools: Mapping[str, Callable[[str], Awaitable[str]]] = field(default_factory=dict)
    seconds: float | None = None
    """Wall clock of the run."""
    is_replay: bool = False
    """The run ended under this budget before: nothing is asked that the journal does not hold."""
    observer: Callable[[Event], None] | None = None
    trace: list[Call] = field(default_factory=list)
    refused: str = ""
    """The limit that last refused or cut a call."""
    problem: Problem | None = None
    """What is asked: its owner may want things of the calls, see `shaping`."""
    asks_again: bool = True
    """A call that died after it was billed is asked for once more."""
    warming: Warming = field(default_factory=Warming)
    """Which prompts are in the engines' caches."""
    draws: Draws = field(default_factory=Draws)
    """What was drawn, to say so where it is all alike."""
    noticed: dict[tuple[NoticeCode, str], int] = field(default_factory=dict)
    """What was odd, and how often, in the order of the first time."""
    verdicts: dict[str, Verdicts] = field(default_factory=dict)
    """By the name of the verifier."""

    def shape(self, request: Request) -> Request:
        """Return a request as the problem's owner wants it."""
        return request if self.problem is None else shaped(self.problem, request)

    def elapsed(self) -> float:
        """Seconds of the run so far."""
        return self.time.now() - self.started

    def notice(self, notice: Notice) -> None:
        """Keep what the run's owner must see; equal notices add up."""
        same = (notice.code, notice.text)
        self.noticed[same] = self.noticed.get(same, 0) + notice.times

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What was odd so far, each with how often."""
        lost = [(name, told) for name, told in self.verdicts.items() if told.lost]
        return (
            *(Notice(*same, times) for same, times in self.noticed.items()),
            *(_unjudged(name, told) for name, told in lost),
            *self.draws.notices,
        )

    def record(self, clock: Clock, entry: Entry) -> None:
        """Move the clock by what a call decoded, draw its bar, and keep what cut it or was odd."""
        self.refused = entry.refused or self.refused
        for notice in entry.notices:
            self.notice(notice)
        self.trace.append(
            Call(
                entry.key,
                clock.now,
                entry.usage,
                entry.outcome,
                entry.began,
                entry.ended,
                asked=entry.asked,
                member=entry.member,
            )
        )
        clock.advance(entry.usage.output_tokens)

    def time_left(self) -> AbstractContextManager[anyio.CancelScope | None]:
        """Cancel the block when the time is up; costs nothing without a limit on seconds."""
        if self.seconds is None:
            return nullcontext()
        return self.time.move_on_after(self.seconds - self.elapsed())

    @property
    def is_over(self) -> bool:
        """Nothing more may be begun: the time is up, or the run ended before."""
        return self.is_replay or (self.seconds is not None and self.elapsed() >= self.seconds)

    def refuse(self, why: str, limit: str) -> BudgetExceeded:
        """Note the limit that refuses something, and return the error to raise."""
        self.refused = limit
        return BudgetExceeded(why, limit=limit)

    def engine_of(self, request: Request) -> Engine:
        """Return the engine that a request names.

        Raises:
            SpecError: the run has none of that name.
        """
        name = request.engine
        if name and name not in self.engines:
            known = nearest(name, self.engines) if self.engines else "the run has none further"
            raise SpecError(f"a request names an unknown engine {name!r}: {known}")
        return self.engines[name] if name else self.engine

    @property
    def limit(self) -> Limit | None:
        """What says how many seconds are left; None without a limit on seconds."""
        seconds = self.seconds
        return None if seconds is None else lambda: seconds - self.elapsed()


def _missing(told: Verdicts) -> str:
    """Say how many verdicts are missing, and what that makes of the run."""
    share = f"no verdict for {told.lost} of {told.asked} candidates: {told.first}"
    return share if told.lost < told.asked else f"{share}; the answer was not judged"


def _unjudged(name: str, told: Verdicts) -> Notice:
    of_all = f"{name} gave no verdict for some or all candidates"
    return Notice("no_verdict", f"{name} gave {_missing(told)}", told.lost, of_all)
