"""The members of a pool: whom a call is asked of, and what became of it.

A prompt that a cache may hold goes to one member, it and all that begins like it, by rendezvous
hashing (Thaler and Ravishankar, "Using name-based mappings to increase hit rates", 1998) with
weights (Schindelhauer and Schomaker, "Weighted distributed hash tables", 2005): a member that goes
takes only its own share elsewhere. Every other call is spread in the same way, by all that it is.

What a client asks may fail wherever it is asked. So a failure that a request may have caused lets
the member rest for that client alone, and for all once it fails another one, too, with no call
answered well in between. It rests longer only where it then fails one more. Where there is but
one client, that is all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from workspan.engines.pool.health import LONGEST_REST, Health, Wrong
from workspan.engines.pool.rates import Rates, Taken
from workspan.errors import InputError

PREFIX = 4096
"""Bytes of a prompt's beginning that it is known by."""
_SLOWER, _LATER = 4.0, 1.0
"""A first token is late that came after so many times the fastest member's usual time, and so many
seconds after it."""
_WEIGHT = 0.2
"""Of the newest first token in a member's usual time."""
_MOST_CLIENTS = 1_000
"""For whom a member may rest apart."""


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
    """As it is for all."""
    in_flight: int = 0
    first_token: dict[int, float] = field(default_factory=dict)
    """Seconds that it usually takes to the first token, by the prompt's size: see `size_of`."""
    apart: dict[str, Health] = field(default_factory=dict)
    """How it has answered clients whose calls went wrong lately."""
    doubted: set[str] = field(default_factory=set)
    """Clients for whom it went wrong since a call was answered well."""

    def __post_init__(self) -> None:
        """Check the weight.

        Raises:
            InputError: it is none.
        """
        if not 0 <= self.weight < math.inf:
            raise InputError(f"the weight of {self.name} is {self.weight}: a number, 0 or more")

    def wait(self, now: float, tokens: int, client: str = "") -> float:
        """Return the seconds until a call of so many tokens may be begun; 0 is now."""
        return max(
            _rest(self.health, now), _rest(self.of(client), now), self.rates.wait(now, tokens)
        )

    def may_be_asked(self, now: float, client: str = "") -> bool:
        """Say whether it rests neither for all nor for a client."""
        return self.health.may_be_asked(now) and self.of(client).may_be_asked(now)

    def rests(self, now: float) -> bool:
        """Say whether it does so for somebody, or did a moment ago."""
        return self.health.state != "up" or any(
            one.state != "up" and now < one.until + LONGEST_REST for one in self.apart.values()
        )

    def of(self, client: str) -> Health:
        """Return how it has answered a client; one without a name is all there are."""
        return self.health if not client else self.apart.get(client) or Health()

    def blamed_by(self, client: str) -> Health:
        """Return the same, to be noted in."""
        if not client or client in self.apart:
            return self.of(client)
        if len(self.apart) >= _MOST_CLIENTS:
            self.apart.pop(next(iter(self.apart)))
        return self.apart.setdefault(client, Health())


