"""A loopback server that keeps its own count and misbehaves by rows of the registry.

No model stands behind it: its text is drawn at random. It speaks HTTP/1.1 by itself, byte by byte,
since no library for servers would break the protocol in these ways. Time is counted in turns of the
event loop, not seconds: after each piece the server lets its client take so many turns, so that how
far it runs ahead of a client that hangs up does not depend on how busy the machine is.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from workspan.testing.faults import frames
from workspan.testing.faults.asked import Asked
from workspan.testing.faults.fault import Fault
from workspan.testing.faults.script import (
    Drops,
    Ends,
    Habits,
    Piece,
    Raw,
    Repeats,
    Reports,
    Script,
    Step,
    Stops,
    Waits,
    script_of,
)
from workspan.testing.faults.tally import Served, Tally

TURNS = 6
"""Of the event loop after each piece: enough for a client in the same loop to read, and hang up."""
_PAUSE = 0.002
"""Seconds between endless repetitions, so that they leave the processor to others."""


class FaultyServer:
    """One server; its count is in `tally`."""

    def __init__(
        self,
        habits: Habits | None = None,
        faults: Sequence[Fault] = (),
        share: float = 1.0,
        seed: int = 0,
    ) -> None:
        """`share` of the requests are hit by a fault, drawn anew for each from `seed`."""
        self.habits = habits or Habits()
        self.faults = tuple(faults)
        self.share = share
        self.tally = Tally()
        self.port = 0
        self.is_deaf = False
        """Requests are neither answered nor counted: whoever makes them is taken for dead."""
        self._rng = random.Random(seed)
        self._answers = random.Random(seed + 1)
        self._open: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """What an engine is pointed at."""
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[FaultyServer]:
        """Listen on a free port of loopback until the block is left."""
        with _bound(0) as place:
            self.port = place.getsockname()[1]
            await self.revive()
            try:
                yield self
            finally:
                self.kill()
                await self.settle()

    def kill(self) -> None:
        """Be gone at once, as a killed process is: nobody listens, and what streamed is cut.

        The port stays taken, so that no other program gets it in the meantime.
        """
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for task in list(self._open):
            task.cancel()

    async def revive(self) -> None:
        """Listen at the same port, which is held for as long as the server is served."""
        if self._listening is None:
            self._listening = await asyncio.start_server(
                self._connected, sock=_bound(self.port), limit=1 << 24
            )

    async def settle(self) -> None:
        """Wait until every request that was begun is over, tokens decoded for nobody included."""
        while self._open:
            await asyncio.wait(self._open)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._exchange(_Wire(reader, writer)):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.close()

    async def _exchange(self, wire: _Wire) -> bool:
        """Answer one request; say whether the connection stays."""
        path, body = await wire.request()
        if path.endswith("/completions"):
            return await self._complete(wire, path, body)
        await wire.reply(*self._aside(path, body))
        return True

    def _aside(self, path: str, body: bytes) -> tuple[int, bytes]:
        if path.endswith("/models"):
            return 200, json.dumps({"object": "list", "data": [{"id": "m"}]}).encode()
        if path.endswith("/tokenize") and self.habits.counts_prompts:
            asked = Asked("messages" in json.loads(body), json.loads(body))
            named = Asked(is_chat=True, body=asked.body) if asked.is_chat else asked
            return 200, json.dumps({"count": named.prompt_tokens, "max_model_len": 8192}).encode()
        return 404, b'{"error":{"message":"Not Found"}}'

    async def _complete(self, wire: _Wire, path: str, body: bytes) -> bool:
        if self.is_deaf:
            wire.drop()
            return False
        tally = self.tally
        tally.requests += 1
        asked = Asked.read(path, body)
        hits = tuple(fault for fault in self.faults if self._rng.random() < self.share)
        script = self._script(asked, hits)
        if script.drops_unread:
            wire.drop()
            return False
        if script.status != 200 or script.said:
            kind = script.content_type or "application/json"
            await wire.reply(script.status, script.said, script.headers, kind)
            return not script.ends_connection
        prompt = asked.prompt_tokens
        n = asked.choices
        cached = int(prompt * self.habits.cached)
        names = tuple(fault.name for fault in hits)
        row = Served(asked, names, prompt, cached, [0] * n, [""] * n, [None] * n)
        tally.rows.append(row)
        tally.answering += n
        tally.at_once = max(tally.at_once, tally.answering)
        try:
            kept = await _Answering(wire, tally, row, script, self.habits.seconds).run()
        finally:
            tally.answering -= n
        return kept and not script.ends_connection

    def _script(self, asked: Asked, hits: tuple[Fault, ...]) -> Script:
        rng = self._answers
        ignores = any(fault.ignores_cap for fault in hits)
        script = script_of(asked, self.habits, rng, ignores_cap=ignores)
        for fault in hits:
            fault.change(script, rng)
        return script


def _bound(port: int) -> socket.socket:
    """Return a socket at that port of loopback, which it shares with others made here."""
    # asyncio sends small pieces at once only where the protocol is named.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
    sock.bind(("127.0.0.1", port))
    return sock


class _Wire:
    """One connection, in HTTP/1.1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @property
    def is_gone(self) -> bool:
        return self.reader.at_eof() or self.writer.transport.is_closing()

    def drop(self) -> None:
        self.writer.transport.abort()

    async def request(self) -> tuple[str, bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin1")
        line, *rest = head.split("\r\n")
        named = (header.partition(":") for header in rest if header)
        headers = {name.lower(): value.strip() for name, _, value in named}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return line.split()[1], body

    async def reply(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        kind: str = "application/json",
    ) -> None:
        await self.head(status, {**(headers or {}), "Content-Length": str(len(body))}, kind)
        await self.send(body)

    async def head(self, status: int, headers: dict[str, str], kind: str) -> None:
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        await self.send("\r\n".join([*lines, "", ""]).encode())

    async def send(self, data: bytes) -> None:
        if self.is_gone:
            raise ConnectionResetError
        self.writer.write(data)
        await self.writer.drain()


class _Answering:
    """The performance of one script."""

    def __init__(
        self, wire: _Wire, tally: Tally, row: Served, script: Script, seconds: float
    ) -> None:
        self.wire, self.tally, self.row, self.script = wire, tally, row, script
        self.seconds = seconds
        self.zipper = zlib.compressobj(wbits=31) if script.is_gzipped else None
        self.pieces: list[Piece] = []

    async def run(self) -> bool:
        """Perform the steps; once the client is gone, decode on in silence for a while.

        Returns:
            The connection may be used again.
        """
        steps = iter(self.script.steps)
        try:
            if self.script.is_whole:
                return await self._whole()
            await self._begin()
            for step in steps:
                if isinstance(step, Piece):
                    await self._decode(step)
                elif not await self._other(step):
                    return False
            await self._finish()
        except ConnectionError:
            self._overshoot(steps)
            return False
        self.row.is_complete = True
        return True

    def _overshoot(self, steps: Iterator[Step]) -> None:
        """Decode what a server does before it notices that nobody listens."""
        self.row.is_gone = True
        room = self.script.overshoot
        for step in steps:
            if isinstance(step, Piece):
                tokens = min(room, step.tokens)
                self.tally.decode(self.row, tokens, step.choice)
                self.row.after += tokens
                room -= tokens
            if room <= 0:
                return

    async def _begin(self) -> None:
        headers = {"Transfer-Encoding": "chunked", **self.script.headers}
        if self.zipper:
            headers["Content-Encoding"] = "gzip"
        kind = self.script.content_type or "text/event-stream; charset=utf-8"
        await self.wire.head(200, headers, kind)
        if self.script.drops_after_headers:
            self.wire.drop()
            raise ConnectionResetError

    async def _decode(self, step: Piece) -> None:
        await self._gather(step)
        self.row.held = 0
        if step.text and step.field != "end":
            self._note(step)
            await self._send(frames.event(frames.piece(self.script.asked, step)))
        elif step.field != "end":
            self.row.hidden += step.tokens
        await self._turns()

    async def _gather(self, step: Piece) -> None:
        """Decode the tokens of a piece one by one, and stop when the client is gone."""
        if step.choice >= len(self.row.decoded):  # one that nobody asked for, side by side
            self.tally.at_once = max(self.tally.at_once, 2)
        for _ in range(step.tokens):
            self.tally.decode(self.row, 1, step.choice)
            self.row.held += 1
            await asyncio.sleep(0)
            if self.wire.is_gone:
                raise ConnectionResetError

    def _note(self, step: Piece) -> None:
        """Remember what a client may have read."""
        row = self.row
        row.told += frames.told_of(self.script.asked, step)
        row.unreported += len(step.text)
        is_text = step.field in ("content", "refusal") or not row.asked.is_chat
        if step.choice >= len(row.answers):
            row.other += step.text
        elif is_text:
            row.answers[step.choice] += step.text
        elif step.field in ("reasoning_content", "reasoning"):
            row.thinking += step.text
        else:
            row.other += step.text

    async def _turns(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        if self.seconds:
            await asyncio.sleep(self.seconds)
        if self.wire.is_gone:
            raise ConnectionResetError

    async def _other(self, step: Any) -> bool:
        """Perform what is no piece; False ends the connection."""
        asked, row = self.script.asked, self.row
        if isinstance(step, Ends):
            row.finishes[min(step.choice, len(row.finishes) - 1)] = step.reason
            await self._send(frames.event(frames.end(asked, step)))
        elif isinstance(step, Reports):
            await self._report(step)
        elif isinstance(step, Raw):
            await self._send(step.data)
            has_spoken = bool(row.sent or row.reports or any(row.finishes))
            row.is_refused |= step.is_refusal and not has_spoken
        elif isinstance(step, Repeats):
            while True:
                await self._send(step.data)
                await asyncio.sleep(_PAUSE)
                await self._turns()
        elif isinstance(step, Waits):
            while True:
                await asyncio.sleep(_PAUSE)
                await self._turns()
        elif isinstance(step, Drops):
            self.wire.drop()
            return False
        else:
            assert isinstance(step, Stops)
            return False
        return True

    async def _report(self, step: Reports) -> None:
        asked, row = self.script.asked, self.row
        report = step.change(frames.usage(row, step.choice))
        row.reports.append(report)
        row.unreported = 0
        if step.place == "event":
            said = frames.chunk(asked, usage=report)
        elif step.place == "message":
            said = frames.piece(asked, Piece("", 0, told=0)) | {"usage": report}
        else:
            said = frames.piece(asked, Piece("", 0, told=0))
            said["choices"][0]["usage"] = report
        await self._send(frames.event(said))

    async def _send(self, data: bytes) -> None:
        """Send a part of a chunked body."""
        if self.script.line_end != b"\n":
            data = data.replace(b"\n", self.script.line_end)
        if self.zipper:
            data = self.zipper.compress(data) + self.zipper.flush(zlib.Z_SYNC_FLUSH)
        size = self.script.bytes_at_a_time or max(1, len(data))
        for at in range(0, len(data), size):
            part = data[at : at + size]
            await self.wire.send(b"%x\r\n%s\r\n" % (len(part), part))
            if size < len(data):
                await asyncio.sleep(0)

    async def _finish(self) -> None:
        if self.zipper and (rest := self.zipper.flush()):
            await self.wire.send(b"%x\r\n%s\r\n" % (len(rest), rest))
        await self.wire.send(b"0\r\n\r\n")

    async def _whole(self) -> bool:
        """Decode everything, then send one JSON reply."""
        row, steps = self.row, iter(self.script.steps)
        row.is_whole = True
        try:
            body, is_broken = await self._compose(steps)
        except ConnectionError:
            self._overshoot(steps)
            return False
        try:
            return await self._send_whole(body, 0.5 if is_broken else self.script.breaks_body)
        except ConnectionError:
            row.is_gone = True
            return False

    async def _compose(self, steps: Iterator[Step]) -> tuple[bytes, bool]:
        """Return the reply's body, and whether it is broken off."""
        row, report = self.row, None
        for step in steps:
            if isinstance(step, Piece):
                await self._gather(step)
                self._hold(step)
            elif isinstance(step, Ends):
                row.finishes[min(step.choice, len(row.finishes) - 1)] = step.reason
            elif isinstance(step, Reports):
                report = step.change(frames.usage(row, step.choice))
            elif isinstance(step, Raw) and step.is_error:
                row.is_refused = True
                return step.data.removeprefix(b"data: ").strip(), False
            elif isinstance(step, Waits | Repeats):
                await self._other(Waits())
            elif isinstance(step, Drops | Stops):
                return frames.encoded(frames.whole(row, self.pieces, report)), True
        if report is not None:
            row.reports.append(report)
            row.unreported = 0
        return frames.encoded(frames.whole(row, self.pieces, report)), False

    def _hold(self, step: Piece) -> None:
        if step.text and step.field != "end":
            self._note(step)
            self.pieces.append(step)
        elif step.field != "end":
            self.row.hidden += step.tokens

    async def _send_whole(self, body: bytes, breaks: float | None) -> bool:
        kind = self.script.content_type or "application/json"
        if self.script.drops_after_headers:
            breaks = 0.0
        if breaks is None:
            await self.wire.reply(200, body, self.script.headers, kind)
            self.row.held = 0
            self.row.is_complete = True
            return True
        await self.wire.head(200, {"Content-Length": str(len(body))}, kind)
        await self.wire.send(body[: int(len(body) * breaks)])
        self.row.held = 0
        await self._turns()
        self.wire.drop()
        return False
