"""Servers as they are: odd ends, errors in odd places, replies without end, lists that fail."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from endpoint_client import ASK, QUICK, Drawn, draw
from workspan.core.engine import Bill
from workspan.data.types import Request
from workspan.engines.endpoint import Endpoint, Retries, Timeouts
from workspan.engines.endpoint.complaints import retry_after
from workspan.engines.endpoint.events import EventStream
from workspan.engines.endpoint.rejections import finish_of
from workspan.engines.endpoint.wire import decode_event, read_parts
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    InputError,
)

ONCE = Retries(attempts=1, seconds=5, wait_initial=0.01, wait_max=0.02)
TINY = Timeouts(connect=5, first_token=0.3, between_chunks=0.1)

Respond = Callable[[dict[str, Any], asyncio.StreamWriter], Any]


@asynccontextmanager
async def serving(respond: Respond, models: bytes | None = None) -> AsyncIterator[str]:
    """Answer completions by `respond`, which writes raw bytes; the list of models by `models`."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = head.lower().partition("content-length:")[2].split("\r\n")[0] or "0"
            sent = await reader.readexactly(int(length))
            if "completions" in head.split(" ")[1]:
                done = respond(json.loads(sent), writer)
                if asyncio.iscoroutine(done):
                    await done
            else:
                writer.write(models or b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        for task in tasks:
            task.cancel()


def head(status: int = 200, kind: str = "text/event-stream") -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()


def line(event: object) -> bytes:
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def piece(text: str | None = None, finish: object = None, index: int = 0) -> bytes:
    delta = {} if text is None else {"content": text}
    return line({"choices": [{"index": index, "delta": delta, "finish_reason": finish}]})


USAGE = line({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
DONE = b"data: [DONE]\n\n"


def ask(
    *parts: bytes, request: Request = ASK, kind: str = "text/event-stream", **options: Any
) -> tuple[Drawn | EngineError, Bill, list[dict[str, Any]]]:
    """Draw once from a server that sends these bytes and hangs up."""
    asked: list[dict[str, Any]] = []

    def respond(body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        asked.append(body)
        writer.write(head(kind=kind) + b"".join(parts))

    async def main() -> tuple[Drawn | EngineError, Bill]:
        bill = Bill()
        async with serving(respond) as url:
            engine = Endpoint(url, "m", api_key="", **{"retries": QUICK, **options})
            try:
                return await draw(engine, request, bill=bill), bill
            except EngineError as error:
                return error, bill
            finally:
                await engine.aclose()

    return *anyio.run(main), asked


def drawn(*parts: bytes, **options: Any) -> Drawn:
    got, _, asked = ask(*parts, **options)
    assert isinstance(got, Drawn), got
    assert len(asked) == 1
    return got


def words(text: str) -> list[str]:
    return text.split()


STOPS = words(
    "stop STOP Stop end_turn endTurn eos eos_token EOS_TOKEN stop_sequence stop_token "
    "completed COMPLETE done finished success tool_calls function_call tool_use "
    "FINISH_REASON_STOP"
)
LENGTHS = words(
    "length LENGTH max_tokens MAX_TOKENS maxTokens MAX-TOKENS max_output_tokens "
    "model_length max_completion_tokens max_length ERROR_LIMIT "
    "model_context_window_exceeded incomplete"
)
WITHHELD = words("content_filter CONTENT_FILTER SAFETY RECITATION refusal PROHIBITED_CONTENT SPII")
GIVEN_UP = words("error abort aborted cancelled CANCELED insufficient_system_resource failed")


@pytest.mark.parametrize(
    ("reasons", "finish"), [(STOPS, "stop"), (LENGTHS, "length")], ids=["stop", "length"]
)
def test_finish_reasons_are_read_in_every_spelling(reasons: list[str], finish: str) -> None:
    assert {reason: finish_of(reason) for reason in reasons} == dict.fromkeys(reasons, finish)


@pytest.mark.parametrize("reason", WITHHELD)
def test_an_answer_that_was_withheld_is_not_asked_for_again(reason: str) -> None:
    with pytest.raises(EngineRejected, match="withheld"):
        finish_of(reason)


@pytest.mark.parametrize("reason", GIVEN_UP)
def test_an_answer_that_was_given_up_may_be(reason: str) -> None:
    with pytest.raises(EngineUnavailable, match="gave the answer up"):
        finish_of(reason)


@pytest.mark.parametrize("reason", ["weird", "FINISH_REASON_UNSPECIFIED", "OTHER", 7, {"a": 1}])
def test_an_answer_that_has_arrived_is_kept_whatever_its_end_is_called(reason: object) -> None:
    got = drawn(piece("Answer: 42"), piece(finish=reason), USAGE, DONE)
    assert (got.text, got.chunks[-1].finish) == ("Answer: 42", "stop")


@pytest.mark.parametrize(
    ("cap", "finish"), [(64, "stop"), (5, "length"), (2, "length")], ids=["room", "usage", "text"]
)
def test_an_answer_that_is_said_to_be_done_needs_no_reason(cap: int, finish: str) -> None:
    whole = {"choices": [{"message": {"content": "Answer: 42"}, "finish_reason": None}]}
    usage = {"prompt_tokens": 10, "completion_tokens": min(cap, 5)}
    request = replace(ASK, max_tokens=cap)
    for parts in (
        [piece("Answer: 42"), piece(), line({"choices": [], "usage": usage}), DONE],
        [json.dumps({**whole, "usage": usage}).encode()],
    ):
        got, bill, asked = ask(*parts, request=request)
        assert isinstance(got, Drawn)
        assert (got.text, got.chunks[-1].finish, len(asked)) == ("Answer: 42", finish, 1)
        assert "contradiction" in {notice.code for notice in bill.notices}


def test_a_stream_that_ends_without_a_word_is_no_answer() -> None:
    got, bill, _ = ask(piece("Answer: 42"))
    assert isinstance(got, EngineProtocolError)
    assert bill.usage.calls == 1
    got, _, _ = ask(DONE, retries=ONCE)
    assert isinstance(got, EngineProtocolError)


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"data: {nonsense\n\n",
        line({"error": {"message": "usage failed"}}),
        b'event: error\ndata: "late"\n\n',
        b"data: " + b"[" * 200_000 + b"\n\n",
    ],
)
def test_what_goes_wrong_after_the_end_does_not_throw_the_answer_away(tail: bytes) -> None:
    assert drawn(piece("Answer: 42"), piece(finish="stop"), tail).text == "Answer: 42"


def test_pings_after_the_end_do_not_hold_it_back() -> None:
    async def respond(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head() + piece("Answer: 42") + piece(finish="stop") + USAGE)
        while True:
            writer.write(b": ping\n\n")
            await writer.drain()
            await asyncio.sleep(0.005)

    async def main() -> None:
        async with serving(respond) as url:
            engine = Endpoint(url, "m", api_key="", retries=ONCE, timeouts=TINY)
            assert (await draw(engine)).text == "Answer: 42"
            await engine.aclose()

    anyio.run(main)


ERRORS: dict[str, tuple[bytes, type[EngineError], str]] = {
    "vLLM": (
        line({"object": "error", "message": "maximum context length is 4096 tokens", "code": 400}),
        ContextExceeded,
        "maximum context",
    ),
    "inner type": (
        line({"error": {"message": "maximum context length is 9", "type": "BadRequestError"}}),
        ContextExceeded,
        "maximum context",
    ),
    "event": (
        b'event: error\ndata: {"code": 400, "details": "sampling option out of range"}\n\n',
        EngineRejected,
        "out of range",
    ),
    "event, text": (b"event: error\ndata: it broke\n\n", EngineUnavailable, "it broke"),
    "event, empty": (b"event: error\ndata: {}\n\n", EngineUnavailable, "no reason"),
    "detail": (line({"detail": "bad field"}), EngineUnavailable, "bad field"),
    "message": (line({"message": "no such plan", "code": "404"}), EngineRejected, "no such plan"),
    "list": (line([{"error": {"code": 403, "message": "denied"}}]), EngineRejected, "denied"),
    "text": (line({"error": "out of memory"}), EngineUnavailable, "out of memory"),
    "Anthropic": (
        line({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        EngineUnavailable,
        "Overloaded",
    ),
    "MiniMax": (
        line({"choices": None, "base_resp": {"status_code": 1008, "status_msg": "no balance"}}),
        EngineUnavailable,
        "no balance",
    ),
    "status": (line({"status": "error", "reason": "no GPU"}), EngineUnavailable, "no GPU"),
    "fault": (line({"fault": {"faultstring": "no route"}}), EngineUnavailable, "no route"),
    "spent": (
        line({"error": {"message": "x", "code": "insufficient_quota"}}),
        EngineRejected,
        "insufficient_quota",
    ),
}


@pytest.mark.parametrize(("said", "kind", "words"), ERRORS.values(), ids=list(ERRORS))
def test_an_error_in_a_stream_keeps_its_words_and_its_kind(
    said: bytes, kind: type[EngineError], words: str
) -> None:
    got, bill, asked = ask(said, DONE)
    assert type(got) is kind
    assert words in str(got)
    may_be_charged = kind is EngineUnavailable and got.status in (None, 500, 502, 504)
    assert bill.usage.calls == may_be_charged
    is_asked_again = kind is EngineUnavailable and not may_be_charged
    assert len(asked) == (QUICK.attempts if is_asked_again else 1)
    got, bill, asked = ask(piece("Answer"), said, DONE)
    assert type(got) is kind
    assert (bill.usage.calls, len(asked)) == (1, 1)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream"])
@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ({"detail": "credit is used up"}, EngineRejected, "credit"),
        ({"object": "error", "message": "maximum context length", "code": 400}, None, "context"),
        ([{"error": {"code": 400, "message": "listed"}}], EngineRejected, "listed"),
        ({"choices": [], "usage": {"prompt_tokens": 3}}, EngineProtocolError, "without a choice"),
        ({"choices": None}, EngineProtocolError, "without a choice"),
        ({}, EngineProtocolError, "without a choice"),
    ],
)
def test_an_error_in_a_whole_reply_does_too(
    said: object, error: type[EngineError] | None, words: str, kind: str
) -> None:
    got, _, _ = ask(json.dumps(said).encode(), kind=kind)
    assert type(got) is (error or ContextExceeded)
    assert words in str(got)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/event-stream"])
def test_a_whole_reply_is_one_under_any_type(kind: str) -> None:
    message = {"role": "assistant", "content": [{"type": "text", "text": "Answer: 42"}]}
    whole = {"choices": [{"message": message, "finish_reason": "stop"}]}
    reply = json.dumps({**whole, "usage": {"prompt_tokens": 10, "completion_tokens": 5}}, indent=1)
    assert drawn(b"\n \n" + reply.encode(), kind=kind).text == "Answer: 42"


def endless(*pieces: bytes) -> Respond:
    async def respond(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        if pieces[0].startswith(b"data"):
            writer.write(piece("Answer"))
        while True:
            writer.write(pieces[-1])
            await writer.drain()
            await asyncio.sleep(0.002)

    return respond


@pytest.mark.parametrize(
    "piece_",
    [
        b": ping\n\n",
        b"\n",
        piece(""),
        piece("more", index=1),
        line({"choices": []}),
        line({"choices": [], "usage": {"completion_tokens": 1}}),
        line({"type": "ping"}),
    ],
    ids=["comments", "blanks", "empty", "other choice", "no choice", "usage", "ping"],
)
@pytest.mark.parametrize("after_text", [False, True])
def test_a_reply_without_progress_ends(piece_: bytes, after_text: bool) -> None:
    async def main() -> None:
        begun = b"data" if after_text else b""
        async with serving(endless(begun or b" ", piece_)) as url:
            engine = Endpoint(url, "m", api_key="", retries=ONCE, timeouts=TINY)
            with pytest.raises(EngineUnavailable, match=r"nothing new|silent"):
                await draw(engine)
            await engine.aclose()

    anyio.run(main)


@pytest.mark.parametrize(
    "flood",
    [
        b"data: " + b"x" * 9_000_000,
        b": " + b"x" * 9_000_000 + b"\n\n",
        b"data: " + b"x" * 9_000_000 + b"\n\n",
        b'data: {"a": ' + b"[" * 200_000 + b"\n\n",
        b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n',
        line({"choices": [{"delta": {"content": "y" * 9_000_000}}]}),
        line({"id": "x" * 2000}) * 1000,
    ],
    ids=["line", "comment", "event", "deep", "encoding", "text", "events"],
)
def test_what_no_honest_server_sends_is_an_error_and_no_crash(flood: bytes) -> None:
    got, _, _ = ask(flood, retries=ONCE)
    assert isinstance(got, EngineProtocolError), got


def test_a_whole_reply_is_bounded_too() -> None:
    got, _, _ = ask(b'{"choices": [' + b" " * 9_000_000, kind="application/json", retries=ONCE)
    assert isinstance(got, EngineProtocolError)
    assert "bytes for 64 tokens" in str(got)


LISTS = {
    "404": b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n",
    "401": b"HTTP/1.1 401 X\r\nContent-Length: 0\r\n\r\n",
    "500": b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n",
    "page": head(kind="text/html") + b"<html></html>",
    "other JSON": head(kind="application/json") + b'{"models": ["m"]}',
    "list": head(kind="application/json") + b'["m"]',
    "odd entries": head(kind="application/json") + b'{"data": ["m", {"name": "m"}, null]}',
    "deep": head(kind="application/json") + b"[" * 200_000,
    "hung up": b"",
}


@pytest.mark.parametrize("models", LISTS.values(), ids=list(LISTS))
def test_a_server_whose_list_fails_is_used_where_a_model_is_named(models: bytes) -> None:
    def respond(_: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        writer.write(head() + piece("Answer: 42") + piece(finish="stop") + USAGE + DONE)

    async def main() -> None:
        async with serving(respond, models or b" ") as url:
            engine = await Endpoint.discover(url, "m", api_key="")
            assert (await draw(engine)).text == "Answer: 42"
            assert "continue" not in engine.info.capabilities
            with pytest.raises((EngineError, InputError)):
                await Endpoint.discover(url, api_key="")
            await engine.aclose()

    anyio.run(main)


def test_a_server_that_nobody_runs_is_said_at_once_though_a_model_is_named() -> None:
    async def main() -> None:
        with pytest.raises(EngineUnavailable, match="can't be reached"):
            await Endpoint.discover("http://127.0.0.1:9/v1", "m", api_key="")

    anyio.run(main)


@pytest.mark.parametrize(
    ("model", "listed"),
    [
        ("m", [{"id": "m", "max_model_len": 4096}]),
        ("alias", [{"id": "m", "max_model_len": 4096}]),
        ("alias", [{"id": "x"}, {"id": "m", "root": "alias", "max_model_len": 4096}]),
        ("alias", [{"id": "x"}, {"id": "m", "aliases": ["alias"], "meta": {"n_ctx": 4096}}]),
        ("qwen3", [{"id": "x"}, {"id": "qwen3:latest", "context_length": 4096}]),
    ],
)
def test_an_alias_keeps_what_the_list_says(model: str, listed: list[dict[str, Any]]) -> None:
    async def main() -> None:
        models = head(kind="application/json") + json.dumps({"data": listed}).encode()
        async with serving(lambda *_: None, models) as url:
            engine = await Endpoint.discover(url, model, api_key="", prefill=True)
            assert (engine.model, engine.info.context) == (model, 4096)
            assert "continue" in engine.info.capabilities

    anyio.run(main)


@pytest.mark.parametrize("owner", ["vllm", "sglang", "llamacpp"])
def test_a_name_that_a_gateway_passes_on_is_no_capability(owner: str) -> None:
    async def main() -> None:
        listed = {"data": [{"id": "m", "owned_by": owner}]}
        models = head(kind="application/json") + json.dumps(listed).encode()
        async with serving(lambda *_: None, models) as url:
            engine = await Endpoint.discover(url, "m", api_key="")
            assert "continue" not in engine.info.capabilities

    anyio.run(main)


@pytest.mark.parametrize(
    ("door", "answer", "continues"),
    [
        ("/props", {"default_generation_settings": {}}, True),
        ("/server_info", {"model_path": "m"}, True),
        ("/tokenize", {True: {"count": 7}, False: {"count": 9}}, True),
        ("/tokenize", {True: {"count": 9}, False: {"count": 9}}, False),
        ("/tokenize", {True: {"tokens": []}, False: {"tokens": []}}, False),
        ("/props", ["a page of a gateway"], False),
    ],
)
def test_a_server_is_asked_at_its_own_doors_whether_it_continues(
    door: str, answer: Any, continues: bool
) -> None:
    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "m", "owned_by": "vllm"}]})

    async def answers(request: web.Request) -> web.Response:
        is_open = (await request.json())["continue_final_message"] if request.can_read_body else 0
        return web.json_response(answer[is_open] if request.method == "POST" else answer)

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/v1/models", models)
        app.router.add_route("*", door, answers)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        engine = await Endpoint.discover(url, api_key="")
        await runner.cleanup()
        assert ("continue" in engine.info.capabilities) is continues
        assert engine.continuous_usage is continues

    anyio.run(main)


NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2.5"}, 2.5),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"Retry-After-Ms": "soon", "Retry-After": "1"}, 1),
        ({"Retry-After": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90),
        ({"Retry-After": format_datetime(NOW - timedelta(hours=1), usegmt=True)}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "x"}, None),
        ({"Retry-After": "1e999"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
        ({"x-ratelimit-reset-requests": "1m30.5s", "x-ratelimit-remaining-requests": "0"}, 90.5),
        ({"x-ratelimit-reset-tokens": "250ms"}, 0.25),
        ({"x-ratelimit-reset-tokens": "6h0m0s", "x-ratelimit-remaining-tokens": "9"}, None),
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 30)}, 30),
        ({"X-RateLimit-Reset": str((int(NOW.timestamp()) + 30) * 1000)}, 30),
        ({"X-RateLimit-Reset": "1e999"}, None),
        ({"X-RateLimit-Reset": "."}, None),
    ],
)
def test_when_to_ask_again_is_read_or_not_there(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOW) == seconds


@given(
    st.dictionaries(
        st.sampled_from(["Retry-After", "retry-after-ms", "x-ratelimit-reset"]), st.text()
    )
)
def test_no_header_breaks_the_reader(headers: dict[str, str]) -> None:
    told = retry_after(headers, NOW)
    assert told is None or told >= 0


