"""The engine for a reward model behind HTTP: it reads a solution and replies with scores."""

from __future__ import annotations

import math
import os
from collections.abc import AsyncGenerator
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal, TypeAlias

import msgspec

from workspan.boundary.address import checked_url
from workspan.boundary.secret import Secret
from workspan.core.engine import Bill, EngineInfo, Price, check_offered, needs
from workspan.data.types import Chunk, Message, Request, Usage
from workspan.engines.endpoint.client import Client, Retries, Timeouts
from workspan.engines.endpoint.dialect import chat_prompt
from workspan.engines.endpoint.engine import KEY_VARIABLES
from workspan.engines.endpoint.kept import KeptClient
from workspan.engines.endpoint.prompt_size import PromptSizes
from workspan.errors import EngineError, EngineProtocolError, InputError, nearest

RewardForm: TypeAlias = Literal["pooling", "classify", "rerank"]
"""pooling: vLLM's `/pooling`, a score for each step marked in the text; classify: its `/classify`,
one for the whole; rerank: `/v1/rerank` of llama.cpp (`--reranking`), vLLM and others, likewise."""

_PATHS: dict[RewardForm, str] = {
    "pooling": "/pooling",
    "classify": "/classify",
    "rerank": "/v1/rerank",
}


@dataclass(eq=False)
class Reward:
    """A reward model, process or outcome.

    A request's last turn is the solution so far. The one chunk of the stream holds a JSON list of
    scores in [0, 1], one for each step or one in all. Nothing is decoded; the bill is what was
    read. A row of several classes, such as Qwen2.5-Math-PRM's (bad, good), counts by its last.

    Raises:
        InputError: an argument is wrong.
    """

    url: str
    """Of the server itself, such as "http://127.0.0.1:8000"; a last "/v1" is left out."""
    model: str = ""
    """As the server calls it; empty leaves it to the server."""
    _: KW_ONLY
    form: RewardForm = "pooling"
    marker: str = "<extra_0>"
    """Written after each step in the form "pooling", as Qwen2.5-Math-PRM was trained."""
    delimiter: str = "\n\n"
    """What stands between steps in the text that is judged."""
    is_logit: bool = False
    """The model gives logits, as llama.cpp's reranking does: take their sigmoid."""
    api_key: str | None = field(default=None, repr=False)
    """Taken from the environment if None; "" sends none."""
    price: Price | None = None
    concurrency: int = 64
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)

    def __post_init__(self) -> None:
        """Check the arguments; nothing is opened yet."""
        self.url = checked_url(self.url).removesuffix("/v1")
        if self.form not in _PATHS:
            raise InputError(f"no form {self.form!r}: {nearest(self.form, _PATHS)}")
        if self.concurrency < 1:
            raise InputError("concurrency is at least 1")
        key, self.api_key = self.api_key, None  # kept in one place that never shows it
        if key is None:
            key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), "")
        self._secret = Secret(key.strip())
        reads_chat = self.form != "rerank"
        self._sizes = PromptSizes(
            "chat" if reads_chat else "completion",
            self.model,
            f"{self.url}/v1" if reads_chat else self.url,
            self._ask_size,
        )
        self._kept = KeptClient(self._new_client)

    @property
    def info(self) -> EngineInfo:
        """It offers nothing but scores."""
        return EngineInfo(
            "reward", self.model or self.url, price=self.price, concurrency=self.concurrency
        )

    async def count(self, request: Request) -> int:
        """Return the tokens that will be read: exact where the server counts, else a bound."""
        return await self._sizes.count(self._marked(request))

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Score one solution; see `Engine.stream`."""
        check_offered(self.info, needs(request))
        marked = self._marked(request)
        bound = Usage(1, self._sizes.bound(marked), source="estimated")
        bill.usage = bound  # if it is cut while the server reads
        try:
            answer = await self._post(self._body(marked))
            read = _tokens_read(answer)
            if read is not None:
                self._sizes.correct(marked, read)
                bill.usage = Usage(1, read)
            scores = [self._scaled(score) for score in _scores(answer, self.form)]
        except EngineProtocolError as error:
            self._secret.seal(error)
            raise  # the server may charge for what it answered
        except EngineError:
            bill.usage = Usage()
            raise
        yield Chunk(msgspec.json.encode(scores).decode(), finish="stop")

    async def aclose(self) -> None:
        """Close the connections; the engine may be used again."""
        await self._kept.aclose()

    def _marked(self, request: Request) -> Request:
        """Write the marker after each step of the last turn, where the form has markers."""
        if not request.prompt or self.form != "pooling":
            return request
        *before, last = request.prompt
        steps = [step for step in last.text.split(self.delimiter) if step.strip()]
        text = "".join(step.strip() + self.marker for step in steps)
        return replace(request, prompt=(*before, Message(last.role, text)))

    def _body(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.model} if self.model else {}
        if self.form == "rerank":
            *before, last = request.prompt
            query = "\n\n".join(message.text for message in before)
            return body | {"query": query, "documents": [last.text]}
        return body | chat_prompt(request) | {"add_generation_prompt": False}

    async def _post(self, body: dict[str, Any]) -> Any:
        """Ask until the server answers, or is unavailable for as long as `Retries` allows."""
        url = self.url + _PATHS[self.form]
        async for attempt in self.retries.again():
            with attempt:
                return await self._kept.get().json(url, body, seconds=self.timeouts.first_token)
        raise AssertionError("stamina ends by returning or raising")

    async def _ask_size(self, url: str, body: object) -> Any:
        return await self._kept.get().json(url, body)

    def _new_client(self) -> Client:
        return Client(self.url, self._secret, self.timeouts, self.retries, self.concurrency)

    def _scaled(self, score: float) -> float:
        if self.is_logit and math.isfinite(score):
            return 1 / (1 + math.exp(-min(max(score, -700.0), 700.0)))
        if not 0 <= score <= 1:
            raise EngineProtocolError(
                f"{self.url} scored {score:g}, which is no probability: does it give logits?"
            )
        return score


class _Entry(msgspec.Struct):
    """One scored text, by the names of the three forms."""

    data: list[float | list[float]] | None = None
    probs: list[float] | None = None
    relevance_score: float | None = None


class _Read(msgspec.Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Answer(msgspec.Struct):
    data: list[_Entry] | None = None
    results: list[_Entry] | None = None


class _Bill(msgspec.Struct):
    usage: _Read | None = None


def _tokens_read(answer: Any) -> int | None:
    """Return the prompt tokens that the server reports, if it does."""
    try:
        usage = msgspec.convert(answer, _Bill).usage
    except msgspec.ValidationError:
        return None
    return (usage.prompt_tokens or usage.total_tokens) if usage else None


def _scores(answer: Any, form: RewardForm) -> list[float]:
    """Take the scores out of an answer.

    Raises:
        EngineProtocolError: it is not in the form.
    """
    try:
        parsed = msgspec.convert(answer, _Answer)
    except msgspec.ValidationError as error:
        raise EngineProtocolError(f"no answer of the form {form!r}: {error}") from error
    entries = (parsed.results if form == "rerank" else parsed.data) or []
    rows = _rows(entries[0], form) if len(entries) == 1 else []
    if not rows or [] in rows:
        raise EngineProtocolError(f"an answer of the form {form!r} without scores of one solution")
    return [row[-1] if isinstance(row, list) else row for row in rows]


def _rows(entry: _Entry, form: RewardForm) -> list[float | list[float]]:
    if form == "pooling":
        return entry.data or []
    if form == "classify":
        return [entry.probs or []]
    return [] if entry.relevance_score is None else [entry.relevance_score]
