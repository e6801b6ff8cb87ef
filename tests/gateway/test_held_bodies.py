"""What open requests hold is bounded together: large bodies in line take no machine's memory."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rig import ASK, Scripted, Seen, gate, reply, run, until, whole
from gateway.test_keys_http import bearing, key_for
from workspan.serve.asked import NO_WISH, Asked
from workspan.serve.config import Limits
from workspan.serve.relay.asking import Form, Passed
from workspan.serve.relay.body import Body
from workspan.serve.wire.bodies import Bodies
from workspan.serve.wire.errors import Failed

FREE = 65_536


FORMS: Mapping[Form, Mapping[str, Any]] = {
    "chat": ASK,
    "message": {**ASK, "max_tokens": 9},
    "response": {"model": "m", "input": "What is 2 + 2?"},
}


@pytest.mark.parametrize("form", FORMS)
def test_a_body_is_gone_with_its_request_without_a_search_for_garbage(form: Form) -> None:
    body = Body.read(json.dumps(FORMS[form]).encode())
    passed = Passed.read(Asked(body.written(), NO_WISH, "up", "m", id="r-1"), body, form)
    assert passed.as_chat.form == "chat"
    gone = weakref.ref(passed)
    gc.disable()
    try:
        del passed
        assert gone() is None
    finally:
        gc.enable()


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "b", ""]), st.lists(st.integers(1, 3 * FREE), max_size=4))
    )
)
def test_all_that_is_taken_is_bounded_and_given_back(asked: list[tuple[str, list[int]]]) -> None:
    most = 5 * FREE
    bodies = Bodies(most)
    held: list[tuple[str, int]] = []
    for key, parts in asked:
        size = 0
        for part in parts:
            try:
                bodies.take(key, size, size + part)
            except Failed:
                break
            size += part
        held.append((key, size))
        assert sum(max(0, one - FREE) for _, one in held) <= most
        for name in "ab":
            of_key = sum(max(0, one - FREE) for key, one in held if key == name)
            assert of_key <= most // 2
    for key, size in held:
        bodies.give_back(key, size)
    assert bodies._held == 0
    assert bodies._of == {}


def test_one_body_of_the_largest_size_is_always_taken() -> None:
    bodies = Bodies(10, largest=9 * FREE)
    bodies.take("k", 0, 9 * FREE)
    with pytest.raises(Failed):
        bodies.take("k", 0, 9 * FREE)


def test_large_bodies_in_line_are_refused_and_small_ones_are_not(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        keys = [bearing(await key_for(path, "1M work")) for _ in "ab"]
        go = asyncio.Event()

        async def slowly(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            if b"xxxx" in seen.body:
                await go.wait()
            await reply(writer, whole())

        limits = Limits(body_bytes=4 * FREE, bodies_bytes=8 * FREE, drain_seconds=1)
        large = {**ASK, "messages": [{"role": "user", "content": "x" * 3 * FREE}]}
        async with (
            Scripted(slowly).serve() as up,
            gate(up.url, store=str(path), limits=limits) as gw,
        ):
            held = [asyncio.create_task(gw.post(large, headers=keys[0]))]
            await until(lambda: len(up.seen) == 1)
            refused = await gw.post(large, headers=keys[0])
            assert (refused.status, refused.error["code"]) == (503, "queue_full")
            assert refused.headers["retry-after"] == "1"
            assert (await gw.post(ASK, headers=keys[0])).status == 200
            held.append(asyncio.create_task(gw.post(large, headers=keys[1])))
            await until(lambda: sum(b"xxxx" in seen.body for seen in up.seen) == 2)
            go.set()
            assert [(await one).status for one in held] == [200, 200]
            for key in keys:  # and what was held is free again
                assert (await gw.post(large, headers=key)).status == 200

    asyncio.run(main())


def test_a_client_that_leaves_gives_back_what_it_held() -> None:
    async def main() -> None:
        limits = Limits(body_bytes=4 * FREE, bodies_bytes=8 * FREE, drain_seconds=1)
        large = {**ASK, "messages": [{"role": "user", "content": "x" * 3 * FREE}]}

        async def never(_: Scripted, __: Seen, ___: asyncio.StreamWriter) -> None:
            await asyncio.sleep(3600)

        async with Scripted(never).serve() as up, gate(up.url, limits=limits) as gw:
            task = asyncio.create_task(gw.post(large))
            await until(lambda: len(up.seen) == 1)
            bodies = gw.serving.gateway.bodies
            assert bodies._held > 0
            task.cancel()
            await until(lambda: bodies._held == 0)

    run(main)
