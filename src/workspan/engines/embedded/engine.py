"""The embedded engine: a language model on this machine, no server and no compiler needed."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Literal

import anyio

from workspan.core.engine import FREE, Bill, Capability, EngineInfo, check_offered, needs, told_by
from workspan.data.types import Chunk, Prompt, Request, Usage
from workspan.engines import models
from workspan.engines.embedded.choice import choose
from workspan.engines.embedded.connection import Call, Connection
from workspan.engines.embedded.gguf import read_header
from workspan.engines.embedded.protocol import OVERSHOOT, Count, Draw, Open, Piece, Taken, Total
from workspan.errors import EngineUnavailable

_WIDTH = {"openvino": 64, "llama": 16}
"""Chains at a time from which more bring no more tokens per second."""

_MOST_CONTEXT = 8192
"""Context that is set up unless more is asked for: each token of it takes memory."""

_TEMPERATURE = 0.7
"""Where a request names none: model files hold no setting of their own."""

_COUNTS = 4096
"""Prompts whose size is remembered."""

_CAPABILITIES: dict[str, frozenset[Capability]] = {
    "openvino": frozenset({"continue", "logprobs", "seed"}),
    "llama": frozenset({"continue", "logprobs", "top_logprobs", "seed"}),
}


class Embedded:
    """A GGUF file or OpenVINO model folder, decoded in a worker process.

    Chains that run at a time are decoded as one batch, which new ones join and finished ones leave
    at every step. The worker is started by `ready` or the first call, restarted after it hung or
    died, and ends with this process.

    Args:
        model: a name from `workspan.engines.models.catalogue`, a path, or ``hf:owner/repo[/file]``.
        runtime: see `workspan.engines.embedded.choice.choose`.
        width: chains decoded at a time.
        context: tokens of prompt and completion together; the model's own, at most 8192, if None.
        threads: of the runtime; the processors that this process may use if None.
        patience_seconds: how long a step of the batch may take before the worker counts as hung;
            loading may take 20 times as long.

    Raises:
        ModelNotFound: the model is not on this machine; says how to fetch it.
        SpecError: there is no such model.
        MissingDependency: no runtime for it is installed.
        EngineRejected: the file is no model, or not one for that runtime.
    """

    def __init__(
        self,
        model: str = models.DEFAULT,
        *,
        runtime: Literal["auto", "openvino", "llama"] = "auto",
        width: int | None = None,
        context: int | None = None,
        threads: int | None = None,
        patience_seconds: float = 60.0,
    ) -> None:
        file = models.find(model)
        header = None if file.path.is_dir() else read_header(file.path)
        own = (header.context if header else None) or _MOST_CONTEXT
        self.runtime = choose(runtime, header)
        self._open = Open(
            path=str(file.path),
            runtime=self.runtime,
            width=width or _WIDTH[self.runtime],
            context=context or min(own, _MOST_CONTEXT),
            threads=threads or len(os.sched_getaffinity(0)),
        )
        self._info = EngineInfo(
            name="embedded",
            model=file.name,
            context=self._open.context,
            capabilities=_CAPABILITIES[self.runtime],
            price=FREE,
            overshoot=OVERSHOOT,
            concurrency=self._open.width,
        )
        self._patience = patience_seconds
        self._connection: Connection | None = None
        self._starting = anyio.Lock()
        self._counts: dict[tuple[Prompt, str], int] = {}

    @property
    def info(self) -> EngineInfo:
        """What the engine is and can do."""
        return self._info

    @property
    def load_seconds(self) -> float | None:
        """What the worker that runs now took to load the model; None before the first call."""
        return self._connection.load_seconds if self._connection else None

    @property
    def worker_pid(self) -> int | None:
        """Process id of the worker; None while there is none."""
        return self._connection.pid if self._connection and not self._connection.death else None

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Draw one completion; the last chunk carries `finish`.

        Tokens are those that the runtime sampled, the end mark and a cut tail included; the bill of
        a closed stream waits for the worker's own count. Log-probabilities are the model's own,
        before temperature and `top_p`. A request with the same seed repeats once its prompt is in
        the cache; the first reading of a prompt is rounded differently, so its draw may differ.

        Raises:
            UnsupportedCapability: the request needs what no model here does, such as images.
            ContextExceeded: the prompt and `max_tokens` do not fit the context.
            EngineRejected: the model's template or the runtime refused the request.
            EngineUnavailable: the worker died; `unseen_tokens` bounds what was lost with it.
        """
        check_offered(self._info, needs(request))
        connection, call = await self._begin(request, bill)
        finish = None
        try:
            while finish is None:
                if not call.pieces:
                    if call.error is not None:
                        raise call.error
                    await call.changed()
                    continue
                pieces, call.pieces = call.pieces, []
                finish = pieces[-1].finish
                bill.usage = _usage(call, pieces[-1])
                yield _chunk(pieces)
                if finish is None:
                    connection.send(Taken(call.id, pieces[-1].tokens))
        finally:
            if finish is None:
                await self._settle(connection, call, request, bill)

    async def ready(self) -> None:
        """Start the worker and load the model, rewriting its weights first where that is needed.

        Raises:
            EngineUnavailable: the worker died on the way, or hung.
        """
        await self._connect()

    async def count(self, request: Request) -> int:
        """Return the prompt's tokens, template and prefix included: exact."""
        check_offered(self._info, told_by(request.prompt))
        key = request.prompt, request.prefix
        if key not in self._counts:
            while len(self._counts) >= _COUNTS:
                del self._counts[next(iter(self._counts))]
            turns = _turns(request)
            self._counts[key] = await self._ask(lambda id: Count(id, turns, request.prefix))
        return self._counts[key]

    async def decoded(self) -> int:
        """Return the tokens that the worker has decoded since it started: all bills' sum."""
        return await self._ask(Total)

    async def aclose(self) -> None:
        """End the worker; idempotent, and the next call would start another."""
        if self._connection is not None:
            self._connection.end("the engine was closed")
            self._connection = None

    async def _connect(self) -> Connection:
        """Return a worker with the model loaded."""
        async with self._starting:
            if self._connection is None or self._connection.death:
                self._connection = Connection(self._open, self._patience)
            connection = self._connection
            if connection.load_seconds is None:
                await connection.ready()
        return connection

    async def _begin(self, request: Request, bill: Bill) -> tuple[Connection, Call]:
        """Put the chain into the batch; a worker that dies before it took it is replaced once."""
        connection, call = await self._offer(request, bill)
        if isinstance(call.error, EngineUnavailable) and call.prompt_tokens is None:
            connection, call = await self._offer(request, bill)
        if call.prompt_tokens is None:
            assert call.error is not None
            raise call.error
        bill.usage = Usage(calls=1, input_tokens=call.prompt_tokens)
        return connection, call

    async def _offer(self, request: Request, bill: Bill) -> tuple[Connection, Call]:
        """Send the chain to a worker and hear whether it took it."""
        connection = await self._connect()
        call = connection.call()
        connection.send(_draw(call.id, request))
        try:
            while call.prompt_tokens is None and call.error is None:
                await call.changed()
        except BaseException:
            await self._settle(connection, call, request, bill)
            raise
        return connection, call

    async def _ask(self, question: Callable[[int], Count | Total]) -> int:
        """Return the worker's answer, a number."""
        connection = await self._connect()
        call = connection.call()
        connection.send(question(call.id))
        try:
            while call.answer is None:
                if call.error is not None:
                    raise call.error
                await call.changed()
        finally:
            connection.forget(call)
        return call.answer

    async def _settle(
        self, connection: Connection, call: Call, request: Request, bill: Bill
    ) -> None:
        """Write on the bill what an unfinished chain came to."""
        is_exact = call.error is None and await connection.cancel(call)
        if call.prompt_tokens is None:
            return  # the worker never had it
        usage = replace(bill.usage, calls=1, input_tokens=call.prompt_tokens)
        if is_exact:
            bill.usage = replace(usage, output_tokens=call.answer or 0)
        else:
            unseen = min(OVERSHOOT, request.max_tokens - usage.output_tokens)
            bill.usage = replace(usage, unseen_tokens=unseen)


def _turns(request: Request) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in request.prompt]


def _draw(id: int, request: Request) -> Draw:
    return Draw(
        id,
        _turns(request),
        request.prefix,
        request.max_tokens,
        _TEMPERATURE if request.temperature is None else request.temperature,
        request.top_p,
        list(request.stop),
        request.logprobs,
        request.seed,
        request.top_logprobs,
    )


def _usage(call: Call, last: Piece) -> Usage:
    return Usage(1, call.prompt_tokens or 0, last.cached_tokens, last.tokens)


def _chunk(pieces: list[Piece]) -> Chunk:
    if len(pieces) == 1:
        piece = pieces[0]
        return Chunk(
            piece.text,
            logprobs=tuple(piece.logprobs),
            confidences=tuple(piece.confidences),
            finish=piece.finish,
        )
    text = "".join(piece.text for piece in pieces)
    logprobs = tuple(value for piece in pieces for value in piece.logprobs)
    confidences = tuple(value for piece in pieces for value in piece.confidences)
    return Chunk(text, logprobs=logprobs, confidences=confidences, finish=pieces[-1].finish)
