"""Files of requests answered in the background: each line an answer or a clear error, once."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gateway.rig import Gate, Scripted, Seen, gate, replies, reply, run, until, upstream, whole
from gateway.test_keys_http import bearing, key_for
from postgres_server import PostgresServer
from store_rig import fresh_database
from workspan.serve.batches import statements
from workspan.serve.batches.records import Most
from workspan.serve.config import Limits
from workspan.serve.prices import read_prices
from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits
from workspan.store.statement import Statement, Work

ERROR = {"error": {"message": "no", "code": "c"}}


def line(id: str, **body: Any) -> dict[str, Any]:
    """Write one request."""
    turns = [{"role": "user", "content": f"question {id}"}]
    asked = {"model": "m", "messages": turns, **body}
    return {"custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": asked}


@dataclass
class Client:
    """One key's way to files and batches."""

    gw: Gate
    headers: Mapping[str, str]

    async def call(self, method: str, path: str, **more: Any) -> tuple[int, Any]:
        url = self.gw.url + path
        async with self.gw.client.request(method, url, headers=self.headers, **more) as got:
            return got.status, json.loads(await got.read())

    async def upload(self, content: bytes | list[dict[str, Any]], **fields: str) -> tuple[int, Any]:
        data = content if isinstance(content, bytes) else b"".join(map(_line, content))
        form = aiohttp.FormData()
        for name, value in {"purpose": "batch", **fields}.items():
            form.add_field(name, value)
        form.add_field("file", data, filename="asks.jsonl", content_type="application/jsonl")
        return await self.call("POST", "/files", data=form)

    async def begin(self, lines: bytes | list[dict[str, Any]], **more: Any) -> Any:
        status, file = await self.upload(lines)
        assert status == 200, file
        told = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **more}
        status, batch = await self.call(
            "POST", "/batches", json={"input_file_id": file["id"], **told}
        )
        assert status == 200, batch
        return batch

    async def ended(self, batch: Any) -> Any:
        while batch["status"] in ("in_progress", "cancelling"):
            await asyncio.sleep(0.2)
            _, batch = await self.call("GET", f"/batches/{batch['id']}")
        return batch

    async def results(self, id: str | None) -> list[Any]:
        if id is None:
            return []
        url = f"{self.gw.url}/files/{id}/content"
        async with self.gw.client.get(url, headers=self.headers) as got:
            assert got.status == 200
            assert got.content_type == "application/octet-stream"
            return [json.loads(one) for one in (await got.read()).splitlines()]


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


