"""One batch answered, line by line, each as if its key had asked: checked, charged, logged.

A line takes the way of any request, from the check of its key to the settled account, and its reply
is what a client would have been told. What comes to nothing and cost nothing (a limit of a minute,
a full line, an upstream that is down) is asked again later, as long as the batch lasts. A reply is
kept as soon as it is whole; a line that was under way when the process died has none, and is asked
again under the same `Idempotency-Key`, so that an upstream that knows it answers from memory.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from workspan.errors import KeyRefused, StoreError
from workspan.serve.batches import statements
from workspan.serve.batches.parts import empty_lines
from workspan.serve.batches.records import FILE_SECONDS, Batch, File, Line, Status
from workspan.serve.batches.results import KINDS, Kind, kind_of, written
from workspan.serve.store.base import Store
from workspan.serve.store.keys import Key
from workspan.serve.wire.exchange import Receive, Scope, Send
from workspan.store.database import Database

Answer: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
"""The application: takes a request as a server hands it on."""
PAGE = 16
"""Lines read at a time: as many as may have to be asked again after a kill."""
_OF_ONE = 8
"""Lines of one batch under way, so that one that waits lets others go on."""
_AGAIN = frozenset({429, 502, 503, 504, 529})
"""Statuses that another try may not have, unless the reply says that none helps."""
LANE_KEY = "workspan.key"
"""Of a scope: whose request it is. No client sets it: a server's scope holds what it read alone."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
"""Seconds between tries of a line, and between passes over those that are left."""
_TIMES = 4
"""A line is asked in one pass, so that those behind it get their turn."""
_MOST_TRIES = 5
"""Starts of a line's request by processes that died: by then it may well be what they died of."""


