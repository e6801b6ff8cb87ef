"""A simulated model on loopback: it calls the right tool but for a known part of the time.

Its draws hang on the request's seed alone, so a run can be repeated. Wrong calls are not spread
alike: half of them are one and the same, as a real model's are. Its bill counts what a server's
cache of prompts would: whatever a prompt begins with that another one began with.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from workspan.testing.agents.maze import TOOLS, right
from workspan.testing.loopback import listening

_SIGN = re.compile(r"You are at (place \d+)\. (?:Call (\w+)\.|This is the end)")
_CHARACTERS_A_TOKEN = 4
_LEAST, _MOST = 20, 60
"""Tokens of a turn: what comes before a call is thought, and hidden."""


@dataclass(slots=True)
class Bill:
    """What the simulated server has taken in and decoded."""

    calls: int = 0
    prompt: int = 0
    cached: int = 0
    decoded: int = 0


@dataclass(slots=True)
class SimulatedModel:
    """The server; `serve` it before a gateway is pointed at `url`."""

    bill: Bill = field(default_factory=Bill)
    port: int = 0
    _read: set[bytes] = field(default_factory=set)

    @property
    def url(self) -> str:
        """What a gateway is pointed at."""
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[SimulatedModel]:
        """Listen on loopback until the block is left."""
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post("/v1/chat/completions", self._complete)
        async with listening(app) as self.port:
            yield self

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        message, tokens = drawn(body)
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        cap = body.get("max_completion_tokens") or body.get("max_tokens") or tokens
        if cap < tokens:  # a call that is cut is none
            message, tokens, finish = {"role": "assistant", "content": ""}, cap, "length"
        usage = self._usage(body["messages"], tokens)
        frame = {"id": "sim", "created": 7, "model": "simulated"}
        if not body.get("stream"):
            choice = {"index": 0, "message": message, "finish_reason": finish}
            told = {**frame, "object": "chat.completion", "choices": [choice], "usage": usage}
            return web.json_response(told)
        calls = [{**call, "index": i} for i, call in enumerate(message.get("tool_calls") or ())]
        delta = {**message, "tool_calls": calls} if calls else message
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        kind = {**frame, "object": "chat.completion.chunk"}
        lines = [{**kind, "choices": [choice]}, {**kind, "choices": [], "usage": usage}]
        said = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in lines)
        return web.Response(body=said + b"data: [DONE]\n\n", content_type="text/event-stream")

    def _usage(self, messages: list[dict[str, Any]], tokens: int) -> dict[str, Any]:
        """Count a prompt, and what of it a cache of prompts holds."""
        prompt = cached = 0
        state = hashlib.sha256()
        for one in messages:
            said = json.dumps(one, sort_keys=True).encode()
            state.update(said)
            length = -(-len(said) // _CHARACTERS_A_TOKEN)
            prompt += length
            if state.digest() in self._read:
                cached += length
            self._read.add(state.digest())
        self.bill.calls += 1
        self.bill.prompt += prompt
        self.bill.cached += cached
        self.bill.decoded += tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": tokens,
            "total_tokens": prompt + tokens,
            "prompt_tokens_details": {"cached_tokens": cached},
        }


def drawn(body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return the turn that the simulated model draws, and its decoded tokens."""
    said = str(body["messages"][-1]["content"])
    found = _SIGN.search(said)
    rng = random.Random(f"{body.get('seed')} {said}")
    tokens = rng.randint(_LEAST, _MOST)
    if found is None or not found[2]:
        return {"role": "assistant", "content": "I am at the end."}, tokens
    place, name = found[1], found[2]
    tool = TOOLS[name]
    choice = best = right(place, name)
    if rng.random() < tool.errors:
        others = [(best + i) % tool.choices for i in range(1, tool.choices)]
        choice = others[0] if rng.random() < 0.5 else rng.choice(others)
    arguments = json.dumps({"choice": choice})
    function = {"name": name, "arguments": arguments}
    call = {"id": f"call_{rng.getrandbits(40):x}", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}, tokens
