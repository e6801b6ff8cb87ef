"""A simulated upstream with many addresses, each of which answers, or fails, in its own way.

It runs in a thread of the test, remembers every request, and counts what it has sent. The first
part of the path names its behaviour, so that one gateway has one engine for each, and a client
chooses by the name of a model.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

from aiohttp import web

from peers.gateway import simulated_answers as answers
from peers.gateway import simulated_walk as walk
from peers.gateway.listening import listening

SECRET = "sk-upstream-0123456789abcdefghij"
"""What the gateway alone may send."""
RETRY_AFTER = "1"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as it came."""

    behaviour: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(slots=True)
class Upstream:
    """The upstream's state; tests read it from another thread."""

    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    decoded: Counter[str] = field(default_factory=Counter)
    """Tokens of answers that were sent, by behaviour."""
    gone: Counter[str] = field(default_factory=Counter)
    """Requests whose client hung up before the end."""
    numbers: Iterator[int] = field(default_factory=count)
    """No two calls of a walk are called alike."""
    met: Counter[int] = field(default_factory=Counter)
    """Requests of twins, by their turns."""

    def url(self, behaviour: str) -> str:
        """What an engine is pointed at."""
        return f"http://127.0.0.1:{self.port}/{behaviour}/v1"

    def of(self, behaviour: str) -> list[Seen]:
        """Return the requests of one behaviour."""
        return [one for one in self.seen if one.behaviour == behaviour]

    def wait_gone(self, behaviour: str) -> None:
        """Wait until a client has hung up; a test that hangs here has found that none does."""
        while not self.gone[behaviour]:
            time.sleep(0.01)

    def clear(self) -> None:
        """Forget what was."""
        self.seen.clear()
        self.decoded.clear()
        self.gone.clear()
        self.met.clear()


Behaviour: TypeAlias = Callable[[Upstream, web.Request, Seen], Awaitable[web.StreamResponse]]


def _refuses(status: int, code: str, **headers: str) -> Behaviour:
    async def answer(_: Upstream, __: web.Request, ___: Seen) -> web.StreamResponse:
        error = {"message": f"simulated {status}", "type": "simulated", "code": code}
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": error}, status=status, headers=told)

    return answer


