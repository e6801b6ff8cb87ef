"""The seam to a model: one primitive, a streamed completion with its bill."""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from operator import attrgetter
from typing import Literal, Protocol, runtime_checkable

import anyio

from workspan.data.money import exactly
from workspan.data.types import Amount, Chunk, Notice, Prompt, Request, Usage
from workspan.errors import EngineError, UnsupportedCapability

Capability = Literal[
    "continue",  # goes on with a text that it is given
    "logprobs",
    "top_logprobs",
    "seed",
    "reasoning_effort",
    "media",  # reads images, sound, files, or parts that only it knows
    "tools",  # is told of tools, and of calls and results before
    "response_format",
    "thinking_cap",  # ends its thinking at a number of tokens
    "penalties",  # of frequency and presence
    "logit_bias",
    "provider_fields",  # takes fields that only it knows
]
"""What an engine may offer. The last seven are needed by requests, not by strategies."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: Decimal
    output: Decimal
    cached: Decimal | None = None
    """For prompt tokens served from a cache; the input price where None."""

    def of(self, usage: Usage) -> Decimal:
        """Return what `usage` costs at most: tokens that a cut left unseen are included."""
        cached = self.input if self.cached is None else self.cached
        with exactly():
            total = (
                usage.prefill * self.input
                + usage.cached_tokens * cached
                + (usage.output_tokens + usage.unseen_tokens) * self.output
            )
            return total / 1_000_000


FREE = Price(Decimal(0), Decimal(0))
"""The price of a model on one's own machine."""


@dataclass(frozen=True, slots=True)
class Whole:
    """What one call may take, at most, of an engine whose calls are whole pieces of work.

    The cap of a request does not bound such a call: this is what is held for it. None is unknown: a
    budget that limits it is refused beforehand.
    """

    work: int | None = None
    """Decoded tokens."""
    prefill: int | None = None
    """Prompt tokens that no cache serves."""
    cost: Decimal | None = None
    """USD."""

    @property
    def amount(self) -> Amount:
        """What is held for a call."""
        return Amount(1, self.work or 0, self.prefill or 0, self.cost or Decimal(0))


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What a session must know of an engine before it asks anything."""

    name: str
    """How the user names the engine, such as "embedded" or "endpoint"."""
    model: str
    """The model's own name: part of a journal's identity."""
    context: int | None = None
    """Prompt and completion together, in tokens, where known."""
    capabilities: frozenset[Capability] = frozenset()
    price: Price | None = None
    """None is unknown."""
    overshoot: int = 0
    """Tokens that the engine may decode, at most, beyond what it had sent when its stream was
    closed. They are reserved beside each slice, so that a cut cannot pass the budget."""
    concurrency: int = 64
    """Calls at a time that the engine serves well."""
    can_be_cut: bool = True
    """What streams can be counted as it comes, so that a call may hold its cap slice by slice.
    False where it can't, or not yet: then only the cap bounds a call, and all of it is held."""
    caches: int | None = None
    """Prompts of at least so many tokens are kept in a cache once they were read, so that the first
    call of a prompt is worth waiting for; None where they are not, or nobody knows."""
    recorded: str = ""
    """The model whose recorded chains are served; empty where a model is asked."""
    whole: Whole | None = None
    """Set where a call is a whole piece of work, such as a coding agent's: it is held, charged and
    refused as a whole, and answers nothing but the task."""
    has_effort_field: bool = False
    """Who opened it has stated where its server takes an effort: the table of models (see
    `data.efforts`) has no say."""
    is_seen: bool = True
    """False where nobody answered when it was opened: what it offers is as its user says."""


Post = Literal["leaves", "refused"]
"""What becomes of a request to a server: it is about to leave; it surely was not charged for."""


@dataclass(slots=True)
class Bill:
    """What one call has cost so far: written by the engine, read by the session.

    The engine keeps `usage` true at every chunk it yields, and settles it once more before its
    generator ends, whether it ran out, failed or was closed. `usage.calls` is 1 from the moment
    that the engine may charge for the call; `cost` is left to the session unless the provider
    reports one.
    """

    usage: Usage = field(default_factory=Usage)
    is_uncut: bool = False
    """Set by the session before it asks: nothing will cut this call while it goes well, so that an
    engine may wait for the whole answer instead of streaming it."""
    notices: list[Notice] = field(default_factory=list)
    """What was odd about the call, such as figures of the server that can't be true."""
    strike: Callable[[str], str] | None = None
    """Takes the engine's own key out of a text before it is kept."""
    member: str = ""
    """Who answers, where the engine is a pool."""
    price: Price | None = None
    """What that one costs: at most the engine's own price, by which the call is held. None is the
    engine's own."""
    tier: str = ""
    """The service tier that the reply names."""
    stood: float = 0.0
    """Seconds in line before anybody was asked."""
    is_out: bool = False
    """A request may be at the server, as far as the engine tells."""
    on_post: Callable[[Post], None] | None = None
    """Set by the session where the engine `Announces`; see `tell`."""

    def tell(self, post: Post) -> None:
        """Say that a request leaves now, or that it was refused without a charge.

        Raises:
            JournalError: what it may cost can't be written down: it must not leave.
        """
        if self.on_post is not None:
            self.on_post(post)
        self.is_out = post == "leaves"


@runtime_checkable
class Loads(Protocol):
    """An engine that must load something before its first call."""

    async def ready(self) -> None:
        """Load it; costs nothing if that was done, and several callers share one loading.

        Raises:
            EngineError: it can't be loaded.
        """
        ...


