"""Batches under way: cancelled, late, killed, told to end, behind whoever waits."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.batches.rig import (
    ERROR,
    Address,
    Client,
    command,
    echo,
    forget_beats,
    half_down,
    line,
    spent,
)
from gateway.rig import Scripted, Seen, gate, replies, until, upstream
from gateway.test_keys_http import bearing, key_for
from workspan.serve.batches import parts, statements
from workspan.serve.store import store_at


def test_a_cancelled_batch_asks_no_more_and_keeps_what_it_has(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        go = asyncio.Event()

        async def slowly(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            await go.wait()
            await echo(server, seen, writer)

        async with Scripted(slowly).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            batch = await client.begin([line(str(at)) for at in range(40)])
            await until(lambda: len(up.seen) >= 8)
            status, told = await client.call("POST", f"/batches/{batch['id']}/cancel")
            assert (status, told["status"]) == (200, "cancelling")
            lane = gw.serving.gateway.lane
            assert lane is not None
            [(running, _)] = lane._running.values()
            await until(lambda: running.status == "cancelling")  # the worker has heard of it
            go.set()
            batch = await client.ended(batch)
            assert batch["status"] == "cancelled"
            assert batch["cancelled_at"]
            done = await client.results(batch["output_file_id"])
            rest = await client.results(batch["error_file_id"])
            assert len(done) == len(up.seen) < 40
            assert len(done) + len(rest) == 40
            assert {one["error"]["code"] for one in rest} == {"batch_cancelled"}
            status, told = await client.call("POST", f"/batches/{batch['id']}/cancel")
            assert (status, told["error"]["code"]) == (409, "batch_ended")
        assert await spent(path, key) == len(done)

    asyncio.run(main())


def test_a_bug_in_one_look_ends_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a look or a purge raises, batches are taken up a moment later."""
    monkeypatch.setattr("workspan.serve.batches.lane.TICK", 0.01)
    monkeypatch.setattr("workspan.serve.batches.lane._PURGE", 0.0)
    bugs: list[BaseException] = []
    real = (statements.look, parts.purge)

    def breaking(what: Any, times: int) -> Any:
        def call(*args: Any) -> Any:
            if len([one for one in bugs if one.args == (what,)]) < times:
                bugs.append(ZeroDivisionError(what))
                raise bugs[-1]
            return what(*args)

        return call

    monkeypatch.setattr(statements, "look", breaking(real[0], 3))
    monkeypatch.setattr("workspan.serve.batches.lane.purge", breaking(real[1], 3))

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            await until(lambda: len(bugs) == 6)
            client = Client(gw, bearing(key))
            batch = await client.begin([line(str(at)) for at in range(3)])
            batch = await client.ended(batch)
            assert batch["request_counts"]["completed"] == 3

    with caplog.at_level("ERROR", "workspan.serve"):
        asyncio.run(main())
    said = [record.getMessage() for record in caplog.records]
    assert said.count("batches could not be looked at") == 6


