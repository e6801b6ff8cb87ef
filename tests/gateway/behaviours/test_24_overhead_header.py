"""24: each reply says what the gateway itself took, and by which id it is known."""

from __future__ import annotations

import asyncio
import time

from gateway.rig import DONE, GOOD, Scripted, Seen, gate, reply, run, streams, whole


def test_every_reply_has_it_whatever_it_is() -> None:
    async def main() -> None:
        async with Scripted(streams(*GOOD, DONE)).serve() as up, gate(up.url) as gw:
            replies = [
                await gw.stream(),
                await gw.ask(model="none"),
                await gw.post(b"{"),
                await gw.get("/v1/models"),
                await gw.get("/nothing"),
            ]
            ids = {got.headers["x-request-id"] for got in replies}
            assert len(ids) == len(replies)
            for got in replies:
                assert float(got.headers["x-workspan-overhead-ms"]) >= 0

    run(main)


def test_the_upstream_s_time_is_not_in_it() -> None:
    async def main() -> None:
        async def answer(server: Scripted, _: Seen, writer: asyncio.StreamWriter) -> None:
            time.sleep(0.3)  # noqa: ASYNC251  # the real clock: the loop's stands still
            await reply(writer, whole())

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.ask()
            record = await gw.record()
            assert record.seconds >= 0.3
            assert float(got.headers["x-workspan-overhead-ms"]) <= record.seconds * 1000 - 299

    run(main)
