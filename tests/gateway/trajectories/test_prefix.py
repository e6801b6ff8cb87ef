"""Trajectories that nobody named: a request is of the one whose answer it goes on from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rig import (
    ASK,
    DONE,
    Scripted,
    Seen,
    begin,
    end,
    gate,
    line,
    part,
    piece,
    replies,
    reply,
    run,
    upstream,
    usage,
    whole,
)
from store_rig import rig
from workspan.data.budget import Budget
from workspan.data.content import ToolCall
from workspan.data.types import Message
from workspan.serve.store.keys import make_key
from workspan.serve.trajectories import prefix
from workspan.serve.trajectories.book import Book
from workspan.serve.trajectories.prefix import Answer, Hearer, prefix_after, prefixes
from workspan.serve.trajectories.rules import TrajectoryRules

BY_PREFIX = TrajectoryRules(Budget(work=100), by_prefix=True)
FUNCTION = {"name": "look", "parameters": {"type": "object", "properties": {}}}
TOOL = {"type": "function", "function": FUNCTION}


def looks() -> Any:
    """Call a tool each time, each call with an id of its own; 10 tokens a turn."""
    numbers = iter(range(100))

    async def answer(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        function = {"name": "look", "arguments": '{"at": 1}'}
        call = {"id": f"call_{next(numbers)}", "type": "function", "function": function}
        if not seen.value.get("stream"):
            told = whole("Look: ", 10, tool_calls=[call])
            told["choices"][0]["finish_reason"] = "tool_calls"
            await reply(writer, told)
            return
        await begin(writer)
        await part(writer, piece({"role": "assistant", "content": "Look: "}))
        first = {**call, "index": 0, "function": {"name": "look", "arguments": '{"at"'}}
        rest = {"index": 0, "function": {"arguments": ": 1}"}}
        for one in (first, rest):
            await part(writer, piece({"tool_calls": [one]}))
        await part(writer, piece({}, "tool_calls"))
        await part(writer, line({"id": "c", "choices": [], "usage": usage(9, 10)}) + DONE)
        await end(writer)

    return answer


FORMS = ["chat", "message", "response"]
USER = {"role": "user", "content": "Go."}


def gone_on(messages: list[Any], message: Mapping[str, Any], result: str = "a wall") -> list[Any]:
    """Go on from an answer as a client of Chat does, which writes it in a way of its own."""
    call = message["tool_calls"][0]
    spaced = {**call, "function": {"name": "look", "arguments": '{"at":1}'}}
    said = {"role": "assistant", "content": " Look:", "tool_calls": [spaced]}
    return [*messages, said, {"role": "tool", "tool_call_id": call["id"], "content": result}]


def test_a_chat_is_followed_turn_by_turn_and_another_is_another() -> None:
    async def main() -> None:
        async with Scripted(looks()).serve() as up, gate(up.url, trajectories=BY_PREFIX) as gw:
            messages, other = [USER], [USER]
            for _ in range(3):
                got = await gw.ask(messages=messages, tools=[TOOL])
                messages = gone_on(messages, got.value["choices"][0]["message"])
                got = await gw.ask(messages=other, tools=[TOOL])
                other = gone_on(other, got.value["choices"][0]["message"])
            turns = [
                (one.turn.trajectory.id, one.turn.number) for one in gw.log.records if one.turn
            ]
            assert [number for _, number in turns] == [1, 1, 2, 2, 3, 3]
            assert len({id for id, _ in turns}) == 2

    run(main)


@pytest.mark.parametrize("is_streamed", [False, True])
def test_whichever_of_several_answers_is_gone_on_from_the_run_is_the_same(
    is_streamed: bool,
) -> None:
    async def two(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        texts = ["left", "right"][: seen.value.get("n", 1)]
        if not seen.value.get("stream"):
            told = whole(texts[0], 20)
            told["choices"] = [
                {**told["choices"][0], "index": at, "message": {"content": text}}
                for at, text in enumerate(texts)
            ]
            await reply(writer, told)
            return
        await begin(writer)
        for at, text in enumerate(texts):
            await part(writer, piece({"content": text}, index=at))
            await part(writer, piece({}, "stop", index=at))
        await part(writer, line({"id": "c", "choices": [], "usage": usage(9, 20)}) + DONE)
        await end(writer)

    async def main() -> None:
        async with Scripted(two).serve() as up, gate(up.url, trajectories=BY_PREFIX) as gw:
            body = {**ASK, "n": 2, "max_tokens": 10, "stream": is_streamed}
            assert (await gw.post(body)).status == 200
            for text in ("left", "right"):
                said = {"role": "assistant", "content": text}
                messages = [*ASK["messages"], said, {"role": "user", "content": "And?"}]
                got = await gw.ask(messages=messages, max_tokens=20, stream=is_streamed)
                assert got.status == 200
            turns = [one.turn for one in gw.log.records if one.turn]
            assert [one.number for one in turns] == [1, 2, 3]
            assert len({one.trajectory.id for one in turns}) == 1

    run(main)


def test_streams_are_followed_and_the_budget_holds() -> None:
    async def main() -> None:
        rules = replace(BY_PREFIX, budget=Budget(work=25))
        async with Scripted(looks()).serve() as up, gate(up.url, trajectories=rules) as gw:
            messages: list[Any] = [USER]
            statuses, codes = [], []
            for place in range(4):
                got = await gw.stream(messages=messages, tools=[TOOL], max_tokens=10)
                statuses.append(got.status)
                codes += [got.error["code"]] if got.status != 200 else []
                call = {"id": f"call_{place}", "type": "function"}
                messages = gone_on(messages, {"tool_calls": [call]})
            assert statuses == [200, 200, 429, 429]
            assert codes == ["budget_exceeded"] * 2

    run(main)


def test_messages_and_responses_are_followed_too() -> None:
    async def main() -> None:
        async with (
            Scripted(looks()).serve() as up,
            gate(replace(upstream(up.url), speaks=("chat",)), trajectories=BY_PREFIX) as gw,
        ):
            for is_streamed in (False, True):
                told: list[Any] = [{"role": "user", "content": "Go."}]
                body = {"model": "m", "max_tokens": 30, "stream": is_streamed}
                tool = {"name": "look", "input_schema": FUNCTION["parameters"]}
                for _ in range(2):
                    before = len(up.seen)
                    got = await gw.post({**body, "messages": told, "tools": [tool]}, "/messages")
                    assert got.status == 200, got.body
                    used = {
                        "type": "tool_use",
                        "id": f"call_{before}",
                        "name": "look",
                        "input": {"at": 1},
                    }
                    text = {
                        "type": "text",
                        "text": "Look: ",
                        "cache_control": {"type": "ephemeral"},
                    }
                    told.append({"role": "assistant", "content": [text, used]})
                    result = {"type": "tool_result", "tool_use_id": used["id"], "content": "wall"}
                    told.append({"role": "user", "content": [result]})
                items: list[Any] = [{"role": "user", "content": "Go."}]
                body = {"model": "m", "stream": is_streamed}
                for _ in range(2):
                    before = len(up.seen)
                    flat = {"type": "function", **FUNCTION}
                    got = await gw.post({**body, "input": items, "tools": [flat]}, "/responses")
                    assert got.status == 200, got.body
                    at = {"call_id": f"call_{before}"}
                    content = [{"type": "output_text", "text": "Look: ", "annotations": []}]
                    items.append({"type": "message", "role": "assistant", "content": content})
                    call = {"type": "function_call", "name": "look", "arguments": '{"at": 1}'}
                    items.append({**call, **at})
                    items.append({"type": "function_call_output", **at, "output": "wall"})
            numbers = [one.turn.number for one in gw.log.records if one.turn]
            assert numbers == [1, 2] * 4

    run(main)


PATHS = {"/chat/completions": "messages", "/responses": "input", "/messages": "messages"}


@pytest.mark.parametrize(("path", "field"), PATHS.items())
def test_a_budget_without_a_name_is_of_each_chat(path: str, field: str) -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("Gone.", 10))).serve() as up,
            gate(replace(upstream(up.url), speaks=("chat",))) as gw,
        ):

            async def ask(turns: list[Any]) -> int:
                cap = "max_output_tokens" if path == "/responses" else "max_tokens"
                body = {"model": "m", field: turns, cap: 10}
                told = {"Workspan-Trajectory-Budget": "25 work"}
                return (await gw.post(body, path, headers=told)).status

            on = [USER, {"role": "assistant", "content": "Gone."}, USER]
            further = [*on, {"role": "assistant", "content": "Gone."}, USER]
            other = [{"role": "user", "content": "Stay."}]
            assert [await ask(one) for one in ([USER], on, further, other)] == [200, 200, 429, 200]
            plain = await gw.post({"model": "m", field: [USER], "max_tokens": 10}, path)
            assert "x-workspan-trajectory-turn" not in plain.headers

    run(main)


def test_a_budget_of_a_chat_that_can_t_be_compared_is_refused() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("Gone.", 10))).serve() as up,
            gate(replace(upstream(up.url), speaks=("chat", "responses"))) as gw,
        ):
            body = {"model": "m", "input": [USER, {"type": "item_reference", "id": "x"}]}
            told = {"Workspan-Trajectory-Budget": "15 work"}
            got = await gw.post(body, "/responses", headers=told)
            assert (got.status, up.seen) == (400, [])
            assert "this prompt can't be compared" in got.error["message"]
            assert got.error["param"] == "workspan.trajectory"

    run(main)


def test_what_one_worker_answered_another_follows(tmp_path: Path) -> None:
    async def main() -> None:
        address = str(tmp_path / "store.db")
        async with rig(address, "10k work") as one:
            keys = []
            for name in ("a", "b"):
                stored, text = make_key(name, (), now=one.utc())
                await one.store.add(stored)
                keys.append({"Authorization": f"Bearer {text}"})
            async with (
                Scripted(looks()).serve() as up,
                gate(up.url, store=address, trajectories=BY_PREFIX) as first,
                gate(up.url, store=address, trajectories=BY_PREFIX) as second,
            ):
                body = {**ASK, "messages": [USER], "tools": [TOOL]}
                got = await first.post(body, headers=keys[0])
                body["messages"] = gone_on([USER], got.value["choices"][0]["message"])
                await second.post(body, headers=keys[0])
                await second.post(body, headers=keys[1])
                ours = (await first.record()).turn
                mine = (await second.record(1)).turn
                theirs = (await second.record(2)).turn
                assert ours is not None
                assert mine is not None
                assert theirs is not None
                assert mine.trajectory.id == ours.trajectory.id
                assert mine.trajectory.left[0][1] <= 80
                assert theirs.trajectory.id != ours.trajectory.id

    run(main)


def heard(form: str, *parts: bytes) -> list[Answer]:
    hearer = Hearer(form)
    for part_ in parts:
        hearer.hear(part_)
    return hearer.answers()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.sampled_from(["chat", "message", "response"]),
    st.binary(max_size=80) | st.text().map(str.encode),
)
def test_what_an_upstream_says_is_read_or_left(form: str, said: bytes) -> None:
    assert not any(one.is_empty for one in heard(form, said))


STREAMED = b"".join(
    [
        piece({"role": "assistant", "content": ""}),
        piece({"content": "é one"}),
        piece({"content": "other"}, index=1),
        piece({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}),
        piece({"tool_calls": [{"index": 0, "function": {"arguments": '{"a": 1}'}}]}, "stop"),
        line({"id": "c", "choices": [], "usage": usage(9, 10)}),
        DONE,
    ]
)
WHOLE = json.dumps(
    {
        "choices": [
            {"index": 0, "message": {"content": "one\n\ndata: {"}},
            {"index": 1, "message": {"content": "other"}},
        ]
    }
).encode()


@given(st.sampled_from([STREAMED, WHOLE]), st.lists(st.integers(0, len(STREAMED))))
def test_parts_are_heard_as_the_whole_is(said: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(said)]
    parts = [said[start:end] for start, end in pairwise(edges)]
    found = heard("chat", *parts)
    assert found == heard("chat", said)
    assert [one.text for one in found][1] == "other"


def test_a_long_stream_of_short_events_is_heard_and_one_without_end_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A token's event is some hundred bytes: what counts is what it says."""
    monkeypatch.setattr(prefix, "MOST_BYTES", 2_000)
    events = [piece({"content": "word "}) for _ in range(300)]
    assert len(b"".join(events)) > 20_000
    assert heard("chat", *events)[0].text == "word " * 300
    assert heard("chat", *events, *events) == []
    assert heard("chat", json.dumps(whole("x" * 3_000)).encode()) == []
    assert heard("chat", b"data: ", b"x" * 3_000) == []
    grown = {"index": 0, "id": "a", "function": {"name": "look", "arguments": "word "}}
    calls = [piece({"tool_calls": [grown]}) for _ in range(300)]
    assert heard("chat", *calls)[0].calls
    assert heard("chat", *calls, *calls) == []  # what a call is told counts as well


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "value",
    [
        {"choices": [{"delta": {"tool_calls": [{"index": 10**9}]}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": -1}]}}]},
        {"choices": [3]},
        {"choices": [{"message": {"content": ["a"]}}]},
        {"type": "content_block_delta", "delta": {"partial_json": "{"}},
        {"type": "message", "content": [{"type": "tool_use"}]},
        {"object": "response", "output": [{"type": "function_call"}]},
        {"object": "response", "output": ["x"]},
    ],
)
def test_odd_replies_begin_nothing(form: str, value: Any) -> None:
    assert heard(form, json.dumps(value).encode()) == []


def is_gone_on_from(answer: Answer, *turns: Message) -> bool:
    """Say whether a prompt, after the words of a person, goes on from an answer to them."""
    asked = Message("user", "Go.")
    return prefix_after("k", (asked,), answer) in prefixes("k", (asked, *turns))


def test_what_clients_write_anew_makes_no_other_turn() -> None:
    """In ways that were seen: `tests/peers/gateway/test_trajectories.py` has the clients."""

    def called(arguments: str, text: str = "") -> Message:
        return Message("assistant", text, tool_calls=(ToolCall("c", "look", arguments),))

    for told, written in [
        ("", "{}"),
        ('{"to": 1.0, "by": -0.0}', '{"by":0,"to":1}'),
        ('{"to": 1e2, "é": "\\u00e9"}', '{"é":"é","to":100}'),
        ('{"to": 12345678901234567890}', '{"to":12345678901234567000}'),
        ("no JSON", "no JSON"),
    ]:
        said = Answer("", [("c", "look", prefix._one_form(told))])
        assert is_gone_on_from(said, called(written)), told
        assert not is_gone_on_from(said, called('{"to": 2}'))
    thought = Answer("<think>\nWhere? </think>\n\nIt is there. ")
    for text in ("It is there.", "<think>Where?</think>It is there."):
        assert is_gone_on_from(thought, Message("assistant", text))
    again = Message("user", "<assistant_thinking>\nWhere?\n</assistant_thinking>")
    assert is_gone_on_from(thought, again, Message("assistant", "It is there."))
    today = Message("system", "It is noon.")
    assert is_gone_on_from(thought, Message("assistant", "It is there."), today)
    assert not is_gone_on_from(thought, Message("assistant", "It is here."))


def test_what_a_client_began_for_the_model_is_a_part_of_its_answer() -> None:
    asked = (Message("user", "Go."), Message("assistant", "It "))
    after = (asked[0], Message("assistant", "It is there."), Message("user", "And?"))
    assert prefix_after("k", asked, Answer("is there.")) in prefixes("k", after)


def test_many_tags_of_thoughts_are_read_once() -> None:
    text = "<think>" * 300_000
    assert prefix._spoken(text) == text
    assert prefix._spoken(text + "</think>x") == "x"


@pytest.mark.parametrize("kind", ["custom_tool_call", "function_call"])
def test_calls_of_every_kind_are_heard(kind: str) -> None:
    field = {"custom_tool_call": "input", "function_call": "arguments"}[kind]
    item = {"type": kind, "call_id": "c", "name": "edit", "namespace": "files", field: "{}"}
    told = json.dumps({"object": "response", "output": [item]}).encode()
    assert heard("response", told)[0].calls == [("c", "files__edit", "{}")]
    custom = {"id": "c", "type": "custom", "custom": {"name": "edit", "input": "x"}}
    told = json.dumps({"choices": [{"message": {"tool_calls": [custom]}}]}).encode()
    assert heard("chat", told)[0].calls == [("c", "edit", "x")]


async def told_alike(one: Any, other: Any) -> list[str]:
    """Let two agents that are told the same to the letter take their turns; name their runs."""
    for book, name in ((one, "a"), (other, "b"), (one, "a")):
        await book.remember(["first"], name)
    begun = [await book.follow(["x", "first"]) for book in (one, other)]
    for book, name in zip((one, other), begun, strict=True):
        await book.remember(["second"], name)
    return [
        *begun,
        *[await book.follow(["second", "first"]) for book in (other, one)],
        await one.follow(["second"]),
    ]


def test_two_that_are_told_the_same_stay_two(address: str) -> None:
    async def main() -> None:
        async with rig(address, "10k work") as store:
            books = [Book(store.store, TrajectoryRules(), store.utc) for _ in range(2)]
            assert await told_alike(*books) == ["a", "b", "a", "b", "a"]
            for place in range(100):
                await books[0].remember(["crowd"], f"run {place:03}")
                store.utc.turn(1)
            found = {await books[1].follow(["crowd"]) for _ in range(200)}
            assert found == {f"run {place:03}" for place in range(36, 100)}
        alone = Book(None, TrajectoryRules())
        assert await told_alike(alone, alone) == ["a", "b", "a", "b", "a"]

    run(main)


def test_agents_that_are_told_the_same_have_a_budget_each() -> None:
    async def main() -> None:
        rules = replace(BY_PREFIX, budget=Budget(work=25))
        async with (
            Scripted(replies(whole("Gone.", 10))).serve() as up,
            gate(up.url, trajectories=rules) as gw,
        ):
            said = {"role": "assistant", "content": "Gone."}
            turns = [USER]
            statuses = []
            for _ in range(3):
                for _ in range(2):
                    got = await gw.ask(messages=turns, max_tokens=10)
                    statuses.append(got.status)
                turns = [*turns, said, USER]
            assert statuses == [200] * 4 + [429] * 2
            assert len({one.turn.trajectory.id for one in gw.log.records if one.turn}) == 2

    run(main)


MARKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "metadata": ({"metadata": {"user_id": "s-1"}}, {"metadata": {"user_id": "s-2"}}),
    "prompt_cache_key": ({"prompt_cache_key": "1"}, {"prompt_cache_key": "2"}),
    "budget": (
        {"workspan": {"trajectory_budget": "70 work"}},
        {"workspan": {"trajectory_budget": "90 work"}},
    ),
}


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("kept", ["process", "store"])
def test_agents_told_the_same_with_the_same_ids_are_apart_by_what_they_say(
    mark: str, kept: str, tmp_path: Path
) -> None:
    """Some upstreams number the calls of each reply anew, whoever asks."""
    call = {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    answer = replies(whole("Look:", 10, tool_calls=[call]))
    store = str(tmp_path / "store.db") if kept == "store" else ""

    async def main() -> None:
        async with (
            Scripted(answer).serve() as up,
            gate(up.url, store=store, trajectories=BY_PREFIX) as gw,
        ):
            key = {}
            if store:
                async with rig(store, "10k work") as one:
                    stored, text = make_key("a", (), now=one.utc())
                    await one.store.add(stored)
                    key = {"Authorization": f"Bearer {text}"}
            turns: list[list[Any]] = [[USER], [USER]]
            for which in (0, 1, 1, 0, 1, 0, 0, 1):  # the second goes on before the first
                body = {**ASK, "messages": turns[which], "tools": [TOOL], "max_tokens": 20}
                got = await gw.post({**body, **MARKS[mark][which]}, headers=key)
                assert got.status == 200, got
                said = got.value["choices"][0]["message"]
                result = {"role": "tool", "tool_call_id": "call_0", "content": "a wall"}
                turns[which] = [*turns[which], said, result]
            ids = [one.turn.trajectory.id for one in gw.log.records if one.turn]
            [first, second] = dict.fromkeys(ids)
            assert ids == [first, second, second, first, second, first, first, second]

    run(main)


@pytest.mark.parametrize("kept", ["process", "store"])
def test_who_says_nothing_goes_on_from_no_run_that_went_on_by_its_marks(
    kept: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with rig(str(tmp_path / "store.db"), "10k work") as one:
            store = one.store if kept == "store" else None
            book = Book(store, TrajectoryRules(), one.utc)
            pair = prefix.apart(["told"], "marks")
            await book.remember(pair, "marked")
            one.utc.turn(1)
            assert await book.follow(pair, in_pairs=True) == "marked"
            await book.remember(["told"], "bare")
            assert await book.follow(["told"]) == "bare"
            assert await book.follow(pair, in_pairs=True) == "marked"

    run(main)


def test_what_says_another_thing_each_turn_is_followed_all_the_same() -> None:
    async def main() -> None:
        async with Scripted(looks()).serve() as up, gate(up.url, trajectories=BY_PREFIX) as gw:
            messages = [USER]
            for turn in range(3):
                got = await gw.ask(messages=messages, tools=[TOOL], metadata={"turn": turn})
                messages = gone_on(messages, got.value["choices"][0]["message"])
            assert len({one.turn.trajectory.id for one in gw.log.records if one.turn}) == 1

    run(main)


def test_what_can_t_be_compared_is_a_run_of_its_own() -> None:
    async def main() -> None:
        async with (
            Scripted(replies({"id": "r", "object": "response", "output": []})).serve() as up,
            gate(
                replace(upstream(up.url), speaks=("responses",)),
                trajectories=replace(BY_PREFIX, budget=Budget(calls=1)),
            ) as gw,
        ):
            item = {"type": "web_search_call", "id": "x"}
            for _ in range(2):
                body = {"model": "m", "input": [USER, item], "max_output_tokens": 5}
                assert (await gw.post(body, "/responses")).status == 200
            turns = [one.turn for one in gw.log.records]
            assert len({turn.trajectory.id for turn in turns if turn}) == 2

    run(main)
