"""What an upstream began to decode before it failed is not asked again by a client's own retry."""

from __future__ import annotations

from gateway.rig import Scripted, gate, line, piece, run, streams

FAILS = line({"error": {"message": "out of memory", "code": 500}})


def test_an_error_behind_tokens_says_not_to_ask_again() -> None:
    told = piece({"content": "The"}) + FAILS  # at once: none of it has gone to the client

    async def main() -> None:
        async with Scripted(streams(told)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert (got.status, got.headers["x-should-retry"]) == (502, "false")
            assert (await gw.record()).total.output_tokens > 0

    run(main)


def test_an_error_before_any_token_may_be_asked_again() -> None:
    async def main() -> None:
        async with Scripted(streams(FAILS)).serve() as up, gate(up.url) as gw:
            got = await gw.stream()
            assert got.status == 502
            assert "x-should-retry" not in got.headers

    run(main)
