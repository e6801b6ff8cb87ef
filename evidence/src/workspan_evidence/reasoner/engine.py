"""The reasoner as an engine: all chains that run at a time are one batch in a thread of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

import anyio
from anyio.lowlevel import checkpoint
from threadpoolctl import ThreadpoolController

from workspan.boundary.inputs import read_whole
from workspan.core.engine import FREE, Bill, EngineInfo, check_offered, needs
from workspan.data.types import Chunk, Request, Usage
from workspan.errors import ContextExceeded, EngineRejected, InputError
from workspan_evidence.grammar import BOS, encode
from workspan_evidence.reasoner.catalogue import DEFAULT, find
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.memory import Memory
from workspan_evidence.reasoner.model import Context, Model
from workspan_evidence.reasoner.sampling import Sampling
from workspan_evidence.reasoner.shared_prefix import SharedPrefix, decode

LEG = 16
"""Tokens that a chain is decoded by at a time."""

WIDTH = 256
"""Chains at a time from which more bring no more tokens per second."""


@dataclass(slots=True, eq=False)
class _Call:
    """A chain with what it follows and how it is drawn."""

    chain: Chain
    tokens: tuple[int, ...]
    sampling: Sampling
    tells: bool
    """Log-probabilities are wanted."""
    context: Context | None = None
    cached: int = 0
    """Tokens of the prompt that were read before."""

    @property
    def usage(self) -> Usage:
        """What was decoded until now."""
        return Usage(1, len(self.tokens), self.cached, len(self.chain.tokens))


@dataclass(slots=True)
class _Batch:
    """What the thread works on; only who holds the engine's lock touches it."""

    model: Model
    memory: Memory
    prefixes: list[SharedPrefix] = field(default_factory=list)

    def read(self, calls: Iterable[_Call]) -> None:
        """Read the prompts of calls that begin, each once."""
        for call in calls:
            if call.context is None:
                call.context, call.cached = self.memory.read(call.tokens)

    def run(self, calls: Sequence[_Call], gone: set[Chain]) -> None:
        """Decode a leg of each call's chain, and let go those that nobody reads any more."""
        asked = {call.chain for call in calls}
        going = set[Chain]()
        for prefix in [*self.prefixes]:
            if gone:
                prefix.leave(gone)
            if late := {chain for chain in prefix.chains if chain not in asked}:
                self._set_apart(prefix, late)
            going.update(prefix.chains)
        self._start([call for call in calls if call.chain not in going])
        decode(self.model, [f for f in self.prefixes if asked.issuperset(f.chains)], LEG)
        self.prefixes = [prefix for prefix in self.prefixes if prefix.chains]

    def _set_apart(self, prefix: SharedPrefix, late: set[Chain]) -> None:
        """Take chains whose reader is slow out of a prefix, unless they are all of it."""
        if len(late) < len(prefix.chains):
            self.prefixes.append(prefix.part(late))

    def _start(self, calls: Sequence[_Call]) -> None:
        """Make prefixes of calls that begin: one for each prompt and way of sampling."""
        alike: dict[tuple[tuple[int, ...], Sampling, bool], list[_Call]] = {}
        for call in calls:
            alike.setdefault((call.tokens, call.sampling, call.tells), []).append(call)
        for (_, sampling, tells), group in alike.items():
            assert group[0].context is not None
            chains = [call.chain for call in group]
            self.prefixes.append(
                SharedPrefix(self.model, group[0].context, sampling, chains, tells=tells)
            )


