"""A pool of upstreams: who is asked, who rests, who is within its minute, and what clients see."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from gateway.rig import (
    DONE,
    GOOD,
    Answer,
    Gate,
    Kept,
    Scripted,
    Seen,
    piece,
    replies,
    run,
    streams,
    usage,
    whole,
)
from gateway.test_keys_http import bearing, key_for
from workspan.engines.pool.health import STRIKES
from workspan.errors import DataError, InputError
from workspan.serve.config import Limits
from workspan.serve.options import configured
from workspan.serve.running import serving

NUMBER = [{"role": "user", "content": "2 + 2? Reply with a single number."}]
ERROR = {"error": {"message": "no", "code": "c"}}
GOOD_STREAM = streams(*GOOD, DONE)


async def reset(_: Scripted, __: Seen, writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def both(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
    answer = GOOD_STREAM if seen.value.get("stream") else replies(whole())
    await answer(server, seen, writer)


@asynccontextmanager
async def pooled(
    folder: Path, *answers: Answer, stated: str = "", each: str = "", **options: object
) -> AsyncIterator[tuple[Gate, list[Scripted]]]:
    """Run a gateway before a pool of scripted upstreams, read from a file as an operator's."""
    async with AsyncExitStack() as stack:
        ups = [await stack.enter_async_context(Scripted(one).serve()) for one in answers]
        told = [
            f'[[member]]\nname = "{name}"\nengine = "{up.url}"\nmodel = "m-{name}"\n{each}\n'
            for name, up in zip("abcdef", ups, strict=False)
        ]
        path = folder / "pool.toml"
        path.write_text("\n".join([stated or 'model = "m"\nin_turn = true', *told]))
        config = configured([f"pool:{path}"], port=0, **options)  # type: ignore[arg-type]
        config = replace(config, limits=Limits(first_byte_seconds=20, drain_seconds=1))
        log = Kept()
        running = await stack.enter_async_context(serving(config, log))
        client = await stack.enter_async_context(aiohttp.ClientSession())
        yield Gate(running, log, client), ups


def test_the_model_of_a_pool_is_one_and_each_member_is_asked_for_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, replies(ERROR, 503), both) as (gw, ups):
            names = [one["id"] for one in (await gw.get("/v1/models")).value["data"]]
            assert names[0] == "m"
            got = await gw.ask()
            assert got.headers["x-workspan-engine"] == "b"
            assert got.value["workspan"]["engine"] == "b"
            assert [up.seen[0].value["model"] for up in ups] == ["m-a", "m-b"]

    run(main)


def test_a_member_that_fails_rests_and_is_probed_by_one_request(tmp_path: Path) -> None:
    async def main() -> None:
        async with pooled(tmp_path, replies(ERROR, 503), both) as (gw, ups):
            for _ in range(3):
                assert (await gw.ask()).status == 200
            assert [len(up.seen) for up in ups] == [1, 3]
            member = next(iter(gw.serving.gateway.servers.values())).standing
            assert member is not None
            member[1].health.until = 0.0  # the rest is over
            ups[0].answer = both
            assert (await gw.ask()).headers["x-workspan-engine"] == "a"
            assert member[1].health.state == "up"

    run(main)


