"""What one run is: drawn from its number, so that a number repeats it."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from workspan.testing.faults import FAULTS, Fault, Habits

Path: TypeAlias = Literal["chat/completions", "completions"]
Trouble: TypeAlias = Literal["locked", "killed", "stopped"]
"""In the middle of the requests: another process holds the store for a while; a worker is killed;
the database is stopped and started."""

WAYS = ("self_consistency(n=3)", "auto", "best_of_n(n=2)")
"""Strategies that requests ask for, by name or written out."""
OVERSHOOT = 64
"""What the gateway is told that a server decodes after a hang-up, at most."""
_ROWS = tuple(FAULTS.values())
_LONG = 0.015
"""Of the runs: they take long."""
_SECONDS = 0.0005
"""Of a piece of a long stream, by when a store has answered: the fastest of servers are slower."""
_HONEST = 6
"""One run of so many is before servers that do nothing wrong."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of one client."""

    place: int
    key: int
    path: Path
    is_streamed: bool
    wants_usage: bool
    cap: int | None
    n: int
    way: str
    """A strategy; empty is passed on as it is."""
    budget: int | None
    """Tokens of work that the request itself allows."""
    leaves_after: int | None
    """Tokens decoded for it after which its client hangs up."""

    @property
    def tag(self) -> str:
        """What its prompt holds and no other's does."""
        return f"<{self.place}>"


@dataclass(frozen=True, slots=True)
class Side:
    """One server."""

    faults: tuple[Fault, ...]
    share: float
    """Of the requests that a fault hits."""
    habits: Habits
    killed_after: int | None = None
    """Tokens that it has decoded when it is killed; it is there again after as many of the others,
    or when they have nothing to do."""

    def __str__(self) -> str:
        names = "+".join(fault.name for fault in self.faults) or "honest"
        killed = "" if self.killed_after is None else f", killed after {self.killed_after}"
        return f"{names} ({self.share:g} of requests){killed} {self.habits}"


@dataclass(frozen=True, slots=True)
class Pooled:
    """How several servers are one pool."""

    weights: tuple[float, ...]
    in_turn: bool
    sticky: bool | None
    requests_per_minute: int | None = None
    """Of each."""
    tokens_per_minute: int | None = None

    @property
    def is_limited(self) -> bool:
        """A request may be refused since all of a minute is used up."""
        return self.requests_per_minute is not None or self.tokens_per_minute is not None


@dataclass(frozen=True, slots=True)
class Case:
    """One run."""

    number: int
    sides: tuple[Side, ...]
    """A second server takes over from the first."""
    keys: tuple[str, ...]
    """The limits of each key."""
    asks: tuple[Ask, ...]
    has_judge: bool
    trouble: Trouble | None
    warms: bool = False
    """The first request goes alone: from its end on, streams can be counted closely enough to cut
    them."""
    pool: Pooled | None = None
    """How the servers answer for one another; None lets each stand by for those before it."""

    @property
    def is_honest(self) -> bool:
        """No server does anything wrong."""
        return not any(side.faults or side.killed_after is not None for side in self.sides)

    @property
    def stalls(self) -> bool:
        """Only a clock ends some requests."""
        return any(fault.stalls for side in self.sides for fault in side.faults)

    def __str__(self) -> str:
        sides = " | ".join(map(str, self.sides))
        asks = "; ".join(map(_said, self.asks))
        judge = ", judge" if self.has_judge else ""
        trouble = f", {self.trouble}" if self.trouble else ""
        trouble += f", {self.pool}" if self.pool else ""
        return f"run {self.number}: {sides}; keys {list(self.keys)}{judge}{trouble}; {asks}"


def _said(ask: Ask) -> str:
    parts = [f"{ask.tag} key {ask.key}", ask.path.partition("/")[0], ask.way or "straight"]
    parts += [f"cap {ask.cap}"] if ask.cap else []
    parts += [f"n={ask.n}"] if ask.n > 1 else []
    parts += ["streamed"] if ask.is_streamed else []
    parts += [f"{ask.budget} work"] if ask.budget else []
    parts += [f"leaves after {ask.leaves_after}"] if ask.leaves_after is not None else []
    return " ".join(parts)


