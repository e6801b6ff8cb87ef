"""Responses that are gone on from: kept by one process, for one key, and only if it is told to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.dialects.speech import HI, chat, chatting, events, native, spoken
from gateway.rig import Scripted, gate, run, upstream, whole
from gateway.test_keys_http import bearing, key_for
from workspan.errors import InputError
from workspan.serve.config import Config
from workspan.serve.dialects.kept import Kept


@pytest.mark.parametrize("is_stream", [False, True])
@pytest.mark.parametrize("speaks", ["chat", "responses"])
def test_a_request_goes_on_from_a_response(speaks: str, *, is_stream: bool) -> None:
    own = native(*spoken("/responses", "It is 4"))
    answer = chatting(*chat({"content": "It is 4"}), whole=whole("It is 4"))
    if speaks == "responses":
        is_stream, answer = True, own

    async def main() -> None:
        async with Scripted(answer).serve() as up, gate(up.url, keep_responses=5) as gw:
            got = await gw.post({**HI, "stream": is_stream}, "/responses")
            first = events(got)[-1]["response"] if is_stream else got.value
            if speaks == "chat":
                assert first["store"] is True
            body = {**HI, "input": "And 3 + 3?", "previous_response_id": first["id"]}
            got = await gw.post({**body, "stream": is_stream}, "/responses")
            assert got.status == 200, got.body
            sent = up.seen[-1].value
            if speaks == "chat":
                assert [turn["content"] for turn in sent["messages"]] == [
                    *("Hi", "It is 4", "And 3 + 3?")
                ]
            else:
                assert [item.get("role") or item["type"] for item in sent["input"]] == [
                    *("user", "reasoning", "assistant", "user")
                ]
                assert "previous_response_id" not in sent
            second = events(got)[-1]["response"] if is_stream else got.value
            again = {**body, "previous_response_id": second["id"], "stream": is_stream}
            assert (await gw.post(again, "/responses")).status == 200

    run(main)


def test_what_is_not_to_be_stored_is_not() -> None:
    async def main() -> None:
        answer = chatting(whole=whole("4"))
        async with Scripted(answer).serve() as up, gate(up.url, keep_responses=5) as gw:
            first = (await gw.post({**HI, "store": False}, "/responses")).value
            assert first["store"] is False
            got = await gw.post({**HI, "previous_response_id": first["id"]}, "/responses")
            assert (got.status, got.error["code"]) == (400, "previous_response_not_found")

    run(main)


def test_another_keys_response_is_not_known(tmp_path: Path) -> None:
    async def main() -> None:
        store = tmp_path / "s.db"
        keys = [await key_for(store, "1M work/day") for _ in range(2)]
        answer = chatting(whole=whole("4"))
        async with (
            Scripted(answer).serve() as up,
            gate(up.url, keep_responses=5, store=str(store)) as gw,
        ):
            mine, other = map(bearing, keys)
            first = (await gw.post(HI, "/responses", mine)).value
            body = {**HI, "previous_response_id": first["id"]}
            assert (await gw.post(body, "/responses", other)).status == 400
            assert (await gw.post(body, "/responses", mine)).status == 200

    run(main)


def test_the_oldest_are_given_up_and_nothing_grows() -> None:
    kept = Kept(2, most_bytes=1_000)
    for number in range(4):
        kept.keep("k", "Hi", {"id": f"r{number}", "output": []})
    assert [kept.items("k", f"r{number}") is not None for number in range(4)] == [
        *(False, False, True, True)
    ]
    kept.keep("k", "x" * 2_000, {"id": "large", "output": []})
    assert kept.items("k", "large") is None
    kept.keep("k", "x" * 960, {"id": "whole", "output": []})
    assert kept.items("k", "r3") is None
    assert json.dumps(kept.items("k", "whole"))


def test_several_processes_keep_none() -> None:
    told = (upstream("http://127.0.0.1:1/v1"),)
    with pytest.raises(InputError, match="workers"):
        Config(told, keep_responses=1, workers=2)


@pytest.mark.parametrize("speaks", ["chat", "responses"])
def test_an_item_that_is_named_stands_for_itself(speaks: str, tmp_path: Path) -> None:
    """As the AI SDK names what it was told, unless it is told to store nothing."""
    answer = native(*spoken("/responses", "It is 4"))
    if speaks == "chat":
        answer = chatting(*chat({"content": "It is 4"}))

    async def main() -> None:
        store = tmp_path / "s.db"
        mine, other = [bearing(await key_for(store, "1M work/day")) for _ in range(2)]
        async with (
            Scripted(answer).serve() as up,
            gate(up.url, keep_responses=1, store=str(store)) as gw,
        ):
            got = await gw.post({**HI, "stream": True}, "/responses", mine)
            told = events(got)[-1]["response"]["output"][-1]
            named = {"type": "item_reference", "id": told["id"]}
            items = [{"role": "user", "content": "Hi"}, named, {"role": "user", "content": "And?"}]
            body = {"model": HI["model"], "input": items, "stream": True}
            assert (await gw.post(body, "/responses", mine)).status == 200
            sent = up.seen[-1].value["messages" if speaks == "chat" else "input"]
            assert "It is 4" in json.dumps(sent[1])
            for key, home in ((other, body), (mine, body)):  # another's; given up since
                got = await gw.post(home, "/responses", key)
                if speaks == "chat":
                    assert got.status == 400
                    assert "--keep-responses" in got.error["message"]
                else:
                    assert up.seen[-1].value["input"][1] == named  # it may know its own

    run(main)


def test_ids_of_items_are_given_up_with_their_response() -> None:
    kept = Kept(2)
    for place in range(5):
        item = {"type": "message", "id": f"msg_{place}", "content": []}
        kept.keep("k", "Hi", {"id": f"resp_{place}", "output": [item]})
    assert [kept.item("k", f"msg_{place}") is not None for place in range(5)] == [
        *(False, False, False, True, True)
    ]
    assert len(kept._homes) == 2
