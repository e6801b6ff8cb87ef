"""A model that never was: chains of known length, to count what a strategy would ask for."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

from anyio.lowlevel import checkpoint

from workspan.engines.base import Bill, Engine, EngineInfo
from workspan.types import AnswerKind, Chunk, Request, Usage

SHORT = 32
"""Tokens of a chain that answers at once."""

_STEP = 256
"""Tokens a chunk: what a session leases at a time."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How a simulated model answers."""

    tokens: int | None
    """Length of each chain; None fills the cap of its request."""
    agrees: bool
    """Always gives the same answer; else never the same one twice."""


HABITS = tuple(Habit(tokens, agrees) for tokens in (SHORT, None) for agrees in (True, False))
"""The corners of what a model may do: quick or slow, sure or unsure."""


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
        """Be like the real engine, under a name that nobody takes for a model."""
        return replace(self.real.info, name="simulated", model="simulated (no model)")

    async def count(self, request: Request) -> int:
        """Count as the real engine does."""
        return await self.real.count(request)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Fill the length with words of about a token each, and answer at the end."""
        self.drawn += 1
        ending = _answer(self.kind, 1 if self.habit.agrees else self.drawn)
        length = min(self.habit.tokens or request.max_tokens, request.max_tokens)
        bill.usage = Usage(1, await self.count(request))
        left = length
        while left:
            step = min(_STEP, left)
            left -= step
            bill.usage += Usage(output_tokens=step)
            logprobs = (-0.5,) * step if request.logprobs else ()
            await checkpoint()
            words = "so " * (step if left else max(0, step - 8))
            yield Chunk(words + ("" if left else ending), logprobs=logprobs)
        yield Chunk(finish="stop")

    async def aclose(self) -> None:
        """Leave the real engine to its owner."""


def _answer(kind: AnswerKind, number: int) -> str:
    """Write an answer of this kind; different numbers make different answers."""
    if kind == "code":
        return f"\n```python\nprint({number})\n```"
    value = "ABCDEFGHIJ"[number % 10] if kind == "choice" else str(number)
    return f"\nAnswer: {value}"
