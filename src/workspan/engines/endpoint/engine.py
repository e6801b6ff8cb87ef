"""The engine for any OpenAI-compatible endpoint."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any

from workspan.boundary.address import checked_url
from workspan.boundary.secret import Secret
from workspan.core.engine import Bill, Capability, EngineInfo, Price, check_offered, needs
from workspan.data.efforts import EFFORT_FIELDS
from workspan.data.types import OWNED, Chunk, Notice, Request, Usage
from workspan.engines.endpoint.client import Client, Retries, Tell, Timeouts
from workspan.engines.endpoint.dialect import THINKING_CAPS, Asking, Dialect, Form, ThinkingCap
from workspan.engines.endpoint.kept import KeptClient
from workspan.engines.endpoint.lessons import CAP_NAMES
from workspan.engines.endpoint.meter import Meter
from workspan.engines.endpoint.pace import Pace
from workspan.engines.endpoint.prompt_size import PromptSizes
from workspan.engines.endpoint.reply import Reply, Size
from workspan.engines.endpoint.shared import Groups
from workspan.engines.endpoint.wire import Event
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineProtocolError,
    EngineRejected,
    EngineUnavailable,
    InputError,
    UnsupportedCapability,
    nearest,
)
from workspan.legible import quoted

KEY_VARIABLES = ("WORKSPAN_API_KEY", "OPENAI_API_KEY")
"""Where a key is read from, the first that is set."""

_CONTINUING = frozenset({"vllm", "sglang", "llamacpp"})
"""`owned_by` of servers that may continue an answer, if it is them and no gateway before them."""
_COUNTING = frozenset({"vllm", "sglang"})
"""Those of them whose streams can carry a running count."""
_OWN_DOORS = {"/props": "default_generation_settings", "/server_info": "model_path"}
"""Of llama.cpp and SGLang, and what their answers hold."""
_ENDS: tuple[dict[str, bool], ...] = (
    {"continue_final_message": True},
    {"continue_final_message": False},
)
"""How vLLM's `/tokenize` may frame a last answer: one that is left open takes no end of a turn."""
_OWNED = frozenset(
    {"model", "messages", "prompt", "stream", "stream_options", "n", "best_of", *CAP_NAMES}
)
"""Fields that the account rests on."""
_PLACE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){0,4}")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


