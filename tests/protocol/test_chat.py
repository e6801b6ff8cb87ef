"""Bodies of Chat Completions are read, and written out again unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.core.journal import fingerprint
from workspan.data.content import JsonObject, Media, Other, Text, ToolCall, ToolSpec
from workspan.data.types import Message, Request
from workspan.errors import InputError
from workspan.protocol.chat import Chat, read_chat, write_chat
from workspan.protocol.chat_messages import read_message, read_messages, write_message

REQUESTS = Path(__file__).parents[3] / "shared" / "clients" / "requests"
HI = [{"role": "user", "content": "Hi"}]


def recorded() -> Iterator[Any]:
    """Give the bodies that real clients sent, where they lie beside the project."""
    for path in sorted(REQUESTS.glob("*.json")):
        for i, sent in enumerate(json.loads(path.read_text())["requests"]):
            if "chat/completions" in sent["path"]:
                yield pytest.param(sent["body"], id=f"{path.stem}-{i}")


RECORDED = [*recorded()]
needs_recordings = pytest.mark.skipif(not RECORDED, reason="the recorded requests are not here")


@needs_recordings
@pytest.mark.parametrize("body", RECORDED)
def test_what_a_client_sent_survives(body: dict[str, Any]) -> None:
    chat = read_chat(body)
    assert write_chat(chat) == body
    assert json.dumps(write_chat(chat), sort_keys=True) == json.dumps(body, sort_keys=True)
    hash(chat.request)  # draws of one request are counted together


@needs_recordings
def test_the_recordings_are_many() -> None:
    assert len(RECORDED) > 90
    said = [read_chat(one.values[0]) for one in RECORDED]
    assert sum(bool(chat.request.tools) for chat in said) > 30
    assert sum(chat.request.response_format is not None for chat in said) > 10
    assert any(turn.tool_calls for chat in said for turn in chat.request.prompt)


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
objects = st.dictionaries(words, values, max_size=3)
OUR_FIELDS = {
    "role", "content", "name", "tool_calls", "tool_call_id", "refusal", "reasoning",
    "reasoning_content", "type", "text", "id", "function", "custom",
}  # fmt: skip
further = st.dictionaries(words.filter(lambda name: name not in OUR_FIELDS), values, max_size=2)


def record(needed: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda fixed, more: more | fixed,
        st.fixed_dictionaries(needed, optional=optional),
        further,
    )


cached = {"cache_control": st.just({"type": "ephemeral"})}
parts = st.one_of(
    record({"type": st.just("text"), "text": words}, cached),
    record({"type": st.just("refusal"), "refusal": words}, {}),
    st.fixed_dictionaries(
        {"type": st.just("image_url")},
        optional={
            "image_url": st.fixed_dictionaries(
                {"url": words | st.just("data:image/png;base64,iVBORw0=")},
                optional={"detail": words | st.none()},
            ),
            **cached,
        },
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("input_audio"),
            "input_audio": st.fixed_dictionaries({"data": words, "format": words}),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("file"),
            "file": st.dictionaries(
                st.sampled_from(["file_id", "file_data", "filename", "else"]), words, max_size=3
            ),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["video_url", "odd"])}, optional={"odd": values}
    ),
)
calls = st.one_of(
    record(
        {
            "id": words,
            "type": st.just("function"),
            "function": record({"name": words, "arguments": words}, {"strict": st.booleans()}),
        },
        {"index": st.integers(0, 3)},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("custom"),
            "custom": st.fixed_dictionaries({"name": words, "input": words}),
        },
        optional={"id": words | st.none()},
    ),
    st.fixed_dictionaries({"function": st.fixed_dictionaries({"name": words, "arguments": words})}),
)
messages = record(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool", "function"])},
    {
        "content": st.none() | words | st.lists(parts, max_size=3),
        "name": st.none() | words,
        "refusal": st.none() | words,
        "tool_call_id": st.none() | words,
        "reasoning_content": st.none() | words,
        "reasoning": st.none() | words,
        "tool_calls": st.none() | st.lists(calls, max_size=2),
        "audio": st.none() | objects,
    },
)
number = st.none() | st.floats(-2, 2) | st.integers(-2, 2)
bodies = st.fixed_dictionaries(
    {"messages": st.lists(messages, min_size=1, max_size=3)},
    optional={
        "model": st.none() | words,
        "stream": st.none() | st.booleans(),
        "stream_options": st.none() | st.just({"include_usage": True}),
        "n": st.none() | st.integers(1, 9),
        "temperature": number,
        "top_p": number,
        "stop": st.none() | words | st.lists(words, max_size=3),
        "seed": st.none() | st.integers(-(2**63), 2**63),
        "logprobs": st.none() | st.booleans(),
        "top_logprobs": st.none() | st.integers(0, 20),
        "reasoning_effort": st.none() | words,
        "tools": st.none() | st.lists(objects, max_size=2),
        "tool_choice": st.none() | words | objects,
        "parallel_tool_calls": st.none() | st.booleans(),
        "response_format": st.none() | objects,
        "frequency_penalty": number,
        "presence_penalty": number,
        "logit_bias": st.none() | objects,
        "max_tokens": st.none() | st.integers(1, 9999),
        "metadata": objects,
        "repetition_penalty": number,
        "chat_template_kwargs": objects,
        "user": words,
    },
)


@settings(max_examples=100, deadline=None)
@given(body=bodies)
def test_any_body_survives(body: dict[str, Any]) -> None:
    chat = read_chat(body)
    assert write_chat(chat) == body
    assert read_chat(write_chat(chat)) == chat
    assert json.loads(json.dumps(write_chat(chat))) == body
    assert chat.request == read_chat(json.loads(json.dumps(body))).request
    hash(chat.request)


@settings(max_examples=60, deadline=None)
@given(one=messages, other=messages)
def test_requests_that_differ_are_told_apart_in_a_journal(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    first, second = (Request((read_message(told),)) for told in (one, other))
    assert (fingerprint(first, 0) == fingerprint(second, 0)) == (first == second)


def test_the_hashes_of_plain_requests_are_those_of_the_version_before() -> None:
    """They go into journals, and a problem's into the seeds of a comparison."""
    plain = Request((Message("system", "Be kind."), Message("user", "What is 2 + 2?")), "So", 9)
    assert fingerprint(plain, 7) == "dbd3ac565999ea09"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "must be an object"),
        ({}, "messages must be a list"),
        ({"messages": []}, "at least one"),
        ({"messages": "Hi"}, "messages must be a list"),
        ({"messages": [{"content": "Hi"}]}, r"messages\[0\].role is None"),
        ({"messages": [{"role": "users", "content": ""}]}, "did you mean 'user'"),
        ({"messages": [{"role": "user", "content": 3}]}, r"\[0\].content must be a text or a list"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": None}]}]},
            r"messages\[0\].content\[0\].text must be a text",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "1", "type": "function"}]}]},
            r"tool_calls\[0\].function must be an object",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"function": {"name": "f", "arguments": {}}}],
                    }
                ]
            },
            r"tool_calls\[0\].function.arguments must be a text",
        ),
        ({"messages": HI, "temperature": "hot"}, "temperature must be a number, not 'hot'"),
        ({"messages": HI, "temperature": True}, "temperature must be a number"),
        ({"messages": HI, "top_p": float("nan")}, "top_p must be a number"),
        ({"messages": HI, "max_tokens": 0}, "max_tokens must be a whole number of at least 1"),
        ({"messages": HI, "max_tokens": 9, "max_completion_tokens": 8}, "differ: give one"),
        ({"messages": HI, "n": 0}, "n must be a whole number of at least 1"),
        ({"messages": HI, "stream": "yes"}, "stream must be true or false"),
        ({"messages": HI, "tools": {}}, "tools must be a list"),
        ({"messages": HI, "tools": ["f"]}, r"tools\[0\] must be an object"),
        ({"messages": HI, "stop": [1]}, "stop must be a text or a list of texts"),
        ({"messages": HI, "best_of": 3}, "the account rests on it"),
        ({"messages": HI, "metadata": {"x": "\ud800"}}, "what JSON can't"),
        ({"messages": [{"role": "user", "content": "\ud800"}]}, "half of a character"),
        ({"messages": [{"role": "tool", "tool_call_id": "\ud800"}]}, "half of a character"),
        ({"messages": HI, "stop": ["\ud800"]}, "half of a character"),
        ({"messages": HI, "metadata": {"x": float("inf")}}, "what JSON can't"),
    ],
)
def test_what_is_wrong_is_named(body: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_chat(body)


def test_a_body_says_what_was_set_since() -> None:
    chat = read_chat({"model": "m", "messages": HI, "max_completion_tokens": 20, "n": 2})
    assert (chat.model, chat.n, chat.is_streamed, chat.wants_usage) == ("m", 2, False, False)
    assert (chat.request.max_tokens, chat.request.temperature) == (20, None)
    told = Request(
        chat.request.prompt,
        max_tokens=30,
        stop=("x",),
        tools=(ToolSpec.function("f", "calls", {"type": "object"}, strict=True),),
        extra=JsonObject.of({"top_k": 4}),
    )
    assert write_chat(Chat(told, chat.said, chat.envelope)) == {
        "model": "m",
        "messages": HI,
        "max_completion_tokens": 30,
        "n": 2,
        "temperature": 0.7,
        "stop": ["x"],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "calls",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            }
        ],
        "top_k": 4,
    }
    assert told.tools[0].name == "f"


