"""A server that decodes at a pace, bills by key, and decodes on when its client hangs up.

    python -m benchmarks.gateway.decoding --bill FILE

No model stands behind it. A prompt says whose it is and how long its answer is: ``KEY TOKENS``. A
token is a word; so many come at a time. What was decoded is billed as it is decoded, whoever reads
it, and so is what is decoded until a hang-up is noticed: up to `--overshoot` tokens, drawn anew
for each. Its first line is its address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
from dataclasses import dataclass
from typing import cast

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FRAME = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _chunk(b"data: " + json.dumps({**_FRAME, "choices": [choice]}).encode() + b"\n\n")


def _last(tokens: int) -> bytes:
    usage = {"prompt_tokens": 9, "completion_tokens": tokens, "total_tokens": tokens + 9}
    told = b"data: " + json.dumps({**_FRAME, "choices": [], "usage": usage}).encode() + b"\n\n"
    return _chunk(told) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


@dataclass(slots=True)
class _Answer:
    key: str
    tokens: int
    is_capped: bool
    done: int = 0


class Server:
    """All answers of one process, decoded in step."""

    def __init__(self, bill: int, piece: int, seconds: float, overshoot: int, seed: int) -> None:
        self.bill, self.piece, self.seconds, self.overshoot = bill, piece, seconds, overshoot
        self.answers: dict[Connection, _Answer] = {}
        self._rng = random.Random(seed)
        self._pieces = [_event({"content": "word " * size}) for size in range(piece + 1)]

    async def decode(self) -> None:
        """Decode a piece of each answer, again and again."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for connection, answer in list(self.answers.items()):
                self._step(connection, answer)
            due = max(due + self.seconds, loop.time())  # a late step is not caught up with
            await asyncio.sleep(due - loop.time())

    def _step(self, connection: Connection, answer: _Answer) -> None:
        size = min(self.piece, answer.tokens - answer.done)
        self._charge(answer, size)
        connection.write(self._pieces[size])
        if answer.done == answer.tokens:
            del self.answers[connection]
            connection.write(_event({}, "length" if answer.is_capped else "stop"))
            connection.write(_last(answer.done))

    def left(self, connection: Connection) -> None:
        """Decode on for a client that has hung up."""
        answer = self.answers.pop(connection, None)
        if answer is not None:
            most = min(self.overshoot, answer.tokens - answer.done)
            self._charge(answer, self._rng.randint(0, most))

    def _charge(self, answer: _Answer, tokens: int) -> None:
        answer.done += tokens
        os.write(self.bill, f"{answer.key} {tokens}\n".encode())


class Connection(asyncio.Protocol):
    """One connection: a request, its answer, the next."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._server.left(self)

    def write(self, data: bytes) -> None:
        """Send what was decoded."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (at := self._came.find(b"\r\n\r\n")) >= 0:
            head = self._came[:at].lower()
            size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._came) < at + 4 + size:
                return
            body = self._came[at + 4 : at + 4 + size]
            self._came = self._came[at + 4 + size :]
            self._begin(json.loads(body))

    def _begin(self, asked: dict[str, object]) -> None:
        turns = cast("list[dict[str, str]]", asked["messages"])
        key, _, tokens = turns[-1]["content"].partition(" ")
        cap = cast("int", asked.get("max_tokens") or asked.get("max_completion_tokens") or 1 << 30)
        self.write(_HEAD + _event({"role": "assistant", "content": ""}))
        self._server.answers[self] = _Answer(key, min(cap, int(tokens)), cap < int(tokens))


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bill", required=True)
    parser.add_argument("--piece", type=int, default=4, help="tokens that come at a time")
    parser.add_argument("--piece-seconds", type=float, default=0.05)
    parser.add_argument("--overshoot", type=int, default=48)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    bill = os.open(options.bill, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    server = Server(bill, options.piece, options.piece_seconds, options.overshoot, options.seed)

    async def run() -> None:
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: Connection(server), "127.0.0.1", 0, backlog=2048
        )
        port = listening.sockets[0].getsockname()[1]
        print(f"http://127.0.0.1:{port}/v1", flush=True)
        await server.decode()

    import uvloop

    uvloop.run(run())


if __name__ == "__main__":
    main()
