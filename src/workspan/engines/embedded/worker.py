"""The worker process: one native runtime, one batch, one thread that decodes.

Started by `embedded.connection` with a socket as its standard input; it ends when that
socket does, so it never outlives its parent.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import queue
import socket
import sys
import threading
import time
from dataclasses import dataclass, field

from workspan.engines.embedded import protocol
from workspan.engines.embedded.protocol import (
    OVERSHOOT,
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
from workspan.engines.embedded.runtime import Decoded, Leg, Runtime
from workspan.engines.embedded.text import TextStream
from workspan.errors import EngineProtocolError

_HANG_SECONDS = 300.0
"""A native step longer than this ends the process, should there be no parent left to do it."""

_GRACE_SECONDS = 1.0
"""How long the batch waits for a slow reader before it goes on without that chain."""

_PROMPTS = 4096
"""Encoded prompts that are kept."""


@dataclass(slots=True)
class Chain:
    """One chain on its way."""

    draw: Draw
    prompt: list[int]
    text: TextStream
    tokens: list[int] = field(default_factory=list)
    taken: int = 0
    cached: int = 0
    legs: int = 0
    is_running: bool = False
    """A leg is with the runtime."""
    is_cancelled: bool = False

    @property
    def ahead(self) -> int:
        """Tokens that the reader has not taken yet."""
        return len(self.tokens) - self.taken


class Worker:
    """Keeps the batch full: new chains join at each step, finished and cancelled ones leave."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._inbox: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._chains: dict[int, Chain] = {}
        self._prompts: dict[tuple[object, ...], list[int]] = {}
        self._starved_since: float | None = None
        self._armed = 0.0
        self._total = 0
        self._runtime: Runtime

    def run(self) -> None:
        """Load the model, then serve until the parent hangs up."""
        threading.Thread(target=self._listen, daemon=True).start()
        model = self._inbox.get()
        assert isinstance(model, Open)
        began = time.monotonic()
        self._runtime = load(model)
        self._context = model.context
        self._send(Ready(time.monotonic() - began))
        while True:
            self._obey()
            if self._is_due():
                self._advance()

    # Talking

    def _listen(self) -> None:
        buffer = bytearray()
        with contextlib.suppress(OSError, EngineProtocolError):  # a parent that talks nonsense
            while data := self._channel.recv(1 << 16):
                buffer += data
                for command in protocol.unpack(buffer, protocol.commands):
                    self._inbox.put(command)
        os._exit(0)  # the parent is gone; native threads must not hold this up

    def _send(self, event: Event) -> None:
        try:
            self._channel.sendall(protocol.pack(event))
        except OSError:
            os._exit(0)

    def _obey(self) -> None:
        """Carry out the commands that are there; wait for one when there is nothing to decode."""
        if not self._chains:
            faulthandler.cancel_dump_traceback_later()
            self._armed = 0.0
            self._carry_out(self._inbox.get())
        while not self._inbox.empty():
            self._carry_out(self._inbox.get())

    def _carry_out(self, command: Command) -> None:
        match command:
            case Draw():
                self._begin(command)
            case Count():
                self._count(command)
            case Taken():
                if chain := self._chains.get(command.id):
                    chain.taken = command.tokens
                    self._resume(chain)
            case Cancel():
                self._cancel(command.id)
            case Total():
                self._send(Counted(command.id, self._total))
            case Open():
                raise AssertionError("the model is loaded already")

    # Chains

    def _encode(self, turns: list[tuple[str, str]], prefix: str) -> list[int]:
        key = (*turns, prefix)
        if key not in self._prompts:
            while len(self._prompts) >= _PROMPTS:
                del self._prompts[next(iter(self._prompts))]
            self._prompts[key] = self._runtime.encode(turns, prefix)
        return self._prompts[key]

    def _count(self, command: Count) -> None:
        try:
            self._send(Counted(command.id, len(self._encode(command.turns, command.prefix))))
        except (RuntimeError, ValueError) as error:
            self._send(Failed(command.id, "rejected", f"the prompt can't be read: {error}"))

    def _begin(self, draw: Draw) -> None:
        try:
            prompt = self._encode(draw.turns, draw.prefix)
        except (RuntimeError, ValueError) as error:
            self._send(Failed(draw.id, "rejected", f"the prompt can't be read: {error}"))
            return
        if len(prompt) + draw.max_tokens > self._context:
            need = f"{len(prompt)} tokens of prompt and {draw.max_tokens} to decode"
            message = f"{need} do not fit the context of {self._context}"
            self._send(Failed(draw.id, "context", message))
            return
        chain = self._chains[draw.id] = Chain(draw, prompt, TextStream(draw.stop))
        self._send(Started(draw.id, len(prompt)))
        self._resume(chain)

    def _resume(self, chain: Chain) -> None:
        """Give the runtime the chain's next leg, if the reader has left room for it."""
        left = chain.draw.max_tokens - len(chain.tokens)
        limit = left if self._runtime.leg is None else min(left, self._runtime.leg)
        room = OVERSHOOT - chain.ahead
        if chain.is_running or room < min(limit, self._runtime.leg or 1):
            return
        seed = chain.draw.seed + chain.legs * 0x9E3779B97F4A7C15  # legs must not repeat draws
        chain.legs += 1
        try:
            self._runtime.add(Leg(chain.draw, chain.prompt + chain.tokens, limit, seed))
        except (RuntimeError, ValueError, TypeError) as error:
            self._fail(chain, "rejected", f"the runtime refused the request: {error}")
            return
        chain.is_running = True

    def _cancel(self, id: int) -> None:
        chain = self._chains.get(id)
        if chain is None:
            self._send(Closed(id, 0, None))
        elif chain.is_running and not self._runtime.drop(id):
            chain.is_cancelled = True  # answered when its leg ends
        else:
            self._close(chain)

    def _close(self, chain: Chain) -> None:
        self._remove(chain)
        self._send(Closed(chain.draw.id, len(chain.tokens), len(chain.prompt)))

    def _fail(self, chain: Chain, kind: ErrorKind, message: str) -> None:
        self._remove(chain)
        self._send(Failed(chain.draw.id, kind, message))

    def _remove(self, chain: Chain) -> None:
        del self._chains[chain.draw.id]
        self._runtime.drop(chain.draw.id)

    # The batch

    def _is_due(self) -> bool:
        """Say whether the batch may step: no running chain is too far ahead of its reader.

        Where the runtime can't leave a chain out of a step, all wait a moment for a slow reader;
        then that chain is taken out, and comes back with a new leg when it has been read.
        """
        running = [chain for chain in self._chains.values() if chain.is_running]
        starved = [chain for chain in running if chain.ahead >= OVERSHOOT]
        if self._runtime.leg is not None or not starved:
            self._starved_since = None
            if running:
                return True
        elif len(starved) < len(running) and self._has_waited():
            for chain in starved:
                self._runtime.drop(chain.draw.id)
                chain.is_running = False
            return True
        if self._chains and self._inbox.empty():
            self._rest()
        return False

    def _has_waited(self) -> bool:
        now = time.monotonic()
        if self._starved_since is None:
            self._starved_since = now
        return now - self._starved_since > _GRACE_SECONDS

    def _rest(self) -> None:
        """Wait for a word from the parent, and give a sign of life."""
        try:
            self._carry_out(self._inbox.get(timeout=_GRACE_SECONDS / 4))
        except queue.Empty:
            self._send(Step([]))

    def _advance(self) -> None:
        now = time.monotonic()
        if now - self._armed > _HANG_SECONDS / 10:
            faulthandler.dump_traceback_later(_HANG_SECONDS, exit=True)
            self._armed = now
        decoded = self._runtime.step()
        if decoded is None:
            return
        self._total += sum(len(part.tokens) for part in decoded)
        pieces = [piece for part in decoded if (piece := self._grow(part)) is not None]
        self._send(Step(pieces))

    def _grow(self, part: Decoded) -> Piece | None:
        """Add what was decoded to its chain; return what the reader is to hear of it."""
        chain = self._chains[part.id]
        chain.tokens += part.tokens
        if chain.legs == 1:
            chain.cached = part.cached_tokens
        if part.error:
            self._fail(chain, "unavailable", part.error)
            return None
        vocabulary = self._runtime.vocabulary
        text = chain.text.feed(b"".join([vocabulary[token] for token in part.tokens]))
        finish = part.finish
        if finish is not None:
            chain.is_running = False
        if chain.text.is_stopped:
            finish = "stop"
        elif finish == "length" and len(chain.tokens) < chain.draw.max_tokens:
            finish = None
        if chain.is_cancelled:
            self._close(chain)
            return None
        if finish is not None:
            text += chain.text.finish()
            self._remove(chain)
        elif not chain.is_running:
            self._resume(chain)
        logprobs = part.logprobs if chain.draw.logprobs else []
        confidences = part.confidences if chain.draw.alternatives else []
        return Piece(part.id, len(chain.tokens), text, logprobs, chain.cached, finish, confidences)


def load(model: Open) -> Runtime:
    """Load the model on the runtime that `model` names."""
    if model.runtime == "openvino":
        from workspan.engines.embedded.openvino import OpenVINO

        return OpenVINO(model)
    from workspan.engines.embedded.llama import Llama

    return Llama(model)


def main() -> None:
    """Take over the socket on standard input, and leave nothing for native code to write on it."""
    channel = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "r+b") as nowhere:
        os.dup2(nowhere.fileno(), 0)
    os.dup2(2, 1)
    # The runtimes' optional tracker of usage is not to be imported, whatever its own settings say.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    Worker(channel).run()


if __name__ == "__main__":
    main()
