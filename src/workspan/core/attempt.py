"""One try of one call: reserved, streamed, cut where the account ends, settled and journaled."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import TypeAlias

import anyio

from workspan.core.clock import Clock
from workspan.core.context import Began, Context, Delta, Ended, Event
from workspan.core.engine import FREE, Bill, Post, Whole, announces, texts_alone
from workspan.core.journal import bound_usage
from workspan.core.ledger import Hold, Ledger
from workspan.core.warming import Warmth
from workspan.data.content import ToolCall
from workspan.data.entry import Entry, Failure, Outcome
from workspan.data.money import exactly
from workspan.data.types import Amount, Chunk, FinishReason, Notice, Request, Sample, Usage
from workspan.errors import (
    BudgetExceeded,
    EngineError,
    EngineProtocolError,
    EngineUnavailable,
    UnsupportedCapability,
)

SLICE = 256
"""Tokens reserved at a time, at least, so that a long cap does not keep others from starting."""

_SLICE_OVER_OVERSHOOT = 20
"""A slice is so many times what the engine may decode unseen, so that a cut wastes little."""

_SAME_MONEY = Decimal("1.01")
"""Providers round: a bill that is above the price by less is the same."""

Halt: TypeAlias = Callable[[], Callable[[Chunk], bool]]
"""A strategy's rule for cutting samples: makes, for each, what sees its chunks and says when."""


class Lost(Exception):
    """The call died after it was billed, and may be asked again."""


class _Words:
    """Counts the words of a text that comes in pieces: no token spans two."""

    __slots__ = ("_is_open", "count")

    def __init__(self) -> None:
        self.count = 0
        self._is_open = False

    def add(self, piece: str) -> None:
        """Take a piece; a word that it shares with the last one counts once."""
        words = len(piece.split())
        goes_on = self._is_open and words > 0 and not piece[0].isspace()
        self.count += words - goes_on
        self._is_open = not piece[-1].isspace()


