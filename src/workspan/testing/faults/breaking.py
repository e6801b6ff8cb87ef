"""Rows: connections that break, bodies that are torn, bytes that are no protocol."""

from __future__ import annotations

import random
from dataclasses import replace

from workspan.testing.faults.fault import Change, Fault
from workspan.testing.faults.frames import event
from workspan.testing.faults.script import (
    DONE,
    Drops,
    Piece,
    Raw,
    Repeats,
    Script,
    Step,
    Stops,
    Waits,
)


def _flag(**values: object) -> Change:
    def change(script: Script, _rng: random.Random) -> None:
        for name, value in values.items():
            setattr(script, name, value)

    return change


def _at_some_place(*instead: Step) -> Change:
    def change(script: Script, rng: random.Random) -> None:
        script.cut(script.place(rng), *instead)

    return change


def _in_between(*more: Step) -> Change:
    """Let something come beside the answer."""

    def change(script: Script, rng: random.Random) -> None:
        at = script.place(rng)
        script.steps[at:at] = more

    return change


def _gzip_cut(script: Script, rng: random.Random) -> None:
    script.is_gzipped = True
    script.cut(script.place(rng), Drops())


def _torn(script: Script, rng: random.Random) -> None:
    script.bytes_at_a_time = rng.choice((17, 41, 97))


def _breaks_body(script: Script, rng: random.Random) -> None:
    script.is_whole = True
    script.breaks_body = rng.random()


def _breaks_after_first(script: Script, _rng: random.Random) -> None:
    pieces = script.pieces()
    script.cut(pieces[0] + 1 if pieces else 0, Drops())


def _huge_text(script: Script, _rng: random.Random) -> None:
    """One piece of megabytes, as long as its tokens say: nothing of it is free."""
    for at in script.pieces()[:1]:
        step = script.steps[at]
        if isinstance(step, Piece):
            script.steps[at] = replace(step, text="y" * 2_000_000)


def _error(value: object, *, is_refusal: bool = False) -> Raw:
    return Raw(event(value), is_error=True, is_refusal=is_refusal)


_BAD_JSON = Raw(b'data: {"choices": [nonsense\n\n', is_error=True)
_BAD_UTF8 = Raw(b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}\n\n', is_error=True)
_DEEP = Raw(b"data: " + b"[" * 100_000 + b"\n\n", is_error=True)
_LONG_LINE = Raw(b": " + b"x" * 1_000_000 + b"\n\n")
_NO_LINE_END = Raw(b"data: " + b"x" * 1_000_000)

CONNECTIONS = (
    Fault("drops_unread", "a server that is restarted", _flag(drops_unread=True)),
    Fault("drops_after_headers", "a worker that dies at once", _flag(drops_after_headers=True)),
    Fault("drops_after_first", "a worker that dies on its first token", _breaks_after_first),
    Fault("drops_in_answer", "a network that fails", _at_some_place(Drops())),
    Fault("stops_in_answer", "nginx: an upstream time-out", _at_some_place(Stops())),
    Fault(
        "stops_after_answer", "servers without a last chunk", lambda s, _: s.steps.append(Stops())
    ),
    Fault("drops_in_whole_reply", "a proxy's limit on a reply", _breaks_body),
    Fault("gzip", "a proxy that compresses streams", _flag(is_gzipped=True), keeps=True),
    Fault("gzip_cut", "the same, and a network that fails", _gzip_cut),
    Fault("torn", "small network packets", _torn, keeps=True),
    Fault("crlf", "Azure and .NET servers: CRLF", _flag(line_end=b"\r\n"), keeps=True),
    Fault(
        "closes_kept", "llama.cpp: keep-alive, then closed", _flag(ends_connection=True), keeps=True
    ),
    Fault("says_close", "HTTP/1.0 proxies", _flag(headers={"Connection": "close"}), keeps=True),
    Fault(
        "keeps_closed",
        "a server deaf to Connection: close",
        _flag(headers={"Connection": "keep-alive", "Keep-Alive": "timeout=600"}),
        keeps=True,
    ),
    Fault("stalls", "a GPU that hangs", _at_some_place(Waits()), stalls=True),
    Fault(
        "pings_for_ever",
        "OpenRouter: comments while it waits",
        _at_some_place(Repeats(b": OPENROUTER PROCESSING\n\n")),
        stalls=True,
    ),
    Fault(
        "empties_for_ever",
        "a model that loops on a special token",
        _at_some_place(Repeats(event({"choices": [{"index": 0, "delta": {"content": ""}}]}))),
        stalls=True,
    ),
    Fault(
        "roles_for_ever",
        "a proxy that repeats the first event",
        _at_some_place(Repeats(event({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}))),
        stalls=True,
    ),
    Fault(
        "no_choices_for_ever",
        "Azure: prompt filter events",
        _at_some_place(Repeats(event({"choices": [], "prompt_filter_results": []}))),
        stalls=True,
    ),
)

BYTES = (
    Fault("bad_json", "two writers on one stream", _at_some_place(_BAD_JSON)),
    Fault("bad_utf8", "a token that is half a character", _at_some_place(_BAD_UTF8)),
    Fault("deep_json", "a hostile server", _at_some_place(_DEEP)),
    Fault(
        "json_scalar", "a proxy's own events", _at_some_place(Raw(b"data: 7\n\n", is_error=True))
    ),
    Fault(
        "error_event",
        "vLLM: an error in mid-answer",
        _at_some_place(_error({"error": {"message": "CUDA out of memory", "code": 500}})),
    ),
    Fault(
        "error_event_text",
        "TGI: the error is a string",
        _at_some_place(_error({"error": "overloaded", "error_type": "overloaded"})),
    ),
    Fault(
        "error_event_named",
        "Anthropic's proxies: event: error",
        _at_some_place(
            Raw(b'event: error\ndata: {"type":"error","message":"gone"}\n\n', is_error=True)
        ),
    ),
    Fault(
        "error_event_object",
        "SGLang: object is error",
        _at_some_place(
            _error({"object": "error", "message": "aborted", "code": 400}, is_refusal=True)
        ),
    ),
    Fault(
        "error_beside_choices",
        "OpenRouter: an error and an ended choice",
        _at_some_place(
            _error(
                {
                    "error": {"code": 502, "message": "gone"},
                    "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}],
                }
            )
        ),
    ),
    Fault("long_comment", "a proxy's padding", _in_between(_LONG_LINE), keeps=True),
    Fault("long_line", "a line without an end", _at_some_place(_NO_LINE_END, Drops())),
    Fault("huge_text", "a loop that fills the answer", _huge_text),
    Fault("some_pings", "comments now and then", _in_between(Raw(b": ping\n\n")), keeps=True),
    Fault(
        "event_fields",
        "event, id and retry lines",
        _in_between(Raw(b"event: ping\nid: 7\nretry: 10\ndata: \n\n")),
        keeps=True,
    ),
    Fault("null_event", "a proxy's data: null", _in_between(Raw(b"data: {}\n\n")), keeps=True),
    Fault("done_early", "a proxy that ends for its server", _at_some_place(DONE)),
    Fault(
        "labelled_json",
        "a stream that is called JSON",
        _flag(content_type="application/json"),
        keeps=False,
    ),
    Fault(
        "labelled_text",
        "a stream that is called plain text",
        _flag(content_type="text/plain"),
        keeps=True,
    ),
)
