"""Equal requests that come at once, asked as one with several choices."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import NamedTuple, Protocol

import anyio

from workspan.core.engine import Bill
from workspan.data.types import Chunk, Notice, Request, Source, Usage
from workspan.engines.endpoint.figures import reconcile, together
from workspan.engines.endpoint.meter import Meter, hear_of_all, may_be_of_one
from workspan.engines.endpoint.reply import Reply
from workspan.engines.endpoint.wire import Event, Report
from workspan.errors import EngineError, EngineProtocolError

_GATHER_SECONDS = 0.002
"""How long the first of a group waits for others: draws of one strategy come in one tick."""


class Upstream(Protocol):
    """What a group needs of the endpoint it asks."""

    url: str

    def meter(self, request: Request) -> Meter:
        """Begin the account of one choice."""
        ...

    async def ask(self, request: Request, n: int) -> Reply:
        """Begin a stream of n choices."""
        ...

    def single(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion by a request of its own."""
        ...


class _Told(NamedTuple):
    """Usage as it came."""

    place: int
    """The choice that had ended last before it."""
    report: Report
    pieces: tuple[int, ...]
    """Of each choice, those that had come before it."""
    open: tuple[int, ...]
    """Choices that had not ended by then: they may have decoded an end token since."""


class _Group:
    """One request and its choices. Whoever lacks tokens reads the stream for all."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.members: list[Meter] = []
        self.is_full = anyio.Event()
        self.turn = anyio.Lock()
        self.is_asked = False
        self.reply: Reply | None = None
        self.choices: tuple[Meter, ...] = ()
        """By the index of their choice, fixed when the request is sent."""
        self.reports: list[_Told] = []
        self.last_ended = 0
        self.is_over = False
        self.failure: EngineError | None = None

    @property
    def may_be_charged(self) -> bool:
        """The request is on its way, or the server may have served some of it."""
        if self.failure is not None and self.reply is None:
            return self.failure.served != "no"
        return self.is_asked

    def take(self, events: list[Event]) -> None:
        """Hand each choice what is its own."""
        for event in events:
            for choice in event.choices:
                if choice.index < len(self.choices):
                    self.choices[choice.index].take(choice)
                else:
                    self.choices[0].take_unasked(choice)
                if choice.finish_reason:
                    self.last_ended = choice.index
            if event.usage is not None:
                pieces = tuple(meter.pieces for meter in self.choices)
                still = tuple(i for i, meter in enumerate(self.choices) if meter.finish is None)
                self.reports.append(_Told(self.last_ended, event.usage, pieces, still))
                hear_of_all(self.choices, event.usage)

    def settle(self, server: str) -> None:
        """Split the usage among the choices: by its own report, by the total, or by our count."""
        ended = [meter for meter in self.choices if meter.finish is not None]
        told = {one.place: one for one in self.reports}
        places = {place for place, meter in enumerate(self.choices) if meter.finish is not None}
        is_each = set(told) == places and len(self.reports) == len(places)
        if len(ended) > 1 and told and not is_each:
            self._split(ended, self.reports[-1], server)
            return
        for place, one in told.items():
            self.choices[place].hear(one.report, one.pieces[place])
        for meter in ended:  # they share the prompt: the first pays for all
            meter.settle(server, with_prompt=meter is self.choices[0])

    def _split(self, ended: list[Meter], told: _Told, server: str) -> None:
        """Share the tokens of all choices by what each has sent; one choice's alone are too few.

        llama.cpp reports one choice's usage for n (its issue 27318).
        """
        sent = [meter.usual_least for meter in ended]
        figures = reconcile(told.report, together([meter.shown for meter in ended]))
        is_too_low = may_be_of_one(ended, figures.decoded)
        if is_too_low:
            ended[0].notices.append(_one_for_all(server))
        if figures.prompt is not None:
            self.choices[0].expects(figures.prompt, figures.cached, "measured")
        is_last = told.pieces == tuple(meter.pieces for meter in self.choices)
        is_sum = is_last and figures.is_measured and not is_too_low
        ends = sum(self.choices[place].finish == "stop" for place in told.open)
        shares = [meter.decoded for meter in ended]
        if is_sum:
            shares = split(figures.decoded + ends, sent)
        # The sum is the server's, end tokens after it aside; how it is shared is ours.
        source: Source = "estimated" if ends else "tokenised"
        for meter, share in zip(ended, shares, strict=True):
            meter.settle_at(share, source if is_sum else meter.count_source)


def _one_for_all(server: str) -> Notice:
    return Notice("contradiction", f"{server} reports the usage of one choice for several")


def split(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` in proportion to `weights`, all above 0, to the last token."""
    bounds = [0]
    for weight in weights:
        bounds.append(bounds[-1] + weight)
    edges = [total * bound // bounds[-1] for bound in bounds]
    return [edges[i + 1] - edges[i] for i in range(len(weights))]


class Groups:
    """Joins the requests of one endpoint."""

    def __init__(self, upstream: Upstream, n: int) -> None:
        self._upstream = upstream
        self._n = n
        self.is_off = False
        """The server does not end each choice: nothing is joined any more."""
        self._gathering: dict[Request, _Group] = {}

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one choice; one that the server leaves out is asked for by itself.

        A choice ends when all have ended: only then is its usage known.
        """
        bill.tell("leaves")  # who asks for the group is not settled yet
        group, meter = self._join(request)
        try:
            while not group.is_over:
                async with group.turn:
                    if (meter.is_empty or meter.finish) and not group.is_over:
                        await self._advance(group)
                bill.usage = meter.usage
                if meter.finish is None and (chunk := meter.chunk()):
                    yield chunk
            if group.failure is not None:
                raise copy.copy(group.failure)  # each caller notes its own keys on it
            if meter.was_served:
                if meter.finish is None:
                    self.is_off = True  # a proxy loses it: choices are asked for one by one
                    raise EngineProtocolError("the stream ended in the middle of a choice")
                bill.usage = meter.usage
                yield meter.last_chunk()
        finally:
            bill.usage = meter.usage_if_cut if group.may_be_charged else Usage()
            given_up = group.reply.notices if group.reply is not None else []
            bill.notices += [*given_up, *meter.notices, *meter.unmet]
            self._leave(group, meter)
        if not meter.was_served:
            async with aclosing(self._upstream.single(request, bill)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def _join(self, request: Request) -> tuple[_Group, Meter]:
        """Take a place in the group that gathers for this request, its seed aside."""
        key = replace(request, seed=0)
        group = self._gathering.get(key)
        if group is None:
            group = self._gathering[key] = _Group(request)
        meter = self._upstream.meter(request)
        group.members.append(meter)
        if len(group.members) == self._n:
            self._close(group)
        return group, meter

    def _close(self, group: _Group) -> None:
        """Let nobody else in."""
        self._gathering.pop(replace(group.request, seed=0), None)
        group.is_full.set()

    async def _advance(self, group: _Group) -> None:
        """Send the group's request, or read on; what fails, fails for all."""
        if group.reply is None:
            with anyio.move_on_after(_GATHER_SECONDS):
                await group.is_full.wait()
            self._close(group)
        try:
            if group.reply is None:
                group.choices = tuple(group.members)
                group.is_asked = True
                group.reply = await self._upstream.ask(group.request, len(group.choices))
                for meter in group.choices[1:]:
                    meter.expects(0, 0, "measured")
            if events := await group.reply.read():
                group.take(events)
                return
            group.settle(self._upstream.url)
        except EngineError as error:
            group.failure = error
        group.is_over = True

    def _leave(self, group: _Group, meter: Meter) -> None:
        """Give the place back; the last one hangs up."""
        group.members.remove(meter)
        if not group.members:
            self._close(group)
            if group.reply is not None:
                group.reply.close()
