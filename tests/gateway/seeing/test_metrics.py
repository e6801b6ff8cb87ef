"""Figures for Prometheus: they parse, have good names, and are of a bounded number."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from gateway.rig import Gate, Scripted, gate, replies, run, upstream, usage, whole
from workspan.core.engine import Price
from workspan.data.types import Usage
from workspan.serve.seeing.labels import MOST_KEYS
from workspan.serve.seeing.metrics import Metrics
from workspan.serve.seeing.record import Record
from workspan.serve.store import store_at

NUMBER = [{"role": "user", "content": "What is 2 + 2? Reply with a single number."}]
BASE_UNITS = ("_seconds", "_tokens", "_usd", "_bytes", "_requests", "_refusals", "_failures")


def samples(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read an exposition as Prometheus' own client does."""
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text.decode())
        for one in family.samples
    }


async def figures(gw: Gate) -> dict[str, float]:
    """Return what the gateway says, by name, all labels added up."""
    got = await gw.get("/metrics")
    assert got.status == 200
    found: dict[str, float] = {}
    for (name, _), value in samples(got.body).items():
        found[name] = found.get(name, 0.0) + value
    return found


def test_what_a_team_needs_is_there() -> None:
    async def main() -> None:
        told = whole("4")
        told["usage"] = usage(20, 6, prompt_tokens_details={"cached_tokens": 4})
        price = Price(Decimal(2), Decimal(4))
        async with (
            Scripted(replies({"error": {"message": "busy"}}, 503)).serve() as down,
            Scripted(replies(told)).serve() as up,
            gate(
                upstream(down.url, "down", price=price),
                upstream(up.url, "up", price=price),
                failover=True,
            ) as gw,
        ):
            await gw.ask()
            await gw.ask(model="up:self_consistency(n=3)", messages=NUMBER)
            await gw.ask(model="nope")
            got = await figures(gw)
            assert got["workspan_requests_total"] == 4 - 1
            assert got["workspan_scaled_requests_total"] == 1
            assert got["workspan_calls_total"] == 1 + 3
            assert got["workspan_work_tokens_total"] == 4 * 6
            assert got["workspan_prefill_tokens_total"] == 4 * 16
            assert got["workspan_cached_tokens_total"] == 4 * 4
            assert got["workspan_span_tokens_sum"] == 6 + 6
            assert got["workspan_upstream_failures_total"] == 1
            assert got["workspan_request_seconds_count"] == 3
            assert got["workspan_first_byte_seconds_count"] == 2
            assert got["workspan_queue_seconds_count"] == 2
            assert got["workspan_overhead_seconds_count"] == 2
            assert got["workspan_cost_usd_total"] > 0
            assert got["workspan_requests_in_flight"] == 1  # the one that asks
            assert got["workspan_queue_length"] == 0
            assert got["workspan_store_up"] == 1
            assert got["process_resident_memory_bytes"] > 1_000_000

    run(main)


def test_names_and_units_are_prometheus_own() -> None:
    metrics = Metrics(["up"])
    for family in text_string_to_metric_families(metrics.written().decode()):
        if not family.name.startswith("workspan_"):
            continue
        assert family.documentation.endswith("."), family.name
        assert "milli" not in family.name
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_tokens")), family.name
        if family.type == "counter":
            assert not family.name.endswith("_total")  # the parser takes it off
    written = metrics.written().decode()
    counters = [line.split()[2] for line in written.splitlines() if line.endswith(" counter")]
    assert all(name.endswith("_total") for name in counters if name.startswith("workspan_"))


