"""Equal requests that come at once, asked as one with several choices."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import anyio

from workspan.engines.base import Bill
from workspan.engines.endpoint.meter import Meter, cached_of
from workspan.engines.endpoint.reply import Reply
from workspan.engines.endpoint.wire import Event, Report
from workspan.errors import EngineError, EngineProtocolError
from workspan.types import Chunk, Request, Usage

_GATHER_SECONDS = 0.002
"""How long the first of a group waits for others: draws of one strategy come in one tick."""


class Door(Protocol):
    """What a group needs of the endpoint it asks."""

    def meter(self, request: Request) -> Meter:
        """Begin the account of one choice."""
        ...

    async def ask(self, request: Request, n: int) -> Reply:
        """Begin a stream of n choices."""
        ...

    def single(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion by a request of its own."""
        ...


class _Group:
    """One request and its choices. Whoever lacks tokens reads the stream for all."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.members: list[Meter] = []
        self.is_full = anyio.Event()
        self.turn = anyio.Lock()
        self.reply: Reply | None = None
        self.choices: tuple[Meter, ...] = ()
        """By the index of their choice, fixed when the request is sent."""
        self.reports: list[tuple[int, Report]] = []
        """Usage, each with the choice that had ended last before it."""
        self.last_ended = 0
        self.is_over = False
        self.failure: EngineError | None = None

    def take(self, events: list[Event]) -> None:
        """Hand each choice what is its own."""
        for event in events:
            for choice in event.choices:
                if choice.index < len(self.choices):
                    self.choices[choice.index].take(choice)
                if choice.finish_reason:
                    self.last_ended = choice.index
            if event.usage is not None:
                self.reports.append((self.last_ended, event.usage))

    def settle(self) -> None:
        """Split the usage among the choices: by its own report, by the total, or by our count."""
        ended = [meter for meter in self.choices if meter.finish is not None]
        if not self.reports or not ended:
            for meter in ended:
                meter.settle()
            return
        prompt = self.reports[0][1]
        if prompt.prompt_tokens:  # the choices share it: the first pays for all
            self.choices[0].expects(prompt.prompt_tokens, cached_of(prompt), "measured")
        if len(ended) == 1 or len({index for index, _ in self.reports}) == len(ended):
            for index, report in self.reports:
                self.choices[index].report(report, with_prompt=False)
            return
        _, report = self.reports[-1]
        spare = report.completion_tokens - sum(meter.at_least for meter in ended)
        for place, meter in enumerate(ended):
            if spare < 0:  # one choice's usage only: llama.cpp issue 27318
                meter.settle()
                continue
            # The sum is the server's; that the tokens beyond our count are shared evenly is ours.
            share = (spare + len(ended) - 1 - place) // len(ended)
            meter.settle(meter.at_least + share, "tokenised")


class Groups:
    """Joins the requests of one endpoint."""

    def __init__(self, door: Door, n: int) -> None:
        self._door = door
        self._n = n
        self._gathering: dict[Request, _Group] = {}

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one choice; one that the server leaves out is asked for by itself.

        A choice ends when all have ended: only then is its usage known.
        """
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
                    raise EngineProtocolError("the stream ended in the middle of a choice")
                bill.usage = meter.usage
                yield meter.last_chunk()
        finally:
            bill.usage = meter.usage_if_cut if group.reply is not None else Usage()
            self._leave(group, meter)
        if not meter.was_served:
            async with aclosing(self._door.single(request, bill)) as chunks:
                async for chunk in chunks:
                    yield chunk

    def _join(self, request: Request) -> tuple[_Group, Meter]:
        """Take a place in the group that gathers for this request, its seed aside."""
        key = replace(request, seed=0)
        group = self._gathering.get(key)
        if group is None:
            group = self._gathering[key] = _Group(request)
        meter = self._door.meter(request)
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
                group.reply = await self._door.ask(group.request, len(group.choices))
                for meter in group.choices[1:]:
                    meter.expects(0, 0, "measured")
            if events := await group.reply.read():
                group.take(events)
                return
            group.settle()
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
