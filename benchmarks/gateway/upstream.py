"""A server that costs next to nothing: replies made once, written as they are.

``python -m benchmarks.gateway.upstream --port N``; its first line is its address. No model stands
behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from typing import Any, ClassVar, cast

from benchmarks.gateway.spoken import EVENTS, STREAMS, WHOLES

_FRAME = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 7, "model": "m"}
_USAGE = {"prompt_tokens": 12, "completion_tokens": EVENTS - 1, "total_tokens": EVENTS + 11}


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return b"data: " + json.dumps({**_FRAME, "choices": [choice]}).encode() + b"\n\n"


def _whole() -> bytes:
    message = {"role": "assistant", "content": "word " * (EVENTS - 1)}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return _reply({**_FRAME, "object": "chat.completion", "choices": [choice], "usage": _USAGE})


def _reply(value: Any) -> bytes:
    body = json.dumps(value).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


_LAST = b"data: " + json.dumps({**_FRAME, "choices": [], "usage": _USAGE}).encode() + b"\n\n"
_STREAM = [
    _event({"role": "assistant", "content": ""}),
    *(_event({"content": "word "}) for _ in range(EVENTS - 2)),
    _event({}, "stop"),
]
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Upstream(asyncio.Protocol):
    """Answers each request at once; a stream in so many pieces, one a turn of the loop."""

    whole = _whole()
    pieces = tuple(_chunk(one) for one in _STREAM)
    wholes: ClassVar = {f"/{name}": _reply(made()) for name, made in WHOLES.items()}
    streams: ClassVar = {f"/{name}": tuple(map(_chunk, made())) for name, made in STREAMS.items()}
    """Of the further dialects, by the end of their paths."""
    end = _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    usage = _chunk(_LAST)

    def __init__(self, gather: int) -> None:
        self._gather = gather
        self._came = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        self._came += data
        while (at := self._came.find(b"\r\n\r\n")) >= 0:
            head = self._came[:at].lower()
            size = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._came) < at + 4 + size:
                return
            body = self._came[at + 4 : at + 4 + size]
            self._came = self._came[at + 4 + size :]
            path = head.partition(b" ")[2].partition(b" ")[0].decode()
            self._answer(body, f"/{path.rpartition('/')[2]}")

    def _answer(self, body: bytes, path: str) -> None:
        assert self._transport is not None
        if b'"stream":true' not in body.replace(b" ", b""):
            self._transport.write(self.wholes.get(path, self.whole))
            return
        self._transport.write(_HEAD)
        if path in self.streams:
            self._write(self.streams[path], 0, b"0\r\n\r\n")
            return
        told = self.usage if b"include_usage" in body else b""
        self._write(self.pieces, 0, told + self.end)

    def _write(self, pieces: tuple[bytes, ...], place: int, last: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(b"".join(pieces[place : place + self._gather]))
        if place + self._gather < len(pieces):
            loop = asyncio.get_running_loop()
            loop.call_soon(self._write, pieces, place + self._gather, last)
        else:
            transport.write(last)


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--gather", type=int, default=4, help="events a piece")
    options = parser.parse_args()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Upstream(options.gather), "127.0.0.1", options.port, backlog=2048
        )
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
        await server.serve_forever()

    import uvloop

    uvloop.run(run())


if __name__ == "__main__":
    main()
