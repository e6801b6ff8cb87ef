"""The members of a pool: whom a call is asked of, and what became of it.

A prompt that a cache may hold goes to one member, it and all that begins like it, by rendezvous
hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998) with
weights (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005): a member that goes
takes only its own share elsewhere. Every other call is spread in the same way, by all that it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from workspan.engines.pool.health import Health
from workspan.engines.pool.rates import Rates, Taken
from workspan.errors import InputError

PREFIX = 4096
"""Bytes of a prompt's beginning that it is known by."""
_SLOWER, _LATER = 4.0, 1.0
"""A first token is late that came after so many times the fastest member's usual time, and so many
seconds after it."""
_WEIGHT = 0.2
"""Of the newest first token in a member's usual time."""


@dataclass(eq=False, slots=True)
class Member:
    """One upstream of a pool, as calls are shared out by it."""

    name: str
    weight: float = 1.0
    """Its share of the calls, beside the others' weights; 0 is asked only where no other can be."""
    rates: Rates = field(default_factory=Rates)
    places: int = 64
    """Calls at a time that it serves well: what comes beyond goes to the next member."""
    health: Health = field(default_factory=Health)
    in_flight: int = 0
    first_token: float | None = None
    """Seconds that it usually takes to the first token."""

    def __post_init__(self) -> None:
        """Check the weight.

        Raises:
            InputError: it is none.
        """
        if not 0 <= self.weight < math.inf:
            raise InputError(f"the weight of {self.name} is {self.weight}: a number, 0 or more")

    def wait(self, now: float, tokens: int) -> float:
        """Return the seconds until a call of so many tokens may be begun; 0 is now."""
        rest = 0.0 if self.health.may_be_asked(now) else max(0.001, self.health.until - now)
        return max(rest, self.rates.wait(now, tokens))


@dataclass(slots=True)
class Call:
    """One call of a member, from its beginning on: `end` it once, whatever became of it."""

    members: Members
    member: Member
    began: float
    taken: Taken
    is_probe: bool
    has_begun: bool = False
    """Its answer has."""
    is_late: bool = False
    has_failed: bool = False
    has_lied: bool = False

    def began_to_answer(self, seconds: float | None) -> None:
        """Note its first token, and after how many seconds; None is not known."""
        self.has_begun = True
        self.member.health.speaks(is_probe=self.is_probe)
        if seconds is None:
            return
        before = self.member.first_token
        self.is_late = self.members.is_late(self.member, seconds)
        mean = seconds if before is None else before + _WEIGHT * (seconds - before)
        self.member.first_token = mean

    def failed(self, now: float, wait: float | None = None) -> None:
        """Note that it failed; `wait` is what the upstream said, in seconds."""
        self.has_failed = True
        self.member.health.failed(now, is_probe=self.is_probe, wait=wait)

    def end(self, now: float, tokens: int) -> None:
        """Note what it took in all, and how it went."""
        self.member.in_flight -= 1
        self.member.rates.settle(self.taken, tokens)
        health, is_probe = self.member.health, self.is_probe
        if self.has_failed:
            return
        if self.has_lied:
            health.strike(now, "lying", is_probe=is_probe)
        elif self.is_late:
            health.strike(now, "slow", is_probe=is_probe)
        elif self.has_begun:
            health.answered()
        else:
            health.give_up(now, is_probe=is_probe)


class Members:
    """All members of a pool. Every method is told the time, in seconds."""

    def __init__(self, members: Sequence[Member], *, in_turn: bool = False) -> None:
        """Take them in their order; with `in_turn` the first that can is asked, whatever is asked.

        Raises:
            InputError: there is none, two have one name, or no weight is above 0.
        """
        names = [member.name for member in members]
        if not members or len(set(names)) < len(names):
            raise InputError("a pool has one member or more, each of another name")
        if not any(member.weight for member in members):
            raise InputError("no member of the pool has a weight above 0")
        self._members = tuple(members)
        self._in_turn = in_turn

    def __iter__(self) -> Iterator[Member]:
        return iter(self._members)

    def order(self, key: bytes, first: str = "") -> list[Member]:
        """Return all, the one first that a key belongs to, full ones behind the others.

        Where they are asked in turn, the one that is named `first` goes before the others.
        """
        told = list(self._members)
        if self._in_turn:
            told.sort(key=lambda member: member.name != first)
        else:
            told.sort(key=lambda member: _distance(member, key))
        return sorted(told, key=lambda member: member.in_flight >= member.places)

    def ready(self, order: Sequence[Member], tokens: int, now: float) -> list[Member]:
        """Return those of an order that may be asked for so many tokens now."""
        return [member for member in order if member.wait(now, tokens) <= 0]

    def resting(self, order: Sequence[Member], tokens: int, now: float) -> list[Member]:
        """Return those that rest for what became of others' calls: none of them said to wait."""
        return [
            member
            for member in order
            if member.health.why != "limited" and member.rates.wait(now, tokens) <= 0
        ]

    def wait(self, tokens: int, now: float) -> float:
        """Return the seconds until one of all may be asked."""
        return min(member.wait(now, tokens) for member in self._members)

    def begin(self, member: Member, tokens: int, now: float) -> Call:
        """Begin a call of a member that takes so many tokens at most, prompt included."""
        member.in_flight += 1
        is_probe = member.health.begin(now)
        return Call(self, member, now, member.rates.take(now, tokens), is_probe)

    def is_late(self, member: Member, seconds: float) -> bool:
        """Say whether a first token came late, beside what another member usually takes."""
        others = [
            one.first_token
            for one in self._members
            if one is not member and one.first_token is not None
        ]
        if not others:
            return False
        usual = min(others)
        return seconds > _SLOWER * usual and seconds > usual + _LATER


def _distance(member: Member, key: bytes) -> float:
    """Return how far a key is from a member: exponentially distributed, by its weight."""
    if not member.weight:
        return math.inf
    told = blake2b(key, digest_size=8, key=member.name.encode()[:64]).digest()
    uniform = (int.from_bytes(told, "big") + 1) / (2**64 + 1)
    return -math.log(uniform) / member.weight
