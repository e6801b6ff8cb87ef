"""A simulated OpenAI-compatible server on loopback: scripted text, chosen faults, its own bill.

No model stands behind it. It exists so that an engine's accounts can be compared with what a server
really sent, and so that overhead can be measured against a server that costs nothing. Run it as a
process of its own with ``python -m workspan.testing.server --port 0``; the first line it prints is
its port.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import msgspec
from aiohttp import web

from workspan.errors import InputError, nearest
from workspan.testing.loopback import listening
from workspan.testing.server_answers import (
    Behaviour,
    Call,
    Fault,
    cut,
    drawn,
    event_line,
    event_of,
    round_robin,
    summed,
    usage_of,
)

__all__ = ["Behaviour", "Fault", "ServerBill", "SimulatedServer"]


@dataclass(slots=True)
class ServerBill:
    """What the server has really taken in and sent."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    refused: int = 0


_REFUSALS: dict[Fault, tuple[int, str, str]] = {
    "unauthorized": (401, "Incorrect API key provided.", "invalid_api_key"),
    "unknown_model": (404, "The model does not exist.", "model_not_found"),
    "context": (
        400,
        "This model's maximum context length is 16 tokens.",
        "context_length_exceeded",
    ),
    "rate_limited": (429, "Rate limit reached.", "rate_limit_exceeded"),
    "overloaded": (503, "The server is overloaded.", "server_error"),
    "refuses_stream_options": (400, "Unknown parameter: 'stream_options'.", "unknown_parameter"),
    "refuses_max_tokens": (
        400,
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        "unsupported_parameter",
    ),
    "refuses_top_logprobs": (400, "Unknown parameter: 'top_logprobs'.", "unknown_parameter"),
}


