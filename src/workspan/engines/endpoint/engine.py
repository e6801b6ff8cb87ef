"""The engine for any OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from workspan.address import checked_url
from workspan.engines.base import Bill, Capability, EngineInfo, Price
from workspan.engines.endpoint.client import Client, Reply, Retries, Timeouts
from workspan.engines.endpoint.meter import Meter
from workspan.engines.endpoint.prompt_size import PromptSizes
from workspan.engines.endpoint.shared import Groups
from workspan.engines.endpoint.wire import Dialect, Form, Report
from workspan.errors import (
    EngineError,
    EngineProtocolError,
    EngineRejected,
    InputError,
    nearest,
)
from workspan.secret import Secret
from workspan.types import Chunk, Request, Usage

KEY_VARIABLES = ("WORKSPAN_API_KEY", "OPENAI_API_KEY")
"""Where a key is read from, the first that is set."""

_CONTINUING_SERVERS = frozenset({"vllm", "sglang", "llamacpp"})
"""`owned_by` of servers known to continue an answer."""


@dataclass(eq=False)
class Endpoint:
    """One model behind an OpenAI-compatible server.

    Nothing is sent anywhere but to `url`. An environment proxy is used for https only.

    Raises:
        InputError: an argument is wrong.
    """

    url: str
    """Of the server, such as "http://127.0.0.1:8080/v1"."""
    model: str
    """As the server calls it."""
    _: KW_ONLY
    api_key: str | None = field(default=None, repr=False)
    """Taken from the environment if None; "" sends none."""
    form: Form = "chat"
    prefill: bool | None = None
    """The server continues a partial answer, as vLLM, SGLang and llama.cpp do. None is yes in the
    completion form, no in the chat form; `discover` asks the server what it is."""
    price: Price | None = None
    context: int | None = None
    """Prompt and completion together, in tokens, where known."""
    n_per_request: int = 1
    """Above 1, equal requests that come at once are asked as one with `n` choices. They share its
    seed, and one closed early decodes on unseen beside the others: only requests of at most
    `runahead` tokens are joined, so that this stays within what was reserved."""
    concurrency: int = 64
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    runahead: int = 64
    """Tokens that the server may decode before it notices that its client hung up."""
    reasoning_effort: str | None = None
    """For requests that name none."""
    sends_seed: bool = True
    """False for servers that refuse a seed."""

    def __post_init__(self) -> None:
        """Check the arguments; nothing is opened yet."""
        self.url = checked_url(self.url)
        if self.n_per_request < 1 or self.concurrency < 1 or self.runahead < 0:
            raise InputError("n_per_request and concurrency are at least 1, runahead at least 0")
        if self.form not in {"chat", "completion"}:
            raise InputError(f"no form {self.form!r}: {nearest(self.form, ('chat', 'completion'))}")
        key = self.api_key
        self.api_key = None  # kept in one place that never shows it
        if key is None:
            key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), "")
        self._secret = Secret(key.strip())
        self._dialect = Dialect(
            self.form, self.model, self.sends_seed, reasoning_effort=self.reasoning_effort
        )
        self._sizes = PromptSizes(self.form, self.model, self.url, self._post)
        self._groups = Groups(self, self.n_per_request)
        self._info = self._describe()
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    async def discover(cls, url: str, model: str | None = None, **options: Any) -> Endpoint:
        """Ask a server what it is: its model if it has only one, its context, whether it continues.

        Raises:
            EngineError: the server does not answer.
            InputError: it has several models, and none was named.
        """
        engine = cls(url, model or "", **options)
        try:
            known = await engine._listing()
        finally:
            await engine.aclose()
        if model is None:
            if len(known) != 1:
                raise InputError(f"name one of the models of {engine.url}: {', '.join(known)}")
            (model,) = known
        entry = known.get(model, {})
        meta = entry.get("meta") if isinstance(entry.get("meta"), dict) else {}
        found = {
            "context": entry.get("max_model_len") or (meta or {}).get("n_ctx"),
            "prefill": True if entry.get("owned_by") in _CONTINUING_SERVERS else None,
        }
        return cls(url, model, **{**found, **options})

    @property
    def info(self) -> EngineInfo:
        """What the server is taken to offer."""
        return self._info

    def _describe(self) -> EngineInfo:
        capabilities: set[Capability] = {"logprobs", "top_logprobs", "reasoning_effort"}
        if self.sends_seed and self.n_per_request == 1:
            capabilities.add("seed")
        if self.prefill or (self.prefill is None and self.form == "completion"):
            capabilities.add("continue")
        return EngineInfo(
            name="endpoint",
            model=self.model,
            context=self.context,
            capabilities=frozenset(capabilities),
            price=self.price,
            runahead=self.runahead,
            concurrency=self.concurrency,
        )

    async def models(self) -> tuple[str, ...]:
        """Return the names of the server's models."""
        return tuple(await self._listing())

    async def count(self, request: Request) -> int:
        """Return the prompt's tokens: exact from llama.cpp and vLLM, a bound from others."""
        return await self._sizes.count(request)

    def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion; see `Engine.stream`."""
        if self.n_per_request > 1 and request.max_tokens <= self.runahead:
            return self._groups.stream(request, bill)
        return self.single(request, bill)

    async def single(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion by a request of its own."""
        meter = self.meter(request)
        bill.usage = meter.usage_if_cut
        try:
            reply = await self.ask(request)
        except EngineError:
            bill.usage = Usage()
            raise
        report: Report | None = None
        try:
            while events := await reply.read():
                for event in events:
                    for choice in event.choices:
                        if choice.index == 0:
                            meter.take(choice)
                    report = event.usage or report
                bill.usage = meter.usage
                if meter.has_overrun:
                    meter.finish = "length"
                    break
                if meter.finish is None and (chunk := meter.chunk()):
                    yield chunk
            self._settle(meter, report, reply)
            bill.usage = meter.usage
            yield meter.last_chunk()
        except EngineError as error:
            self._secret.seal(error)
            raise
        finally:
            bill.usage = meter.usage_if_cut
            reply.close()

    async def aclose(self) -> None:
        """Close the connections; the engine may be used again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def meter(self, request: Request) -> Meter:
        """Begin the account of one choice."""
        known = self._sizes.known(request)
        meter = Meter(request, known or self._sizes.bound(request), self.runahead)
        if known:
            meter.expects(known, 0, "tokenised")
        return meter

    async def ask(self, request: Request, n: int = 1) -> Reply:
        """Begin a stream of n choices.

        Raises:
            EngineError: no token came; nothing is billed.
        """
        dialect = self._dialect

        def learn(error: EngineError) -> bool:
            return dialect.learn(error.status, str(error))

        try:
            return await self._open_client().stream(
                dialect.path, lambda: dialect.body(request, n), learn
            )
        except EngineRejected as error:
            if error.status == 404:
                raise await self._unknown_model(error) from error
            raise

    def _settle(self, meter: Meter, report: Report | None, reply: Reply) -> None:
        """Close the account of a stream that was read to its end.

        Raises:
            EngineProtocolError: the stream ended before the choice did.
        """
        if meter.finish is None:
            how = "without a finish_reason" if reply.is_done else "in the middle of an answer"
            raise EngineProtocolError(f"{self.url} ended the stream {how}")
        if report is not None:
            meter.report(report)
            self._sizes.correct(meter.request, report.prompt_tokens)
        elif not meter.has_overrun:
            meter.settle()

    def _open_client(self) -> Client:
        """Make the connection pool, anew for each event loop."""
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._loop = loop
            self._client = Client(
                self.url, self._secret, self.timeouts, self.retries, self.concurrency
            )
        return self._client

    async def _post(self, url: str, body: object) -> Any:
        return await self._open_client().json(url, body)

    async def _listing(self) -> dict[str, dict[str, Any]]:
        answer = await self._open_client().json(f"{self.url}/models")
        entries = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(entries, list):
            raise EngineProtocolError(f"{self.url}/models is no list of models")
        return {self._secret.scrub(str(entry["id"])): entry for entry in entries if "id" in entry}

    async def _unknown_model(self, error: EngineRejected) -> EngineRejected:
        """Add to a 404 what the server does know."""
        try:
            known = await self.models()
        except EngineError:
            hint = "is the address right? It usually ends in /v1"
        else:
            hint = nearest(self.model, known) if known else "the server has no models"
        return EngineRejected(f"{error}; {hint}", status=error.status)
