"""Requests as they happen, for whoever watches: what changed, a few times a second.

Nothing is told when it happens: a request only keeps its own timeline, and while somebody watches
one task looks at what is open. So a request pays nothing for it, a thousand changes between two
looks cost one, and what is kept is bounded: the open requests, the last that ended, and the last
frames. A reader that falls behind these is dropped; it comes back to a new snapshot.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

import msgspec

from workspan.legible import one_line
from workspan.serve.seeing.content import answer
from workspan.serve.seeing.record import Record
from workspan.serve.seeing.spend import Spend
from workspan.serve.wire.errors import Failed

PERIOD = 0.2
"""Seconds between two looks."""
_MOST_OPEN = 100
_MOST_ENDED = 100
_MOST_FRAMES = 50
"""Ten seconds: a reader further behind is dropped."""
_MOST_WATCHERS = 16
_LONGEST_NAME = 200
_LOOKS_A_QUESTION = 15
"""Three seconds between two questions to the store."""

Limits: TypeAlias = list[dict[str, Any]] | None
Trajectories: TypeAlias = Callable[[], dict[str, dict[str, Any]]]
Standings: TypeAlias = Callable[[], Awaitable[Limits]]


@dataclass(frozen=True, slots=True)
class Frame:
    """What changed between two looks."""

    number: int
    body: bytes


class Feed:
    """The feed of one process."""

    def __init__(
        self,
        worker: str = "",
        workers: int = 1,
        *,
        shows: bool = False,
        standings: Standings | None = None,
        trajectories: Trajectories | None = None,
    ) -> None:
        """Begin with nothing.

        Args:
            worker: this process's name among several.
            workers: how many there are.
            shows: prompts and answers are shown.
            standings: asks the store how limits of keys stand.
            trajectories: returns the latest runs of agents, by their ids.
        """
        self.worker = worker
        self.workers = workers
        self.shows = shows
        self.spend = Spend()
        self.limits: Limits = None
        self._standings = standings
        self._trajectories = trajectories or dict
        self.is_closed = False
        self.watchers = 0
        self._open: dict[str, Record] = {}
        self._ended: deque[Record] = deque(maxlen=_MOST_ENDED)
        self._fresh = 0
        """Requests that ended since the last look."""
        self._frames: deque[Frame] = deque(maxlen=_MOST_FRAMES)
        self._number = 0
        self._sent: dict[str, bytes] = {}
        self._told: dict[str, bytes] = {}
        """Trajectories, as they were last sent."""
        self._spent: bytes = b""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self, record: Record) -> None:
        """Take a request that came."""
        record.timeline.shows = self.shows
        self._open[record.id] = record

    def end(self, record: Record) -> None:
        """Take one that is over."""
        if self._open.pop(record.id, None) is not None:
            self._ended.append(record)
            self._fresh += 1
            self.spend.add(record)

    def close(self) -> None:
        """Send every reader home: the process ends."""
        self.is_closed = True
        self._tell()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[Watcher]:
        """Watch while the block runs.

        Raises:
            Failed: too many do.
        """
        if self.watchers >= _MOST_WATCHERS:
            said = f"{_MOST_WATCHERS} pages watch already: close one"
            raise Failed(503, said, code="too_many_watchers", headers={"retry-after": "5"})
        self.watchers += 1
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        try:
            yield Watcher(self)
        finally:
            self.watchers -= 1
            if not self.watchers:
                await self._rest()

    async def _rest(self) -> None:
        """Look no more until somebody comes."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if not self.watchers:
            self._frames.clear()
            self._sent.clear()
            self._told.clear()

    async def _run(self) -> None:
        looks = 0
        while not self.is_closed:
            await asyncio.sleep(PERIOD)
            limits = await self._asked() if looks % _LOOKS_A_QUESTION == 0 else None
            looks += 1
            self.look(limits)

    async def _asked(self) -> Limits:
        """Return how limits stand, where that has changed."""
        found = await self._standings() if self._standings is not None else None
        if found is None or found == self.limits:
            return None
        self.limits = found
        return found

    def look(self, limits: Limits = None) -> None:
        """Make a frame of what changed since the last look; none where nothing did."""
        fresh, self._fresh = min(self._fresh, len(self._ended)), 0
        running = [*islice(reversed(self._open.values()), _MOST_OPEN)]
        now = {record.id: _written(record) for record in running}
        changed = [one for one in running if self._sent.get(one.id) != now[one.id]]
        changed += islice(reversed(self._ended), fresh)
        self._sent = now
        frame: dict[str, Any] = {}
        if changed:
            frame["requests"] = _in_order(changed)
        spent = msgspec.json.encode(self.spend.value()) if fresh else self._spent
        if spent != self._spent:
            self._spent = spent
            frame["keys"] = msgspec.Raw(spent)
            frame["routes"] = self.spend.by_route()
        if runs := self._new_runs():
            frame["trajectories"] = runs
        if limits is not None:
            frame["limits"] = limits
        if frame:
            frame["hidden"] = len(self._open) - len(now)
            self._number += 1
            self._frames.append(Frame(self._number, msgspec.json.encode(frame)))
            self._tell()

    def _new_runs(self) -> list[msgspec.Raw]:
        """Return the trajectories that are not as they were last sent, the latest first."""
        now = {id: msgspec.json.encode(one) for id, one in self._trajectories().items()}
        changed = [one for id, one in now.items() if self._told.get(id) != one]
        self._told = now
        return [msgspec.Raw(one) for one in changed]

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def snapshot(self) -> bytes:
        """Return all that is known: the open requests and the last that ended, spend by key."""
        first = max(0, len(self._open) - _MOST_OPEN)
        shown = [*self._ended, *islice(self._open.values(), first, None)]
        return msgspec.json.encode(
            {
                "worker": self.worker,
                "workers": self.workers,
                "content": self.shows,
                "map": self._standings is not None,
                "requests": _in_order(shown),
                "keys": self.spend.value(),
                "routes": self.spend.by_route(),
                "trajectories": [*self._trajectories().values()],
                "limits": self.limits or [],
            }
        )


