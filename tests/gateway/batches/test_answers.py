"""Files of requests answered in the background: each line an answer or a clear error, once."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gateway.batches.rig import ERROR, Client, echo, half_down, line, spent
from gateway.rig import Scripted, Seen, gate, replies, reply, run, until, upstream, whole
from gateway.test_keys_http import bearing, key_for
from postgres_server import PostgresServer
from store_rig import fresh_database
from workspan.serve.batches import statements
from workspan.serve.config import Limits
from workspan.serve.prices import read_prices
from workspan.serve.store import store_at
from workspan.serve.store.keys import make_key
from workspan.serve.store.limits import parse_limits


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
        async with half_down(path) as (down, up, gw):
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