KEYS = st.sampled_from(
    words(
        "choices usage error index delta message content text reasoning finish_reason "
        "logprobs type prompt_tokens completion_tokens prompt_tokens_details "
        "cached_tokens detail code loc"
    )
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return LEAF | st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


JSON = nested(nested(nested(LEAF)))


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_any_object_is_an_event_an_error_or_malformed(told: dict[str, Any]) -> None:
    data = json.dumps(told).encode()
    try:
        event = decode_event(data)
    except EngineProtocolError:
        return
    for choice in event.choices:
        assert choice.index >= 0 or isinstance(choice.index, int)
        assert choice.finish_reason is None or isinstance(choice.finish_reason, str)
    stream = EventStream()
    again = stream.feed(b"data: " + data.replace(b"\n", b" ") + b"\n\n")
    assert again or stream.failure
    assert [msgspec.to_builtins(e.choices) for e in again] == [msgspec.to_builtins(event.choices)]


TAILS: dict[str, object] = {
    "choices null": {"choices": None, "usage": {"prompt_tokens": 10, "completion_tokens": 5}},
    "no choices": {"usage": {"prompt_tokens": 10, "completion_tokens": 5}},
    "count null": {
        "choices": [],
        "usage": {"prompt_tokens": 10, "completion_tokens": None, "total_tokens": 15},
    },
    "count a text": {"choices": [], "usage": {"prompt_tokens": "10", "completion_tokens": "five"}},
    "count a fraction": {"usage": {"prompt_tokens": 10.5, "completion_tokens": 5.0}},
    "details null": {"usage": {"prompt_tokens": 10, "completion_tokens_details": None}},
    "details a list": {"usage": {"completion_tokens": 5, "prompt_tokens_details": [1]}},
    "usage null": {"choices": [], "usage": None},
    "usage a list": {"choices": [], "usage": [1, 2]},
    "usage empty": {"choices": [], "usage": {}},
    "cost a text": {"usage": {"completion_tokens": 5, "cost": "0.1"}},
    "cost endless": {"usage": {"completion_tokens": 5, "cost": 10**400}},
    "a null event": None,
    "an empty event": {},
    "delta null": {"choices": [{"index": None, "delta": None, "finish_reason": None}]},
    "odd choices": {"choices": [None, 7, {"delta": 7, "logprobs": "x", "usage": "x"}]},
}


@pytest.mark.parametrize("tail", TAILS.values(), ids=list(TAILS))
def test_nulls_and_wrong_types_are_absent_and_nothing_is_paid_twice(tail: object) -> None:
    assert drawn(piece("Answer: 42"), piece(finish="stop"), line(tail), DONE).text == "Answer: 42"
    assert drawn(line(tail), piece("Answer: 42"), piece(finish="stop"), DONE).text == "Answer: 42"


@pytest.mark.parametrize("index", [None, "0", 0.0, True])
def test_an_index_that_is_no_number_is_the_first(index: object) -> None:
    first = line({"choices": [{"index": index, "delta": {"content": "Answer: 42"}}]})
    assert drawn(first, piece(finish="stop"), USAGE, DONE).text == "Answer: 42"


@pytest.mark.parametrize(
    ("parts", "text", "thought"),
    [
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "ab", ""),
        ([{"type": "thinking", "thinking": [{"type": "text", "text": "t"}]}], "", "t"),
        ([{"type": "reasoning.text", "text": "t"}, "plain"], "plain", "t"),
        ([{"type": "reasoning.summary", "summary": "t"}], "", "t"),
        ([{"type": "reasoning.encrypted", "data": "x"}], "", ""),
        ([{"type": "refusal", "refusal": "no"}], "no", ""),
        ([{"type": "output_text", "text": "a"}, None, 7], "a", ""),
        ({"type": "text", "text": "a"}, "a", ""),
        ("plain", "plain", ""),
        (None, "", ""),
    ],
)
def test_content_in_parts_is_read(parts: object, text: str, thought: str) -> None:
    assert read_parts(parts) == (text, thought)