def test_a_batch_whose_time_is_over_says_which_lines_had_no_answer(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        refusing = replies(ERROR, 503)
        async with Scripted(refusing).serve() as up, gate(up.url, store=str(path)) as gw:
            lane = gw.serving.gateway.lane
            assert lane is not None
            client = Client(gw, bearing(key))
            batch = await client.begin([line(str(at)) for at in range(3)])
            await until(lambda: len(up.seen) >= 3)
            for running, _ in lane._running.values():
                running._utc = lambda: time.time() + 90_000
            batch = await client.ended(batch)
            assert batch["status"] == "expired"
            rest = await client.results(batch["error_file_id"])
            assert {one["error"]["code"] for one in rest} == {"batch_expired"}
            assert batch["output_file_id"] is None

    asyncio.run(main())


def test_whoever_waits_goes_first(tmp_path: Path) -> None:
    """Of two places the lane takes one: a live request is never behind it."""

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        go = asyncio.Event()

        async def slowly(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            if b"question" in seen.body:
                await go.wait()
            await echo(server, seen, writer)

        up = Scripted(slowly)
        async with up.serve(), gate(upstream(up.url, concurrency="2"), store=str(path)) as gw:
            client = Client(gw, bearing(key))
            batch = await client.begin([line(str(at)) for at in range(6)])
            await until(lambda: len(up.seen) == 1)
            for _ in range(4):
                live = {"model": "m", "messages": [{"role": "user", "content": "now"}]}
                assert (await gw.post(live, headers=client.headers)).status == 200
            assert sum(b"question" in seen.body for seen in up.seen) == 1
            go.set()
            assert (await client.ended(batch))["request_counts"]["completed"] == 6

    asyncio.run(main())


def test_a_killed_gateway_goes_on_where_it_stood_and_bills_no_line_twice(tmp_path: Path) -> None:
    """A process of its own is killed among 60 lines; another one does the rest."""

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "4000 work/total")
        started = asyncio.Event()

        async def counted(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.05)
            if len(server.seen) >= 20:
                started.set()
            await echo(server, seen, writer)

        async with Scripted(counted).serve() as up, aiohttp.ClientSession() as session:
            async with command(up.url, path) as (process, url):
                client = Client(Address(url, session), bearing(key))  # type: ignore[arg-type]
                batch = await client.begin([line(str(at), max_tokens=4) for at in range(60)])
                await started.wait()
                process.kill()
                await process.wait()
            before = len(up.seen)
            async with command(up.url, path) as (process, url):
                client = Client(Address(url, session), bearing(key))  # type: ignore[arg-type]
                store = store_at(str(path))
                await store.open()
                try:
                    _, told = await client.call("GET", f"/batches/{batch['id']}")
                    assert told["status"] == "in_progress"
                    kept = told["request_counts"]["completed"]
                    assert 0 < kept < 60
                    await store.reap(time.time() + 1e6, time.time() - 0.5)  # the dead worker's
                    await store.database.transact(
                        lambda: forget_beats()  # nobody waits twenty seconds here
                    )
                finally:
                    await store.aclose()
                batch = await client.ended(batch)
            assert batch["request_counts"] == {"total": 60, "completed": 60, "failed": 0}
            asked = Counter(seen.headers["idempotency-key"] for seen in up.seen)
            assert len(asked) == 60
            again = [name for name, count in asked.items() if count > 1]
            assert len(again) <= before - kept  # what had no reply by then, and nothing else
            assert max(asked.values()) <= 2
        total = await spent(path, key)
        assert len(up.seen) <= total <= 4000

    asyncio.run(main())


async def closed(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until a gateway takes no more connections: it has heard that it is to end."""
    address = url.removesuffix("/v1") + "/healthz"
    while True:
        try:
            async with session.get(address, headers={"Connection": "close"}):
                await asyncio.sleep(0.05)
        except aiohttp.ClientError:
            return


def test_a_gateway_that_is_told_to_end_lets_lines_end_and_no_line_is_asked_twice(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "4000 work/total")
        started, go = asyncio.Event(), asyncio.Event()

        async def counted(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            if len(server.seen) >= 10:
                started.set()
                await go.wait()
            await echo(server, seen, writer)

        async with Scripted(counted).serve() as up, aiohttp.ClientSession() as session:
            async with command(up.url, path) as (process, url):
                client = Client(Address(url, session), bearing(key))  # type: ignore[arg-type]
                batch = await client.begin([line(str(at), max_tokens=4) for at in range(40)])
                await started.wait()
                process.terminate()
                await closed(session, url)
                go.set()
                await process.wait()
            assert len(up.seen) < 40
            async with command(up.url, path) as (_, url):
                client = Client(Address(url, session), bearing(key))  # type: ignore[arg-type]
                batch = await client.ended(batch)
            assert batch["request_counts"]["completed"] == 40
            assert len(up.seen) == 40
        assert await spent(path, key) == 40

    asyncio.run(main())


def test_a_line_is_asked_as_its_key_may_ask_just_then(tmp_path: Path) -> None:
    """Its scope is kept; one that is revoked meanwhile asks no more."""

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total", models=["m"])
        go = asyncio.Event()

        async def slowly(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            await go.wait()
            await echo(server, seen, writer)

        ups = (Scripted(slowly), Scripted(echo))
        async with (
            ups[0].serve(),
            ups[1].serve(),
            gate(
                upstream(ups[0].url, concurrency="4"),
                upstream(ups[1].url, "other", "secret"),
                store=str(path),
            ) as gw,
        ):
            client = Client(gw, bearing(key))
            lines = [line("s", model="secret"), *(line(str(at)) for at in range(30))]
            batch = await client.begin(lines)
            await until(lambda: len(ups[0].seen) == 2)
            other = Client(gw, bearing(await key_for(path, "1M work/total")))
            store = gw.serving.gateway.store
            assert store is not None
            await store.revoke(key.split("-")[1], int(time.time()))
            go.set()
            lane = gw.serving.gateway.lane
            assert lane is not None
            await until(
                lambda: not lane._running or all(t.done() for _, t in lane._running.values())
            )
            assert not ups[1].seen
            assert len(ups[0].seen) < 30
            found = await store.database.transact(lambda: statements.lines(batch["id"], -1, 100))
            codes = [json.loads(one.reply).get("error", {}).get("code") for one in found]
            assert codes[0] == "model_not_allowed"
            assert "key_revoked" in codes
            assert (await other.call("GET", "/batches"))[1]["data"] == []

    asyncio.run(main())


def test_one_key_s_batches_do_not_keep_another_s_waiting(tmp_path: Path) -> None:
    """Forty that can't go on, and one that came after them."""

    async def main() -> None:
        path = tmp_path / "store.db"
        busy, other = [await key_for(path, "1M work/total") for _ in "ab"]
        async with half_down(path) as (_, _, gw):
            first, second = Client(gw, bearing(busy)), Client(gw, bearing(other))
            many = [await first.begin([line("1", model="d")]) for _ in range(40)]
            ended = await second.ended(await second.begin([line("1")]))
            assert ended["request_counts"]["completed"] == 1
            last = many[-1]["id"]  # not taken up yet: it ends all the same
            await first.call("POST", f"/batches/{last}/cancel")
            _, told = await first.call("GET", f"/batches/{last}")
            assert (await first.ended(told))["status"] == "cancelled"

    asyncio.run(main())