class Reasoner:
    """A small transformer that was trained on the problems of one grammar; NumPy decodes it.

    A prompt is one user message in `workspan_evidence.grammar`; a prefix continues the chain. The
    model was trained to search at random, so temperature 1 gives the chains it was trained for; a
    lower one, as many strategies have it, makes it favour some branches over others. Whatever the
    temperature, tokens far less likely than the likeliest are left out (`min_p`).

    Chains share what is read and decoded, and get random numbers by their seed alone: a seed
    repeats whatever runs beside it, but for what rounding in float32 changes.

    Args:
        model: the weights.
        name: theirs; journals belong to it.
        min_p: the weights' own if None.
    """

    def __init__(self, model: Model, name: str, *, min_p: float | None = None) -> None:
        self._model = model
        self._min_p = model.shape.min_p if min_p is None else min_p
        self._info = EngineInfo(
            name="reasoner",
            model=name,
            context=model.shape.context,
            capabilities=frozenset({"continue", "logprobs", "seed"}),
            price=FREE,
            overshoot=LEG,
            concurrency=WIDTH,
        )
        self._batch = _Batch(model, Memory(model))
        self._asking: dict[_Call, None] = {}
        """Calls whose reader waits for tokens, in the order that they began to."""
        self._running: tuple[_Call, ...] = ()
        """Those that the thread works on."""
        self._over: anyio.Event | None = None
        """Set when the leg that runs or is about to is over; None while there is none."""
        self._gone: set[Chain] = set()
        """Chains that are in the batch and that nobody reads any more."""
        self._blas = ThreadpoolController()

    @classmethod
    def open(cls, name: str = DEFAULT) -> Reasoner:
        """Load weights of the package, or a path that ends in ``.safetensors``.

        Raises:
            SpecError: there are none by that name.
            DataError: the file is no reasoner's weights.
        """
        path = find(name)
        digest = sha256(read_whole(path)).hexdigest()
        return cls(Model.load(path), f"{path.stem}-{digest[:8]}")

    @property
    def info(self) -> EngineInfo:
        """What the engine is and can do."""
        return self._info

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion; the last chunk carries `finish`.

        A chain ends at the latest where the context does. The end mark is a token, no text. The
        bill of a closed stream is exact. Log-probabilities are the model's own, before temperature.

        Raises:
            EngineRejected: the prompt is not of the grammar; nothing was spent.
            ContextExceeded: it leaves no room for a token.
        """
        call = self._call(request)
        try:
            finish = None
            while finish is None:
                await self._advance(call)
                text, logprobs = call.chain.take()
                finish, bill.usage = call.chain.finish, call.usage
                yield Chunk(text, logprobs=logprobs if call.tells else (), finish=finish)
        finally:
            self._asking.pop(call, None)
            if call in self._running and self._over is not None:
                with anyio.CancelScope(shield=True):
                    await self._over.wait()
            if call.chain.finish is None:
                self._gone.add(call.chain)
            if call.context is not None:
                bill.usage = call.usage

    async def count(self, request: Request) -> int:
        """Return the prompt's symbols, prefix included; of another language, its words."""
        return sum(len(m.text.split()) for m in request.prompt) + len(request.prefix.split())

    async def aclose(self) -> None:
        """Forget what was read."""
        self._batch = _Batch(self._model, Memory(self._model))

    def _call(self, request: Request) -> _Call:
        check_offered(self.info, needs(request))
        if [message.role for message in request.prompt] != ["user"]:
            raise EngineRejected("the reasoner reads one user message, not a conversation")
        try:
            tokens = _encoded(f"{request.prompt[0].text} {request.prefix}")
        except InputError as error:
            raise EngineRejected(f"{error}: it reads tasks such as deep(d=6)") from None
        if tokens[:1] != (BOS,):
            raise EngineRejected("a prompt of the reasoner's grammar begins with <s>")
        room = self._model.shape.context - len(tokens)
        if room < 1:
            raise ContextExceeded(f"{len(tokens)} tokens fill the reasoner's context")
        limit = min(request.max_tokens, room)
        chain = Chain(request.seed, limit, request.stop, is_continued=bool(request.prefix))
        temperature = 0.7 if request.temperature is None else request.temperature
        sampling = Sampling(temperature, request.top_p, self._min_p)
        return _Call(chain, tokens, sampling, request.logprobs)

    async def _advance(self, call: _Call) -> None:
        """Wait until the chain has new tokens; whoever finds no leg running runs one for all."""
        before = len(call.chain.tokens)
        self._asking[call] = None
        while len(call.chain.tokens) == before:
            if self._over is None:
                await self._conduct()
            else:
                await self._over.wait()

    async def _conduct(self) -> None:
        over = self._over = anyio.Event()
        try:
            await self._gather()
            self._running, gone = tuple(self._asking), {*self._gone}
            await anyio.to_thread.run_sync(self._leg, self._running, gone)
            for call in self._running:
                self._asking.pop(call, None)
            self._gone -= gone
        finally:
            self._running, self._over = (), None
            over.set()

    async def _gather(self) -> None:
        """Let readers that are ready join the leg: a batch costs little more than a chain."""
        n, quiet = 0, 0
        while quiet < 2:
            await checkpoint()
            quiet = quiet + 1 if len(self._asking) == n else 0
            n = len(self._asking)

    def _leg(self, calls: Sequence[_Call], gone: set[Chain]) -> None:
        """Run in the thread; BLAS by one thread: the matrices are too small for more."""
        with self._blas.limit(limits=1, user_api="blas"):
            self._batch.read(calls)
            self._batch.run(calls, gone)


_encoded = lru_cache(encode)  # many chains have the same prompt
