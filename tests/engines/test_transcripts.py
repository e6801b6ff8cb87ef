"""Exchanges with servers that can't be run here, written from their documentation, replayed.

Each file says what it was written from; none was recorded. A transcript's requests say what must
have been sent, null for what must not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from endpoint_client import ASK, QUICK, draw
from workspan.core.engine import Bill
from workspan.engines.endpoint import Endpoint
from workspan.errors import EngineError

FILES = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@dataclass
class Exchange:
    path: str
    sent: dict[str, Any]
    """What the request must hold."""
    head: str = ""
    body: list[str] = field(default_factory=list)

    def answer(self) -> bytes:
        """Write the response as it goes over the wire, its end marked by the end of the line."""
        status, kind, *more = self.head.split(" | ")
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", "Connection: close", *more]
        return ("\r\n".join(lines) + "\r\n\r\n" + "\n".join(self.body)).encode()


def read(path: Path) -> tuple[list[Exchange], dict[str, Any]]:
    exchanges: list[Exchange] = []
    expected: dict[str, Any] = {}
    for line in path.read_text().splitlines():
        if line.startswith(">>> POST "):
            target, _, sent = line.removeprefix(">>> POST ").partition(" ")
            exchanges.append(Exchange(target, json.loads(sent)))
        elif line.startswith("<<< "):
            exchanges[-1].head = line.removeprefix("<<< ")
        elif line.startswith("=== "):
            expected = json.loads(line.removeprefix("=== "))
        elif exchanges:
            exchanges[-1].body.append(line)
    return exchanges, expected


@asynccontextmanager
async def replayed(
    exchanges: list[Exchange], seen: list[tuple[str, dict[str, Any]]]
) -> AsyncIterator[str]:
    """Answer each request with the next response; those beyond the last are hung up on."""
    left = list(exchanges)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].split("\r\n")[0])
        seen.append((head.split(" ")[1], json.loads(await reader.readexactly(length))))
        if left:
            writer.write(left.pop(0).answer())
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_transcript_is_asked_and_read_as_it_is_written(path: Path) -> None:
    exchanges, expected = read(path)
    text = path.read_text()
    assert "not recorded" in text
    assert "# https://" in text
    seen: list[tuple[str, dict[str, Any]]] = []

    async def main() -> None:
        request = replace(ASK, top_p=expected.get("top_p", 1.0))
        bill = Bill()
        async with replayed(exchanges, seen) as url:
            engine = Endpoint(url, "m", api_key="", retries=QUICK)
            try:
                if "error" in expected:
                    with pytest.raises(EngineError, match=expected["says"]) as caught:
                        await draw(engine, request, bill=bill)
                    assert type(caught.value).__name__ == expected["error"]
                    assert bill.usage.calls == 1
                    return
                drawn = await draw(engine, request, bill=bill)
            finally:
                await engine.aclose()
        assert (drawn.text, drawn.reasoning) == (expected["text"], expected["reasoning"])
        assert drawn.chunks[-1].finish == expected["finish"]
        usage = bill.usage
        assert (usage.input_tokens, usage.output_tokens) == (
            expected["prompt"],
            expected["decoded"],
        )
        assert (usage.calls, usage.source) == (1, "measured")
        codes = {notice.code for notice in bill.notices}
        assert codes == set(expected["notices"])

    anyio.run(main)
    assert len(seen) == len(exchanges)
    for (target, sent), exchange in zip(seen, exchanges, strict=True):
        assert target == exchange.path
        for name, value in exchange.sent.items():
            assert sent.get(name) == value, name
            assert (name in sent) is (value is not None), name
