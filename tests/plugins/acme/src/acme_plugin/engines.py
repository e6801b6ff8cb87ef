"""An engine: it repeats its word, a token each, and knows no model."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from anyio.lowlevel import checkpoint

from workspan.core.engine import FREE, Bill, EngineInfo
from workspan.data.types import Chunk, Request, Usage


@dataclass
class Parrot:
    """Simulate: repeat a word, then say it is the answer."""

    word: str = "4"
    times: int = 3
    model: str = "simulated parrot"

    @property
    def info(self) -> EngineInfo:
        """Offer nothing but text."""
        return EngineInfo("parrot", self.model, price=FREE)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Repeat the word."""
        words = [*[self.word] * self.times, "Answer:", self.word]
        bill.usage += Usage(1, await self.count(request))
        for word in words[: request.max_tokens]:
            await checkpoint()
            bill.usage += Usage(output_tokens=1)
            yield Chunk(word + " ")
        yield Chunk(finish="length" if len(words) > request.max_tokens else "stop")

    async def count(self, request: Request) -> int:
        """Count words."""
        texts = [turn.text for turn in request.prompt]
        return sum(len(text.split()) for text in (*texts, request.prefix))

    async def aclose(self) -> None:
        """Nothing to give back."""