@pytest.mark.parametrize("status", [404, 501])
def test_no_client_lets_members_rest_by_what_they_never_do(status: int, tmp_path: Path) -> None:
    async def chats(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        answer = both if seen.path.endswith("/chat/completions") else replies(ERROR, status)
        await answer(server, seen, writer)

    async def main() -> None:
        async with pooled(tmp_path, chats, chats) as (gw, ups):
            for _ in range(3):
                got = await gw.post({"model": "m", "input": "a text"}, "/embeddings")
                assert got.status in (status, 502)
            assert [len(up.seen) for up in ups] == [3, 3]
            for server in gw.serving.gateway.servers.values():
                assert server.standing is not None
                assert server.standing[1].health.state == "up"
            assert (await gw.ask()).headers["x-workspan-engine"] == "a"

    run(main)


async def poisoned(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
    answer = replies(ERROR, 500) if b"poison" in seen.body else both
    await answer(server, seen, writer)


@pytest.mark.parametrize("has_keys", [True, False])
@pytest.mark.parametrize("model", ["m", "m:self_consistency(n=2)"])
def test_what_fails_wherever_it_is_asked_lets_no_member_rest_for_others(
    model: str, has_keys: bool, tmp_path: Path
) -> None:
    """Without keys a client is told from another by what it asks."""

    async def main() -> None:
        path = tmp_path / "store.db"
        keys = [bearing(await key_for(path, "1M work")) if has_keys else {} for _ in "ab"]
        more = {"store": str(path)} if has_keys else {}
        poison = [{"role": "user", "content": "poison, or a single number?"}]
        async with pooled(tmp_path, poisoned, poisoned, **more) as (gw, ups):
            for _ in range(3):
                body = {"model": model, "max_tokens": 5}
                got = await gw.post({**body, "messages": poison}, headers=keys[0])
                assert got.status >= 500
                got = await gw.post({**body, "messages": NUMBER}, headers=keys[1])
                assert got.value["workspan"]["engine"] == "a"
                for server in gw.serving.gateway.servers.values():
                    assert server.standing is not None
                    assert server.standing[1].health.state == "up"
            assert not any(b"2 + 2" in seen.body for seen in ups[1].seen)
            figures = (await gw.get("/metrics")).body.decode()
            assert 'workspan_upstream_resting{engine="a"} 1.0' in figures  # for somebody

    asyncio.run(main())


@pytest.mark.parametrize("is_streamed", [True, False])
def test_a_member_that_dies_first_is_settled_and_another_answers(
    tmp_path: Path, is_streamed: bool
) -> None:
    async def main() -> None:
        async with pooled(tmp_path, reset, both) as (gw, _):
            got = await gw.ask(stream=is_streamed)
            assert got.status == 200
            record = await gw.record()
            assert record.engine == "b"
            assert record.total.calls == 2  # the first may have decoded what nobody saw

    run(main)


def test_one_that_wants_rest_is_left_alone_and_all_of_them_say_when(tmp_path: Path) -> None:
    async def main() -> None:
        limited = replies(ERROR, 429, headers={"Retry-After": "30"})
        async with pooled(tmp_path, limited, limited) as (gw, ups):
            assert (await gw.ask()).status == 429
            got = await gw.ask()
            assert got.status == 429
            assert got.error["code"] == "upstream_rate_limit"
            assert 20 <= int(got.headers["retry-after"]) <= 30
            assert [len(up.seen) for up in ups] == [1, 1]

    run(main)


def test_limits_by_the_minute_send_on_and_then_refuse(tmp_path: Path) -> None:
    async def main() -> None:
        each = "requests_per_minute = 2"
        async with pooled(tmp_path, both, both, each=each) as (gw, ups):
            told = [(await gw.ask()).status for _ in range(6)]
            assert told == [200] * 4 + [429] * 2
            assert [len(up.seen) for up in ups] == [2, 2]

    run(main)


def test_tokens_by_the_minute_count_what_was_used_not_what_was_feared(tmp_path: Path) -> None:
    async def main() -> None:
        each = "tokens_per_minute = 1000"
        async with pooled(tmp_path, both, each=each) as (gw, ups):
            assert (await gw.ask(max_tokens=800)).status == 200
            assert (await gw.ask(max_tokens=800)).status == 200
            assert len(ups[0].seen) == 2

    run(main)


def test_weights_and_prefixes_decide_who_is_asked(tmp_path: Path) -> None:
    async def main() -> None:
        weighted = 'model = "m"'
        async with pooled(tmp_path, both, both, stated=weighted) as (gw, ups):
            for _ in range(24):
                assert (await gw.ask()).status == 200
            counts = [len(up.seen) for up in ups]
            assert all(4 <= count <= 20 for count in counts), counts

        async with pooled(tmp_path, both, both, stated='model = "m"\nsticky = true') as (gw, _):
            told: dict[int, Counter[str]] = {}
            for at in range(8):
                for later in ([], [{"role": "assistant", "content": "A"}]):
                    turns = [{"role": "user", "content": f"question {at}"}, *later]
                    got = await gw.ask(messages=turns)
                    told.setdefault(at, Counter())[got.headers["x-workspan-engine"]] += 1
            assert all(len(found) == 1 for found in told.values())
            assert len({next(iter(found)) for found in told.values()}) == 2

    run(main)


def test_who_lies_is_named_in_the_reply_and_rests(tmp_path: Path) -> None:
    async def main() -> None:
        lie = {**whole("one two three four five six seven", 1), "usage": usage(9, 1)}
        async with pooled(tmp_path, replies(lie), both) as (gw, _):
            told = [await gw.ask() for _ in range(STRIKES + 1)]
            first = told[0].value["workspan"]
            assert first["engine"] == "a"
            assert first["work"] >= 7
            assert any(one.startswith("a: ") for one in first["notices"]), first
            assert told[-1].headers["x-workspan-engine"] == "b"

    run(main)


def test_a_slow_member_rests(tmp_path: Path) -> None:
    async def slow(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        await GOOD_STREAM(server, seen, writer)

    async def main() -> None:
        async with pooled(tmp_path, slow, both) as (gw, _):
            await gw.stream()
            standing = [server.standing for server in gw.serving.gateway.servers.values()]
            assert standing[0] is not None
            assert standing[1] is not None
            (members, first), (_, second) = standing[0], standing[1]
            second.first_token[0] = 0.05
            for _ in range(STRIKES):  # as the relay tells it: the clock of a test can't be late
                call = members.begin(first, 1, 0.0)
                call.began_to_answer(9.0)
                call.end(0.0, 1)
            first.health.until = 1e18
            assert first.health.why == "slow"
            assert (await gw.stream()).headers["x-workspan-engine"] == "b"

    run(main)


def test_a_strategy_s_calls_go_to_whoever_can_be_asked(tmp_path: Path) -> None:
    """In the middle of a run, too: what is down is passed over call by call."""

    async def main() -> None:
        answers = [replies(ERROR, 503), both]
        async with pooled(tmp_path, *answers) as (gw, ups):
            got = await gw.ask(model="m:self_consistency(n=4)", messages=NUMBER)
            assert got.status == 200, got.value
            told = got.value["workspan"]
            assert told["engine"] == "b"
            assert told["calls"] == 4
            assert len(ups[1].seen) == 4
            assert 1 <= len(ups[0].seen) <= 4  # those that were asked at once
            assert (await gw.record()).engine == "b"

    run(main)


def test_streams_that_die_in_the_middle_of_a_vote_are_drawn_again_elsewhere(tmp_path: Path) -> None:
    async def main() -> None:
        dying = streams(*GOOD[:2], piece({"content": " and"}), ends=False)
        async with pooled(tmp_path, dying, both) as (gw, ups):
            wish = {"budget": "4k work"}
            got = await gw.stream(
                model="m:self_consistency(n=2)", messages=NUMBER, workspan=wish, max_tokens=400
            )
            assert got.is_done, got.body
            told = next(event["workspan"] for event in got.events if "workspan" in event)
            assert told["members"] == {"a": len(ups[0].seen), "b": 2}
            record = await gw.record()
            assert record.total.calls == len(ups[0].seen) + 2
            each = record.by_engine()  # each member's account, and their sum
            assert {name: usage.calls for name, usage in each.items()} == told["members"]
            assert sum(usage.work for usage in each.values()) == record.total.work
            figures = (await gw.get("/metrics")).body.decode()
            for name, count in told["members"].items():
                assert f'workspan_calls_total{{engine="{name}"}} {float(count)}' in figures
            assert 'workspan_upstream_resting{engine="a"} 1.0' in figures

    run(main)


def test_a_pool_s_file_says_all_of_its_members(tmp_path: Path) -> None:
    path = tmp_path / "pool.toml"
    path.write_text('[[member]]\nname = "a"\nengine = "http://h/v1"\nmodel = "m"\nprice = "1/2"')
    config = configured([f"near=pool:{path}", "far=http://127.0.0.1:9/v1"], ["far=m"])
    assert [one.name for one in config.upstreams] == ["near.a", "far"]
    assert config.upstreams[0].settings.key == ""
    for told in ((["m"], None, None), (None, ["1/2"], None), (None, None, ["overshoot=3"])):
        with pytest.raises(InputError, match="its file says"):
            configured([f"pool:{path}"], *told)
    with pytest.raises(InputError, match="failover needs a second engine"):
        configured([f"pool:{path}"], failover=True)
    with pytest.raises(InputError, match="two engines are named a"):
        configured([f"pool:{path}", "a=http://127.0.0.1:9/v1"])
    path.write_text('[[member]]\nname = "a"\nengine = "embedded"')
    with pytest.raises(InputError, match="no server"):
        configured([f"pool:{path}"])
    with pytest.raises(DataError, match="can't be read"):
        configured([f"pool:{tmp_path / 'none.toml'}"])


def test_a_minute_that_is_too_small_to_be_shared_is_refused(tmp_path: Path) -> None:
    """Of several workers each would let one through, and all of them more than the minute has."""
    path = tmp_path / "pool.toml"
    member = '[[member]]\nname = "a"\nengine = "http://h/v1"\nmodel = "m"\n'
    path.write_text(f"{member}requests_per_minute = 3")
    assert configured([f"pool:{path}"], workers=3).workers == 3
    with pytest.raises(InputError, match="3 a minute can't be shared by 4"):
        configured([f"pool:{path}"], workers=4)