def test_parts_are_what_they_are() -> None:
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JV", "filename": "a"}},
        {"type": "image_url", "image_url": {"url": "https://x", "odd": 1}},
    ]
    (turn,) = read_messages([{"role": "user", "content": content}])
    assert isinstance(turn.content, tuple)
    assert turn.content[:4] == (
        Text("What is this?"),
        Media("image", address="https://x/y.png", detail="low"),
        Media("audio", data="UklG", format="wav"),
        Media("file", data="data:application/pdf;base64,JV", name="a"),
    )
    assert isinstance(turn.content[4], Other)
    assert (turn.text, len(turn.media)) == ("What is this?", 4)
    more = turn.plus(" Say it.")
    assert isinstance(more.content, tuple)
    assert (more.content[-1], more.media) == (Text(" Say it."), turn.media)
    assert turn.saying("Else?").text == "Else?"
    assert Message("user", "a").plus("b") == Message("user", "ab")
    image = Media.of("image", b"\x89PNG", "image/png")
    assert write_message(Message("user", (image,)))["content"] == [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}}
    ]


def test_reasoning_goes_both_ways_under_its_name() -> None:
    for name in ("reasoning_content", "reasoning"):
        told = {"role": "assistant", "content": "4", name: "two and two"}
        turn = read_message(told)
        assert (turn.reasoning, turn.extra.value) == ("two and two", {})
        assert write_message(turn) == told


def test_a_message_is_shown_by_what_it_holds() -> None:
    assert repr(Message("user", "Hi")) == "Message(role='user', content='Hi')"
    call = ToolCall("1", "f", "{}")
    said = repr(Message("assistant", None, tool_calls=(call,)))
    assert said.startswith("Message(role='assistant', content=None, tool_calls=(ToolCall(id='1'")


@given(value=objects)
def test_a_carried_object_can_not_be_changed(value: dict[str, Any]) -> None:
    kept = JsonObject.of(value)
    assert kept == value
    assert dict(kept) == value
    assert JsonObject.of(kept) is kept
    assert hash(kept) == hash(JsonObject.of(value))
    kept.value["more"] = 1
    assert kept == value
    assert (len(kept), bool(kept)) == (len(value), bool(value))
    with pytest.raises(ValueError, match="object"):
        JsonObject("[1]")


def test_equal_fields_in_another_order_or_of_another_type_are_another_request() -> None:
    first, second = JsonObject.of({"a": 1, "b": 2}), JsonObject.of({"b": 2, "a": 1})
    assert first != second
    assert JsonObject.of({"a": 1}) != JsonObject.of({"a": True})
