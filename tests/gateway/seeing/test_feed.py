"""The feed: what a page is told of requests, and that it holds nothing without end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from gateway.rig import DONE, GOOD, Gate, Scripted, gate, piece, replies, run, streams, whole
from workspan.data.types import Usage
from workspan.serve.seeing import feed as feeds
from workspan.serve.seeing.feed import Feed
from workspan.serve.seeing.labels import MOST_KEYS
from workspan.serve.seeing.record import Record
from workspan.serve.wire.errors import Failed

NUMBER = [{"role": "user", "content": "What is 2 + 2? Reply with a single number. SECRET-PROMPT"}]


class Reader:
    """Reads a feed as a browser does."""

    def __init__(self, content: Any) -> None:
        self._content = content
        self.events: list[tuple[str, Any]] = []
        self.raw = b""

    async def next(self) -> tuple[str, Any]:
        block = b""
        while not block.endswith(b"\n\n"):
            line = await self._content.readline()
            if not line:
                raise EOFError
            block += line
        self.raw += block
        if block.startswith(b":"):
            return await self.next()
        name, data = block.rstrip().split(b"\n")
        event = name.removeprefix(b"event: ").decode(), json.loads(data.removeprefix(b"data: "))
        self.events.append(event)
        return event

    async def until(self, is_it: Any) -> Any:
        """Return the first request, as it stands then, of which something holds."""
        while True:
            _, told = await self.next()
            for one in told.get("requests", ()):
                if is_it(one):
                    return one


@asynccontextmanager
async def reading(gw: Gate) -> AsyncIterator[Reader]:
    async with gw.client.get(f"{gw.root}/_/events") as reply:
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield Reader(reply.content)


def test_a_vote_is_seen_from_its_begin_to_its_choice() -> None:
    answers = iter(["4", "5", "4"])
    go = asyncio.Event()

    async def answer(server: Scripted, seen: Any, writer: Any) -> None:
        text = next(answers)
        await go.wait()
        await replies(whole(text))(server, seen, writer)

    async def main() -> None:
        async with (
            Scripted(answer).serve() as up,
            gate(up.url) as gw,
            reading(gw) as reader,
        ):
            name, snapshot = await reader.next()
            assert (name, snapshot["requests"], snapshot["content"]) == ("snapshot", [], False)
            asking = asyncio.create_task(gw.ask(model="m:self_consistency(n=3)", messages=NUMBER))
            running = await reader.until(lambda one: len(one["bars"]) == 3)
            assert {bar["outcome"] for bar in running["bars"]} == {"running"}
            assert not running["over"]
            go.set()
            over = await reader.until(lambda one: one["over"])
            assert (await asking).status == 200
            assert [vote["weight"] for vote in over["votes"]] == [2, 1]
            assert [vote["chosen"] for vote in over["votes"]] == [True, False]
            assert sorted(bar["vote"] for bar in over["bars"]) == [0, 0, 1]
            (chosen,) = [bar for bar in over["bars"] if bar["chosen"]]
            assert chosen["vote"] == 0
            assert over["calls"] == 3
            assert over["span"] == 1
            assert over["rule"] == "drafts were voted on by their number"
            assert b"SECRET-PROMPT" not in reader.raw
            assert b'"answer"' not in reader.raw

    run(main)


def test_steps_lie_one_after_another_on_the_span() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("4", completion=7))).serve() as up,
            gate(up.url) as gw,
            reading(gw) as reader,
        ):
            await gw.ask(model="m:self_revision(turns=2)", messages=NUMBER)
            over = await reader.until(lambda one: one["over"])
            starts = [bar["start"] for bar in over["bars"]]
            assert starts == [7 * place for place in range(len(starts))]
            assert over["span"] == 7 * len(starts) == over["work"]

    run(main)


def test_a_passed_on_stream_counts_up_and_a_failover_has_two_bars() -> None:
    more = asyncio.Event()

    async def slow(server: Scripted, seen: Any, writer: Any) -> None:
        from gateway.rig import begin, end, part

        await begin(writer)
        await part(writer, piece({"content": "one"}))
        await part(writer, piece({"content": " two"}))
        await more.wait()
        await part(writer, piece({}, "stop") + DONE)
        await end(writer)

    async def main() -> None:
        async with (
            Scripted(replies({"error": {"message": "down"}}, 503)).serve() as down,
            Scripted(slow).serve() as up,
            gate(down.url, up.url, failover=True) as gw,
            reading(gw) as reader,
        ):
            asking = asyncio.create_task(gw.stream())
            seen = await reader.until(
                lambda one: len(one["bars"]) == 2 and one["bars"][1]["tokens"] >= 2
            )
            assert [bar["engine"] for bar in seen["bars"]] == ["up", "up1"]
            assert [bar["outcome"] for bar in seen["bars"]] == ["failed", "running"]
            more.set()
            over = await reader.until(lambda one: one["over"])
            assert over["bars"][1]["outcome"] == "sample"
            assert (over["status"], over["engine"]) == (200, "up1")
            assert (await asking).is_done

    run(main)


def test_a_client_that_leaves_is_seen_as_cut() -> None:
    async def hang(server: Scripted, seen: Any, writer: Any) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with Scripted(hang).serve() as up, gate(up.url) as gw, reading(gw) as reader:
            asking = asyncio.create_task(gw.ask())
            await reader.until(lambda one: one["bars"])
            asking.cancel()
            over = await reader.until(lambda one: one["over"])
            assert over["status"] == 499
            assert over["bars"][0]["outcome"] == "cut"

    run(main)


def test_content_is_shown_where_the_operator_says_so() -> None:
    async def main() -> None:
        async with (
            Scripted(streams(*GOOD, DONE)).serve() as up,
            gate(up.url, shows_content=True) as gw,
            reading(gw) as reader,
        ):
            await gw.stream(messages=NUMBER)
            over = await reader.until(lambda one: one["over"])
            assert over["prompt"].endswith("SECRET-PROMPT")
            assert over["answer"] == "4"

    run(main)


def test_of_drafts_too() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("4"))).serve() as up,
            gate(up.url, shows_content=True) as gw,
            reading(gw) as reader,
        ):
            await gw.ask(model="m:self_consistency(n=2)", messages=NUMBER)
            over = await reader.until(lambda one: one["over"])
            assert [bar["text"] for bar in over["bars"]] == ["4", "4"]
            assert over["votes"][0]["answer"] == "4"
            assert over["answer"] == "4"

    run(main)


def record(place: int, work: int = 10) -> Record:
    made = Record(f"r{place}", route="/v1/chat/completions", key=f"k{place}", status=200)
    made.total = Usage(1, 5, 0, work, cost=None)
    made.seconds = 1.0
    return made


def test_nobody_watching_keeps_a_bounded_number_and_no_frame() -> None:
    feed = Feed()
    for place in range(5_000):
        one = record(place)
        feed.begin(one)
        feed.end(one)
    assert feed._task is None
    assert not feed._open
    assert not feed._frames
    assert len(json.loads(feed.snapshot())["requests"]) == feeds._MOST_ENDED
    keys = json.loads(feed.snapshot())["keys"]
    assert len(keys) == MOST_KEYS + 1
    others = next(one for one in keys if one["key"] == "others")
    assert sum(one["requests"] for one in keys) == 5_000
    assert (others["requests"], others["unpriced"]) == (4_800, 4_800)


def test_a_reader_that_falls_behind_is_dropped_and_others_are_not() -> None:
    async def main() -> None:
        feed = Feed()
        async with feed.watching() as slow, feed.watching() as quick:
            behind, ahead = slow.events(), quick.events()
            assert b"snapshot" in await anext(behind)
            assert b"snapshot" in await anext(ahead)
            for place in range(feeds._MOST_FRAMES * 3):
                one = record(place)
                feed.begin(one)
                feed.end(one)
                feed.look()
                assert b'"r%d"' % place in await anext(ahead)
            assert len(feed._frames) == feeds._MOST_FRAMES
            assert (await anext(behind)).startswith(b"event: dropped")
            with pytest.raises(StopAsyncIteration):
                await anext(behind)
            await ahead.aclose()
        assert feed._task is None
        assert not feed._frames

    run(main)


def test_many_open_requests_are_shown_in_part_and_counted() -> None:
    async def main() -> None:
        feed = Feed()
        async with feed.watching() as watcher:
            events = watcher.events()
            await anext(events)
            for place in range(feeds._MOST_OPEN + 40):
                one = record(place)
                one.seconds = 0.0
                feed.begin(one)
            feed.look()
            told = json.loads((await anext(events)).split(b"data: ", 1)[1])
            assert len(told["requests"]) == feeds._MOST_OPEN
            assert told["hidden"] == 40
            feed.look()
            assert len(feed._frames) == 1  # nothing changed: nothing is told
            await events.aclose()

    run(main)


def test_so_many_pages_watch_and_no_more() -> None:
    async def main() -> None:
        from contextlib import AsyncExitStack

        feed = Feed()
        async with AsyncExitStack() as stack:
            for _ in range(feeds._MOST_WATCHERS):
                await stack.enter_async_context(feed.watching())
            with pytest.raises(Failed, match="close one"):
                async with feed.watching():
                    pass
        async with feed.watching():
            assert feed.watchers == 1

    run(main)


def test_the_end_of_the_process_ends_the_feed_at_once() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole())).serve() as up,
            gate(up.url) as gw,
            reading(gw) as reader,
        ):
            await reader.next()
            gw.serving.gateway.feed.close()
            with pytest.raises(EOFError):
                await reader.next()

    run(main)


def test_a_reader_that_takes_nothing_is_hung_up_on() -> None:
    async def main() -> None:
        from workspan.serve.config import Limits

        limits = Limits(idle_seconds=2, drain_seconds=1)
        async with Scripted(replies(whole())).serve() as up, gate(up.url, limits=limits) as gw:
            port = int(gw.root.rpartition(":")[2])
            _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
            writer.write(b"GET /_/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            feed = gw.serving.gateway.feed
            while not feed.watchers:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            big = record(1)
            big.seconds, big.asked_model = 0.0, "m" * 190
            for place in range(240):
                big.timeline.begin(f"/{place}", "up" * 40, place)
            feed.begin(big)
            while feed.watchers:
                big.span += 1
                await asyncio.sleep(0.3)
            writer.close()

    run(main)