class Attempt:
    """One try of one call, from its reservation to its journal line."""

    def __init__(
        self,
        run: Context,
        ledger: Ledger,
        clock: Clock,
        key: str,
        request: Request,
        asked: str,
        halt: Halt | None,
        *,
        races: bool,
    ) -> None:
        self.run, self.ledger, self.clock = run, ledger, clock
        self.key, self.request, self.asked = key, request, asked
        self.is_over = halt() if halt else None
        self.races = races
        self.engine = run.engine_of(request)
        self.bill = Bill()
        self.is_out = not announces(self.engine)
        """A request may be out: the call is charged if nothing more is heard of it."""
        self.prefill = 0
        self.cap = self.leased = 0
        self.capped_by = self.cut_by = ""
        self.queued = self.began = 0.0
        self.text: list[str] = []
        self.reasoning: list[str] = []
        self.logprobs: list[float] = []
        self.confidences: list[float] = []
        self.refusal: list[str] = []
        self.tool_calls: tuple[ToolCall, ...] = ()
        self.thought = _Words()
        self.place: Hashable = None
        self.warms: Warmth | None = None
        """Siblings wait for the first token of this one."""
        self.after = 0

    async def draw(self, *, is_last: bool) -> Sample:
        """Run the call; whatever happens, it is settled and journaled once."""
        places: list[anyio.CapacityLimiter] = []
        self.queued = self.run.elapsed()
        try:
            await self._warm()
            hold = await self._admit(places)
            self.began = self.run.elapsed()
            self._tell(Began(self.key, self.clock.now, self.request.engine))
            try:
                finish = await self._stream(hold)
            except EngineError as error:
                is_lost = isinstance(error, EngineUnavailable | EngineProtocolError)
                is_lost = is_lost and not is_last and self.bill.usage.calls > 0
                self._settle(hold, "lost" if is_lost else "failed", error=error)
                if is_lost:
                    raise Lost from error
                error.keys = (self.key,)
                raise
            except BaseException:
                self._settle(hold, "cut")
                raise
            return self._settle(hold, "sample", finish=finish)
        finally:
            for place in places:
                place.release()
            if self.warms is not None:
                self.run.warming.give_up(self.place, self.warms)

    async def _warm(self) -> None:
        """Wait until a sibling's first token says that the prompt is in the engine's cache."""
        self.place = self.run.warming.place(self.engine.info, self.request)
        if self.place is None:
            return
        with self.run.time_left():
            told = await self.run.warming.wait(self.place)
            if isinstance(told, Warmth):
                self.warms = told
            else:
                self.after = max(0, told - self.clock.now)
                self.clock.advance(self.after)

    async def _admit(self, places: list[anyio.CapacityLimiter]) -> Hold:
        """Wait for a place in flight and for room in the account, while there is time."""
        with self.run.time_left():
            for limiter in (*self.ledger.widths(), self.run.limiter):
                try:
                    limiter.acquire_nowait()
                except anyio.WouldBlock:
                    await limiter.acquire()
                places.append(limiter)
            return await self._reserve()
        raise self._refuse("the time is up", "seconds")  # the only way here

    async def _reserve(self) -> Hold:
        """Hold the prompt and the first slice; ask for no more than may ever be left."""
        run, ledger = self.run, self.ledger
        if run.journal.is_durable or ledger.limits("prefill") or ledger.limits("cost"):
            self.prefill = await self._prompt_bound()
        try:
            hold = await ledger.reserve(self._bound)
        except BudgetExceeded as refusal:
            run.refused = refusal.limit
            raise
        if self.cap != self.request.max_tokens:
            self.request = replace(self.request, max_tokens=self.cap)
        if not self.is_out:
            self.bill.on_post = partial(self._note, hold)
            return hold
        try:
            self._write_ahead(hold)
        except BaseException:
            ledger.settle(hold, Usage())
            raise
        return hold

    async def _prompt_bound(self) -> int:
        """Bound the prompt. Where nothing does and nothing limits it, its texts stand for it."""
        try:
            return await self.engine.count(self.request)
        except UnsupportedCapability:
            if self.ledger.limits("prefill") or self.ledger.limits("cost"):
                raise
        return await self.engine.count(texts_alone(self.request))

    def _bound(self) -> Amount:
        """Ask for the prompt and the first slice of what may be decoded now.

        Servers keep a tool's call back until it is whole: where one may come, all of the cap is
        held.
        """
        whole = self.engine.info.whole
        if whole is not None:
            return self._whole_bound(whole)
        self.cap = self._cap()
        is_cut = self.engine.info.can_be_cut and not self.request.may_call
        self.leased = min(self.cap, self._slice()) if is_cut else self.cap
        work = min(self.cap, self.leased + self.engine.info.overshoot)
        return self._amount(1, work, self.prefill)

    def _whole_bound(self, whole: Whole) -> Amount:
        """Ask for all that a whole piece of work may take, whatever the request's own cap."""
        self._refuse_late()
        room = self.clock.room
        if room is not None and room < (whole.work or 0):
            raise self._refuse(f"a call needs {whole.work} span, {room} span left", "span")
        self.cap = self.leased = self.request.max_tokens
        return whole.amount

    def _slice(self) -> int:
        return max(SLICE, _SLICE_OVER_OVERSHOOT * self.engine.info.overshoot)

    def _cap(self) -> int:
        """Return the most tokens that the request, the path and the account allow now."""
        self._refuse_late()
        cap, self.capped_by = self.request.max_tokens, ""
        rooms = {
            "span": self.clock.room,
            "work": self.ledger.work_left(),
            "cost": self._affordable(),
        }
        for column, room in rooms.items():
            if room is not None and room < cap:
                if room < 1:
                    raise self._refuse(f"no {column} is left", column)
                cap, self.capped_by = room, column
        return cap

    def _refuse_late(self) -> None:
        """Refuse a call after the end of the run, or of its time."""
        run = self.run
        if run.is_replay:
            raise self._refuse("the run ended before this call", run.refused or "work")
        if run.seconds is not None and run.elapsed() >= run.seconds:
            raise self._refuse("the time is up", "seconds")

    def _affordable(self) -> int | None:
        """Return how many tokens the money that is left buys after the prompt."""
        left, price = self.ledger.cost_left(), self.engine.info.price
        if left is None or price is None or not price.output:
            return None
        with exactly():
            return int((left - self._amount(1, 0, self.prefill).cost) * 1_000_000 / price.output)

    def _refuse(self, why: str, limit: str) -> BudgetExceeded:
        self.run.refused = limit
        return BudgetExceeded(why, limit=limit)

    def _amount(self, calls: int, work: int, prefill: int) -> Amount:
        price = self.engine.info.price
        if price is None:
            return Amount(calls, work, prefill)
        return Amount(calls, work, prefill, price.of(Usage(calls, prefill, output_tokens=work)))

    def _note(self, hold: Hold, post: Post) -> None:
        """Write ahead that a request leaves, or that none is out any more."""
        if self.is_out is not (post == "leaves"):
            self.is_out = not self.is_out
            self._write_ahead(hold)

    def _write_ahead(self, hold: Hold) -> None:
        """Note on disk what the call may cost, for the account of a killed process."""
        journal = self.run.journal
        if journal.is_durable:
            usage = bound_usage(hold.amount) if self.is_out else Usage()
            now = self.run.elapsed()
            journal.append(Entry(self.key, "open", self.asked, usage, began=now, ended=now))

    async def _stream(self, hold: Hold) -> FinishReason:
        """Collect the stream; cut it when the next slice is refused or the time is up."""
        finish: FinishReason | None = None
        self.bill.is_uncut = self._is_uncut(hold)
        with self.run.time_left() as scope:
            async with aclosing(self.engine.stream(self.request, self.bill)) as chunks:
                async for chunk in chunks:
                    finish = chunk.finish
                    self._keep(chunk)
                    refused = await self._lease_on(hold) if self._is_due(finish) else None
                    if refused is not None:
                        self.cut_by, finish = refused, "budget"
                        break
                    if finish is None and self.is_over is not None and self.is_over(chunk):
                        finish = "halted"
                        break
                    if finish is None and self._overthinks():
                        finish = "length"
                        break
        if finish is None and scope is not None and scope.cancelled_caught:
            self.cut_by, finish = "seconds", "deadline"
        if finish is None:
            raise EngineProtocolError("the stream ended without saying why")
        if finish == "length" and self.capped_by:  # the account's cap, not the request's own
            self.cut_by, finish = self.capped_by, "budget"
        return finish

    def _overthinks(self) -> bool:
        """Say whether a server surely minds no cap on thinking, and has not begun to answer."""
        most = self.request.max_reasoning_tokens
        return most is not None and self.thought.count > most and not any(self.text)

    def _is_uncut(self, hold: Hold) -> bool:
        """Say whether nothing may cut the call, and nobody watches it."""
        run = self.run
        is_watched = run.observer is not None or self.is_over is not None or self.races
        is_watched = is_watched or self.warms is not None
        is_watched = is_watched or self.request.max_reasoning_tokens is not None
        return run.seconds is None and not is_watched and hold.amount.work >= self.cap

    def _keep(self, chunk: Chunk) -> None:
        self.text.append(chunk.text)
        if self.warms is not None:
            decoded = self.bill.usage.output_tokens if chunk.finish else 1
            self.run.warming.tell(self.warms, self.clock.now + decoded)
        if chunk.reasoning:
            self.reasoning.append(chunk.reasoning)
            if self.request.max_reasoning_tokens is not None:
                self.thought.add(chunk.reasoning)
        if chunk.refusal:
            self.refusal.append(chunk.refusal)
        if chunk.tool_calls:
            self.tool_calls = chunk.tool_calls
        self.logprobs.extend(chunk.logprobs)
        self.confidences.extend(chunk.confidences)
        self._tell(Delta(self.key, chunk))

    def _is_due(self, finish: FinishReason | None) -> bool:
        """Say whether the last slice is used up."""
        return finish is None and self.bill.usage.output_tokens >= self.leased < self.cap

    async def _lease_on(self, hold: Hold) -> str | None:
        """Lease the next slice when the last one is used up; return the limit that refuses it."""
        decoded = self.bill.usage.output_tokens
        while decoded >= self.leased < self.cap:
            leased = min(self.cap, self.leased + self._slice())
            more = min(self.cap, leased + self.engine.info.overshoot) - hold.amount.work
            refused = await self.ledger.stretch(hold, more, self._amount(0, more, 0).cost)
            if refused is not None:
                return refused
            self.leased = leased
            self._write_ahead(hold)
        return None

    def _priced(self, usage: Usage) -> Usage:
        """Charge the price or what the provider reports, whichever is dearer."""
        price, reported = self.engine.info.price, usage.cost or None
        if price is not None:
            price = self.bill.price or price
        if price is None or price is FREE:
            return usage if reported or price is FREE else replace(usage, cost=None)
        cost = price.of(usage)
        if reported is not None and reported > cost * _SAME_MONEY:
            self.bill.notices.append(
                Notice("contradiction", f"{self.engine.info.model} costs more than its price")
            )
        return replace(usage, cost=max(cost, reported or cost))

    def _sample(self, finish: FinishReason, usage: Usage) -> Sample:
        """Put together what has arrived."""
        text, thought, refusal = "".join(self.text), "".join(self.reasoning), "".join(self.refusal)
        if (strike := self.bill.strike) is not None:
            text, thought, refusal = strike(text), strike(thought), strike(refusal)
        return Sample(
            text,
            finish,
            usage,
            thought,
            tuple(self.logprobs) if self.request.logprobs else None,
            tuple(self.confidences) or None,
            self.key,
            self.tool_calls,
            refusal,
        )

    def _settle(
        self,
        hold: Hold,
        outcome: Outcome,
        *,
        finish: FinishReason | None = None,
        error: EngineError | None = None,
    ) -> Sample:
        """Charge what was billed and write it down; nothing here awaits."""
        run, usage = self.run, self._priced(self.bill.usage)
        sample = self._sample(finish or "stop", usage)
        entry = Entry(
            self.key,
            outcome,
            self.asked,
            usage,
            sample if outcome == "sample" else None,
            error=Failure(type(error).__name__, str(error), error.status) if error else None,
            began=self.began,
            ended=run.elapsed(),
            asked=self.queued,
            refused=self.cut_by,
            notices=tuple(self.bill.notices),
            after=self.after,
            member=self.bill.member,
        )
        self.ledger.settle(hold, usage)
        run.record(self.clock, entry)
        run.journal.append(entry)
        self._tell(Ended(run.trace[-1]))
        return sample

    def _tell(self, event: Event) -> None:
        if self.run.observer is not None:
            self.run.observer(event)
