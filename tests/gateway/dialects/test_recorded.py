"""Every request of Responses and Messages that a real client was seen to send is answered.

Three times over: by an upstream that speaks Chat alone, by one that speaks the client's dialect
itself, and by votes. Each answer has what its client needs (`shared/clients/README.md`).
"""

from __future__ import annotations

import json
from asyncio import StreamWriter
from pathlib import Path
from typing import Any

import pytest

from gateway.dialects.speech import (
    ITEM,
    MESSAGE,
    RESPONSE,
    USED,
    chat,
    chatting,
    events,
    spoken,
)
from gateway.rig import Got, Scripted, Seen, gate, replies, run, streams, upstream, whole

RECORDED = Path(__file__).parents[4] / "shared" / "clients" / "requests"
FILES = sorted(RECORDED.glob("*.json"))
PATHS = ("/v1/responses", "/v1/messages")
NOT_KEPT = {"content-length", "host", "connection", "accept-encoding", "transfer-encoding"}
pytestmark = pytest.mark.skipif(not FILES, reason="no recorded requests beside this checkout")


def recorded() -> list[tuple[str, dict[str, Any]]]:
    return [
        (path.stem, one)
        for path in FILES
        for one in json.loads(path.read_text())["requests"]
        if one["path"] in PATHS
    ]


REQUESTS = recorded()


def test_there_are_some_of_each_client() -> None:
    names = {name.partition("_")[0] for name, _ in REQUESTS}
    assert len(REQUESTS) > 50
    assert {"codex", "openai-python", "openai-npm", "anthropic-python", "anthropic-npm"} <= names
    assert {"aisdk-openai-responses", "aisdk-anthropic", "litellm", "pydantic-ai"} <= names
    assert {"inspect-ai", "dspy", "instructor", "langchain-openai"} <= names


async def _natively(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
    path = seen.path.removeprefix("/v1")
    if seen.body == b"{}":
        await replies({"error": {"message": "nothing"}}, 400)(server, seen, writer)
    elif seen.value.get("stream"):
        await streams(*spoken(path, "It is 4"))(server, seen, writer)
    elif path == "/responses":
        told = {**RESPONSE, "status": "completed", "output": [ITEM], "usage": USED}
        await replies(told)(server, seen, writer)
    else:
        block = {"type": "text", "text": "It is 4"}
        told = {**MESSAGE, "content": [block], "stop_reason": "end_turn"}
        await replies(told)(server, seen, writer)


UPSTREAMS = {
    "chat": chatting(*chat({"content": "It is 4"}), whole=whole("It is 4")),
    "native": _natively,
}


@pytest.mark.parametrize("speaks", UPSTREAMS)
@pytest.mark.parametrize("ending", ["", ":self_consistency(n=3)"])
def test_it_is_answered(speaks: str, ending: str) -> None:
    async def main() -> None:
        async with (
            Scripted(UPSTREAMS[speaks]).serve() as up,
            gate(upstream(up.url), upstream(up.url, "x", "claude-x")) as gw,
        ):
            for name, told in REQUESTS:
                kept = {k: v for k, v in told["headers"].items() if k.lower() not in NOT_KEPT}
                body = {**told["body"], "model": told["body"]["model"] + ending}
                if ending and speaks == "native":
                    continue  # a strategy asks by Chat
                path = told["path"].removeprefix("/v1")
                got = await gw.post(body, path, kept)
                assert got.status == 200, (name, got.body[:300])
                _check(name, got, path, is_stream=bool(body.get("stream")))

    run(main)


def _check(name: str, got: Got, path: str, *, is_stream: bool) -> None:
    check = {
        ("/responses", True): _check_response_stream,
        ("/responses", False): _check_response,
        ("/messages", True): _check_message_stream,
        ("/messages", False): _check_message,
    }[path, is_stream]
    check(name, got)


def _check_response(name: str, got: Got) -> None:
    _is_response(name, got.value)


def _is_response(name: str, told: dict[str, Any]) -> None:
    assert told["object"] == "response", name
    assert told["id"], name
    assert told["created_at"] is not None, name
    assert told["model"], name
    assert told["status"] == "completed", name
    (item,) = [one for one in told["output"] if one["type"] == "message"]
    assert item["role"] == "assistant", name
    assert item["id"], name
    assert item["content"][0]["text"] == "It is 4", name
    assert item["content"][0]["annotations"] == [], name
    assert told["usage"]["total_tokens"] > 0, name


def _check_response_stream(name: str, got: Got) -> None:
    told = events(got)
    assert [one["type"] for one in told[:2]] == ["response.created", "response.in_progress"], name
    assert told[-1]["type"] == "response.completed", name
    ids = {one["response"]["id"] for one in told if "response" in one}
    assert len(ids) == 1, name
    _is_response(name, told[-1]["response"])


def _check_message(name: str, got: Got) -> None:
    told = got.value
    assert (told["type"], told["role"]) == ("message", "assistant"), name
    assert told["content"] == [{"type": "text", "text": "It is 4"}], name
    assert told["stop_reason"] == "end_turn", name
    assert told["usage"]["output_tokens"] > 0, name


def _check_message_stream(name: str, got: Got) -> None:
    told = events(got)
    kinds = [one["type"] for one in told]
    assert kinds[0] == "message_start", name
    assert kinds[-2:] == ["message_delta", "message_stop"], name
    assert told[0]["message"]["usage"]["input_tokens"] >= 0, name
    assert told[-2]["usage"]["output_tokens"] > 0, name
    blocks = [one["content_block"] for one in told if one["type"] == "content_block_start"]
    assert [block["text"] for block in blocks if block["type"] == "text"] == [""], name