_WHOLE_TOKENS = 256
"""Answers of at most so many are asked for whole where nothing may cut them. That costs less than a
stream; longer silence would run into the time-outs of servers and of what stands before them. An
answer that is continued is always streamed: not streamed, llama.cpp sends its beginning again."""


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
    """The server continues a partial answer, as vLLM, SGLang and llama.cpp do when they are asked
    directly. None is yes in the completion form, no in the chat form: no listing tells, since a
    gateway passes on the names of the servers behind it; `discover` asks the server itself."""
    price: Price | None = None
    context: int | None = None
    """Prompt and completion together, in tokens, where known."""
    n_per_request: int = 1
    """Above 1, equal requests that come at once are asked as one with `n` choices. They share its
    seed, and one closed early decodes on unseen beside the others: only requests of at most
    `overshoot` tokens are joined, so that this stays within what was reserved."""
    concurrency: int = 64
    timeouts: Timeouts = field(default_factory=Timeouts)
    retries: Retries = field(default_factory=Retries)
    overshoot: int = 64
    """Tokens that the server may decode before it notices that its client hung up."""
    media_tokens: int | None = None
    """The most tokens that one image, sound or file of a prompt takes, by the provider's table.
    Without it nothing bounds such a prompt: limits on prefill and money refuse it."""
    caches: int | None = None
    """The server keeps prompts of at least so many tokens in a cache that all its calls share: of
    calls with equal prompts the first goes ahead until its first token. None sends all at once."""
    thinking_cap: ThinkingCap | None = None
    """The field by which the server takes `Request.max_reasoning_tokens`; None is that it takes no
    such cap."""
    continuous_usage: bool = False
    """Ask that each piece of a stream carries the count so far, as vLLM and SGLang do: what has
    come is then known to the token before the end."""
    reasoning_effort: str | None = None
    """For requests that name none."""
    effort_field: str = ""
    """Where in a request the server takes an effort, such as "reasoning.effort": for models of
    which `data.efforts` does not know it, or servers that want it elsewhere."""
    sends_seed: bool = True
    """False leaves the seed out. A server that refuses it is asked without it by itself."""
    streams: bool = True
    """False asks for whole replies. They can't be cut, so that all they may hold is reserved, and
    each must come within `Timeouts.first_token`."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sent with every request; never shown."""
    key_header: str = ""
    """Holds the key in place of ``Authorization: Bearer``, such as Azure's "api-key"."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Fields added to every request for a completion, such as a provider's routing."""
    is_seen: bool = True
    """False where nobody answered when it was opened."""

    def __post_init__(self) -> None:
        """Check the arguments; nothing is opened yet."""
        self.url = checked_url(self.url)
        if self.n_per_request < 1 or self.concurrency < 1 or self.overshoot < 0:
            raise InputError("n_per_request and concurrency are at least 1, overshoot at least 0")
        for name in ("media_tokens", "caches"):
            if (told := getattr(self, name)) is not None and told < 0:
                raise InputError(f"{name} is at least 0")
        if self.thinking_cap is not None and self.thinking_cap not in THINKING_CAPS:
            hint = nearest(self.thinking_cap, THINKING_CAPS)
            raise InputError(f"no thinking_cap {self.thinking_cap!r}: {hint}")
        if self.effort_field and not _is_place(self.effort_field):
            raise InputError(
                f"effort_field is {quoted(self.effort_field)}: a name, or names with dots between "
                f"them, of a field that is not the engine's own: {', '.join(EFFORT_FIELDS)}"
            )
        if self.form not in {"chat", "completion"}:
            raise InputError(f"no form {self.form!r}: {nearest(self.form, ('chat', 'completion'))}")
        key = self.api_key
        self.api_key = None  # kept in one place that never shows it
        if key is None:
            key = next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), "")
        _check_headers(self.headers, self.key_header)
        if owned := sorted(_OWNED.intersection(self.extra_body)):
            raise InputError(f"extra_body holds {', '.join(owned)}, which the engine writes itself")
        self._secret = Secret(key.strip(), tuple(self.headers.values()))
        self._dialect = Dialect(
            self.form,
            self.model,
            self.sends_seed,
            reasoning_effort=self.reasoning_effort,
            extra=self.extra_body,
            context=self.context,
            thinking_cap=self.thinking_cap,
            effort_field=self.effort_field,
            continuous_usage=self.continuous_usage,
            stated=frozenset() if self.streams else frozenset({"stream"}),
        )
        self._sizes = PromptSizes(self.form, self.model, self.url, self._post, self.media_tokens)
        self._pace = Pace()
        self._pace.hides = not self.streams
        self._groups = Groups(self, self.n_per_request)
        self._info = self._describe()
        self._kept = KeptClient(self._new_client)

    @classmethod
    async def discover(cls, url: str, model: str | None = None, **options: Any) -> Endpoint:
        """Ask a server what it is: its model if it has only one, its context, whether it continues.

        One whose list can't be had is taken at the caller's word where a model is named.

        Raises:
            EngineError: the server is not there, or no model was named and it lists none.
            InputError: it has several models, and none was named.
        """
        engine = cls(url, model or "", **options)
        try:
            known = await engine._found(model)
            if model is None:
                if len(known) != 1:
                    raise InputError(f"name one of the models of {engine.url}: {', '.join(known)}")
                (model,) = known
            found = await engine._told(_entry_of(model, known))
        finally:
            await engine.aclose()
        return cls(url, model, **{**found, **options})

    async def _found(self, model: str | None) -> dict[str, dict[str, Any]]:
        """List the models; nothing where that fails and one was named.

        Raises:
            EngineError: it fails and none was named, or nobody is there.
        """
        try:
            return await self._listing()
        except EngineError as error:
            if model is None or not error.is_reached:
                raise
            return {}

    async def _told(self, entry: dict[str, Any]) -> dict[str, Any]:
        """Read what a listing says of a model, and ask the server itself whether it continues.

        The entry of a listing is passed on by gateways that do not continue; the servers' own
        routes are not.
        """
        meta = entry.get("meta")
        sizes = [
            entry.get("max_model_len"),
            entry.get("context_length"),
            entry.get("context_window"),
            entry.get("max_context_length"),
            meta.get("n_ctx") if isinstance(meta, dict) else None,
        ]
        context = next((n for n in sizes if isinstance(n, int) and n > 0), None)
        found: dict[str, Any] = {} if context is None else {"context": context}
        if entry.get("owned_by") in _CONTINUING and await self._continues():
            found["prefill"] = True
            found["continuous_usage"] = entry["owned_by"] in _COUNTING
        return found

    async def _continues(self) -> bool:
        """Ask at the server's own routes, which gateways do not have, whether it continues."""
        root = self.url.removesuffix("/v1")
        for path, mark in _OWN_DOORS.items():
            try:
                told = await self._kept.get().json(root + path)
            except EngineError:
                continue
            if isinstance(told, dict) and mark in told:
                return True
        left_open, closed = [await self._framed(root, **flags) for flags in _ENDS]
        return 0 < left_open < closed

    async def _framed(self, root: str, **flags: bool) -> int:
        """Count a last answer in vLLM's frame; 0 where there is no such route."""
        messages = [{"role": role, "content": "a"} for role in ("user", "assistant")]
        body = {"model": self.model, "messages": messages, "add_generation_prompt": False, **flags}
        try:
            told = await self._kept.get().json(f"{root}/tokenize", body)
        except EngineError:
            return 0
        count = told.get("count") if isinstance(told, dict) else None
        return count if isinstance(count, int) else 0

    @property
    def secret(self) -> Secret:
        """The key and the headers that hold others, for whoever else asks the same server."""
        return self._secret

    @property
    def pace(self) -> Pace:
        """What the server's streams have taught, likewise."""
        return self._pace

    @property
    def sizes(self) -> PromptSizes:
        """What is known of its prompts, likewise."""
        return self._sizes

    @property
    def info(self) -> EngineInfo:
        """What the server is taken to offer, and whether its streams can be counted by now."""
        if self._pace.can_be_cut is not self._info.can_be_cut:
            self._info = replace(self._info, can_be_cut=self._pace.can_be_cut)
        return self._info

    def _describe(self) -> EngineInfo:
        capabilities: set[Capability] = {"logprobs", "top_logprobs", "reasoning_effort"}
        capabilities |= {"penalties", "logit_bias", "provider_fields"}
        if self.form == "chat":
            capabilities |= {"media", "tools", "response_format"}
        if self.thinking_cap is not None:
            capabilities.add("thinking_cap")
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
            overshoot=self.overshoot,
            concurrency=self.concurrency,
            can_be_cut=False,  # until a stream has ended with a count
            caches=self.caches,
            has_effort_field=bool(self.effort_field),
            is_seen=self.is_seen,
        )

    @property
    def announces(self) -> bool:
        """It says on the bill when a request leaves."""
        return True

    async def models(self) -> tuple[str, ...]:
        """Return the names of the server's models."""
        return tuple(await self._listing())

    async def count(self, request: Request) -> int:
        """Return the prompt's tokens: exact from llama.cpp and vLLM, a bound from others.

        Raises:
            UnsupportedCapability: it holds an image, sound or file, and no `media_tokens` is given.
        """
        if not self._sizes.is_bounded(request):
            raise UnsupportedCapability(
                f"nothing bounds the tokens of what is no text in the prompt, so that no limit on "
                f"prefill or money can be kept at {self.url}: give the engine media_tokens, the "
                "most that one image, sound or file takes, or leave those limits out"
            )
        return await self._sizes.count(request)

    def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion; see `Engine.stream`."""
        bill.strike = self._secret.strike
        check_offered(self._info, needs(request))
        if (
            self.n_per_request > 1
            and not self._groups.is_off
            and "n" not in self._dialect.refused
            and request.max_tokens <= self.overshoot
        ):
            return self._groups.stream(request, bill)
        return self.single(request, bill)

    async def single(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion by a request of its own."""
        meter = self.meter(request)
        meter.is_asked_whole = (
            bill.is_uncut and request.max_tokens <= _WHOLE_TOKENS and not request.prefix
        )
        bill.usage = meter.usage_if_cut
        failures: list[EngineUnavailable] = []
        try:
            reply = await self.ask(
                request, is_whole=meter.is_asked_whole, failures=failures, tell=bill.tell
            )
        except EngineError as error:
            meter.is_asked_whole |= error.served == "whole"
            bill.usage = meter.usage_if_cut if error.served != "no" else Usage()
            raise
        except BaseException:  # the time is up while it is asked again and again
            _close(bill, failures)
            raise
        try:
            while events := await reply.read():
                self._take(meter, events)
                bill.tier = next(
                    (one.service_tier for one in events if one.service_tier), bill.tier
                )
                if meter.finish is not None:
                    continue  # settled at the end
                bill.usage = meter.usage
                if meter.has_overrun:
                    self._take(meter, await reply.read())  # where a whole answer came, its end
                    if meter.finish is None:
                        meter.cut_off()
                        break
                if chunk := meter.chunk():
                    yield chunk
            else:
                self._settle(meter, reply)
                bill.usage = meter.usage
            yield meter.last_chunk()
        except EngineError as error:
            self._secret.seal(error)
            raise
        finally:
            with suppress(EngineError):  # what has come is on the bill, read or not
                self._take(meter, reply.unread() if meter.finish is None else [])
            bill.usage = meter.usage_if_cut
            bill.notices += [*reply.notices, *meter.notices, *meter.unmet]
            reply.close()

    async def aclose(self) -> None:
        """Close the connections; the engine may be used again."""
        await self._kept.aclose()

    def meter(self, request: Request) -> Meter:
        """Begin the account of one choice."""
        known = self._sizes.known(request)
        bound = known or self._sizes.bound(request)
        is_bounded = self._sizes.is_bounded(request)
        meter = Meter(request, bound, self.overshoot, self._pace, is_bounded=is_bounded)
        if known:
            meter.expects(known, 0, "tokenised")
        return meter

    async def ask(
        self,
        request: Request,
        n: int = 1,
        *,
        is_whole: bool = False,
        failures: list[EngineUnavailable] | None = None,
        tell: Tell = lambda _: None,
    ) -> Reply:
        """Begin a stream of n choices, or wait for them whole, asked for as the server has taught.

        The reply's `notices` say what of the request was given up; `failures` takes those that are
        answered by asking again, and `tell` is told of each request.

        Raises:
            EngineError: no token came; nothing is billed.
        """
        dialect, sizes = self._dialect, self._sizes
        bound = sizes.bound(request)
        if dialect.context is not None and bound + request.max_tokens > dialect.context:
            bound = await sizes.count(request)
        asking = Asking(dialect, request, n, sizes.known(request), bound, is_whole=is_whole)
        try:
            size = Size(n, request.max_tokens, is_whole)
            seen = [] if failures is None else failures
            reply = await self._kept.get().stream(
                dialect.path, asking.body, asking.learn, size, seen, tell
            )
        except EngineRejected as error:
            if error.status == 404:
                raise await self._unknown_model(error) from error
            raise
        except ContextExceeded as error:
            if dialect.context is None or self.context is not None:
                raise
            raise ContextExceeded(
                f"{error}; the answers to come are capped to fit: context={dialect.context} says "
                "so from the start",
                status=error.status,
            ) from error
        if dialect.refused or asking.is_capped:
            reply.notices = asking.notices
            self._pace.hides |= not dialect.streams
        return reply

    def _take(self, meter: Meter, events: list[Event]) -> None:
        for event in events:
            for choice in event.choices:
                if choice.index == 0:
                    meter.take(choice)
                else:
                    meter.take_unasked(choice)
            if event.usage is not None:
                meter.hear(event.usage)

    def _settle(self, meter: Meter, reply: Reply) -> None:
        """Close the account of a stream that was read to its end.

        Raises:
            EngineProtocolError: the stream ended before the choice did.
        """
        if meter.finish is None and reply.is_done and meter.was_served:
            meter.end_unsaid(self.url)
        if meter.finish is None:
            raise EngineProtocolError(f"{self.url} ended the stream in the middle of an answer")
        meter.settle(self.url)
        self._sizes.correct(meter.request, meter.prompt_told)

    def _new_client(self) -> Client:
        return Client(
            self.url,
            self._secret,
            self.timeouts,
            self.retries,
            self.concurrency,
            headers=self.headers,
            key_header=self.key_header,
        )

    async def _post(self, url: str, body: object) -> Any:
        return await self._kept.get().json(url, body)

    async def _listing(self) -> dict[str, dict[str, Any]]:
        answer = await self._kept.get().json(f"{self.url}/models")
        entries = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(entries, list):
            raise EngineProtocolError(f"{self.url}/models is no list of models")
        named = (entry for entry in entries if isinstance(entry, dict) and "id" in entry)
        return {self._secret.scrub(str(entry["id"])): entry for entry in named}

    async def _unknown_model(self, error: EngineRejected) -> EngineRejected:
        """Add to a 404 what the server does know."""
        try:
            known = await self.models()
        except EngineError:
            hint = "is the address right? It usually ends in /v1"
        else:
            hint = nearest(self.model, known) if known else "the server has no models"
        return EngineRejected(f"{error}; {hint}", status=error.status)


