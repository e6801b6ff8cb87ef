"""What each client does without one field, or one event, of what the gateway sends it.

The gateway's own replies are served again and again, each time with one thing less. The table that
comes of it is kept beside this file (`left_out.json`); to write it anew: `LEFT_OUT=write`. Nothing
that a client needs is ever left out by the gateway, since each of them goes on from the whole.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from peers.conftest import Install
from peers.gateway.driven import Client, driven
from peers.gateway.kits import CLIENTS
from peers.gateway.listening import listening
from peers.gateway.served import KEY, Served

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

TABLE = Path(__file__).with_name("left_out.json")
PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
RESPONSES = ("openai responses", "openai-npm responses", "ai @ai-sdk/openai responses")
MESSAGES = ("anthropic", "anthropic-npm", "ai @ai-sdk/anthropic")
STEPS = ("answer", "stream_helper", "stream_tool")
_DEPTH = 4
"""Of objects within an event, whose fields are left out, too."""
_OURS = ("workspan", "tools", "text", "metadata")
"""Fields whose own fields are ours, or the client's own words."""

Path_ = tuple[Any, ...]


def events_of(body: str) -> list[dict[str, Any]]:
    """Read a stream."""
    blocks = [block for block in body.split("\n\n") if block]
    return [json.loads(block.partition("\ndata: ")[2]) for block in blocks]


def written(events: list[dict[str, Any]], names: list[str]) -> str:
    """Write one, under names that stay whatever is left out."""
    told = zip(names, events, strict=True)
    return "".join(f"event: {name}\ndata: {json.dumps(value)}\n\n" for name, value in told)


def places(value: Any, depth: int = _DEPTH) -> Iterator[Path_]:
    """Yield the places of all fields; of a list those of what it holds first."""
    if depth and isinstance(value, dict):
        for name, inner in value.items():
            yield (name,)
            if name not in _OURS:
                yield from ((name, *rest) for rest in places(inner, depth - 1))
    elif isinstance(value, list) and value:
        yield from ((0, *rest) for rest in places(value[0], depth))


def without(value: Any, place: Path_) -> Any:
    """Return a value without a field."""
    first, *rest = place
    if isinstance(value, list):
        return [without(one, tuple(rest)) if isinstance(one, dict) else one for one in value]
    if not isinstance(value, dict) or first not in value:
        return value
    if not rest:
        return {name: inner for name, inner in value.items() if name != first}
    return {**value, first: without(value[first], tuple(rest))}


def shown(place: Path_) -> str:
    """Write a place."""
    return ".".join(str(one) for one in place if one != 0)


def lessened(body: str, *, is_stream: bool) -> Iterator[tuple[str, str]]:
    """Yield replies with one thing less, by what that is."""
    if not is_stream:
        value = json.loads(body)
        for place in places(value):
            yield shown(place), json.dumps(without(value, place))
        return
    events = events_of(body)
    names = [event["type"] for event in events]
    for kind in dict.fromkeys(names):
        kept = [event for event in events if event["type"] != kind]
        yield kind, written(kept, [event["type"] for event in kept])
        found = dict.fromkeys(
            place for event in events if event["type"] == kind for place in places(event)
        )
        for place in found:
            told = [without(one, place) if one["type"] == kind else one for one in events]
            yield f"{kind}: {shown(place)}", written(told, names)


@dataclass
class Canned:
    """A server that sends one reply to whatever is asked; what follows a tool it sends whole."""

    port: int = 0
    body: str = ""
    after_tool: str = ""
    is_stream: bool = False
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def answer(self, request: web.Request) -> web.Response:
        told = json.loads(await request.read())
        self.asked.append(told)
        is_after = bool(self.after_tool) and _has_result(told)
        kind = "text/event-stream" if self.is_stream else "application/json"
        return web.Response(text=self.after_tool if is_after else self.body, content_type=kind)


def _has_result(told: Mapping[str, Any]) -> bool:
    text = json.dumps(told)
    return '"function_call_output"' in text or '"tool_result"' in text


@contextmanager
def canned() -> Iterator[Canned]:
    """Serve until the block is left."""
    server, app = Canned(), web.Application()
    app.router.add_post("/{path:.*}", server.answer)
    with listening(app) as server.port:
        yield server


def _asked(gateway: Served, path: str, *, is_stream: bool, has_tool: bool) -> str:
    """Ask the gateway as the clients do."""
    body: dict[str, Any] = {"model": "m", "stream": is_stream}
    if path == "responses":
        body["input"] = "What is 2 + 2?"
        tool = {"type": "function", "name": "get_weather", "parameters": PARAMETERS}
    else:
        body |= {"max_tokens": 100, "messages": [{"role": "user", "content": "What is 2 + 2?"}]}
        tool = {"name": "get_weather", "input_schema": PARAMETERS}
    if has_tool:
        body["tools"] = [tool]

    async def main() -> str:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with (
            ClientSession(headers=headers) as session,
            session.post(f"{gateway.url}/{path}", json=body) as reply,
        ):
            assert reply.status == 200
            return await reply.text()

    return asyncio.run(main())


def _outcome(note: Mapping[str, Any], good: Mapping[str, Any]) -> str:
    """Say what a client made of a reply, against what it makes of the whole one."""
    if "raised" in note:
        return f"raises {note['raised']}"
    other = sorted(name for name in good if note.get(name) != good[name])
    return f"silently other: {', '.join(other)}" if other else "goes on"


def _row(client: Client, server: Canned, step: str, gateway: Served, path: str) -> dict[str, str]:
    is_stream, has_tool = step != "answer", step == "stream_tool"
    whole = _asked(gateway, path, is_stream=is_stream, has_tool=has_tool)
    server.is_stream = is_stream
    text = _asked(gateway, path, is_stream=is_stream, has_tool=False)
    server.after_tool = text if has_tool else ""
    server.body = whole
    good = client.do(step, server.url, "m")
    assert "raised" not in good, good
    found = {}
    for what, body in lessened(whole, is_stream=is_stream):
        server.body = body
        outcome = _outcome(client.do(step, server.url, "m"), good)
        if outcome != "goes on":
            found[what] = outcome
    return found


def _steps(name: str) -> list[str]:
    told = ["answer", "stream" if name.startswith("ai ") else "stream_helper", "stream_tool"]
    return [step for step in told if step not in CLIENTS[name].lacks]


@pytest.mark.parametrize("name", [*RESPONSES, *MESSAGES])
def test_what_a_client_needs_is_known_and_sent(
    name: str, installed: Install, gateway: Served, tmp_path: Path
) -> None:
    path = "responses" if name in RESPONSES else "messages"
    command = CLIENTS[name].command(installed)
    with driven(name.replace("/", "-"), command, tmp_path) as client, canned() as server:
        found = {step: _row(client, server, step, gateway, path) for step in _steps(name)}
    table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
    if os.environ.get("LEFT_OUT") == "write":
        table[name] = found
        TABLE.write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
    assert found == table[name]
    assert any(found.values())  # a table in which nothing is needed has looked at nothing
