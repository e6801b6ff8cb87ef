"""The parent's end of a worker process: starts it, hears it, kills it when it hangs."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import tempfile
import time

import anyio

from workspan.engines.embedded import protocol
from workspan.engines.embedded.protocol import (
    Cancel,
    Closed,
    Command,
    Count,
    Counted,
    Draw,
    ErrorKind,
    Event,
    Failed,
    Open,
    Piece,
    Ready,
    Started,
    Step,
    Taken,
    Total,
)
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
)

_LOADING = 20
"""A worker may take this many times the usual patience to load its model."""

_ERRORS: dict[ErrorKind, type[EngineError]] = {
    "context": ContextExceeded,
    "rejected": EngineRejected,
    "unavailable": EngineUnavailable,
}


class Call:
    """What a worker has said about one call."""

    __slots__ = ("_changed", "answer", "error", "id", "pieces", "prompt_tokens")

    def __init__(self, id: int) -> None:
        self.id = id
        self.pieces: list[Piece] = []
        self.prompt_tokens: int | None = None
        """Set once the chain is with the runtime, and charged."""
        self.answer: int | None = None
        """Of a `Count`, or of a `Cancel`: tokens."""
        self.error: EngineError | None = None
        self._changed: anyio.Event | None = None

    @property
    def is_over(self) -> bool:
        """The chain has ended by itself, with its last piece still to be read."""
        return bool(self.pieces) and self.pieces[-1].finish is not None

    def wake(self) -> None:
        """Let the one who waits look again."""
        if self._changed is not None:
            self._changed.set()

    def hear(self, event: Started | Counted | Closed | Failed) -> None:
        """Take up what the worker says of the call as a whole."""
        match event:
            case Started():
                self.prompt_tokens = event.prompt_tokens
            case Counted():
                self.answer = event.tokens
            case Closed():
                self.answer, self.prompt_tokens = event.tokens, event.prompt_tokens
            case Failed():
                self.error = _ERRORS[event.kind](event.message)
        self.wake()

    async def changed(self) -> None:
        """Wait until something new is heard."""
        self._changed = anyio.Event()
        await self._changed.wait()
        self._changed = None


class Connection:
    """One worker process. A dead one stays dead: the engine starts another.

    The event loop's own reader and timer serve it, so it needs no task and costs nothing while
    nobody calls; `attach` moves it when the next call comes on another loop.
    """

    def __init__(self, model: Open, patience_seconds: float) -> None:
        self._patience = patience_seconds
        self._ids = itertools.count(1)
        self._calls: dict[int, Call] = {}
        self._inbound, self._outbound = bytearray(), bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch_timer: asyncio.TimerHandle | None = None
        self._heard = time.monotonic()
        self._ready = Call(0)
        self.death = ""
        """Why the worker is dead; empty while it lives."""
        self.load_seconds: float | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `end`
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "workspan.engines.embedded.worker"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                env={**os.environ, **_QUIET},
            )
        self._send(model)

    @property
    def pid(self) -> int:
        """Process id of the worker."""
        return self._process.pid

    # Calls

    async def ready(self) -> None:
        """Wait until the model is loaded.

        Raises:
            EngineUnavailable: the worker died on the way, or hung.
        """
        self.attach()
        with anyio.move_on_after(self._patience * _LOADING):
            while self.load_seconds is None and not self.death:
                await self._ready.changed()
        if self.load_seconds is None:
            self.end("the model was not loaded in time")
            raise EngineUnavailable(self.death)

    def call(self) -> Call:
        """Open a call; it is heard from until it ends or is forgotten."""
        call = Call(next(self._ids))
        if self.death:
            call.error = EngineUnavailable(self.death)
            return call
        self.attach()
        if not self._calls:
            self._heard = time.monotonic()
        self._calls[call.id] = call
        if self._watch_timer is None:
            self._watch()
        return call

    def forget(self, call: Call) -> None:
        """Stop listening for a call."""
        self._calls.pop(call.id, None)

    def send(self, command: Count | Draw | Taken | Cancel | Total) -> None:
        """Send a command; what the socket does not take at once follows by itself."""
        if not self.death:
            self._send(command)

    async def cancel(self, call: Call) -> bool:
        """Stop a chain; True once `answer` and `prompt_tokens` say exactly what it came to."""
        self.send(Cancel(call.id))
        with anyio.CancelScope(shield=True), anyio.move_on_after(self._patience):
            while call.answer is None and call.error is None and not call.is_over:
                await call.changed()
        self.forget(call)
        if call.is_over:  # it ended by itself before the worker read this
            call.answer = call.pieces[-1].tokens
        return call.answer is not None

    def end(self, reason: str) -> None:
        """Kill the worker; every call in flight fails with the reason."""
        if self.death:
            return
        self.death = reason
        self._detach()
        self._socket.close()
        self._process.kill()
        status = self._process.wait()
        self._errors.seek(0)
        last = self._errors.read()[-500:].decode(errors="replace").strip()
        self._errors.close()
        self.death += f" (exit status {status})" + (f": {last}" if last else "")
        calls, self._calls = self._calls, {}
        for call in (*calls.values(), self._ready):
            call.error = EngineUnavailable(self.death)
            call.wake()

    # The socket

    def attach(self) -> None:
        """Be served by the running loop from now on."""
        loop = asyncio.get_running_loop()
        if loop is self._loop or self.death:
            return
        self._detach()
        self._loop = loop
        loop.add_reader(self._socket, self._receive)

    def _detach(self) -> None:
        if self._watch_timer is not None:
            self._watch_timer.cancel()
            self._watch_timer = None
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._loop = None

    def _send(self, command: Command) -> None:
        self._outbound += protocol.pack(command)
        self._flush()

    def _flush(self) -> None:
        try:
            while self._outbound:
                del self._outbound[: self._socket.send(self._outbound)]
        except BlockingIOError:
            if self._loop is not None:
                self._loop.add_writer(self._socket, self._flush)
            return
        except OSError as error:
            self.end(f"the worker process hung up: {error}")
            return
        if self._loop is not None:
            self._loop.remove_writer(self._socket)

    def _receive(self) -> None:
        try:
            data = self._socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end("the worker process died")
            return
        self._heard = time.monotonic()
        self._inbound += data
        try:
            for event in protocol.unpack(self._inbound, protocol.events):
                self._hear(event)
        except EngineProtocolError as error:
            self.end(f"the worker process spoke out of turn: {error}")

    def _hear(self, event: Event) -> None:
        if isinstance(event, Ready):
            self.load_seconds = event.seconds
            self._ready.wake()
        elif isinstance(event, Step):
            for piece in event.pieces:
                if call := self._calls.get(piece.id):
                    call.pieces.append(piece)
                    call.wake()
                    if piece.finish is not None:
                        self.forget(call)
        elif call := self._calls.get(event.id):
            call.hear(event)
            if not isinstance(event, Started):
                self.forget(call)

    def _watch(self) -> None:
        """Kill a worker that has work and gives no sign of life.

        OpenVINO once stopped with every thread waiting, no processor time used and no error; a sign
        of life is therefore a finished native step, not that the process runs.
        """
        self._watch_timer = None
        if self.death or not self._calls:
            return
        silence = time.monotonic() - self._heard
        if silence > self._patience:
            self.end(f"the worker process hung: no step in {silence:.0f} seconds")
        else:
            assert self._loop is not None
            self._watch_timer = self._loop.call_later(self._patience / 4, self._watch)


_QUIET = {
    "OMP_WAIT_POLICY": "passive",  # llama.cpp's waiting threads would starve the working ones
    "TOKENIZERS_PARALLELISM": "false",
}
