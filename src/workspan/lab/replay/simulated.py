"""A model that never was: chains of known length, to count what a strategy would ask for."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from anyio.lowlevel import checkpoint

from workspan.core.engine import Bill, Engine, EngineInfo, texts_alone
from workspan.data.types import AnswerKind, Chunk, Request, Usage
from workspan.errors import UnsupportedCapability

_STEP = 32
"""Tokens a chunk: chains that run side by side compete for the budget in steps this fine."""

SHORT = 32
"""A cap of no more asks for a word or a number and not for a chain."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a simulated model answers."""

    shortest: int | None
    """Tokens of a chain; None fills the cap of its request."""
    longest: int | None
    """Chains are spread evenly between the two, by the seeds of their requests, and then capped."""
    agrees: bool
    """Always gives the same answer; else never the same one twice."""

    def length(self, request: Request) -> int:
        """Choose the length of a chain by the seed of its request."""
        cap = request.max_tokens
        if cap <= SHORT and self.shortest is not None:
            return 1
        low, high = self.shortest or cap, self.longest or max(cap, self.shortest or cap)
        return min(cap, random.Random(request.seed).randint(low, high))


_LENGTHS = ((32, 32), (128, 128), (512, 512), (None, None), (32, 512), (32, None))

HABITS = tuple(Habit(low, high, agrees) for low, high in _LENGTHS for agrees in (True, False))
"""What a model may do: answer at once or fill its cap, evenly or not, sure or unsure."""


@dataclass
class SimulatedEngine:
    """Stands in for `real`, with its prices, limits and token counts, and decodes nothing."""

    real: Engine
    habit: Habit
    kind: AnswerKind
    """Of the answers that it writes."""
    drawn: int = field(default=0, init=False)

    @property
    def info(self) -> EngineInfo:
        """Be like the real engine, under a name that nobody takes for a model.

        What efforts its model takes was checked on the real one: here the name tells nothing.
        """
        model = "simulated (no model)"
        return replace(self.real.info, name="simulated", model=model, has_effort_field=True)

    async def count(self, request: Request) -> int:
        """Count as the real engine does; of images that nothing bounds, the texts beside them."""
        try:
            return await self.real.count(request)
        except UnsupportedCapability:
            return await self.real.count(texts_alone(request))

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Fill the length with words of about a token each, and answer at the end.

        A chain that fills its cap has not come to its answer; a reply of a few tokens, such as a
        judge's, is a number.
        """
        self.drawn += 1
        number = 1 if self.habit.agrees else self.drawn
        if (whole := self.info.whole) is not None:
            calls, work, prefill, cost = whole.amount
            known = cost if whole.cost is not None else None
            bill.usage = Usage(calls, prefill, output_tokens=work, cost=known)
            await checkpoint()
            yield Chunk(_answer(self.kind, number), finish="stop")
            return
        length = left = self.habit.length(request)
        ending = "" if length == request.max_tokens else _answer(self.kind, number)
        if request.max_tokens <= SHORT:
            ending, words = str(number % 11), ""
        else:
            words = "so " * _STEP
        bill.usage = Usage(1, await self.count(request))
        while left:
            step = min(_STEP, left)
            left -= step
            bill.usage += Usage(output_tokens=step)
            logprobs = (-0.5,) * step if request.logprobs else ()
            await checkpoint()
            yield Chunk(words + ("" if left else ending), logprobs=logprobs)
        yield Chunk(finish="length" if length == request.max_tokens else "stop")

    async def aclose(self) -> None:
        """Leave the real engine to its owner."""


def _answer(kind: AnswerKind, number: int) -> str:
    """Write an answer of this kind, closed by a new line; different numbers differ."""
    if kind == "code":
        return f"\n```python\nprint({number})\n```\n"
    if kind == "json":
        return f'\n{{"answer": {number}}}\n'
    value = "ABCDEFGHIJ"[number % 10] if kind == "choice" else str(number)
    return f"\nAnswer: {value}\n"
