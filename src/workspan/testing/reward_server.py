"""A simulated reward model on loopback: scores by a rule, chosen faults, its own bill.

No model stands behind it: `rule` scores each step of a text. It speaks the forms of
`workspan.engines.scoring`: vLLM's `/pooling` and `/classify`, and `/v1/rerank`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec
from aiohttp import web

from workspan.testing.loopback import listening

RewardFault: TypeAlias = Literal[
    "unauthorized",  # 401
    "overloaded",  # 500
    "context",  # 400, the text is too long
    "malformed",  # 200 with something else than JSON
    "html",  # 200 with a web page
    "no_scores",  # 200 with an answer that holds none
    "logits",  # scores beyond [0, 1]
    "hangs",  # no byte at all
]
"""What can go wrong."""

_REFUSALS: dict[RewardFault, tuple[int, str]] = {
    "unauthorized": (401, "Incorrect API key provided."),
    "overloaded": (500, "The server is overloaded."),
    "context": (400, "This model's maximum context length is 16 tokens."),
}


def ends_in_even(step: str) -> float:
    """Like steps whose last character is an even digit."""
    return 0.9 if step[-1:] in {"0", "2", "4", "6", "8"} else 0.2


@dataclass(slots=True)
class SimulatedRewardServer:
    """The server's state; `fault` and `rule` may be replaced between requests."""

    rule: Callable[[str], float] = ends_in_even
    """From the text of one step to its score."""
    marker: str = "<extra_0>"
    fault: RewardFault | None = None
    fault_times: int | None = None
    """So many requests are hit; None is all."""
    reports_usage: bool = True
    counts_tokens: bool = False
    """Offer vLLM's `/tokenize`."""
    calls: int = 0
    prompt_tokens: int = 0
    """Words read, and one a message for its frame."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    port: int = 0
    _faults: int = 0

    @property
    def url(self) -> str:
        """What an engine is pointed at."""
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[SimulatedRewardServer]:
        """Listen on a free port of loopback until the block is left."""
        app = web.Application()
        app.router.add_post("/pooling", self._score)
        app.router.add_post("/classify", self._score)
        app.router.add_post("/v1/rerank", self._score)
        app.router.add_post("/tokenize", self._tokenize)
        async with listening(app) as self.port:
            yield self

    async def _tokenize(self, request: web.Request) -> web.Response:
        if not self.counts_tokens:
            return web.Response(status=404)
        return _json({"count": _words(await _body(request))})

    async def _score(self, request: web.Request) -> web.Response:
        body = await _body(request)
        self.requests.append(body)
        self.authorizations.append(request.headers.get("Authorization", ""))
        fault = self._next_fault()
        if fault == "hangs":
            await asyncio.sleep(3600)
        if fault in _REFUSALS:
            status, message = _REFUSALS[fault]
            return _json({"error": {"message": message}}, status)
        self.calls += 1
        read = _words(body)
        self.prompt_tokens += read
        if fault == "malformed":
            return web.Response(text='{"data": [', content_type="application/json")
        if fault == "html":
            return web.Response(text="<html></html>", content_type="text/html")
        answer = {} if fault == "no_scores" else self._answer(request.path, body)
        if fault == "logits":
            answer = {"data": [{"index": 0, "data": [[-2.5], [3.0]]}]}
        if self.reports_usage:
            answer["usage"] = {"prompt_tokens": read, "total_tokens": read, "completion_tokens": 0}
        return _json(answer)

    def _next_fault(self) -> RewardFault | None:
        if self.fault_times is not None and self._faults >= self.fault_times:
            return None
        self._faults += self.fault is not None
        return self.fault

    def _answer(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Score by the rule, in the form of the path."""
        if path == "/v1/rerank":
            score = self.rule(body["documents"][0].strip())
            return {"results": [{"index": 0, "relevance_score": score}]}
        text = body["messages"][-1]["content"]
        if path == "/classify":
            score = self.rule(text.strip())
            probabilities = [1 - score, score]
            return {"data": [{"index": 0, "label": "1", "probs": probabilities, "num_classes": 2}]}
        scores = [self.rule(step.strip()) for step in text.split(self.marker)[:-1]]
        rows = [[1 - score, score] for score in scores]
        return {"object": "list", "data": [{"index": 0, "object": "pooling", "data": rows}]}


async def _body(request: web.Request) -> dict[str, Any]:
    return msgspec.json.decode(await request.read(), type=dict[str, Any])


def _words(body: dict[str, Any]) -> int:
    texts = [str(message["content"]) for message in body.get("messages", ())]
    texts += [str(body.get("query", "")), *map(str, body.get("documents", ()))]
    return sum(len(text.split()) + 1 for text in texts if text)


def _json(answer: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(answer), status=status, content_type="application/json"
    )
