"""A pool as an engine: one door to several, each with its own key, price and limits."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from decimal import Decimal

import anyio

from workspan.core.engine import (
    Bill,
    Engine,
    EngineInfo,
    Price,
    announces,
    check_offered,
    give_back,
    needs,
    ready,
)
from workspan.core.stopwatch import WALL, Time
from workspan.data.types import Chunk, Notice, Request, Usage
from workspan.engines.pool.health import CERTAIN
from workspan.engines.pool.members import PREFIX, Call, Member, Members
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineRejected,
    EngineUnavailable,
    InputError,
)
from workspan.legible import one_line

_ELSEWHERE = frozenset({401, 402, 403, 404, 408, 429})
"""Statuses of a refusal that another member may not have: each has its own key and account."""
_FULL = "is full"
_LIMITED = ("limited", _FULL)
"""Why a member that is in order waits all the same."""
_LONGEST = 1_500
"""Characters of what several members said."""
_PATIENCE = 90.0
"""Seconds for which a call waits for a member that can be asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pool knows of a call before anyone is asked."""

    key: bytes
    tokens: int
    """Prompt and completion, at most."""


class Pool:
    """Several engines of one model behind one door; see `workspan.engines.pool.members`.

    A call goes on to the next member only where the last one has certainly charged nothing. What
    may be charged for is a failed call like any other: the session asks again on its account, and
    by then the member rests.

    Example: ``Pool({"a": Endpoint(…), "b": Endpoint(…)}, Members([Member("a"), Member("b", 3)]))``
    """

    def __init__(
        self,
        engines: Mapping[str, Engine],
        members: Members,
        *,
        name: str = "pool",
        model: str = "",
        sticky: bool | None = None,
        first: str = "",
        patience: float = _PATIENCE,
        client: str = "",
        time: Time = WALL,
    ) -> None:
        """Take the members' engines by their names.

        Args:
            engines: each is closed with the pool.
            members: how calls are shared out.
            name: of the pool.
            model: what they all serve, where they call it by different names.
            sticky: a prompt goes to one member, and all that begins like it. None does so where a
                member keeps prompts in a cache, and the prompt may be long enough for that.
            first: who goes before the others, where they are asked in turn.
            patience: seconds for which a call waits for a member that can be asked.
            client: for whom it asks, where its members work for several: see `members`.
            time: what it goes by.

        Raises:
            InputError: a member has no engine, or does whole tasks.
        """
        for member in members:
            if member.name not in engines:
                raise InputError(f"the member {member.name} has no engine")
            if engines[member.name].info.whole is not None:
                raise InputError(f"{member.name} does whole tasks, and can't be in a pool")
        self._engines = {member.name: engines[member.name] for member in members}
        self.members, self._time = members, time
        self._name, self._model, self._sticky = name, model, sticky
        self._first, self._patience, self._client = first, patience, client

    @property
    def info(self) -> EngineInfo:
        """What can be counted on, whichever member answers."""
        told = [self._engines[member.name].info for member in self.members]
        contexts = [info.context for info in told]
        caches = [info.caches for info in told]
        return EngineInfo(
            self._name,
            self._model or "+".join(dict.fromkeys(info.model for info in told)),
            None if None in contexts else min(one for one in contexts if one is not None),
            frozenset.intersection(*(info.capabilities for info in told)),
            dearest([info.price for info in told]),
            max(info.overshoot for info in told),
            sum(info.concurrency for info in told),
            all(info.can_be_cut for info in told),
            None if None in caches else max(one for one in caches if one is not None),
            has_effort_field=all(info.has_effort_field for info in told),
        )

    @property
    def announces(self) -> bool:
        """All its members say when a request leaves."""
        return all(map(announces, self._engines.values()))

    async def ready(self) -> None:
        """Load what members must."""
        await ready(self._engines.values())

    async def count(self, request: Request) -> int:
        """Return the prompt's tokens: a bound, whichever member answers."""
        return max([await one.count(request) for one in self._engines.values()])

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion from a member; see `Engine.stream`."""
        check_offered(self.info, needs(request))
        asked = self._asked(request)
        end = self._time.now() + self._patience
        refused: dict[str, EngineError] = {}
        while True:
            able, is_last_resort = await self._able(asked, end, refused)
            for member in able:
                if self._must_wait(member, asked, is_last_resort=is_last_resort):
                    continue  # others were asked of it while this one was passed over
                call = self.members.begin(member, asked.tokens, self._time.now(), self._client)
                try:
                    async with aclosing(self._drawn(call, request, bill)) as chunks:
                        async for chunk in chunks:
                            yield chunk
                    return
                except EngineError as error:
                    if not _may_go_on(error, bill):
                        raise
                    bill.tell("refused")
                    refused[member.name] = error
                    said = f"{member.name} was passed over: {error}"
                    bill.notices.append(Notice("unavailable", said))

    def _must_wait(self, member: Member, asked: Asked, *, is_last_resort: bool) -> bool:
        now = self._time.now()
        if is_last_resort:
            return member.rates.wait(now, asked.tokens) > 0
        return member.wait(now, asked.tokens, self._client) > 0

    async def aclose(self) -> None:
        """Close all members; idempotent."""
        for engine in self._engines.values():
            await give_back(engine)

    async def _able(
        self, asked: Asked, end: float, refused: Mapping[str, EngineError]
    ) -> tuple[Sequence[Member], bool]:
        """Return the members that can be asked, waiting for one if need be.

        True beside them says that all of them rest, and none can be waited for. What others asked
        may have felled them, and this may be answered all the same.

        Raises:
            EngineError: what members said, where nobody can be asked in time, or where asking
                again would help nothing.
            EngineUnavailable: all rest, or have no room left in their minute.
        """
        told = [*refused.values()]
        waits = [error for error in told if not isinstance(error, EngineRejected)]
        if len(told) == len(self._engines) and not waits:
            raise _beside(told[0], told)
        while True:
            now = self._time.now()
            order = self.members.order(asked.key, self._first)
            if able := self.members.ready(order, asked.tokens, now, self._client):
                return able, False
            wait = self.members.wait(asked.tokens, now, self._client)
            if now + wait > end:
                resting = self.members.resting(order, asked.tokens, now)
                resting = [member for member in resting if member.name not in refused]
                if waits or not resting:
                    raise self._refusal(refused, waits, asked)
                return resting, True
            with self._time.move_on_after(wait):
                await anyio.sleep_forever()

    def _refusal(
        self, refused: Mapping[str, EngineError], waits: Sequence[EngineError], asked: Asked
    ) -> EngineError:
        """Say why nobody answers: by whoever may answer soonest, all others beside it."""
        idle = [member for member in self.members if member.name not in refused]
        busy = [self._busy(idle, asked)] if idle else []
        return _beside(min([*busy, *reversed(waits)], key=_until), [*refused.values(), *busy])

    def _busy(self, idle: Sequence[Member], asked: Asked) -> EngineUnavailable:
        now = self._time.now()
        wait = min(member.wait(now, asked.tokens, self._client) for member in idle)
        why = {member.name: self._why(member) for member in idle}
        standing = ", ".join(f"{name} {reason}" for name, reason in why.items())
        others = "other " * (len(idle) < len(self._engines))
        said = f"no {others}member of {self._name} can be asked for {wait:.0f} s: {standing}"
        is_limited = any(reason in _LIMITED for reason in why.values())
        return EngineUnavailable(said, status=429 if is_limited else 503, retry_after=wait)

    def _why(self, member: Member) -> str:
        return member.health.why or member.of(self._client).why or _FULL

    async def _drawn(self, call: Call, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw from one member, and note what became of it."""
        engine, member = self._engines[call.member.name], call.member
        known = len(bill.notices)
        bill.usage, bill.member, bill.price = Usage(), member.name, engine.info.price
        bill.stood = 0.0
        try:
            async with aclosing(engine.stream(request, bill)) as chunks:
                async for chunk in chunks:
                    if not call.has_begun:
                        call.began_to_answer(self._time.now() - call.began - bill.stood)
                    yield chunk
        except EngineError as error:
            if _is_members_fault(error) and error.is_asked:
                is_certain = _is_certain(error)
                call.failed(self._time.now(), error.retry_after, is_certain=is_certain)
            raise
        finally:
            new = bill.notices[known:]
            call.has_lied = any(notice.code == "contradiction" for notice in new)
            bill.notices[known:] = [_of(member.name, notice) for notice in new]
            usage = bill.usage
            tokens = usage.input_tokens + usage.output_tokens
            call.end(self._time.now(), tokens, usage.prefill)

    def _asked(self, request: Request) -> Asked:
        texts = [text for turn in request.prompt for text in turn.texts]
        size = sum(len(text.encode()) for text in texts)
        key = prefix_of(request)
        if not self._is_sticky(size):
            key += f" {request.seed}".encode()
        return Asked(key, size + request.max_tokens)

    def _is_sticky(self, size: int) -> bool:
        """Say whether a cache may hold a prompt of so many bytes: a token is at least a byte."""
        if self._sticky is not None:
            return self._sticky
        infos = [engine.info for engine in self._engines.values()]
        kept = [info.caches for info in infos if info.caches is not None]
        return bool(kept) and size >= min(kept)


