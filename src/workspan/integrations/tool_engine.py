"""What the tools share: engines that stand on a tool's own model."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple, Protocol

from workspan.core.engine import Bill, EngineInfo
from workspan.data.types import Chunk, FinishReason, Prompt, Request, Usage
from workspan.errors import BudgetExceeded, EngineRejected


class Drawn(NamedTuple):
    """One draw of a tool's model."""

    text: str
    usage: Usage
    finish: FinishReason = "stop"
    reasoning: str = ""


class NotAsked(BudgetExceeded):
    """The tool's own limits leave no room for a call: nothing was asked."""

    def __init__(self, message: str) -> None:
        super().__init__(message, limit="work")


class Draw(Protocol):
    """Asks a tool's model once."""

    async def __call__(self, request: Request) -> Drawn:
        """Ask it.

        Raises:
            EngineError: it failed.
            NotAsked: the tool's own limits leave no room for it.
            BudgetExceeded: the tool's limit was passed by it, and its answer is lost.
        """
        ...


class ToolEngine:
    """An engine on a tool's own model, so that the tool's limits, logs and accounts hold."""

    def __init__(self, info: EngineInfo, draw: Draw) -> None:
        self.info, self._draw = info, draw

    async def count(self, request: Request) -> int:
        """Bound the prompt: a token is at least a byte."""
        return prompt_bound(request.prompt)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Ask for the whole answer; what was asked and did not come is charged as a whole."""
        if request.prefix:
            raise EngineRejected(f"{self.info.name} continues no text")
        bill.usage = Usage(
            1,
            await self.count(request),
            unseen_tokens=request.max_tokens,
            cost=None,
            source="estimated",
        )
        try:
            drawn = await self._draw(request)
        except NotAsked:
            bill.usage = Usage()
            raise
        bill.usage = drawn.usage
        yield Chunk(drawn.text, reasoning=drawn.reasoning)
        yield Chunk(finish=drawn.finish)

    async def aclose(self) -> None:
        """Leave the model to its tool."""


def prompt_bound(prompt: Prompt) -> int:
    """Return more tokens than a prompt of texts has."""
    return sum(16 + sum(len(text.encode()) for text in turn.texts) for turn in prompt)


def counted(told: Mapping[str, int | None], text: str, prompt: Prompt) -> Usage:
    """Make an account of what a tool says; bounds stand where it says nothing.

    Args:
        told: "input" with cached ones, "cached", "output", "reasoning".
        text: what was answered.
        prompt: what was asked.
    """
    output, given = told.get("output"), told.get("input")
    is_told = output is not None and given is not None
    return Usage(
        1,
        prompt_bound(prompt) if given is None else given,
        told.get("cached") or 0,
        len(text.encode()) if output is None else output,
        told.get("reasoning") or 0,
        cost=None,
        source="measured" if is_told else "estimated",
    )