class Watcher:
    """One reader of a feed."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._number = feed._number

    async def events(self) -> AsyncGenerator[bytes, None]:
        """Yield a snapshot, then each frame; ends where the reader fell behind."""
        feed = self._feed
        yield _event("snapshot", feed.snapshot())
        while not feed.is_closed:
            changed = feed._changed
            frames = feed._frames
            if frames and frames[0].number > self._number + 1 and self._number < feed._number:
                yield _event("dropped", b"{}")
                return
            new = [frame for frame in frames if frame.number > self._number]
            if not new:
                await changed.wait()
                continue
            self._number = new[-1].number
            yield b"".join(_event("changes", frame.body) for frame in new)


def _in_order(records: Iterable[Record]) -> list[msgspec.Raw]:
    """Write requests in the order in which they came."""
    return [msgspec.Raw(_written(one)) for one in sorted(records, key=lambda one: one.at)]


def _event(name: str, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _written(record: Record) -> bytes:
    """Write a request as the page reads it."""
    timeline, total = record.timeline, record.total
    bars = timeline.bars
    is_over = record.seconds > 0
    calls = total.calls if is_over else len(bars)
    told: dict[str, Any] = {
        "id": record.id,
        "at": round(record.at, 3),
        "route": record.route,
        "model": one_line(record.asked_model, _LONGEST_NAME),
        "answered": record.model,
        "engine": record.engine,
        "key": record.key,
        "key_name": record.key_name,
        "strategy": one_line(record.strategy, _LONGEST_NAME),
        "straight": record.why_straight,
        "stream": record.is_stream,
        "status": record.status,
        "code": record.code,
        "stop": record.stop,
        "over": is_over,
        "work": total.output_tokens if is_over else sum(bar.length for bar in bars),
        "span": record.span or max((bar.start + bar.length for bar in bars), default=0),
        "calls": calls + (0 if is_over else timeline.hidden),
        "prefill": max(0, total.prefill),
        "cached": total.cached_tokens,
        "cost": None if total.cost is None else float(total.cost),
        "source": total.source,
        "overrun": record.over,
        "waited": round(record.queued, 4),
        "first": round(record.first_seconds, 4),
        "seconds": round(record.seconds, 4),
        "overhead_ms": round(record.overhead_ms, 3),
        "bars": [bar.value() for bar in bars],
        "hidden": timeline.hidden,
        "votes": [vote.value() for vote in timeline.votes],
        "rule": timeline.rule,
        "tied": timeline.is_tied,
        "trajectory": "" if record.turn is None else record.turn.trajectory.id,
        "turn": 0 if record.turn is None else record.turn.number,
    }
    if timeline.shows:
        told |= {"prompt": record.prompt, "answer": answer(record)}
    return msgspec.json.encode(told)