async def _flaky(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Refuse twice, then answer."""
    is_early = len(upstream.of(seen.behaviour)) <= 2
    refuses = _refuses(429, "rate_limit_exceeded", Retry_After=RETRY_AFTER)
    return await (refuses if is_early else _good)(upstream, request, seen)


async def _good(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    body = seen.body
    if seen.path == "completions":
        upstream.decoded[seen.behaviour] += 1
        return web.json_response(answers.completion(body))
    if seen.path == "embeddings":
        return web.json_response(answers.embedding(body))
    return await _say(upstream, request, seen, answers.message(body))


async def _say(
    upstream: Upstream, request: web.Request, seen: Seen, told: Mapping[str, Any]
) -> web.StreamResponse:
    body = seen.body
    upstream.decoded[seen.behaviour] += answers.decoded(told) * (body.get("n") or 1)
    if not body.get("stream"):
        return web.json_response(answers.whole(body, told))
    response = await _begun(request)
    for chunk in answers.chunks(body, told):
        await _write(response, chunk)
    await response.write(b"data: [DONE]\n\n")
    return response


async def _begun(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    return response


async def _write(response: web.StreamResponse, value: Any) -> None:
    await response.write(b"data: %b\n\n" % json.dumps(value).encode())


def _breaks(how: str) -> Behaviour:
    """Send half of an answer, and then no more of it."""

    async def answer(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
        told = answers.message(seen.body)
        if not seen.body.get("stream"):
            upstream.decoded[seen.behaviour] += answers.decoded(told)
            response = web.StreamResponse(headers={"Content-Length": "500"})
            await response.prepare(request)
            await response.write(b'{"id": "chatcmpl-simulated", "choices": [')
            _abort(request)
            return response
        response = await _begun(request)
        halves = [*answers.chunks(seen.body)]
        for chunk in halves[:3]:
            upstream.decoded[seen.behaviour] += bool(chunk["choices"][0]["delta"].get("content"))
            await _write(response, chunk)
        if how == "dies":
            await asyncio.sleep(0.05)  # what was written is to leave first
            _abort(request)
        elif how == "errs":
            await _write(response, {"error": {"message": "out of memory", "code": 500}})
        return response

    return answer


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _slow(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Go on for much longer than any client waits, and notice that it has gone."""
    try:
        if not seen.body.get("stream"):
            await asyncio.sleep(600)
        response = await _begun(request)
        first, second, *_ = answers.chunks(seen.body)
        await _write(response, first)
        for _ in range(30_000):
            await _write(response, second)
            upstream.decoded[seen.behaviour] += 1
            await asyncio.sleep(0.02)
    except (asyncio.CancelledError, ConnectionError):
        upstream.gone[seen.behaviour] += 1
        raise
    return response


async def _bare(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Answer as careless servers do: without what clients rest on, with what breaks them."""
    told = answers.message(seen.body)
    upstream.decoded[seen.behaviour] += answers.decoded(told)
    for call in told.get("tool_calls") or ():
        del call["type"]
    if not seen.body.get("stream"):
        del told["role"]
        return web.json_response({"choices": [{"message": told, "finish_reason": "stop"}]})
    response = await _begun(request)
    for chunk in answers.chunks({**seen.body, "stream_options": None}):
        choice = chunk["choices"][0]
        if choice["finish_reason"]:
            choice["delta"] = None
        await _write(response, chunk)
    return response


_EDIT = "{name}\n<<<<<<< SEARCH\n{before}\n=======\n{after}\n>>>>>>> REPLACE\n"


async def _edits(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Give the one edit that a coding agent's test asks for."""
    words = {"name": "sums.py", "before": "    return a - b", "after": "    return a + b"}
    text = "Here is the edit.\n\n" + _EDIT.format(**words)
    asks_for_subject = "commit message" in json.dumps(seen.body["messages"][0])
    scripted = "Mend the sum" if asks_for_subject else text
    told = {"role": "assistant", "content": scripted}
    return await _say(upstream, request, seen, told)


_MEND = "sed -i 's/a - b/a + b/' sums.py && cat sums.py"


async def _agent(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Call a coding agent's shell once, and then say that it is done."""
    if seen.body["messages"][-1]["role"] == "tool":
        told: dict[str, Any] = {"role": "assistant", "content": "The sum is mended."}
    else:
        call = {"name": "exec_command", "arguments": json.dumps({"cmd": _MEND})}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        told = {"role": "assistant", "content": None, "tool_calls": calls}
    return await _say(upstream, request, seen, told)


def _walks(**thinks: str) -> Behaviour:
    """Walk, each call with an id of its own."""

    async def answer(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
        told = walk.message(seen.body, f"call_{next(upstream.numbers)}", **thinks)
        return await _say(upstream, request, seen, told)

    return answer


async def _twins(upstream: Upstream, request: web.Request, seen: Seen) -> web.StreamResponse:
    """Answer two agents at a time, and both alike to the letter."""
    at = walk.place(seen.body)
    upstream.met[at] += 1
    while upstream.met[at] % 2:  # noqa: ASYNC110  # who comes first can't say who is its twin
        await asyncio.sleep(0.01)
    return await _say(upstream, request, seen, walk.message(seen.body, f"call_{at}"))


BEHAVIOURS: Mapping[str, Behaviour] = {
    "m": _good,
    "e401": _refuses(401, "invalid_api_key"),
    "e404": _refuses(404, "model_not_found"),
    "e429": _refuses(429, "rate_limit_exceeded", Retry_After=RETRY_AFTER),
    "e500": _refuses(500, "server_error"),
    "flaky": _flaky,
    "dies": _breaks("dies"),
    "errs": _breaks("errs"),
    "early": _breaks("early"),
    "slow": _slow,
    "bare": _bare,
    "edits": _edits,
    "agent": _agent,
    "walks": _walks(),
    "thinks": _walks(thought="Where is it?"),
    "tagged": _walks(tagged="Where is it?"),
    "twins": _twins,
}


@contextmanager
def simulated_upstream() -> Iterator[Upstream]:
    """Listen on loopback until the block is left."""
    upstream = Upstream()

    async def completed(request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        name, path = request.match_info["behaviour"], request.match_info["path"]
        seen = Seen(name, path, {k.lower(): v for k, v in request.headers.items()}, body)
        upstream.seen.append(seen)
        if said := answers.refusal(path, body):
            return web.json_response({"error": {"message": said}}, status=400)
        return await BEHAVIOURS[name](upstream, request, seen)

    async def models(request: web.Request) -> web.Response:
        data = [{"id": request.match_info["behaviour"], "object": "model"}]
        return web.json_response({"object": "list", "data": data})

    async def tokenizer(_: web.Request) -> web.Response:
        return web.json_response({"tokenizer_class": "Simulated", "eos_token": "</s>"})

    app = web.Application(client_max_size=64 * 1024**2)
    app.router.add_post("/{behaviour}/v1/{path:chat/completions|completions|embeddings}", completed)
    app.router.add_get("/{behaviour}/v1/models", models)
    app.router.add_get("/{behaviour}/tokenizer_info", tokenizer)
    with listening(app) as upstream.port:
        yield upstream
