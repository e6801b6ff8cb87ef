"""Engines for tests: scripted, recorded and faulty. None of them is a language model."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TypeAlias, get_args

from anyio.lowlevel import checkpoint

from workspan.core.engine import FREE, Bill, Capability, EngineInfo, Price
from workspan.data.content import ToolCall
from workspan.data.types import Chunk, Request, Usage
from workspan.errors import EngineError


@dataclass(frozen=True, slots=True)
class Said:
    """What a script may give in place of a text: words, then a refusal, then calls."""

    text: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    """A word of their arguments is a token; they come when all of them fitted the cap."""

    def pieces(self) -> list[Chunk]:
        """Return a chunk for each token; those of calls show nothing yet."""
        called = [word for call in self.tool_calls for word in call.arguments.split()]
        return [
            *(Chunk(word + " ") for word in self.text.split()),
            *(Chunk(refusal=word + " ") for word in self.refusal.split()),
            *(Chunk() for _ in called),
        ]


Script: TypeAlias = Sequence[str | Said] | Callable[[Request], str | Said]

_EVERYTHING: frozenset[Capability] = frozenset(get_args(Capability))


@dataclass
class ScriptedEngine:
    """Answers from a script; a word is a token. Keeps its own bill, to compare accounts with.

    A list of texts is used in turn; a function is asked for each request and may use its seed. A
    word of five letters is the surest, one of four the least, in log-probability and confidence.
    `latency` is the number of scheduling points before the first word and between words.
    """

    script: Script
    latency: Callable[[Request], int] = lambda _: 0
    price: Price | None = FREE
    overshoot: int = 0
    """Words decoded beyond the one that was last sent when the stream is closed."""
    billed: Usage = field(default_factory=Usage)
    requests: list[Request] = field(default_factory=list)
    in_flight: int = 0
    widest: int = 0

    @property
    def info(self) -> EngineInfo:
        """Offer everything: a script can play any model."""
        return EngineInfo(
            "scripted",
            "simulated (no model)",
            capabilities=_EVERYTHING,
            price=self.price,
            overshoot=self.overshoot,
            concurrency=1000,
        )

    async def count(self, request: Request) -> int:
        """Count words."""
        return _prompt_words(request)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Stream the scripted text, a word at a time."""
        said = self._text(request)
        said = said if isinstance(said, Said) else Said(said)
        words = said.pieces()
        stops = (i for i, word in enumerate(words) if word.text[:-1] in request.stop)
        words = words[: next(stops, None)] if request.stop else words
        self.requests.append(request)
        self.in_flight += 1
        self.widest = max(self.widest, self.in_flight)
        is_cut = True
        try:
            self._charge(bill, Usage(1, _prompt_words(request)))
            for i, word in enumerate(words):
                for _ in range(self.latency(request)):
                    await checkpoint()
                if i >= request.max_tokens:
                    break
                self._charge(bill, Usage(output_tokens=1))
                yield _surely(word, request)
            is_cut = False
            await checkpoint()
            is_full = len(words) > request.max_tokens
            calls = () if is_full else said.tool_calls
            yield Chunk(finish="length" if is_full else "stop", tool_calls=calls)
        finally:
            self.in_flight -= 1
            if is_cut and bill.usage.output_tokens < len(words):
                self._overshoot(request, bill)

    async def aclose(self) -> None:
        """Nothing to give back."""

    def _text(self, request: Request) -> str | Said:
        if callable(self.script):
            return self.script(request)
        return self.script[len(self.requests) % len(self.script)]

    def _overshoot(self, request: Request, bill: Bill) -> None:
        """Decode a little more than was read, as a server does that hears of a cut late."""
        room = request.max_tokens - bill.usage.output_tokens
        unseen = min(self.overshoot, room)
        if unseen:
            bill.usage = replace(bill.usage, unseen_tokens=unseen, source="estimated")
            self.billed += Usage(output_tokens=random.Random(request.seed).randint(0, unseen))

    def _charge(self, bill: Bill, usage: Usage) -> None:
        bill.usage += usage
        self.billed += usage


@dataclass
class RecordedEngine(ScriptedEngine):
    """Replays stored chains of a real model, charging the tokens as they were decoded.

    `chains` holds, for each prompt (the content of its last turn), texts with their token counts;
    draw i of a prompt gets chain i, and a prompt that runs out starts over.
    """

    script: Script = ()
    chains: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    drawn: dict[str, int] = field(default_factory=dict)

    @property
    def info(self) -> EngineInfo:
        """Offer no seeds: draws come in the recorded order."""
        return replace(
            super().info, name="recorded", model="recorded chains", capabilities=frozenset()
        )

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Give the next chain of the prompt at once, or its beginning if the cap is lower."""
        prompt = request.prompt[-1].text
        if not self.chains.get(prompt):
            raise EngineError(f"no chain was recorded for the prompt {prompt[:60]!r}")
        draw = self.drawn[prompt] = self.drawn.get(prompt, -1) + 1
        text, tokens = self.chains[prompt][draw % len(self.chains[prompt])]
        self.requests.append(request)
        charged = min(tokens, request.max_tokens)
        self._charge(bill, Usage(1, await self.count(request), output_tokens=charged))
        await checkpoint()
        if charged < tokens:  # the text has no token boundaries: cut it in proportion
            yield Chunk(text[: len(text) * charged // tokens])
            yield Chunk(finish="length")
        else:
            yield Chunk(text)
            yield Chunk(finish="stop")


@dataclass
class FaultyEngine(ScriptedEngine):
    """Fails where told: `faults` maps a call's number (from 0) to the words before the error.

    With 0 words the call fails before it is billed.
    """

    faults: Mapping[int, tuple[int, EngineError]] = field(default_factory=dict)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Stream as the script says until the fault."""
        words, error = self.faults.get(len(self.requests), (-1, None))
        if error is not None and words == 0:
            self.requests.append(request)
            await checkpoint()
            raise error
        async with aclosing(super().stream(request, bill)) as chunks:
            async for chunk in chunks:
                if error is not None and (bill.usage.output_tokens > words or chunk.finish):
                    raise error
                yield chunk


def _surely(word: Chunk, request: Request) -> Chunk:
    """Say how sure a word was, where that was asked for."""
    if not (request.logprobs or request.top_logprobs):
        return word
    doubt = 1 + len(word.text[:-1]) % 5
    logprobs = (-0.1 * doubt,) if request.logprobs else ()
    confidences = (12.0 - 2 * doubt,) if request.top_logprobs else ()
    return replace(word, logprobs=logprobs, confidences=confidences)


def _prompt_words(request: Request) -> int:
    turns = sum(len(message.text.split()) for message in request.prompt)
    return turns + len(request.prefix.split())
