"""One request and its reply: the body read within limits, the reply written as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter
from types import TracebackType
from typing import Any, Literal, Protocol, TypeAlias

from workspan.protocol.speaking import Piece
from workspan.serve.config import Limits
from workspan.serve.wire import sse
from workspan.serve.wire.bodies import Bodies
from workspan.serve.wire.errors import NEVER_AGAIN, Failed, compressed, too_large
from workspan.serve.wire.voice import CHAT, Voice

Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
Scope: TypeAlias = dict[str, Any]
Header: TypeAlias = tuple[bytes, bytes]
Why = Literal["gone", "body", "idle", "slow", "total", "draining"]
"""Why an exchange is stopped: the client hung up; its body did not come; the upstream kept silent;
the client took nothing; it took too long in all; the process ends."""

_TOLD: Mapping[Why, tuple[int, str, str]] = {
    "gone": (499, "client_gone", "the client hung up"),
    "body": (408, "body_timeout", "the body did not come in time"),
    "idle": (504, "upstream_timeout", "the upstream sent nothing for too long"),
    "slow": (499, "client_slow", "the client took nothing for too long"),
    "total": (504, "timeout", "the request took too long in all"),
    "draining": (503, "draining", "the server ends: it can't finish this request"),
}


class Hears(Protocol):
    """Wants to know what a client is told of an answer."""

    async def __call__(self, said: bytes, *, is_last: bool) -> None:
        """Take a part, before the client has it."""


class WayOut(Protocol):
    """Where a reply is written."""

    def hold(self) -> None:
        """Keep what is written until `release`."""

    def release(self) -> None:
        """Write what is kept, in one piece."""


class Exchange:
    """One request with its reply, and the clock that both go by."""

    __slots__ = (
        *("_bodies", "_calling_since", "_calls", "_held", "_holder", "_is_late"),
        *("_is_writing", "_receive", "_send", "_task", "_watcher", "_way", "_written_at"),
        *("asked_at", "began", "due", "extra", "has_deadline", "headers", "hears", "id"),
        *("is_over", "is_stream", "key_id", "limits", "loop", "now", "progress", "scope"),
        *("status", "stopped", "told_overhead_ms", "upstream_seconds", "voice"),
        *("waits_for",),
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        limits: Limits,
        request_id: str,
        bodies: Bodies | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Take what a server hands on; `bodies` bounds what all that are open hold together.

        `loop` is the one that runs, where it is known.
        """
        self.scope = scope
        self.headers: Mapping[bytes, bytes] = dict(scope["headers"])
        """By their names in lower case; of several of one name the last."""
        self.id = request_id
        self.limits = limits
        self.key_id = ""
        """Whose it is; empty where no keys are kept."""
        self.has_deadline = True
        """It may be stopped for taking too long in all."""
        self.status = 0
        """Of the reply; 0 until it begins."""
        self.is_over = False
        self.is_stream = False
        """Comments may keep it alive."""
        self.stopped: Why | None = None
        self.began = perf_counter()
        self.upstream_seconds = 0.0
        """Of the time until the reply began, what others took."""
        self._calls = 0
        self._calling_since = 0.0
        self.waits_for: Why = "body"
        self.told_overhead_ms = 0.0
        self.extra: list[Header] = []
        """Headers of a reply that has not begun."""
        loop = self.loop = asyncio.get_running_loop() if loop is None else loop
        self.now = loop.time
        self.asked_at = self.progress = loop.time()
        """When something last came or went; the watch goes by it."""
        self.due: float | None = None
        """When a block ends that must end in time: see `within`."""
        self._is_late = False
        self.voice: Voice = CHAT
        """In which dialect the client is spoken to."""
        self.hears: Hears | None = None
        """Told each part of an answer before the client is, and that it is the last."""
        self._receive, self._send = receive, send
        self._way: WayOut | None = scope.get("workspan.way")
        self._task = asyncio.current_task(loop)
        self._watcher: asyncio.Task[None] | None = None
        self._is_writing = False
        self._written_at = self.asked_at
        self._bodies, self._held, self._holder = bodies, 0, ""

    @property
    def path(self) -> str:
        """Of the address, without a query."""
        found: str = self.scope["path"]
        return found

    @property
    def method(self) -> str:
        """In capitals."""
        found: str = self.scope["method"]
        return found

    def header(self, name: bytes) -> str:
        """Return a header's text; empty where there is none."""
        found = self.headers.get(name)
        return "" if found is None else found.decode("latin-1")

    async def body(self) -> bytes:
        """Read the body, and begin to watch for the client's going.

        Raises:
            Failed: it is too large or compressed, or others hold too much.
        """
        limit = self.limits.body_bytes
        if (packed := self.header(b"content-encoding").lower()) not in ("", "identity"):
            raise compressed(packed)
        told = self.header(b"content-length")
        if told.isdigit() and int(told) > limit:
            raise too_large(limit)
        message = await self._receive()
        content: bytes = message.get("body", b"")
        self._hold(len(content))
        if message.get("more_body"):
            content = await self._rest(content, limit)
        elif message["type"] == "http.disconnect":
            self.stop("gone")
            await asyncio.sleep(0)
        if len(content) > limit:
            raise too_large(limit)
        self.progress = self.now()
        self.waits_for = "total"
        watchers = self.scope.get("workspan.watchers")
        if watchers is None:  # a server that is none of ours
            self._watcher = asyncio.create_task(self._watch())
        else:
            watchers.add(self._on_gone)
        return content

    async def _rest(self, first: bytes, limit: int) -> bytes:
        parts, size, is_more = [first], len(first), True
        while is_more:
            if size > limit:
                raise too_large(limit)
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.stop("gone")
                await asyncio.sleep(0)
            part = message.get("body", b"")
            is_more = message.get("more_body", False)
            size += len(part)
            self._hold(size)
            parts.append(part)
        return b"".join(parts)

    def _hold(self, size: int) -> None:
        """Note how much of the body is here.

        Raises:
            Failed: there is no room for it.
        """
        if self._bodies is None:
            return
        self._holder = self._holder or self.key_id
        self._bodies.take(self._holder, self._held, size)
        self._held = size

    async def _watch(self) -> None:
        """Stop the exchange as soon as the client is gone."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._on_gone()

    def _on_gone(self) -> None:
        if not self.is_over:
            self.stop("gone")

    def stop(self, why: Why) -> None:
        """End what runs for this request; the first reason is the one that is told."""
        if self.stopped is None and not self.is_over and self._task is not None:
            self.stopped = why
            self._task.cancel()

    def within(self, seconds: float) -> AbstractContextManager[None]:
        """Have the watch end the block when it takes longer.

        Raises:
            TimeoutError: it did.
        """
        return _Within(self, seconds)

    def is_ended_late(self) -> bool:
        """Tell whether a block was cancelled for taking too long, and for nothing else."""
        if not self._is_late or self.stopped is not None or self._task is None:
            return False
        self._is_late = False
        return not self._task.uncancel()

    def look(self, now: float) -> None:
        """End a block that takes too long."""
        if self.due is not None and now > self.due and self._task is not None:
            self.due, self._is_late = None, True
            self._task.cancel()

    def touch(self) -> None:
        """Note that something came from the upstream."""
        self.progress = self.now()

    @property
    def overhead_ms(self) -> float:
        """Milliseconds until now that were ours, not the upstream's."""
        now = perf_counter()
        calling = now - self._calling_since if self._calls else 0.0
        return max(0.0, now - self.began - self.upstream_seconds - calling) * 1000

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Count the time of the block as the upstream's: once where several overlap."""
        if not self._calls:
            self._calling_since = perf_counter()
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1
            if not self._calls:
                self.upstream_seconds += perf_counter() - self._calling_since

    def _start(self, status: int, headers: Iterable[Header]) -> dict[str, Any]:
        self.status = status
        self.told_overhead_ms = self.overhead_ms
        own = [
            (b"x-content-type-options", b"nosniff"),
            (b"x-request-id", self.id.encode()),
            (b"x-workspan-overhead-ms", b"%.3f" % self.told_overhead_ms),
        ]
        return {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, *own, *self.extra],
        }

    async def reply(
        self,
        status: int,
        body: bytes,
        headers: Iterable[Header] = (),
        kind: bytes = b"application/json",
    ) -> None:
        """Send a whole reply."""
        self.is_over = True
        size = (b"content-length", b"%d" % len(body))
        if self._way is not None:
            self._way.hold()
        await self._send(self._start(status, [(b"content-type", kind), size, *headers]))
        await self._body(body, is_last=True)
        self._unwatch()

    async def _body(self, data: bytes, *, is_last: bool) -> None:
        """Send a part of the body, and the head with it where it waits."""
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": not is_last})
        finally:
            if self._way is not None:
                self._way.release()

    async def answer(self, body: bytes) -> None:
        """Send a whole reply of a chat, or of the client's dialect."""
        said = self.voice.whole(body)
        if self.hears is not None:
            await self.hears(said, is_last=True)
        await self.reply(200, said)

    async def begin(
        self, headers: Iterable[Header] = sse.HEADERS, *, goes_on: bool = False
    ) -> None:
        """Send the head of a stream, unless a comment did so before.

        Where it `goes_on` at once, the head goes with the first part.
        """
        if not self.status:
            self._is_writing = True
            if goes_on and self._way is not None:
                self._way.hold()
            await self._send(self._start(200, headers))
            self._is_writing = False

    async def write(self, data: bytes, pieces: Sequence[Piece] | None = None) -> None:
        """Send a part of a stream that has begun; waits for a client that is slow to take it.

        `pieces` are the same, where its events were read.
        """
        data = self.voice.part(data, pieces)
        if not data:
            if self._way is not None:
                self._way.release()
            return
        if self.hears is not None:
            await self.hears(data, is_last=False)
        self._is_writing = True
        before, self.waits_for = self.waits_for, "slow"
        await self._body(data, is_last=False)
        self._is_writing = False
        self.waits_for = before
        self._written_at = self.progress = self.now()

    async def end(self, data: bytes = b"", pieces: Sequence[Piece] | None = None) -> None:
        """Send the last part of a stream."""
        data = self.voice.last(data, pieces)
        if self.hears is not None:
            await self.hears(data, is_last=True)
        await self._end(data)

    async def _end(self, data: bytes) -> None:
        self.is_over = True
        await self._body(data, is_last=True)
        self._unwatch()

    async def fail(self, error: Failed) -> None:
        """Say an error: as the reply, or as the last event of a stream that has begun."""
        if self.is_over:
            return
        if not self.status:
            told = [(k.encode(), v.encode("latin-1", "replace")) for k, v in error.headers.items()]
            await self.reply(error.status, self.voice.error(error), told)
        elif self.is_stream:
            await self._end(self.voice.error_event(error))

    async def comment(self) -> None:
        """Keep a silent stream alive; only between events, since only whole ones are written."""
        if self._is_writing or self.is_over or not self.is_stream:
            return
        await self.begin()
        if not self.is_over:
            self._written_at = self.now()
            await self._body(self.voice.keep_alive(), is_last=False)

    def silent_for(self, now: float) -> float:
        """Return the seconds since the client was sent anything."""
        return now - self._written_at

    def why_stopped(self) -> Failed:
        """Say why it was stopped."""
        status, code, said = _TOLD[self.stopped or "gone"]
        return Failed(status, said, code=code, headers=NEVER_AGAIN)

    def _unwatch(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        elif (watchers := self.scope.get("workspan.watchers")) is not None:
            watchers.discard(self._on_gone)

    def abort(self) -> None:
        """Hang up at once: what a client does not take is not kept for it."""
        hang_up = self.scope.get("workspan.abort")
        if hang_up is not None:
            hang_up()

    def close(self) -> None:
        """Forget the exchange, however it ended."""
        self.is_over = True
        self._unwatch()
        if self._bodies is not None:
            self._bodies.give_back(self._holder, self._held)
            self._held = 0


class _Within:
    """A block that the watch ends when it takes too long."""

    __slots__ = ("_exchange", "_seconds")

    def __init__(self, exchange: Exchange, seconds: float) -> None:
        self._exchange, self._seconds = exchange, seconds

    def __enter__(self) -> None:
        self._exchange.due = self._exchange.now() + self._seconds

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        exchange = self._exchange
        exchange.due = None
        is_cancelled = kind is not None and issubclass(kind, asyncio.CancelledError)
        if is_cancelled and exchange.is_ended_late():
            raise TimeoutError from None