def case(number: int) -> Case:
    """Draw run `number`: successive numbers go through all faults."""
    rng = random.Random(f"gateway {number}")
    faults: tuple[Fault, ...] = (_ROWS[number % len(_ROWS)],)
    if rng.randrange(_HONEST) == 0:
        faults = ()
    elif rng.random() < 0.2:
        faults = (*faults, rng.choice(_ROWS))
    sides = [Side(faults, rng.choice((1.0, 1.0, 0.5)), habits(rng))]
    if rng.random() < 0.25:
        second = (rng.choice(_ROWS),) if faults and rng.random() < 0.5 else ()
        sides.append(Side(second, rng.choice((1.0, 0.5)), habits(rng)))
    keys = tuple(limits(rng) for _ in range(rng.choice((1, 1, 2))))
    asks = tuple(drawn_ask(rng, place, len(keys)) for place in range(rng.randint(2, 5)))
    trouble: Trouble | None = "locked" if rng.random() < 0.08 else None
    drawn = Case(number, tuple(sides), keys, asks, rng.random() < 0.5, trouble)
    return _long(drawn, rng) if rng.random() < _LONG else drawn


def _long(drawn: Case, rng: random.Random) -> Case:
    """Let streams be longer than what is held of an account at a time."""
    sides = [
        replace(side, habits=replace(side.habits, length=(1_000, 2_500), seconds=_SECONDS))
        for side in drawn.sides
    ]
    asks = [
        replace(ask, cap=rng.randint(1_400, 4_000), way="", n=1, is_streamed=True, budget=None)
        for ask in drawn.asks[:4]
    ]
    asks[0] = replace(asks[0], cap=20, leaves_after=None)
    keys = tuple(f"{rng.randint(1_500, 6_000)} work/total" for _ in drawn.keys)
    return replace(drawn, sides=tuple(sides), asks=tuple(asks), keys=keys, warms=True)


def habits(rng: random.Random) -> Habits:
    """Draw a server that stays within `OVERSHOOT`, two processes' hang-ups included."""
    per_piece = rng.choice((1, 1, 1, 2, 4))
    return Habits(
        per_piece=per_piece,
        words=rng.choice(("short", "short", "long", "cjk", "digits", "emoji")),
        decodes_end=rng.random() < 0.5,
        thinking=rng.choice((0, 0, 0, rng.randint(1, 30))),
        cached=rng.choice((0.0, 0.0, rng.random())),
        counts_prompts=rng.random() < 0.25,
        reports=rng.choice(("last", "last", "last", "always", "never")),
        overshoot=rng.randint(0, OVERSHOOT // 4),
        length=rng.choice(((1, 12), (1, 20), (10, 60), (60, 150))),
    )


def limits(rng: random.Random) -> str:
    """Draw a key's limits; of work in all there is always one."""
    found = [f"{rng.randint(20, 200) ** 2 // 10} work/total"]
    if rng.random() < 0.2:
        found.append(f"{rng.randint(1, 30)} calls/total")
    if rng.random() < 0.2:
        found.append(f"${rng.randint(500, 40_000) / 1_000_000:.6f}/total")
    if rng.random() < 0.1:
        found.append(f"{rng.randint(200, 5_000)} prefill/total")
    return ", ".join(found)


def drawn_ask(rng: random.Random, place: int, keys: int) -> Ask:
    """Draw a request."""
    way = rng.choice(("", "", "", *WAYS[:2], WAYS[2])) if rng.random() < 0.8 else ""
    path: Path = "completions" if not way and rng.random() < 0.15 else "chat/completions"
    is_streamed = rng.random() < 0.6
    return Ask(
        place,
        rng.randrange(keys),
        path,
        is_streamed,
        is_streamed and rng.random() < 0.7,
        rng.choice((None, rng.randint(1, 40), rng.randint(40, 200))),
        2 if not way and rng.random() < 0.1 else 1,
        way,
        rng.randint(1, 300) if rng.random() < 0.3 else None,
        rng.randint(0, 40) if rng.random() < 0.25 else None,
    )
