"""Two gateways behind nginx, by the configuration in `deploy/`: streams pass as they come."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.rig import ASK, DONE, Gate, Scripted, begin, end, gate, part, piece

NGINX = shutil.which("nginx")
CONFIG = Path(__file__).parents[2] / "deploy" / "nginx.conf"
pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(NGINX is None, reason="no nginx: apt-get install nginx-light"),
]


def free() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@asynccontextmanager
async def balanced(folder: Path, *gateways: Gate) -> AsyncIterator[str]:
    """Run nginx before gateways."""
    port = free()
    text = CONFIG.read_text().replace("listen 8080", f"listen 127.0.0.1:{port}")
    for place, one in enumerate(gateways, 1):
        text = text.replace(f"gateway-{place}:8080", one.root.removeprefix("http://"))
    text = text.replace("/tmp/nginx.pid", str(folder / "nginx.pid"))
    temporary = "".join(
        f"  {name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = "daemon off;\n" + text.replace("http {\n", f"http {{\n{temporary}", 1)
    path = folder / "nginx.conf"
    path.write_text(text)
    assert NGINX is not None
    process = await asyncio.create_subprocess_exec(NGINX, "-c", str(path), "-p", str(folder))
    try:
        async with asyncio.timeout(30):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def test_streams_pass_event_by_event_and_one_gateway_may_go(tmp_path: Path) -> None:
    more = asyncio.Event()

    async def answer(_: Scripted, __: Any, writer: Any) -> None:
        await begin(writer)
        await part(writer, piece({"content": "first"}))
        await more.wait()
        await part(writer, piece({}, "stop") + DONE)
        await end(writer)

    async def main() -> None:
        async with (
            Scripted(answer).serve() as up,
            gate(up.url) as one,
            aiohttp.ClientSession() as client,
            gate(up.url) as two,
            balanced(tmp_path, one, two) as root,
        ):
            body = {**ASK, "stream": True}
            for _ in range(4):
                more.clear()
                async with client.post(f"{root}/v1/chat/completions", json=body) as reply:
                    assert b"first" in await reply.content.readline()  # the rest is to come
                    more.set()
                    assert (await reply.read()).endswith(DONE)
            served = [len(gw.log.records) for gw in (one, two)]
            assert sum(served) == 4
            assert min(served) >= 1
            for path in ("/", "/metrics", "/_/events", "/_/page.js"):
                async with client.get(root + path) as reply:
                    assert reply.status == 404, path
            seen = len(up.seen)
            two.serving.gateway.is_draining = True
            async with client.get(f"{two.root}/readyz") as reply:
                assert reply.status == 503
            assert len(up.seen) == seen

    asyncio.run(main())


def test_a_gateway_that_is_gone_is_passed_over(tmp_path: Path) -> None:
    async def answer(_: Scripted, __: Any, writer: Any) -> None:
        await begin(writer)
        await part(writer, piece({"content": "4"}) + piece({}, "stop") + DONE)
        await end(writer)

    async def main() -> None:
        async with (
            Scripted(answer).serve() as up,
            gate(up.url) as one,
            aiohttp.ClientSession() as client,
        ):
            async with gate(up.url) as two:
                gone = Gate(two.serving, two.log, two.client)
            async with balanced(tmp_path, one, gone) as root:
                for number in range(1, 7):
                    body = {**ASK, "stream": True}
                    async with client.post(f"{root}/v1/chat/completions", json=body) as reply:
                        assert reply.status == 200
                        assert (await reply.read()).endswith(DONE)
                    assert len(up.seen) == number  # asked once each

    asyncio.run(main())
