"""Bytes sent as they are, for what no client library would send."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from gateway.rig import ASK, Gate

BODY = json.dumps(ASK).encode()


@dataclass(frozen=True)
class Said:
    """What came back on one connection until it was closed, or nothing more came."""

    data: bytes

    @property
    def statuses(self) -> list[int]:
        """Of each reply."""
        heads = [line for line in self.data.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
        return [int(head.split()[1]) for head in heads]

    @property
    def status(self) -> int:
        """Of the only reply; 0 where the connection was closed without one."""
        assert len(self.statuses) <= 1, self.data
        return self.statuses[0] if self.statuses else 0

    @property
    def error(self) -> dict[str, Any]:
        """What it says went wrong."""
        found: dict[str, Any] = json.loads(self.data.partition(b"\r\n\r\n")[2])["error"]
        return found


def head(path: str = "/v1/chat/completions", *lines: str, method: str = "POST") -> bytes:
    """Write a request's head."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode(
        "latin-1"
    )


def whole(body: bytes = BODY, *lines: str) -> bytes:
    """Write a whole request."""
    return head("/v1/chat/completions", *lines, f"Content-Length: {len(body)}") + body


async def send(gw: Gate, *parts: bytes, quiet: float = 1.0, closes: bool = False) -> Said:
    """Send parts one after another, and read until the gateway closes or keeps quiet."""
    port = int(gw.root.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    got = b""
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if closes:
            writer.write_eof()
        while True:
            more = await asyncio.wait_for(reader.read(65_536), quiet)
            got += more
            if not more:
                break
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.transport.abort()
    return Said(got)