@dataclass(frozen=True)
class Dearest(Price):
    """What a call costs at most, whichever of several answers: each may have rates by length."""

    prices: tuple[Price, ...] = ()

    def of(self, usage: Usage) -> Decimal:
        """Return what `usage` costs at the dearest of them."""
        return max(price.of(usage) for price in self.prices)


def prefix_of(request: Request) -> bytes:
    """Return what a prompt begins with, up to its first user's turn: what goes on from it, too."""
    found: list[str] = []
    for turn in request.prompt:
        found += [turn.role, *turn.texts]
        if turn.role == "user":
            break
    return "\n".join(found).encode()[:PREFIX]


def dearest(prices: Sequence[Price | None]) -> Price | None:
    """Return what bounds all prices; None where one is unknown."""
    known = [price for price in prices if price is not None]
    if len(known) < len(prices) or not known:
        return None
    if all(price is known[0] for price in known):
        return known[0]
    cached = [price.input if price.cached is None else price.cached for price in known]
    rates = (max(p.input for p in known), max(p.output for p in known), max(cached))
    return Dearest(*rates, tuple(known))


def _beside(error: EngineError, every: Sequence[EngineError]) -> EngineError:
    """Add to what is told what the others came to: it may be what can be mended."""
    others = dict.fromkeys(str(one) for one in every if one is not error)
    if others:
        error.args = (one_line(f"{error}; no other could answer: {'; '.join(others)}", _LONGEST),)
    return error


def _until(error: EngineError) -> float:
    """Return the seconds that it is worth waiting for; who said nothing comes last."""
    return math.inf if error.retry_after is None else error.retry_after


def _may_go_on(error: EngineError, bill: Bill) -> bool:
    """Say whether another member may be asked on the same account: nothing was charged."""
    return bill.usage.calls == 0 and error.served == "no" and _is_members_fault(error)


def _is_members_fault(error: EngineError) -> bool:
    """Tell what another member may not have from what any would say of the request."""
    if isinstance(error, EngineRejected):
        status = error.status or 0
        return status in _ELSEWHERE or 300 <= status < 400
    return not isinstance(error, ContextExceeded)


def _is_certain(error: EngineError) -> bool:
    """Tell what would fail whatever is asked from what a request itself may have caused."""
    return not error.is_reached or error.status in CERTAIN


def _of(member: str, notice: Notice) -> Notice:
    """Name the member that something was odd about."""
    return notice._replace(text=f"{member}: {notice.text}")
