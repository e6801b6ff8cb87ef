"""16: no model is swapped in silence; the one that answered is named."""

from __future__ import annotations

from gateway.rig import (
    DONE,
    GOOD,
    Scripted,
    gate,
    line,
    replies,
    run,
    streams,
    upstream,
    usage,
    whole,
)


def test_the_reply_names_the_model_that_answered() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert up.seen[0].value["model"] == "m"
            assert got.value["model"] == "m-2026"  # as its server calls it
            assert got.value["workspan"]["engine"] == "up"
            assert got.headers["x-workspan-engine"] == "up"

    run(main)


def test_a_model_that_is_not_served_is_refused_and_not_replaced() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            got = await gw.ask(model="gpt-5")
            assert (got.status, got.error["code"]) == (404, "model_not_found")
            assert got.error["param"] == "model"
            assert not up.seen

    run(main)


def test_an_upstream_that_took_over_is_named() -> None:
    async def main() -> None:
        told = line({"id": "c", "choices": [], "usage": usage(1, 1)})
        async with (
            Scripted(replies({"error": {"message": "busy"}}, 503)).serve() as a,
            Scripted(streams(*GOOD, told, DONE)).serve() as b,
            gate(upstream(a.url, "a", "m"), upstream(b.url, "b", "other"), failover=True) as gw,
        ):
            got = await gw.stream(stream_options={"include_usage": True})
            assert b.seen[0].value["model"] == "other"
            assert got.headers["x-workspan-engine"] == "b"
            assert got.events[-1]["workspan"]["engine"] == "b"
            record = await gw.record()
            assert (record.engine, record.model) == ("b", "other")

    run(main)


def test_without_failover_nobody_takes_over() -> None:
    async def main() -> None:
        async with (
            Scripted(replies({"error": {"message": "busy"}}, 503)).serve() as a,
            Scripted(replies(whole())).serve() as b,
            gate(upstream(a.url, "a", "m"), upstream(b.url, "b", "other")) as gw,
        ):
            got = await gw.ask()
            assert got.status == 503
            assert "busy" in got.error["message"]
            assert not b.seen
            assert (await gw.ask(model="other")).value["workspan"]["engine"] == "b"

    run(main)