@dataclass(slots=True)
class Call:
    """One call of a member, from its beginning on: `end` it once, whatever became of it."""

    members: Members
    member: Member
    began: float
    taken: Taken
    is_probe: bool
    """Of the member as it is for all."""
    client: str = ""
    """Whose it is; empty where nobody tells clients apart."""
    is_own_probe: bool = False
    """Of the member as it is for this client."""
    has_begun: bool = False
    """Its answer has."""
    seconds: float | None = None
    """To its first token; None is not known."""
    has_failed: bool = False
    has_lied: bool = False

    def began_to_answer(self, seconds: float | None) -> None:
        """Note its first token, and after how many seconds; None is not known."""
        self.has_begun, self.seconds = True, seconds
        self.member.health.speaks(is_probe=self.is_probe)
        self.member.of(self.client).speaks(is_probe=self.is_own_probe)

    def failed(self, now: float, wait: float | None = None, *, is_certain: bool = False) -> None:
        """Note that it failed.

        Args:
            now: in seconds.
            wait: what the upstream said, in seconds.
            is_certain: whatever had been asked would have failed: there was nobody, say.
        """
        self.has_failed = True
        member = self.member
        if wait is not None or is_certain or not self.client:
            member.health.failed(now, is_probe=self.is_probe, wait=wait)
            return
        member.blamed_by(self.client).failed(now, is_probe=self.is_own_probe)
        self._doubt(now, "failed")

    def _doubt(self, now: float, why: Wrong) -> None:
        """Let the member rest for all where it went wrong for another client, too.

        Each client counts once until a call is answered well: so a few that work together can't
        let it rest for the others again and again, and longer each time.
        """
        member = self.member
        if self.client in member.doubted or len(member.doubted) >= _MOST_CLIENTS:
            return
        member.doubted.add(self.client)
        if len(member.doubted) > 1:
            member.health.rests_for(now, why, is_probe=self.is_probe)

    def end(self, now: float, tokens: int, read: int = 0) -> None:
        """Note what it took in all, and how it went.

        Args:
            now: in seconds.
            tokens: of prompt and completion together.
            read: of the prompt, those that no cache served: a long prompt may take its time.
        """
        member = self.member
        member.in_flight -= 1
        member.rates.settle(self.taken, tokens)
        if not self.has_failed:
            self._judge(now, read)
        member.health.give_up(now, is_probe=self.is_probe)
        member.of(self.client).give_up(now, is_probe=self.is_own_probe)

    def _judge(self, now: float, read: int) -> None:
        member = self.member
        is_late = self.seconds is not None and self.members.is_late(member, self.seconds, read)
        if self.seconds is not None:
            _learn(member.first_token, size_of(read), self.seconds)
        if self.has_lied:
            self._strike(now, "lying")
        elif is_late:
            self._strike(now, "slow")
        elif self.has_begun:
            member.health.answered()
            member.of(self.client).answered()
            member.doubted.clear()
            self._forget()

    def _strike(self, now: float, why: Wrong) -> None:
        own = self.member.blamed_by(self.client)
        is_probe = self.is_own_probe if self.client else self.is_probe
        own.strike(now, why, is_probe=is_probe)
        if self.client and own.state == "resting":
            self._doubt(now, why)

    def _forget(self) -> None:
        """Keep nothing of a client for whom all is well."""
        own = self.member.apart.get(self.client)
        if own is not None and own.state == "up" and not own.rest:
            del self.member.apart[self.client]


def size_of(read: int) -> int:
    """Return which prompts are alike: of at most so many tokens, and more than half of that."""
    return max(0, read - 1).bit_length()


def _learn(usual: dict[int, float], size: int, seconds: float) -> None:
    before = usual.get(size)
    usual[size] = seconds if before is None else before + _WEIGHT * (seconds - before)


def _rest(health: Health, now: float) -> float:
    return 0.0 if health.may_be_asked(now) else max(0.001, health.until - now)


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

    def ready(
        self, order: Sequence[Member], tokens: int, now: float, client: str = ""
    ) -> list[Member]:
        """Return those of an order that may be asked for so many tokens now."""
        return [member for member in order if member.wait(now, tokens, client) <= 0]

    def resting(self, order: Sequence[Member], tokens: int, now: float) -> list[Member]:
        """Return those that rest for what became of others' calls: none of them said to wait."""
        return [
            member
            for member in order
            if member.health.why != "limited" and member.rates.wait(now, tokens) <= 0
        ]

    def wait(self, tokens: int, now: float, client: str = "") -> float:
        """Return the seconds until one of all may be asked."""
        return min(member.wait(now, tokens, client) for member in self._members)

    def begin(self, member: Member, tokens: int, now: float, client: str = "") -> Call:
        """Begin a client's call of a member that takes so many tokens at most, prompt included."""
        member.in_flight += 1
        is_probe, is_own = member.health.begin(now), member.of(client).begin(now)
        taken = member.rates.take(now, tokens)
        return Call(self, member, now, taken, is_probe, client, is_own)

    def is_late(self, member: Member, seconds: float, read: int = 0) -> bool:
        """Say whether a first token came late, beside another member's for a prompt as long."""
        size = size_of(read)
        others = [
            one.first_token[size]
            for one in self._members
            if one is not member and size in one.first_token
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