@dataclass(slots=True)
class SimulatedServer:
    """The server's state; `behaviour` may be replaced between requests."""

    behaviour: Behaviour = field(default_factory=Behaviour)
    bill: ServerBill = field(default_factory=ServerBill)
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Every body of a completion request, as received; kept only if `keeps_requests`."""
    authorizations: list[str] = field(default_factory=list)
    """The Authorization header of each of them."""
    keeps_requests: bool = True
    port: int = 0
    places: int | None = None
    """Streams that may still go on beyond their first half; the next stop there. None is all."""
    _faults: int = 0
    _allowed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """What an engine is pointed at."""
        return f"http://127.0.0.1:{self.port}/v1"

    @asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[SimulatedServer]:
        """Listen on loopback until the block is left; 0 takes a free port."""
        app = web.Application(client_max_size=64 * 1024**2)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_post("/v1/completions", self._complete)
        app.router.add_post("/tokenize", self._tokenize)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/bill", self._bill)
        app.router.add_post("/allow/{places}", self._allow)
        async with listening(app, port) as self.port:
            yield self

    async def _models(self, _request: web.Request) -> web.Response:
        known = [{"id": name, "object": "model"} for name in ("simulated", "simulated-large")]
        return _json({"object": "list", "data": known})

    async def _bill(self, _request: web.Request) -> web.Response:
        return _json(msgspec.to_builtins(self.bill))

    def allow(self, places: int | None) -> None:
        """Let so many more streams go on beyond their first half, or all."""
        self.places = places
        self._allowed.set()
        self._allowed = asyncio.Event()

    async def _allow(self, request: web.Request) -> web.Response:
        places = request.match_info["places"]
        self.allow(None if places == "all" else int(places))
        return _json({})

    async def _pass(self) -> None:
        while self.places == 0:
            await self._allowed.wait()
        if self.places is not None:
            self.places -= 1

    async def _tokenize(self, request: web.Request) -> web.Response:
        if not self.behaviour.counts_tokens:
            return web.Response(status=404)
        call = msgspec.json.decode(await request.read(), type=Call)
        return _json({"count": call.prompt_tokens, "max_model_len": 4096})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call = msgspec.json.decode(body, type=Call)
        if not self.behaviour.honours_logprobs:
            call.logprobs = call.top_logprobs = None
        if self.keeps_requests:
            self.requests.append(msgspec.json.decode(body))
            self.authorizations.append(request.headers.get("Authorization", ""))
        behaviour = self._next_behaviour(call)
        if behaviour.fault == "hangs":
            await asyncio.sleep(3600)
        if refusal := _refusal(request, behaviour):
            self.bill.refused += 1
            return refusal
        self.bill.calls += 1
        self.bill.prompt_tokens += call.prompt_tokens
        if behaviour.is_numbered:
            behaviour = replace(behaviour, text=f"{behaviour.text} #{self.bill.calls}")
        if behaviour.is_seeded:
            behaviour = replace(behaviour, text=drawn(call, behaviour.text))
        if behaviour.is_by_effort:
            thoughts, said = summed(call)
            behaviour = replace(behaviour, reasoning=thoughts, text=said)
        if behaviour.latency_seconds:
            await asyncio.sleep(behaviour.latency_seconds)
        chat = request.path.endswith("/chat/completions")
        if not call.stream:
            return self._whole(call, behaviour, chat=chat)
        return await self._stream(request, call, behaviour, chat=chat)

    def _next_behaviour(self, call: Call) -> Behaviour:
        """Drop the fault from the behaviour where this request is not hit by it."""
        behaviour = self.behaviour
        unhit = {
            "refuses_stream_options": call.stream_options is None,
            "refuses_max_tokens": call.max_tokens is None,
            "refuses_top_logprobs": call.top_logprobs is None,
        }
        times = behaviour.fault_times
        if (times is not None and self._faults >= times) or unhit.get(behaviour.fault or "", False):
            return replace(behaviour, fault=None)
        self._faults += behaviour.fault is not None
        return behaviour

    def _whole(self, call: Call, behaviour: Behaviour, *, chat: bool) -> web.Response:
        choices, counts = [], []
        for index in range(call.n if behaviour.honours_n else 1):
            pieces = list(cut(call, behaviour, index))
            text = "".join(token for p in pieces if not p.is_reasoning for token in p.tokens)
            counts.append(sum(len(piece.tokens) for piece in pieces))
            answer = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            choices.append({"index": index, "finish_reason": pieces[-1].finish, **answer})
        self.bill.completion_tokens += sum(counts)
        form = "chat.completion" if chat else "text_completion"
        reply: dict[str, Any] = {"id": "simulated", "object": form, "created": 0}
        reply |= {"model": call.model, "choices": choices}
        if behaviour.usage != "none":
            reply["usage"] = usage_of(call, behaviour, counts)
        return _json(reply)

    async def _stream(
        self, request: web.Request, call: Call, behaviour: Behaviour, *, chat: bool
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        choices = call.n if behaviour.honours_n else 1
        plan = [list(cut(call, behaviour, index)) for index in range(choices)]
        counts = [0] * choices
        held: list[bytes] = []
        half = sum(len(piece.tokens) for pieces in plan for piece in pieces) / 2
        has_passed = False
        for index, piece in round_robin(plan):
            if not has_passed and sum(counts) >= half:
                await self._pass()
                has_passed = True
            if behaviour.fault in _MID_ANSWER and sum(counts) >= half:
                await response.write(b"".join(held))
                return await _break(request, response, behaviour)
            held.append(event_of(call, piece, index, chat=chat))
            counts[index] += len(piece.tokens)
            self.bill.completion_tokens += len(piece.tokens)
            if behaviour.delay_seconds:
                await asyncio.sleep(behaviour.delay_seconds)
                await response.write(b"".join(held))
                held.clear()
        if behaviour.usage != "none" and call.stream_options:
            held.append(event_line({"choices": [], "usage": usage_of(call, behaviour, counts)}))
        held.append(b"data: [DONE]\n\n")
        await response.write(b"".join(held))
        await response.write_eof()
        return response


_MID_ANSWER = frozenset({"malformed", "stream_error", "dies", "no_finish", "stalls"})


async def _break(
    request: web.Request, response: web.StreamResponse, behaviour: Behaviour
) -> web.StreamResponse:
    """End an answer that is half sent in the way of the fault."""
    if behaviour.fault == "malformed":
        await response.write(b'data: {"choices": [{"index": 0, "delta"\n\n')
    elif behaviour.fault == "stream_error":
        await response.write(event_line({"error": {"message": "out of memory", "code": 500}}))
    elif behaviour.fault == "stalls":
        await asyncio.sleep(3600)
    elif behaviour.fault == "dies" and request.transport is not None:
        await asyncio.sleep(0.05)  # let what was written leave first
        request.transport.abort()
    return response


def _refusal(request: web.Request, behaviour: Behaviour) -> web.Response | None:
    fault = behaviour.fault
    if fault == "html":
        return web.Response(text="<html><body>Welcome</body></html>", content_type="text/html")
    if fault == "redirects":
        return web.Response(status=307, headers={"Location": "http://elsewhere.invalid/v1"})
    if fault == "echoes_key":
        said = f"Bad header {request.headers.get('Authorization')}"
        return _json({"error": {"message": said, "code": "bad_request"}}, status=400)
    if fault not in _REFUSALS:
        return None
    status, message, code = _REFUSALS[fault]
    headers = {"Retry-After": behaviour.retry_after} if fault == "rate_limited" else {}
    return _json({"error": {"message": message, "code": code}}, status=status, headers=headers)


def _json(
    body: object, *, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(body),
        status=status,
        headers=headers,
        content_type="application/json",
    )


async def _run(behaviour: Behaviour, port: int, places: int | None) -> None:
    server = SimulatedServer(behaviour, keeps_requests=False, places=places)
    async with server.serve(port):
        print(server.port, flush=True)  # noqa: T201 the parent process reads it
        await asyncio.Event().wait()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--text", default=Behaviour().text)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each chunk")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--numbered", action="store_true", help="no two answers are the same")
    parser.add_argument("--seeded", action="store_true", help="equal requests, equal answers")
    parser.add_argument("--by-effort", action="store_true", help="sums, right by effort")
    parser.add_argument("--tokens-per-chunk", type=int, default=1)
    parser.add_argument("--fault", default=None)
    parser.add_argument("--allow", type=int, default=None, help="streams; others stop half-way")
    options = parser.parse_args()
    if options.fault not in {None, *get_args(Fault)}:
        raise InputError(f"no such fault: {nearest(options.fault, get_args(Fault))}")
    behaviour = Behaviour(
        text=options.text,
        tokens_per_chunk=options.tokens_per_chunk,
        delay_seconds=options.delay,
        latency_seconds=options.latency,
        is_numbered=options.numbered,
        is_seeded=options.seeded,
        is_by_effort=options.by_effort,
        fault=options.fault,
    )
    asyncio.run(_run(behaviour, options.port, options.allow))


if __name__ == "__main__":
    main()
