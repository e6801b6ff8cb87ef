"""Each Chat request that a real client was seen to send, sent again through the gateway.

The answer is held against what its client needs, field by field, on both paths: passed on, and
answered by a strategy.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from peers.gateway import simulated_answers as answers
from peers.gateway.replies import Streamed, complaints
from peers.gateway.served import KEY, Served
from peers.gateway.simulated_upstream import SECRET, Seen, Upstream

FOLDER = Path(__file__).parents[4] / "shared" / "clients" / "requests"
RECORDED = sorted(FOLDER.glob("*.json")) if FOLDER.exists() else []
CHAT = "/v1/chat/completions"
STRATEGIES = ("auto", "m:careful")

pytestmark = pytest.mark.skipif(
    not RECORDED, reason="the recorded requests are not here: shared/clients beside the project"
)


@dataclass(frozen=True)
class Request:
    """One request of a recording."""

    name: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any] | None


def _requests() -> list[Request]:
    found = []
    for file in RECORDED:
        for number, told in enumerate(json.loads(file.read_text())["requests"]):
            name = f"{file.stem}-{number}"
            headers = {k: v.replace("KEY", KEY) for k, v in told["headers"].items()}
            found.append(Request(name, told["method"], told["path"], headers, told.get("body")))
    return found


REQUESTS = _requests()
CHATS = [one for one in REQUESTS if one.path == CHAT]
OTHERS = [one for one in REQUESTS if one.path in ("/v1/completions", "/v1/embeddings")]
ASKED = [one for one in REQUESTS if one.method == "GET"]


def _id(request: Request) -> str:
    return request.name


_OF_THE_CONNECTION = frozenset({"host", "content-length", "connection", "accept-encoding"})


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def value(self) -> Any:
        return json.loads(self.text)


def send(gateway: Served, request: Request, **changed: Any) -> Reply:
    """Send a request with its own headers; the body may have other fields."""
    address = urlsplit(gateway.url)
    headers = {k: v for k, v in request.headers.items() if k.lower() not in _OF_THE_CONNECTION}
    body = None if request.body is None else json.dumps({**request.body, **changed})
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=60)
    try:
        connection.request(request.method, request.path, body, headers)
        reply = connection.getresponse()
        told = {name.lower(): value for name, value in reply.getheaders()}
        return Reply(reply.status, told, reply.read().decode())
    finally:
        connection.close()


def test_recordings_of_every_client_are_there() -> None:
    clients = {one.name.partition("_")[0] for one in CHATS}
    assert len(CHATS) > 70
    assert clients >= {
        *("openai-python", "openai-npm", "aisdk-compat", "aisdk-openai-chat", "langchain-openai"),
        *("pydantic-ai", "litellm", "llm", "inspect-ai", "instructor", "lm-eval", "dspy"),
        *("outlines", "guidance", "aider"),
    }


@pytest.mark.parametrize("request_", CHATS, ids=_id)
def test_its_client_can_go_on(request_: Request, gateway: Served, upstream: Upstream) -> None:
    upstream.clear()
    asked = request_.body
    assert asked is not None
    reply = send(gateway, request_)
    _check_head(asked, reply)
    assert complaints(asked, reply.text) == []
    _check_survived(asked, upstream.seen)
    _check_same(asked, reply)


def _check_head(asked: Mapping[str, Any], reply: Reply) -> None:
    assert reply.status == 200, reply.text
    kind = "text/event-stream" if asked.get("stream") else "application/json"
    assert reply.headers["content-type"].partition(";")[0] == kind
    assert float(reply.headers["x-workspan-overhead-ms"]) >= 0
    assert reply.headers["x-request-id"].startswith("req-")


def _check_survived(asked: Mapping[str, Any], seen: list[Seen]) -> None:
    """All that the client sent came to the upstream; its key did not."""
    (one,) = seen
    body = dict(one.body)
    if asked.get("stream"):
        told = body.pop("stream_options")
        assert told == {**(asked.get("stream_options") or {}), "include_usage": True}
    assert body == {name: value for name, value in asked.items() if name != "stream_options"}
    assert one.headers["authorization"] == f"Bearer {SECRET}"
    assert KEY not in json.dumps(one.headers)


def _check_same(asked: dict[str, Any], reply: Reply) -> None:
    """The client is told what the upstream said, to the letter."""
    said = answers.message(asked)
    if asked.get("stream"):
        told = Streamed(asked, reply.text)
        assert told.text == (said.get("content") or "")
        calls = [call["function"] for call in said.get("tool_calls") or ()]
        made = [{k: one[k] for k in ("name", "arguments")} for one in told.calls.values()]
        assert made == calls
    else:
        value = reply.value
        spent = value.pop("workspan")
        assert value == answers.whole(asked)
        assert spent["work"] == value["usage"]["completion_tokens"]
        assert (spent["source"], spent["strategy"], spent["overrun"]) == ("measured", None, 0)


@pytest.mark.parametrize("request_", CHATS, ids=_id)
@pytest.mark.parametrize("model", STRATEGIES)
def test_its_client_can_go_on_with_a_strategy(
    model: str, request_: Request, gateway: Served, upstream: Upstream
) -> None:
    upstream.clear()
    asked = {**(request_.body or {}), "model": model}
    reply = send(gateway, request_, model=model)
    _check_head(asked, reply)
    assert complaints(asked, reply.text) == []
    _check_answer(asked, reply)
    _check_sum(asked, reply, upstream)


def _check_answer(asked: dict[str, Any], reply: Reply) -> None:
    """What comes is one of the drafts, in the form that was asked for."""
    said = answers.message(asked)
    if asked.get("stream"):
        told = Streamed(asked, reply.text)
        content, calls = told.text, [*told.calls.values()]
    else:
        message = reply.value["choices"][0]["message"]
        content = message.get("content") or ""
        calls = [{"id": c["id"], **c["function"]} for c in message.get("tool_calls") or ()]
    wanted = [call["function"] for call in said.get("tool_calls") or ()]
    assert [(c["name"], json.loads(c["arguments"])) for c in calls] == [
        (c["name"], json.loads(c["arguments"])) for c in wanted
    ]
    if asked.get("response_format"):
        assert json.loads(content) == json.loads(said["content"])
    elif not wanted:
        assert content == said["content"]


def _check_sum(asked: Mapping[str, Any], reply: Reply, upstream: Upstream) -> None:
    """The usage is that of all calls, to the token."""
    if asked.get("stream"):
        last = Streamed(asked, reply.text).events[-1]
        if not last.get("usage"):
            return
    else:
        last = reply.value
        spent = last["workspan"]
        assert spent["calls"] == len(upstream.seen)
        assert bool(spent["strategy"]) == (spent["calls"] > 1)  # one call is passed on
        assert spent["engine"] == "m"
    assert last["usage"]["completion_tokens"] == upstream.decoded["m"]


@pytest.mark.parametrize("request_", OTHERS, ids=_id)
def test_texts_and_vectors_are_passed_on(
    request_: Request, gateway: Served, upstream: Upstream
) -> None:
    upstream.clear()
    asked = request_.body
    assert asked is not None
    reply = send(gateway, request_)
    assert reply.status == 200, reply.text
    value = reply.value
    value.pop("workspan")
    form = answers.completion if request_.path == "/v1/completions" else answers.embedding
    assert value == json.loads(json.dumps(form(asked)))
    assert [one.body for one in upstream.seen] == [asked]


@pytest.mark.parametrize("request_", ASKED, ids=_id)
def test_what_clients_look_up(request_: Request, gateway: Served) -> None:
    reply = send(gateway, request_)
    assert reply.status == 200, reply.text
    if request_.path == "/v1/models":
        names = [one["id"] for one in reply.value["data"]]
        assert {"m", "auto", "careful", "m:auto", "m:careful"} <= set(names)
        assert all(one["object"] == "model" for one in reply.value["data"])
    else:
        assert reply.value["eos_token"] == "</s>"


@pytest.mark.parametrize("request_", CHATS, ids=_id)
def test_careless_upstreams_are_made_good(
    request_: Request, gateway: Served, upstream: Upstream
) -> None:
    """No usage, ids, index, role or type; `delta: null` at the end."""
    upstream.clear()
    asked = {**(request_.body or {}), "model": "bare"}
    reply = send(gateway, request_, model="bare")
    assert reply.status == 200, reply.text
    wrong = complaints(asked, reply.text)
    ends_as_said = [one for one in wrong if one.startswith("finish_reason")]  # it said so itself
    assert [one for one in wrong if one not in ends_as_said] == []
