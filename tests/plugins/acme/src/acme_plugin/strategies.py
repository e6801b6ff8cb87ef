"""A strategy: everything it needs comes from `workspan`."""

from dataclasses import dataclass
from typing import ClassVar

import workspan as ws


@dataclass(frozen=True)
class Longest:
    """Draw n chains and answer with the one that wrote the most."""

    n: int = 2
    """Chains drawn."""
    max_tokens: int = 64
    requires: ClassVar[frozenset[ws.Capability]] = frozenset()
    card: ClassVar[ws.Card] = ws.Card(
        example="longest(n=3, max_tokens=40)",
        source="Acme",
        family="parallel",
        calls="n",
        work="n * max_tokens",
        span="max_tokens",
        helps="Nothing but tests.",
        hurts="Everything else.",
    )

    async def __call__(self, problem: ws.Problem, session: ws.Session) -> ws.Answer:
        """Draw n at once."""
        request = ws.Request(problem.prompt, max_tokens=self.max_tokens)
        samples = await session.samples(request, self.n)
        candidates = ws.read(problem, samples)
        answered = [one for one in candidates if one.answer is not None]
        best = max(answered, key=lambda one: len(one.text), default=None)
        return ws.Answer(best, tuple(candidates))