@dataclass(slots=True)
class Told:
    """A reply, as the application sent it."""

    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    parts: list[bytes] = field(default_factory=list)

    async def send(self, message: Any) -> None:
        """Take a part."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.parts.append(message.get("body", b""))

    @property
    def text(self) -> str:
        """Its JSON: what is none is kept as a text."""
        found = b"".join(self.parts).decode("utf-8", "replace")
        try:
            json.loads(found)
        except (ValueError, RecursionError):
            return json.dumps(found)
        return found

    @property
    def may_be_again(self) -> bool:
        """It came to nothing, and asking again later may not."""
        says_no = self.headers.get(b"x-should-retry") == b"false"
        return self.status in _AGAIN and not says_no

    @property
    def wait(self) -> float:
        """Seconds that it names."""
        with suppress(ValueError):
            return min(_LONGEST_PAUSE, max(0.0, float(self.headers.get(b"retry-after", b""))))
        return 0.0


class Running:
    """One batch under way in this process."""

    def __init__(
        self,
        batch: Batch,
        store: Store,
        database: Database,
        answer: Answer,
        room: asyncio.Semaphore,
        utc: Callable[[], float],
    ) -> None:
        """`room` is what all batches of the process may ask at a time."""
        self.batch = batch
        self.status: Status = batch.status
        """As the store has it; the lane looks."""
        self.is_stopping = False
        """The process ends: what is under way comes to its end."""
        self._store, self._database, self._answer = store, database, answer
        self._room, self._own, self._utc = room, asyncio.Semaphore(_OF_ONE), utc

    def is_over(self) -> bool:
        """Nothing more is to be asked: it was cancelled, its time is up, or the process ends."""
        is_late = self._utc() >= self.batch.expires
        return self.is_stopping or is_late or self.status != "in_progress"

    async def run(self) -> None:
        """Answer what has no answer, then close the batch.

        Raises:
            StoreError: the store is gone: it is gone on with later, where it stands.
        """
        pause = _FIRST_PAUSE
        while await self._passes() and not self.is_over():
            await self._until(pause)
            pause = min(_LONGEST_PAUSE, 2 * pause)
        if not self.is_stopping:
            await self._close()

    async def _passes(self) -> bool:
        """Ask each line that has no reply; say whether some are left for another pass."""
        after, is_left = -1, False
        while not self.is_over():
            asked = partial(statements.todo, self.batch.id, after, PAGE)
            page = await self._database.transact(asked)
            if not page:
                break
            after = page[-1].place
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._line(line)) for line in page]
            is_left |= not all(task.result() for task in tasks)
        return is_left

    async def _line(self, line: Line) -> bool:
        """Ask one line some times; say whether it has a reply."""
        if line.tries >= _MOST_TRIES:
            said = "the process ended each time that this was asked: it is not asked again"
            error = {"message": said, "type": "server_error", "param": None, "code": "gave_up"}
            await self._keep(line, "", 500, json.dumps({"error": error}))
            return True
        async with self._own:
            for time in range(_TIMES):
                async with self._room:
                    if self.is_over():  # it has waited
                        return False
                    told = await self._asked(line)
                if self.is_stopping and told.status in (0, 503):
                    return False  # it was cut off, and is asked again by whoever takes it up
                if not told.may_be_again:
                    id = told.headers.get(b"x-request-id", b"").decode("latin-1")
                    await self._keep(line, id, told.status, told.text)
                    return True
                await self._until(max(_FIRST_PAUSE * 2**time, told.wait))
        with suppress(StoreError):
            await self._database.transact(partial(statements.put_back, self.batch.id, line.place))
        return False

    async def _until(self, seconds: float) -> None:
        """Wait, unless the batch ends meanwhile."""
        end = self._utc() + seconds
        while not self.is_over() and self._utc() < end:  # noqa: ASYNC110  # a clock of utc
            await asyncio.sleep(min(1.0, max(0.01, end - self._utc())))

    async def _asked(self, line: Line) -> Told:
        """Ask once."""
        batch, told = self.batch, Told()
        try:
            stored = await self._store.find(batch.key)
        except StoreError:
            return Told(503)
        key: Key | None = stored.key if stored is not None else None
        name = f"{batch.id}-{line.place}".encode()
        headers = [(b"workspan-lane", b"batch"), (b"idempotency-key", name)]
        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": batch.endpoint,
            "headers": [*headers, (b"content-type", b"application/json")],
            "workspan.watchers": set(),
            LANE_KEY: key,
        }
        body = {"type": "http.request", "body": line.body.encode(), "more_body": False}

        async def receive() -> Any:
            return body

        await self._answer(scope, receive, told.send)
        return told

    async def _keep(self, line: Line, request: str, status: int, reply: str) -> None:
        """Keep a reply, however long the store is gone: it was paid for."""
        asked = partial(statements.answer, self.batch.id, line.place, request, status, reply)
        pause = 0.1
        while True:
            try:
                await asyncio.shield(self._database.transact(asked))
                return
            except StoreError:
                await asyncio.sleep(pause)
                pause = min(2.0, 2 * pause)

    async def _close(self) -> None:
        """End the batch as it ended, with files of what there is."""
        now, id = int(self._utc()), self.batch.id
        status: Status = "completed"
        if self.status == "cancelling":
            status = "cancelled"
        elif self._utc() >= self.batch.expires:
            status = "expired"
        sizes = await self._sizes(status)
        results = {
            kind: File(
                f"file-{id}-{kind}",
                self.batch.key,
                f"{id}_{kind}.jsonl",
                "batch_output",
                id,
                now,
                now + FILE_SECONDS,
                sizes[kind],
            )
            for kind in KINDS
            if sizes[kind]
        }
        await self._database.transact(partial(statements.end, id, status, now, results))
        await empty_lines(self._database, id)

    async def _sizes(self, status: Status) -> dict[Kind, int]:
        """Return the bytes of each file of results."""
        found: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        async for line in all_lines(self._database, self.batch.id):
            found[kind_of(line)] += len(written(self.batch, line, status))
        return found


def of_lane(scope: Scope, now: float) -> Key:
    """Return whose line is asked.

    Raises:
        KeyRefused: the key is gone, or may ask no more.
    """
    key: Key | None = scope[LANE_KEY]
    if key is None:
        raise KeyRefused("the key of this batch is gone", code="invalid_api_key")
    key.check(now)
    return key


async def all_lines(database: Database, batch: str) -> AsyncIterator[Line]:
    """Yield a batch's lines in their order, page by page."""
    after = -1
    while page := await database.transact(partial(statements.lines, batch, after, 4 * PAGE)):
        for line in page:
            yield line
        after = page[-1].place
