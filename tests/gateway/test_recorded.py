"""Every Chat request that was recorded from a real client arrives upstream field by field."""

from __future__ import annotations

import json
from asyncio import StreamWriter
from pathlib import Path
from typing import Any

import pytest

from gateway.rig import (
    DONE,
    GOOD,
    Got,
    Scripted,
    Seen,
    gate,
    replies,
    run,
    streams,
    upstream,
    whole,
)

RECORDED = Path(__file__).parents[3] / "shared" / "clients" / "requests"
FILES = sorted(RECORDED.glob("*.json"))
PATHS = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings"}
EMBEDDED = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": "AACAPw=="}],
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}
COMPLETED = {
    "id": "t-1",
    "object": "text_completion",
    "created": 7,
    "model": "m",
    "choices": [
        {
            "text": " 4",
            "index": 0,
            "finish_reason": "stop",
            "logprobs": {
                "tokens": ["4"],
                "token_logprobs": [-0.1],
                "top_logprobs": [{"4": -0.1}],
                "text_offset": [0],
            },
        }
    ],
    "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
}


def sent(path: Path) -> list[tuple[str, dict[str, str], Any]]:
    told = json.loads(path.read_text())
    return [
        (one["path"], one["headers"], one["body"])
        for one in told["requests"]
        if one["path"] in PATHS and one.get("body") is not None
    ]


@pytest.mark.skipif(not FILES, reason="no recorded requests beside this checkout")
def test_every_recorded_request_goes_through() -> None:
    requests = [(path.stem, one) for path in FILES for one in sent(path)]
    assert len(requests) > 100
    models = sorted({body["model"] for _, (_, _, body) in requests})

    async def answer(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
        if seen.path.endswith("/embeddings"):
            await replies(EMBEDDED)(server, seen, writer)
        elif not seen.path.endswith("/chat/completions"):
            await replies(COMPLETED)(server, seen, writer)
        elif seen.value.get("stream"):
            await streams(*GOOD, DONE)(server, seen, writer)
        else:
            await replies(whole())(server, seen, writer)

    async def main() -> None:
        async with (
            Scripted(answer).serve() as up,
            gate(*(upstream(up.url, f"e{i}", model) for i, model in enumerate(models))) as gw,
        ):
            for name, (path, headers, body) in requests:
                kept = {k: v for k, v in headers.items() if k.lower() not in NOT_KEPT}
                got = await gw.post(body, path.removeprefix("/v1"), kept)
                assert got.status == 200, (name, got.body[:300])
                _check_arrived(name, up.seen[-1].value, body)
                _check_reply(name, got, body, path)

    run(main)


NOT_KEPT = {"content-length", "host", "connection", "accept-encoding", "transfer-encoding"}


def _check_arrived(name: str, seen: Any, body: Any) -> None:
    if body.get("stream") and "messages" in body:
        options = {**(body.get("stream_options") or {}), "include_usage": True}
        assert seen == {**body, "stream_options": options}, name
        assert list(seen)[: len(body)] == list(body), name  # in the same order
    else:
        assert seen == body, name


def _check_reply(name: str, got: Got, body: Any, path: str) -> None:
    if path.endswith("/embeddings"):
        assert got.value["data"] == EMBEDDED["data"], name
    elif not path.endswith("/chat/completions"):
        assert got.value["choices"] == COMPLETED["choices"], name
    elif body.get("stream"):
        wants = (body.get("stream_options") or {}).get("include_usage")
        told = [event for event in got.events if event.get("usage")]
        assert len(told) == (1 if wants else 0), name
        assert got.text == "4", name
        assert got.is_done, name
    else:
        assert got.value["choices"][0]["message"]["content"] == "4", name
