"""A reply's head goes with what follows it, and no write is lost or held for long."""

from __future__ import annotations

import asyncio

import pytest

from gateway.rig import ASK, DONE, GOOD, Scripted, gate, replies, run, streams, until, whole
from workspan.serve.wire.connections import Way


class Written(asyncio.Transport):
    """Remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True


def test_what_is_held_goes_in_one_piece() -> None:
    transport = Written()
    way = Way(transport)
    way.write(b"a")
    way.hold()
    way.write(b"b")
    way.hold()  # of a reply that was begun before: nothing is lost
    way.write(b"c")
    assert transport.writes == [b"a"]
    way.release()
    way.write(b"d")
    way.release()
    assert transport.writes == [b"a", b"bc", b"d"]


def test_what_is_held_is_written_before_the_end_and_not_after_it() -> None:
    transport = Written()
    way = Way(transport)
    way.hold()
    way.write(b"a")
    way.close()
    assert (transport.writes, way.is_closing()) == ([b"a"], True)
    way.hold()
    way.write(b"b")
    way.release()
    assert transport.writes == [b"a"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_reply_without_a_body_has_its_head(method: str) -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url) as gw,
            gw.client.request(method, f"{gw.root}/healthz") as reply,
        ):
            assert reply.status == 200
            assert bool(await reply.read()) == (method == "GET")

    run(main)


@pytest.mark.parametrize("closes", [False, True])
def test_replies_and_streams_are_whole_on_a_connection_that_closes_or_not(closes: bool) -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            for _ in range(3):
                headers = {"Connection": "close"} if closes else {}
                got = await gw.post({**ASK, "stream": True}, headers=headers)
                assert (got.status, got.is_done) == (200, True)
                got = await gw.post({**ASK, "model": "nobody"}, headers=headers)
                assert (got.status, got.error["code"]) == (404, "model_not_found")

    run(main)


def test_a_bug_in_the_figures_of_one_request_hides_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Requests that end in one turn of the loop are told at once."""
    bugs: list[str] = []

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            gateway = gw.serving.gateway
            add = gateway.metrics.add

            def broken(record: object) -> None:
                if getattr(record, "route", "") == "/healthz":
                    raise KeyError("a bug")
                add(record)  # type: ignore[arg-type]

            monkeypatch.setattr(gateway.metrics, "add", broken)
            monkeypatch.setattr(gw.log, "bug", lambda id, _: bugs.append(id))
            async with asyncio.TaskGroup() as group:
                for asked in (gw.get("/healthz"), gw.get("/healthz"), gw.ask(), gw.ask()):
                    group.create_task(asked)
            await until(lambda: len(gw.log.records) == 4)
            assert len(bugs) == 2
            figures = (await gw.get("/metrics")).body.decode()
            found = 'requests_total{code="",engine="up",route="/v1/chat/completions",status="200"}'
            assert f"{found} 2.0" in figures

    run(main)


def test_a_connection_that_asks_nothing_more_is_closed_and_one_that_asks_is_not() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            port = int(gw.root.rpartition(":")[2])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            loop = asyncio.get_running_loop()
            for pause in (0, 50, 50):  # in all longer than the limit
                await asyncio.sleep(pause)
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 ")
                size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
                await reader.readexactly(size)
            idle = loop.time()
            assert await reader.read() == b""
            assert 70 < loop.time() - idle < 90
            writer.close()

    run(main)