@pytest.mark.parametrize(
    "options",
    [
        {"headers": {"X Bad": "a"}},
        {"headers": {"X-Bad": "a\nInjected: b"}},
        {"headers": {"X-Bad": 7}},
        {"key_header": "bad header"},
        {"extra_body": {"max_tokens": 9}},
        {"extra_body": {"n": 2}},
    ],
)
def test_what_an_engine_may_not_be_told_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Endpoint("http://host/v1", "m", api_key="", **options)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_out_is_a_number_of_seconds(seconds: float) -> None:
    for name in ("connect", "first_token", "between_chunks"):
        with pytest.raises(InputError, match=name):
            Timeouts(**{name: seconds})


def test_headers_and_the_owners_fields_are_sent_and_never_shown() -> None:
    got, _, asked = ask(
        piece("Answer: 42"),
        piece(finish="stop"),
        DONE,
        request=replace(ASK, logprobs=False),
        headers={"X-Team": "hidden-team"},
        extra_body={"provider": {"only": ["x"]}},
    )
    assert isinstance(got, Drawn)
    assert asked[0]["provider"] == {"only": ["x"]}
    engine = Endpoint("http://host/v1", "m", api_key="", headers={"X-Team": "hidden-team"})
    assert "hidden-team" not in f"{engine!r} {engine.info}"