async def echo(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
    await reply(writer, whole(seen.value["messages"][0]["content"].split()[-1]))


async def spent(path: Path, key: str) -> int:
    """Return the work that a key has spent, once nothing is held for it."""
    store = store_at(str(path))
    await store.open()
    try:
        [usage] = await store.usage(time.time(), key.split("-")[1])
        return next(one.spent for one in usage.spendings if one.limit.quantity == "work")
    finally:
        await store.aclose()


def test_a_batch_is_answered_line_by_line_and_charged_to_its_key(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up:
            async with gate(up.url, store=str(path)) as gw:
                client = Client(gw, bearing(key))
                asks = [line(str(at)) for at in range(40)]
                asks.append(line("bad", model="none"))
                asks.append(line("wish", workspan={"budget": "no budget"}))
                batch = await client.begin(asks, metadata={"night": "7"})
                assert batch["status"] == "in_progress"
                batch = await client.ended(batch)
                assert batch["status"] == "completed"
                assert batch["completed_at"] >= batch["created_at"]
                assert batch["metadata"] == {"night": "7"}
                assert batch["request_counts"] == {"total": 42, "completed": 40, "failed": 2}
                told = await client.results(batch["output_file_id"])
                assert [one["custom_id"] for one in told] == [str(at) for at in range(40)]
                for one in told:
                    body = one["response"]["body"]
                    assert one["response"]["status_code"] == 200
                    assert one["error"] is None
                    assert body["workspan"]["work"] == 1
                    assert body["choices"][0]["message"]["content"] == one["custom_id"]
                bad = await client.results(batch["error_file_id"])
                codes = [one["response"]["body"]["error"]["code"] for one in bad]
                assert codes == ["model_not_found", "invalid_request"]
                url = f"/files/{batch['output_file_id']}"
                shown = (await client.call("GET", url))[1]
                async with gw.client.get(f"{gw.url}{url}/content", headers=client.headers) as got:
                    assert shown["bytes"] == len(await got.read())
                assert len(up.seen) == 40
                assert len({seen.headers["idempotency-key"] for seen in up.seen}) == 40
            assert await spent(path, key) == 40

    asyncio.run(main())


@pytest.mark.peers
def test_the_same_with_postgresql_and_two_gateways() -> None:
    """One of two gateways on a database runs a batch, and either tells of it."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")

    async def main(address: str) -> None:
        store = store_at(address)
        await store.open()
        stored, key = make_key("test", parse_limits("1M work/total"), now=time.time())
        await store.add(stored)
        await store.aclose()
        async with (
            Scripted(echo).serve() as up,
            gate(up.url, store=address) as one,
            gate(up.url, store=address) as other,
        ):
            first, second = Client(one, bearing(key)), Client(other, bearing(key))
            begun = [await first.begin([line(str(at)) for at in range(50)]) for _ in range(3)]
            ended = [await second.ended(batch) for batch in begun]
            assert [one["status"] for one in ended] == ["completed"] * 3
            assert [one["request_counts"]["completed"] for one in ended] == [50] * 3
            assert len({seen.headers["idempotency-key"] for seen in up.seen}) == len(up.seen) == 150
            told = await second.results(ended[0]["output_file_id"])
            assert [one["custom_id"] for one in told] == [str(at) for at in range(50)]
            assert (await first.call("DELETE", f"/files/{ended[0]['output_file_id']}"))[0] == 200

    server = PostgresServer()
    try:
        asyncio.run(main(fresh_database(server)))
    finally:
        server.remove()


def test_files_are_kept_listed_read_and_forgotten_by_their_own_key_alone(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        mine, theirs = [await key_for(path, "1M work/total") for _ in "ab"]
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client, other = Client(gw, bearing(mine)), Client(gw, bearing(theirs))
            content = "﻿".encode() + _line(line("é")) + b"\r\n"
            _, file = await client.upload(content)
            assert file["filename"] == "asks.jsonl"
            assert file["bytes"] == len(content)
            url = f"{gw.url}/files/{file['id']}/content"
            async with gw.client.get(url, headers=client.headers) as got:
                assert await got.read() == content
                assert got.headers["x-content-type-options"] == "nosniff"
            batch = await client.begin([line("1")])
            for method, address in (
                ("GET", f"/files/{file['id']}"),
                ("GET", f"/files/{file['id']}/content"),
                ("DELETE", f"/files/{file['id']}"),
                ("GET", f"/batches/{batch['id']}"),
                ("POST", f"/batches/{batch['id']}/cancel"),
            ):
                status, told = await other.call(method, address)
                assert status == 404, (method, address, told)
            assert (await other.call("GET", "/files"))[1]["data"] == []
            assert (await other.call("GET", "/batches"))[1]["data"] == []
            begun = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
            status, told = await other.call(
                "POST", "/batches", json={**begun, "input_file_id": file["id"]}
            )
            assert (status, told["error"]["param"]) == (404, "input_file_id")
            listed = (await client.call("GET", "/files?limit=1"))[1]
            assert listed["has_more"]
            rest = (await client.call("GET", f"/files?limit=100&after={listed['last_id']}"))[1]
            assert file["id"] in [one["id"] for one in listed["data"] + rest["data"]]
            assert (await client.call("DELETE", f"/files/{file['id']}"))[1]["deleted"] is True
            assert (await client.call("GET", f"/files/{file['id']}"))[0] == 404
            assert (await client.ended(batch))["status"] == "completed"
            async with gw.client.get(f"{gw.url}/files") as got:
                assert got.status == 401

    asyncio.run(main())


PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
BAD: Mapping[str, tuple[bytes, str]] = {
    "no JSON": (b"{\n", "invalid_json_line"),
    "no object": (b"[1]\n", "invalid_json_line"),
    "a lack": (b'{"custom_id": "1"}\n', "invalid_json_line"),
    "a deep one": (b'{"custom_id":"1","method":"POST","url":"/","body":' + b"[" * 9000, "invalid"),
    "two of one id": (_line(line("1")) * 2, "duplicate_custom_id"),
    "no id": (_line(line("")), "invalid_custom_id"),
    "an id that is no text": (_line(line("\0")), "invalid_custom_id"),
    "half a character": (b'{"custom_id": "\\ud800", "method": "POST"}', "invalid"),
    "another url": (_line({**line("1"), "url": "/v1/files"}), "mismatched_url"),
    "another method": (_line({**line("1"), "method": "GET"}), "invalid_method"),
    "a stream": (_line(line("1", stream=True)), "invalid_request"),
    "nothing": (b"\n \n", "empty_file"),
    "blanks before it": (b"\n" * 9 + b" {\n", "invalid_json_line"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_with_a_line_that_is_no_request_asks_nothing(what: str, tmp_path: Path) -> None:
    content, code = BAD[what]

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            batch = await client.begin(content)
            assert batch["status"] == "failed"
            assert batch["failed_at"]
            [error, *_] = batch["errors"]["data"]
            assert error["code"].startswith(code)
            assert error["line"] == {"two of one id": 2, "blanks before it": 10}.get(what, 1)
            assert len(error["message"]) < 600
            assert not up.seen

    run(main)


def test_what_is_no_file_and_no_batch_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            for content, fields, said in (
                (b"\xff\xfe", {}, "UTF-8"),
                (b"\0", {}, "NUL"),
                (b"{}", {"purpose": "fine-tune"}, "purpose"),
                (b"{}", {"expires_after[seconds]": "5"}, "expires_after"),
                (b"{}", {"expires_after[anchor]": "x"}, "expires_after"),
            ):
                status, told = await client.upload(content, **fields)
                assert (status, said in told["error"]["message"]) == (400, True), told
            for data, kind in (
                (b"{}", "application/json"),
                (b"x", "multipart/form-data; boundary=b"),
                (b"x", "multipart/form-data"),
                (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
                (PART * 17 + b"--b--\r\n", "multipart/form-data; boundary=b"),
                (
                    b"--b\r\nContent-Disposition: form-data\r\n\r\nx",
                    "multipart/form-data; boundary=b",
                ),
            ):
                head = {**client.headers, "Content-Type": kind}
                async with gw.client.post(f"{gw.url}/files", data=data, headers=head) as got:
                    assert got.status == 400, (kind, await got.read())
            _, file = await client.upload([line("1")], **{"expires_after[seconds]": "3600"})
            assert file["expires_at"] - file["created_at"] == 3600
            fine = {
                "input_file_id": file["id"],
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
            }
            for wrong in (
                {"endpoint": "/v1/files"},
                {"completion_window": "1h"},
                {"input_file_id": 7},
                {"input_file_id": "../../etc/passwd"},
                {"metadata": {"a": 1}},
                {"metadata": {"a" * 65: "b"}},
                {"metadata": [1]},
                {"colour": "red"},
            ):
                status, told = await client.call("POST", "/batches", json={**fine, **wrong})
                assert status == 400, (wrong, told)
            for path_ in ("/files?limit=0", "/files?limit=x", "/batches?limit=-1"):
                assert (await client.call("GET", path_))[0] == 400
            assert (await client.call("GET", "/files/../../x"))[0] == 404
            assert not up.seen
        async with Scripted(echo).serve() as up, gate(up.url) as gw:
            status, told = await Client(gw, {}).upload([line("1")])
            assert (status, told["error"]["code"]) == (404, "unsupported")

    asyncio.run(main())


def test_what_comes_to_nothing_for_now_is_asked_again_and_a_spent_budget_is_an_error(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "5 work/total")
        limited = replies(ERROR, 429, headers={"Retry-After": "0"})
        async with Scripted(limited).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            batch = await client.begin([line(str(at), max_tokens=1) for at in range(8)])
            await until(lambda: len(up.seen) >= 5)
            up.answer = echo
            batch = await client.ended(batch)
            assert batch["request_counts"] == {"total": 8, "completed": 5, "failed": 3}
            bad = await client.results(batch["error_file_id"])
            codes = {one["response"]["body"]["error"]["code"] for one in bad}
            assert codes == {"budget_exceeded"}
        assert await spent(path, key) == 5

    asyncio.run(main())


@pytest.mark.parametrize("form", ["chat", "strategy"])
def test_what_failed_and_was_charged_is_an_error_and_not_paid_for_again(
    form: str, tmp_path: Path
) -> None:
    """A line's budget is all that it costs, however often it might be asked."""

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(replies(ERROR, 200)).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            more = {"model": "m:self_consistency(n=2)"} if form == "strategy" else {}
            asked = line("1", max_tokens=50, workspan={"budget": "100 work"}, **more)
            batch = await client.ended(await client.begin([asked]))
            assert batch["request_counts"] == {"total": 1, "completed": 0, "failed": 1}
            [told] = await client.results(batch["error_file_id"])
            assert told["response"]["status_code"] == 502
        assert 0 < await spent(path, key) <= 100

    asyncio.run(main())


def test_lines_that_can_not_be_asked_now_hold_up_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two models one is down for twenty lines: the other's are answered meanwhile."""
    monkeypatch.setattr("workspan.serve.batches.running._FIRST_PAUSE", 0.02)

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        down, up = Scripted(replies(ERROR, 503)), Scripted(echo)
        async with (
            down.serve(),
            up.serve(),
            gate(
                upstream(down.url, "down", "d"), upstream(up.url, "up", "m"), store=str(path)
            ) as gw,
        ):
            client = Client(gw, bearing(key))
            lines = [line(f"d{at}", model="d") for at in range(20)]
            batch = await client.begin([*lines, *(line(str(at)) for at in range(5))])
            await until(lambda: len(up.seen) == 5)
            down.answer = echo
            batch = await client.ended(batch)
            assert batch["request_counts"]["completed"] == 25
            database = gw.serving.gateway.database
            assert database is not None
            found = await database.transact(lambda: statements.lines(batch["id"], -1, 100))
            assert {one.tries for one in found} <= {0, 1}

    asyncio.run(main())


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
            await asyncio.sleep(1.5)  # the worker has heard of it
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


def test_a_request_marked_without_a_deadline_outlasts_what_ends_others(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")

        async def late(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(3)
            await echo(server, seen, writer)

        limits = Limits(total_seconds=1, drain_seconds=1)
        async with Scripted(late).serve() as up, gate(up.url, store=str(path), limits=limits) as gw:
            headers = bearing(key)
            ask = {"model": "m", "messages": [{"role": "user", "content": "4"}]}
            assert (await gw.post(ask, headers=headers)).status == 504
            for marked in ({"workspan": {"lane": "batch"}}, {}):
                more = {} if marked else {"workspan-lane": "batch"}
                got = await gw.post({**ask, **marked}, headers={**headers, **more})
                assert got.status == 200
            assert "workspan" not in up.seen[-1].value
            for wrong in ("slow", 3):
                got = await gw.post({**ask, "workspan": {"lane": wrong}}, headers=headers)
                assert got.status == 400

    run(main)


ROWS = """
[[price]]
model = "m"
input = 2
output = 1000
source = "a test"
date = 2026-11-01
batch = { input = 1, output = 500 }
"""


def test_lines_cost_what_batches_do_unless_the_reply_names_another_tier(tmp_path: Path) -> None:
    """What is held is the ordinary price: an upstream may serve it in the ordinary tier."""

    async def main() -> None:
        path, rows = tmp_path / "store.db", tmp_path / "prices.toml"
        rows.write_text(ROWS)
        key = await key_for(path, "$1/total")
        price = read_prices(rows).of("m")

        async def told(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            said = seen.value["messages"][0]["content"].split()[-1]
            named = {"service_tier": "default"} if said == "2" else {}
            await reply(writer, {**whole(said), **named})

        up = Scripted(told)
        async with up.serve(), gate(upstream(up.url, price=price), store=str(path)) as gw:
            client = Client(gw, bearing(key))
            lines = [line("1"), line("2"), line("3", service_tier="default")]
            batch = await client.ended(await client.begin(lines))
            found = await client.results(batch["output_file_id"])
            costs = [one["response"]["body"]["workspan"]["cost"] for one in found]
            assert costs == [pytest.approx(c / 1e6) for c in (9 + 500, 18 + 1000, 18 + 1000)]
            asked = sorted(seen.value["service_tier"] for seen in up.seen)
            assert asked == ["default", "flex", "flex"]
            live = {"model": "m", "messages": [{"role": "user", "content": "1"}]}
            got = await gw.post(live, headers=client.headers)
            assert got.value["workspan"]["cost"] == pytest.approx(1018 / 1e6)
            assert "service_tier" not in up.seen[-1].value

    asyncio.run(main())


def test_a_strategy_s_calls_cost_what_batches_do_there(tmp_path: Path) -> None:
    async def main() -> None:
        path, rows = tmp_path / "store.db", tmp_path / "prices.toml"
        rows.write_text(ROWS)
        key = await key_for(path, "$1/total")
        price = read_prices(rows).of("m")

        tiers: list[str] = []

        async def told(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            if not seen.path.endswith("/completions"):
                await reply(writer, ERROR, 404)  # a door for counting
                return
            tiers.append(seen.value["service_tier"])
            named = {"service_tier": "default"} if len(tiers) == 2 else {}
            await reply(writer, {**whole("4"), **named})

        up = Scripted(told)
        async with up.serve(), gate(upstream(up.url, price=price), store=str(path)) as gw:
            client = Client(gw, bearing(key))
            number = [{"role": "user", "content": "2 + 2? Reply with a single number."}]
            ask = line("1", model="m:self_consistency(n=3)", messages=number, max_tokens=5)
            batch = await client.ended(await client.begin([ask]))
            [found] = await client.results(batch["output_file_id"])
            cost = found["response"]["body"]["workspan"]["cost"]
            assert cost == pytest.approx((2 * (9 + 500) + 18 + 1000) / 1e6)
            assert tiers == ["flex"] * 3

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


def test_a_gateway_that_is_told_to_end_lets_lines_end_and_no_line_is_asked_twice(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "4000 work/total")
        started = asyncio.Event()

        async def counted(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            if len(server.seen) >= 10:
                started.set()
            await asyncio.sleep(0.1)
            await echo(server, seen, writer)

        async with Scripted(counted).serve() as up, aiohttp.ClientSession() as session:
            async with command(up.url, path) as (_, url):
                client = Client(Address(url, session), bearing(key))  # type: ignore[arg-type]
                batch = await client.begin([line(str(at), max_tokens=4) for at in range(40)])
                await started.wait()
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


def test_what_a_key_leaves_here_is_bounded_and_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        most = Most(lines=3, batches=1, files_bytes=2_000, files=3)
        monkeypatch.setattr("workspan.serve.routes.filing.MOST", most)
        monkeypatch.setattr("workspan.serve.routes.batching.MOST", most)
        async with Scripted(replies(ERROR, 503)).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            many = await client.begin([line(str(at)) for at in range(4)])
            assert many["errors"]["data"][0]["code"] == "too_many_lines"
            status, told = await client.upload(b"x" * 2_000)
            assert (status, told["error"]["code"]) == (400, "too_many_files")
            await client.begin([line("1")])
            _, file = await client.upload([line("2")], **{"expires_after[seconds]": "3600"})
            status, told = await client.upload([line("3")])
            assert (status, told["error"]["code"]) == (400, "too_many_files")
            asked = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions"}
            status, told = await client.call(
                "POST", "/batches", json={**asked, "completion_window": "24h"}
            )
            assert (status, told["error"]["code"]) == (429, "too_many_batches")
            database = gw.serving.gateway.database
            assert database is not None
            await database.transact(lambda: statements.purge(int(time.time()) + 3_601))
            assert (await client.call("GET", f"/files/{file['id']}"))[0] == 404
            assert len((await client.call("GET", "/files"))[1]["data"]) == 2
            await database.transact(lambda: statements.purge(int(time.time()) + 100 * 86_400))
            assert (await client.call("GET", "/files"))[1]["data"] == []
            listed = (await client.call("GET", "/batches"))[1]["data"]
            assert [one["status"] for one in listed] == ["in_progress"]

    asyncio.run(main())


def test_results_count_too_and_are_gone_once_they_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What costs nothing fills no store: each line an error that is longer than its request."""

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        most = Most(files_bytes=1_500, all_batches=3)
        monkeypatch.setattr("workspan.serve.routes.filing.MOST", most)
        monkeypatch.setattr("workspan.serve.routes.batching.MOST", most)
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            database = gw.serving.gateway.database
            assert database is not None
            batch = await client.begin([line("1"), *(line(f"{x}", model="x") for x in "abc")])
            batch = await client.ended(batch)
            counts = {"total": 4, "completed": 1, "failed": 3}
            kept = await database.transact(lambda: statements.lines(batch["id"], -1, 9))
            assert {one.body for one in kept} == {""}
            asked = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
            asked["input_file_id"] = batch["input_file_id"]
            status, told = await client.call("POST", "/batches", json=asked)
            assert (status, told["error"]["code"]) == (400, "too_many_files")
            assert (await client.upload([line("1")]))[0] == 400
            assert (await client.call("DELETE", f"/files/{batch['error_file_id']}"))[0] == 200
            [left] = await database.transact(lambda: statements.lines(batch["id"], -1, 9))
            assert (await client.results(batch["output_file_id"]))[0]["custom_id"] == "1"
            assert left.status == 200
            assert (await client.call("DELETE", f"/files/{batch['output_file_id']}"))[0] == 200
            assert not await database.transact(lambda: statements.lines(batch["id"], -1, 9))
            _, told = await client.call("GET", f"/batches/{batch['id']}")
            assert told["request_counts"] == counts
            ended = {batch["id"]}
            for _ in range(2):
                assert (await client.upload([line("1")]))[0] == 200
                assert (await client.call("POST", "/batches", json=asked))[0] == 200
                [latest] = (await client.call("GET", "/batches?limit=1"))[1]["data"]
                assert latest["id"] not in ended
                done = await client.ended(latest)
                ended.add(done["id"])
                for one in ("output_file_id", "error_file_id"):
                    await client.call("DELETE", f"/files/{done[one]}")
            status, told = await client.call("POST", "/batches", json=asked)
            assert (status, told["error"]["code"]) == (400, "too_many_batches")

    asyncio.run(main())


def test_one_key_s_batches_do_not_keep_another_s_waiting(tmp_path: Path) -> None:
    """Forty that can't go on, and one that came after them."""

    async def main() -> None:
        path = tmp_path / "store.db"
        busy, other = [await key_for(path, "1M work/total") for _ in "ab"]
        down, up = Scripted(replies(ERROR, 503)), Scripted(echo)
        async with (
            down.serve(),
            up.serve(),
            gate(
                upstream(down.url, "down", "d"), upstream(up.url, "up", "m"), store=str(path)
            ) as gw,
        ):
            first, second = Client(gw, bearing(busy)), Client(gw, bearing(other))
            many = [await first.begin([line("1", model="d")]) for _ in range(40)]
            ended = await second.ended(await second.begin([line("1")]))
            assert ended["request_counts"]["completed"] == 1
            last = many[-1]["id"]  # not taken up yet: it ends all the same
            await first.call("POST", f"/batches/{last}/cancel")
            _, told = await first.call("GET", f"/batches/{last}")
            assert (await first.ended(told))["status"] == "cancelled"

    asyncio.run(main())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x1b[31m.jsonl", "x" * 5000, "<b>.jsonl", "\udcff\u202e.jsonl"]
)
def test_a_file_s_name_is_a_text_and_nothing_else(name: str, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            head = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            named = f'form-data; name="file"; filename="{name}"'.encode("utf-8", "surrogateescape")
            body = head + b"--b\r\nContent-Disposition: " + named + b"\r\n\r\n{}\r\n--b--\r\n"
            headers = {**bearing(key), "Content-Type": "multipart/form-data; boundary=b"}
            async with gw.client.post(f"{gw.url}/files", data=body, headers=headers) as got:
                told = json.loads(await got.read())
            if got.status == 400:  # it is no header that can be read
                assert "multipart" in told["error"]["message"]
                assert "\x1b" in name
                return
            shown = told["filename"]
            assert len(shown) <= 255
            assert shown.isprintable()
            async with gw.client.get(
                f"{gw.url}/files/{told['id']}/content", headers=bearing(key)
            ) as got:
                assert await got.read() == b"{}"
                assert "content-disposition" not in got.headers

    asyncio.run(main())
    assert {one.name.partition("-")[0] for one in tmp_path.iterdir()} <= {"store.db"}


def forget_beats() -> Work[None]:
    """Let a batch's dead worker count as silent for long."""
    yield Statement("UPDATE batches SET beat = 0")


@dataclass
class Address:
    """A gateway in a process of its own, as far as a client needs it."""

    url: str
    client: aiohttp.ClientSession


@asynccontextmanager
async def command(
    upstream: str, store: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run ``workspan serve`` until the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workspan", "serve", "--json", "--port", "0"),
        *("-e", upstream, "--model", "m", "--store", str(store), "--set", "concurrency=16"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        yield process, str(json.loads(await process.stdout.readline())["url"])
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
