"""The same as a stream: progress while drafts are drawn, then the chosen turn in pieces.

Where one call is all, its text is passed on as it comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from typing import Any, TypeAlias

import anyio
from anyio import CapacityLimiter

from workspan.core.context import Delta, Event
from workspan.core.engine import Engine
from workspan.protocol.chat_reply import Chunks
from workspan.serve.asked import Asked
from workspan.serve.rules import Rules
from workspan.serve.scaled.answering import Account, Finished, Work
from workspan.serve.scaled.watching import Decided, Watch

Chunk: TypeAlias = dict[str, Any]
_Queue: TypeAlias = asyncio.Queue[Chunk | None]


async def stream(
    asked: Asked,
    engines: Mapping[str, Engine],
    account: Account,
    on_event: Callable[[Event], None] | None = None,
    *,
    rules: Rules | None = None,
    limiter: CapacityLimiter | None = None,
    on_decided: Callable[[Decided], None] | None = None,
) -> AsyncGenerator[Chunk, None]:
    """Yield the chunks of a reply, as JSON's values; see `answering.answer`.

    What goes wrong is raised, before the first chunk or after it: whoever writes the chunks ends
    them with an error then, never as if they were whole. Closing it cuts what runs, and settles it.
    """
    work = Work.of(asked, engines, rules)
    shows = asked.wish.explain or (rules is not None and rules.shows_progress)
    feed = _Feed(work, shows=shows)
    progress = feed.progress if shows and not feed.is_live else None
    watch = Watch(feed.listener(on_event), progress, on_decided)

    async def draw() -> Finished:
        try:
            return await work.run(account, watch, limiter)
        finally:
            feed.queue.put_nowait(None)

    task = asyncio.create_task(draw())
    try:
        while (chunk := await feed.queue.get()) is not None:
            yield chunk
        finished = await task
        for chunk in feed.rest(finished):
            yield chunk
    finally:
        task.cancel()
        with anyio.CancelScope(shield=True):  # what was cut is settled before anyone goes on
            await asyncio.wait([task])
            if not task.cancelled():
                task.exception()  # raised above, or nobody is there to be told


class _Feed:
    """Turns what a run tells into chunks."""

    def __init__(self, work: Work, *, shows: bool) -> None:
        self.queue: _Queue = asyncio.Queue()
        self.is_live = work.plan.is_single
        self._work = work
        self._chunks = Chunks(work.head)
        self._shows = shows
        self._is_open = False
        self._wants_logprobs = work.plan.request.logprobs

    def listener(self, further: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
        """Listen to the run, where its text is passed on as it comes."""
        if not self.is_live:
            return further

        def listen(event: Event) -> None:
            if isinstance(event, Delta):
                for chunk in self._live(event):
                    self.queue.put_nowait(chunk)
            if further is not None:
                further(event)

        return listen

    def progress(self, line: str) -> None:
        """Tell a line of what goes on, as thinking."""
        self._put(self._chunks.reasoning(0, line, "reasoning_content"))

    def rest(self, finished: Finished) -> Iterator[Chunk]:
        """Write what was not written while it ran: all of it, or only the end."""
        if not self.is_live:
            if self._is_open:
                self._say_votes(finished)
            yield from self._whole(finished)
        else:
            yield from self._opened()
            yield from self._chunks.calls(0, finished.turns[0].message.tool_calls)
            yield self._ended(self._chunks.end(0, finished.turns[0]), finished)
        if self._work.asked.chat.wants_usage:
            yield self._chunks.usage(finished.result.usage)

    def _whole(self, finished: Finished) -> Iterator[Chunk]:
        """Write the choices one after another; what opened a choice already does so no more."""
        last = len(finished.turns) - 1
        while not self.queue.empty():
            if (waiting := self.queue.get_nowait()) is not None:
                yield waiting
        for index, turn in enumerate(finished.turns):
            chunks = self._chunks.turn(index, turn)
            if index == 0 and self._is_open:
                next(chunks)
            for chunk in chunks:
                is_last = index == last and chunk["choices"][0]["finish_reason"] is not None
                yield self._ended(chunk, finished) if is_last else chunk

    def _ended(self, chunk: Chunk, finished: Finished) -> Chunk:
        return chunk | {"workspan": finished.workspan}

    def _say_votes(self, finished: Finished) -> None:
        votes = ", ".join(f"{one.weight:g}" for one in finished.result.answer.votes[:8])
        if votes:
            self.progress(f"Votes: {votes}; {self._work.plan.rule}\n")

    def _live(self, event: Delta) -> Iterator[Chunk]:
        chunk = event.chunk
        if chunk.reasoning:
            yield from self._opened()
            name = chunk.reasoning_name or "reasoning_content"
            yield self._chunks.reasoning(0, chunk.reasoning, name)
        if chunk.details:
            yield from self._opened()
            yield self._chunks.details(0, chunk.details)
        if chunk.text or (chunk.scored and self._wants_logprobs):
            yield from self._opened()
            scored = chunk.scored if self._wants_logprobs else None
            yield self._chunks.text(0, chunk.text, scored)
        if chunk.refusal:
            yield from self._opened()
            yield self._chunks.refusal(0, chunk.refusal)

    def _opened(self) -> Iterator[Chunk]:
        if not self._is_open:
            self._is_open = True
            yield self._chunks.opening(0)

    def _put(self, chunk: Chunk) -> None:
        for one in (*self._opened(), chunk):
            self.queue.put_nowait(one)
