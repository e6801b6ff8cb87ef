"""Rollouts that a journal holds: the same call, under whatever budget, is not made again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from workspan.core.engine import Bill, EngineInfo
from workspan.core.journal import fingerprint
from workspan.data.types import Chunk, Notice, Request, Sample
from workspan.engines.rollout.engine import Rollouts


class Kept:
    """Hands out finished rollouts in place of new ones, at what they cost.

    A call is known by what it asks and by its seed. The account of the run holds what the rollout
    had taken when it was made, as that of a resumed run does.
    """

    def __init__(self, rollouts: Rollouts, samples: Mapping[str, Sample]) -> None:
        """Begin; `samples` that came to their end, by their fingerprints."""
        self._rollouts = rollouts
        self._samples = samples

    @property
    def info(self) -> EngineInfo:
        """Be what makes new ones."""
        return self._rollouts.info

    @property
    def announces(self) -> bool:
        """It does as what makes new ones; of what it holds nothing is owed but its bill."""
        return self._rollouts.announces

    async def count(self, request: Request) -> int:
        """Return what was stated."""
        return await self._rollouts.count(request)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Return the rollout that is kept, or make it."""
        kept = self._samples.get(fingerprint(request, request.seed))
        if kept is None:
            async with aclosing(self._rollouts.stream(request, bill)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        bill.usage = kept.usage
        bill.notices.append(Notice("kept", "a rollout of an earlier run was taken, and its bill"))
        yield Chunk(kept.text, reasoning=kept.reasoning)
        yield Chunk(finish=kept.finish)

    async def aclose(self) -> None:
        """Leave the rollouts open: they are their owner's."""