def test_nothing_hostile_becomes_a_label() -> None:
    async def main() -> None:
        code = "x" * 90

        async def answer(server: Scripted, seen: Any, writer: Any) -> None:
            told = {"error": {"message": "no", "code": f"{code}{len(server.seen)}"}}
            await replies(told, 400)(server, seen, writer)

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            await figures(gw)
            for place in range(60):
                hostile = f'm{place}"}} 1\nevil_metric{{a="'
                await gw.ask(model=hostile)
                await gw.ask(user=hostile)
                await gw.post({}, path=f"/evil/{place}?a={place}")
                async with gw.client.get(f"{gw.root}/x/{place}") as reply:
                    assert reply.status == 404
                headers = {"Authorization": f"Bearer key-{place}", "X-Request-Id": f"id-{place}"}
                await gw.post({"model": "m", "messages": []}, headers=headers)
                async with gw.client.request(f"M{place}", f"{gw.root}/v1/models") as reply:
                    assert reply.status in (400, 405)
            got = await gw.get("/metrics")
            found = samples(got.body)
            assert len(found) < 400
            assert b"evil" not in got.body
            assert code.encode() not in got.body
            assert b"key-" not in got.body
            again = len(found)
            await gw.ask(model="yet another")
            assert len(samples((await gw.get("/metrics")).body)) == again

    run(main)


def over(place: int, **said: Any) -> Record:
    one = Record(f"r{place}", route="/v1/chat/completions", key=f"k{place}", engine="up")
    one.status, one.seconds = 200, 0.1
    one.total = Usage(1, 1, 0, 1)
    for name, value in said.items():
        setattr(one, name, value)
    one.timeline.begin("/0", "up", 0)
    return one


def test_keys_are_counted_by_themselves_up_to_so_many() -> None:
    metrics = Metrics(["up"])
    for place in range(MOST_KEYS + 300):
        metrics.add(over(place))
    found = samples(metrics.written())
    costs = [dict(labels)["key"] for (name, labels) in found if name == "workspan_cost_usd_total"]
    assert len(costs) == MOST_KEYS + 1
    assert "others" in costs


def test_refusals_and_failures_are_told_apart() -> None:
    metrics = Metrics(["up"])
    for code in ("budget_exceeded", "budget_busy", "rate_limit_exceeded", "made_up"):
        metrics.add(over(1, code=code, status=429))
    for kind in ("upstream_timeout", "upstream_broke", "lost", "made up by a server"):
        metrics.add(over(1, failures=[("up", kind), ("no such engine", kind)]))
    found = samples(metrics.written())
    refused = {
        dict(labels)["code"]: value
        for (name, labels), value in found.items()
        if name == "workspan_budget_refusals_total"
    }
    assert refused == {"budget_exceeded": 1, "budget_busy": 1, "rate_limit_exceeded": 1}
    failed = {
        dict(labels)["kind"]: dict(labels)["engine"]
        for (name, labels) in found
        if name == "workspan_upstream_failures_total"
    }
    assert set(failed) == {"upstream_timeout", "upstream_broke", "lost", "other"}
    assert set(failed.values()) <= {"", "up"}


def test_what_the_store_takes_is_measured(tmp_path: Path) -> None:
    metrics = Metrics(["up"])

    async def main() -> None:
        store = metrics.timed(store_at(str(tmp_path / "store.sqlite")))
        await store.open()
        try:
            assert await store.keys() == []
            assert await store.find("nobody") is None
            assert store.shown.endswith("store.sqlite")
        finally:
            await store.aclose()

    asyncio.run(main())
    found = samples(metrics.written())
    counted = {
        dict(labels)["operation"]: value
        for (name, labels), value in found.items()
        if name == "workspan_store_seconds_count"
    }
    assert counted == {"open": 1, "keys": 1, "find": 1, "aclose": 1}


def test_the_series_of_several_workers_are_told_apart() -> None:
    metrics = Metrics(["up"], "2")
    metrics.add(over(1))
    found = samples(metrics.written())
    assert {dict(labels)["worker"] for (_, labels) in found} == {"2"}
    assert ("process_resident_memory_bytes", (("worker", "2"),)) in found
    alone = Metrics(["up"])
    alone.add(over(1))
    assert not [labels for (_, labels) in samples(alone.written()) if "worker" in dict(labels)]
