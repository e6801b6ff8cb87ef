"""18: an upstream's limit, with its time to wait, is told from a limit of ours."""

from __future__ import annotations

import asyncio

import pytest

from gateway.rig import Scripted, Seen, gate, replies, reply, run, until, upstream, whole
from workspan.serve.config import Limits

LIMITED = {"error": {"message": "Rate limit reached.", "code": "rate_limit_exceeded"}}
SPENT = {"error": {"message": "You exceeded your quota.", "code": "insufficient_quota"}}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"Retry-After": "7"}, {"retry-after": "7"}),
        ({"retry-after-ms": "250"}, {"retry-after-ms": "250"}),
        ({"Retry-After": "2", "retry-after-ms": "1500"}, {"retry-after": "2"}),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, {"retry-after": "Wed, 21 Oct 2026"}),
    ],
)
def test_the_upstream_s_comes_with_its_time(sent: dict[str, str], kept: dict[str, str]) -> None:
    async def main() -> None:
        async with Scripted(replies(LIMITED, 429, headers=sent)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert (got.status, got.error["code"]) == (429, "upstream_rate_limit")
            for name, value in kept.items():
                assert got.headers[name].startswith(value)
            assert len(up.seen) == 1
            assert (await gw.record()).total.calls == 0

    run(main)


def test_a_quota_that_is_used_up_is_not_to_be_asked_again() -> None:
    async def main() -> None:
        async with Scripted(replies(SPENT, 429)).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert (got.status, got.error["code"]) == (429, "upstream_quota")
            assert got.headers["x-should-retry"] == "false"
            assert "retry-after" not in got.headers

    run(main)


def test_a_budget_of_ours_is_refused_before_anything_is_asked() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url, budget="1k work") as gw:
            got = await gw.ask(n=2_000)
            assert (got.status, got.error["code"]) == (429, "budget_exceeded")
            assert not up.seen

    run(main)


def test_a_line_that_is_full_is_503_with_a_time_to_wait() -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            await go.wait()
            await reply(writer, whole())

        limits = Limits(drain_seconds=1, waiting=2)
        async with (
            Scripted(answer).serve() as up,
            gate(upstream(up.url, concurrency="1"), limits=limits) as gw,
        ):
            asked = [asyncio.create_task(gw.ask()) for _ in range(3)]
            places = gw.serving.gateway.servers["up"].places
            await until(lambda: places.waiting == 2)
            got = await gw.ask()
            assert (got.status, got.error["code"]) == (503, "queue_full")
            assert got.headers["retry-after"] == "1"
            go.set()
            assert [(await one).status for one in asked] == [200, 200, 200]

    run(main)


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_key_of_the_gateway_s_that_is_refused_is_not_the_client_s(status: int) -> None:
    async def main() -> None:
        said = {"error": {"message": "Incorrect API key provided: sk-upstr…", "code": "bad_key"}}
        async with Scripted(replies(said, status)).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert got.status == 502
            assert got.error["code"].startswith("upstream_")
            assert "your key is not the reason" in got.error["message"]
            assert got.headers["x-should-retry"] == "false"

    run(main)


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 500, 503, 529])
def test_other_refusals_keep_their_status_and_words(status: int) -> None:
    async def main() -> None:
        said = {"error": {"message": "so it is", "type": "t", "param": "p", "code": "c"}}
        async with Scripted(replies(said, status)).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            assert got.status == status
            assert "so it is" in got.error["message"]
            assert {k: got.error[k] for k in ("type", "param", "code")} == {
                "type": "t",
                "param": "p",
                "code": "c",
            }

    run(main)
