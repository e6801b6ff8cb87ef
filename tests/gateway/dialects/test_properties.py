"""However the bytes of a stream are cut, a client reads the same, and so does the account."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.dialects.speech import BODIES, chat, spoken
from gateway.rig import upstream
from workspan.protocol import messages, responses
from workspan.serve.asked import NO_WISH, Asked
from workspan.serve.config import Limits
from workspan.serve.relay.asking import Passed
from workspan.serve.relay.attempt import Attempt
from workspan.serve.relay.body import Body
from workspan.serve.relay.charge import Plan
from workspan.serve.relay.upstream import Server

FORMS = {"/responses": "response", "/messages": "message"}
TEXTS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=6)
CUTS = st.lists(st.integers(0, 4_000), max_size=12)
SERVER = Server(upstream("http://127.0.0.1:1/v1"), Limits())


def attempt(path: str) -> Attempt:
    body = Body.read(json.dumps({**BODIES[path], "stream": True}).encode())
    asked = Asked(body.written(), NO_WISH, "up", "m", id="r-1")
    passed = Passed.read(asked, body, FORMS[path])  # type: ignore[arg-type]
    plan = Plan(None, 0, is_cuttable=True, overshoot=SERVER.overshoot, price=None)
    return Attempt(SERVER, passed, passed.counts(SERVER, plan, None), None)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(places)]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(FORMS)), TEXTS, CUTS, st.booleans(), st.booleans())
def test_pieces_of_any_size_say_the_same(
    path: str, texts: list[str], cuts: list[int], crlf: bool, comments: bool
) -> None:
    parts = spoken(path, *texts)
    data = b"".join([b": hi\n\n" + one if comments else one for one in parts])
    if crlf:
        data = data.replace(b"\n", b"\r\n")
    one, other = attempt(path), attempt(path)
    whole = one.events(data)
    cut = b"".join(other.events(piece) for piece in pieces(data, cuts))
    assert one.failure is None
    assert other.failure is None
    assert cut == whole
    held = 1 if path == "/responses" else 2
    assert whole == b"".join(parts[:-held])
    assert one.cutter.is_done
    assert other.cutter.is_done
    assert one.counts.settled("up") == other.counts.settled("up")


def _speakers() -> list[Any]:
    return [
        responses.Speaker("r-1", 7, {"model": "m"}, {}),
        messages.Speaker("r-1", {"model": "m"}),
    ]


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=6).map(lambda text: {"content": text}),
            st.text(max_size=6).map(lambda text: {"reasoning_content": text}),
            st.text(max_size=6).map(lambda text: {"refusal": text}),
        ),
        max_size=12,
    ),
    st.sampled_from(["stop", "length", "content_filter"]),
)
def test_what_is_streamed_is_what_the_end_says(deltas: list[dict[str, str]], finish: str) -> None:
    """Parts open, go on and close in order; their texts are those of the whole reply."""
    data = b"".join(chat(*deltas, finish=finish))
    for speaker in _speakers():
        out = (speaker.part(data) + speaker.last(b"")).decode()
        told = [json.loads(one.partition("\ndata: ")[2]) for one in out.split("\n\n") if one]
        said = "".join(part.text for part in speaker.parts)
        assert said == "".join(text for delta in deltas for text in delta.values())
        streamed = [one["delta"] for one in told if "delta" in one]
        texts = [
            one if isinstance(one, str) else one.get("text") or one.get("thinking") or ""
            for one in streamed
        ]
        assert "".join(texts) == said
        opened = [
            one
            for one in told
            if one["type"] in ("response.output_item.added", "content_block_start")
        ]
        closed = [
            one
            for one in told
            if one["type"] in ("response.output_item.done", "content_block_stop")
        ]
        assert len(opened) == len(closed) == len(speaker.parts)
        assert told[0]["type"] in ("response.created", "message_start")
        assert told[-1]["type"] in ("response.completed", "response.incomplete", "message_stop")


CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": True}
DELTAS = st.one_of(
    *[st.text(max_size=3).map(lambda text: {"content": text})] * 3,
    st.just({"role": "assistant", "content": None}),
    st.text(max_size=3).map(lambda text: {"reasoning_content": text}),
    st.text(max_size=3).map(lambda text: {"content": text, "refusal": "no"}),
)
EVENTS = st.one_of(
    *[DELTAS.map(lambda delta: {"model": "m", "choices": [{"index": 0, "delta": delta}]})] * 4,
    st.just({"model": "m", "choices": [{"index": 0, "delta": None}]}),
    st.just({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
    st.just({"choices": [{"delta": {"content": "of no model"}}]}),
)


@settings(deadline=None, max_examples=150)
@given(st.lists(EVENTS, max_size=12), CUTS, st.booleans())
def test_what_was_read_once_says_what_reading_it_again_says(
    values: list[dict[str, Any]], cuts: list[int], as_odd: bool
) -> None:
    """A stream is put into other words by what the relay has read of it, not read anew."""
    told = [f"data: {json.dumps(value, ensure_ascii=as_odd)}\n\n".encode() for value in values]
    body = Body.read(json.dumps(CHAT).encode())
    passed = Passed.read(Asked(body.written(), NO_WISH, "up", "m", id="r-1"), body, "chat")
    plan = Plan(None, 0, is_cuttable=True, overshoot=SERVER.overshoot, price=None)
    one = Attempt(SERVER, passed, passed.counts(SERVER, plan, None), None)
    parts = pieces(b"".join(told), cuts)
    known, anew = _speakers(), _speakers()
    for part in parts:
        out = one.events(part)
        if not out:
            continue  # nothing is written: what was read goes with what comes next
        read = one.pieces()
        assert read is not None
        assert [a.part(out, read) for a in known] == [b.part(out) for b in anew]
    assert one.failure is None
    assert [a.last(b"", one.pieces()) for a in known] == [b.last(b"") for b in anew]
