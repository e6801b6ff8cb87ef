"""One request's turn at a member of a pool: within its minute, and how it went noted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Any

import msgspec

from workspan.engines.pool import Member, Members
from workspan.engines.pool.members import PREFIX, Call
from workspan.errors import InputError
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.trouble import Missed, wait_of
from workspan.serve.relay.upstream import Server
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed

_OTHERS = ("completion", "embedding")
"""What a server may lack that answers all else: no client lets it rest by asking for that."""
_FIELDS = ("instructions", "system", "prompt")
"""Where a prompt begins, beside its turns."""


@dataclass(slots=True)
class Turn:
    """A request at one upstream; of one that is in no pool nothing is noted."""

    call: Call | None = None

    def begins(self, seconds: float | None) -> None:
        """Note the first token; `seconds` is None where a whole reply came, which says nothing."""
        if self.call is not None:
            self.call.began_to_answer(seconds)

    def lies(self) -> None:
        """Note that its figures can't be true."""
        if self.call is not None:
            self.call.has_lied = True


def turn(server: Server, passed: Passed, record: Record) -> AbstractContextManager[Turn]:
    """Ask one upstream within the block.

    Raises:
        Missed: its minute has no room; nothing was asked.
    """
    if server.standing is None:
        return nullcontext(Turn())
    return _turn(*server.standing, passed, record)


@contextmanager
def _turn(members: Members, member: Member, passed: Passed, record: Record) -> Iterator[Turn]:
    before, tokens = record.total, _most(passed)
    _admit(member, tokens)
    call = members.begin(member, tokens, monotonic(), passed.asked.client)
    try:
        yield Turn(call)
    except Missed as missed:
        if missed.elsewhere and not (missed.lacks and passed.form in _OTHERS):
            call.failed(monotonic(), wait_of(missed), is_certain=missed.is_certain)
        raise
    finally:
        used = record.total
        spent = used.input_tokens + used.output_tokens + used.unseen_tokens
        spent -= before.input_tokens + before.output_tokens + before.unseen_tokens
        call.end(monotonic(), spent, used.prefill - before.prefill)


def by_readiness(servers: list[Server], client: str) -> list[Server]:
    """Return those that rest behind the others: they are asked where no other answers."""
    now = monotonic()
    return sorted(servers, key=lambda server: not _is_up(server.standing, now, client))


def _is_up(standing: tuple[Members, Member] | None, now: float, client: str) -> bool:
    return standing is None or standing[1].may_be_asked(now, client)


def _admit(member: Member, tokens: int) -> None:
    now, health = monotonic(), member.health
    wait = member.rates.wait(now, tokens)
    if health.why == "limited" and not health.may_be_asked(now):
        wait = max(wait, health.until - now)
    if wait > 0:
        said = f"{member.name} takes no more for {wait:.0f} s: its limits by the minute are used up"
        told = {"retry-after": str(max(1, math.ceil(wait)))}
        kind = "upstream_rate_limit_error"
        raise Missed(Failed(429, said, code="upstream_rate_limit", kind=kind, headers=told))


def _most(passed: Passed) -> int:
    """Bound what a request takes of a minute: a token is at least a byte."""
    return len(passed.asked.body) + (passed.cap or 0) * passed.n


def prefix(passed: Passed, *, is_sticky: bool) -> bytes:
    """Return what a prompt is known by: its beginning, or all of the request where none is kept.

    The beginning goes up to the first user's turn, so that what goes on from it is known by it.
    """
    if not is_sticky:
        return passed.asked.body + passed.asked.id.encode()
    body = passed.body
    found = b"".join(body.raw(name) for name in _FIELDS)
    for name in ("messages", "input"):
        if name in body:
            found += _first_turns(body.raw(name))
    return found[:PREFIX]


def _first_turns(raw: bytes) -> bytes:
    try:
        turns = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise InputError("the body holds something else than JSON") from None
    if not isinstance(turns, list):
        return raw
    found: list[Any] = []
    for one in turns:
        found.append(one)
        if isinstance(one, dict) and one.get("role") == "user":
            break
    return msgspec.json.encode(found)