def _entry_of(model: str, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Find what a list says of a model that may be named by an alias."""
    if model in known:
        return known[model]
    for name, entry in known.items():
        aliases = entry.get("aliases")
        others = [entry.get("root"), *(aliases if isinstance(aliases, list) else [])]
        if model in others or name in (f"{model}:latest", f"models/{model}"):
            return entry
    return next(iter(known.values())) if len(known) == 1 else {}


def _is_place(path: str) -> bool:
    """Say whether an effort may be written there: a dotted name that is not the engine's own."""
    first = path.partition(".")[0]
    return bool(_PLACE.fullmatch(path)) and first not in _OWNED and first not in _VALUES


_VALUES = OWNED - {"reasoning_effort"}


def _close(bill: Bill, failures: Sequence[EngineUnavailable]) -> None:
    """Settle a call that was given up before its reply: nothing where no request was out."""
    if failures:
        bill.notices.append(Notice("unavailable", str(failures[-1])))
    if not bill.is_out:
        bill.usage = Usage()


def _check_headers(headers: Mapping[str, str], key_header: str) -> None:
    """Refuse what is no header, without repeating a value.

    Raises:
        InputError: one is none.
    """
    for name, value in {**headers, **({key_header: ""} if key_header else {})}.items():
        if not _HEADER_NAME.fullmatch(str(name)):
            raise InputError(f"{name!r} is no name of a header")
        if not isinstance(value, str) or not value.isprintable() or not value.isascii():
            raise InputError(f"the header {name} needs a line of plain text")