@runtime_checkable
class Announces(Protocol):
    """An engine that says on the bill (`Bill.tell`) when a request is about to leave.

    Before that, and while it waits to ask again after a refusal, a killed process has spent nothing
    on the call. Of any other engine a call may be charged from the moment that it is asked.
    """

    @property
    def announces(self) -> bool:
        """Whether it does."""
        ...


def announces(engine: Engine) -> bool:
    """Tell whether an engine says when its requests leave."""
    return isinstance(engine, Announces) and engine.announces


async def ready(engines: Iterable[Engine]) -> None:
    """Let engines load what they must, so that no run's clock counts it.

    One that can't be loaded fails its calls, on the account: nothing is raised here.
    """

    async def one(engine: Loads) -> None:
        with suppress(EngineError):
            await engine.ready()

    async with anyio.create_task_group() as group:
        for engine in engines:
            if isinstance(engine, Loads):
                group.start_soon(one, engine)


def texts_alone(request: Request) -> Request:
    """Return a request without what is no text, where nothing bounds its size."""
    prompt = tuple(replace(turn, content=turn.text) for turn in request.prompt)
    return replace(request, prompt=prompt)


def needs(request: Request) -> frozenset[Capability]:
    """Return what a request can't do without: an engine without it would do something else."""
    found = told_by(request.prompt)
    values = _asked(request)
    if values != _NOT_ASKED:
        told = zip(_NEEDED_FOR.values(), values, _NOT_ASKED, strict=True)
        found = found.union(name for name, value, unset in told if value != unset)
    return found


_NEEDED_FOR: Mapping[str, Capability] = {
    "response_format": "response_format",
    "max_reasoning_tokens": "thinking_cap",
    "frequency_penalty": "penalties",
    "presence_penalty": "penalties",
    "logit_bias": "logit_bias",
    "extra": "provider_fields",
    "tools": "tools",
    "tool_choice": "tools",
}
"""What the fields of a request need where they are set."""
_asked = attrgetter(*_NEEDED_FOR)
_NOT_ASKED = _asked(Request(()))
_NOTHING: frozenset[Capability] = frozenset()


def told_by(prompt: Prompt) -> frozenset[Capability]:
    """Return what a prompt needs, whatever is asked of it."""
    found = _NOTHING
    for turn in prompt:
        if turn.tool_calls or turn.role == "tool" or turn.role == "function":
            found |= {"tools"}
        if turn.content.__class__ is not str and turn.media:
            found |= {"media"}
    return found


def check_offered(info: EngineInfo, wanted: frozenset[Capability]) -> None:
    """Refuse what an engine does not offer, before anything is spent.

    Raises:
        UnsupportedCapability: it names what is missing.
    """
    if missing := sorted(wanted - info.capabilities):
        said = "; ".join(f"{name} ({_MEANS[name]})" for name in missing)
        raise UnsupportedCapability(f"{info.name} {info.model} does not offer {said}")


_MEANS: Mapping[str, str] = {
    "media": "the prompt holds an image, sound, a file or another part that is no text",
    "tools": "the request tells of tools, or the prompt of calls",
    "response_format": "the answer is to have a form",
    "thinking_cap": "the thinking is to be capped",
    "penalties": "frequency or presence is to be penalised",
    "logit_bias": "tokens are to be made more or less likely",
    "provider_fields": "the request has fields that one provider knows",
}


_PROTOCOL = ("info", "stream", "count", "aclose")


def lacks(value: object) -> str:
    """Name the first thing that an engine must have and `value` lacks; empty if it has all."""
    return next((name for name in _PROTOCOL if not hasattr(value, name)), "")


async def give_back(engine: Engine) -> None:
    """Close an engine; one that can't be closed is warned of, and takes no result away."""
    with anyio.CancelScope(shield=True):
        try:
            await engine.aclose()
        except Exception as error:  # noqa: BLE001  # whatever it is, the answer is there
            said = f"the engine {engine.info.name} could not be closed: {error}"
            warnings.warn(said, RuntimeWarning, stacklevel=2)


class Engine(Protocol):
    """One model behind one door; see `Loads` for one that is slow to open."""

    @property
    def info(self) -> EngineInfo:
        """What the engine is and can do; only `can_be_cut` may change while it is open."""
        ...

    def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion; the last chunk carries `finish`.

        Never decodes more than `request.max_tokens`. Closing the generator stops the decoding.
        A session asks nothing that the engine does not offer (`needs`); who is asked past it
        refuses, and leaves nothing out.

        Raises:
            UnsupportedCapability: it does not offer what the request needs; nothing was spent.
            EngineError: the call failed; what it cost until then is on the bill.
        """
        ...

    async def count(self, request: Request) -> int:
        """Return the prompt's tokens with template and prefix: exact, or a bound from above.

        Raises:
            UnsupportedCapability: nothing bounds them, as where it holds an image of unknown size.
        """
        ...

    async def aclose(self) -> None:
        """Give everything back; idempotent."""
        ...


def models(engines: Mapping[str, Engine]) -> dict[str, str]:
    """Say for each name what stands behind it: the engine's own name and its model's."""
    return {name: f"{used.info.name} {used.info.model}" for name, used in sorted(engines.items())}


def engine_names(own: str, further: Mapping[str, str]) -> str:
    """Write a run's engines in one line: ``embedded qwen, strong=endpoint llama``."""
    return ", ".join([own, *(f"{name}={model}" for name, model in further.items())])
