"""short-m@k: start k chains, stop at the m-th that is done, and vote among those."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.reading import candidate


@dataclass(frozen=True)
class ShortMAtK:
    """Vote among the first m of k chains to finish (Hassid et al. 2025, arXiv:2505.17813).

    The others are cut and their tokens charged. A tie goes to the answer of the shortest chain.
    A chain that ends without an answer does not count as finished.

    The paper means the m chains of fewest tokens and takes the first to arrive, which are the same
    where all k decode in step, as in one batch. So it is here: arrival decides, and is journaled,
    so that a resumed run votes among the same chains. Where fewer than k are in flight (the
    budget's width, the engine's own limit), a chain that had to wait can be overtaken by a longer
    one. In the paper m is 1 or 3, and k up to 20; any m of k do, and with m = k none is cut.

    `power` is ours: the r-th shortest of those that vote, from 0, weighs (1 - r / k)^power, so that
    length speaks without a chain being cut. Whether the short ones are right is the model's own.
    """

    m: int = 3
    k: int = 8
    power: float = 0.0
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="short_m_at_k(m=2, k=4, max_tokens=300)",
        source="arXiv:2505.17813",
        family="parallel",
        parameters={
            "m": "Chains that vote: the first to finish.",
            "k": "Chains that are started.",
            "power": "Of the weight of a chain's place by length; 0 weighs all alike.",
        },
        calls="k",
        work="k * max_tokens",
        span="max_tokens",
        is_most=True,
        helps=(
            "Reasoning models, whose shorter chains are right as often or more often; latency "
            "counts."
        ),
        hurts=(
            "Engines that serve the k chains one after another: who waits in line can't be first."
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, m=self.m, max_tokens=self.max_tokens)
        at_least(self.m, k=self.k)
        at_least(0, temperature=self.temperature, power=self.power)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Race k chains until m have an answer."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        finished: list[tuple[int, Candidate]] = []
        async with session.as_completed([request] * session.branches(self.k)) as race:
            async for sample in race:
                chain = candidate(problem, sample)
                if chain.answer is None:
                    continue
                finished.append((sample.usage.output_tokens, chain))
                session.best((await self._vote(problem, session, finished)).best or chain)
                if len(finished) == self.m:
                    break
        return await self._vote(problem, session, finished)

    async def _vote(
        self, problem: Problem, session: Session, finished: list[tuple[int, Candidate]]
    ) -> Answer:
        """Vote with the shortest chains first, since the first of equals wins."""
        shortest = sorted(finished, key=lambda pair: pair[0])
        weights = [(1 - r / self.k) ** self.power for r in range(len(shortest))]
        return await session.vote([chain for _, chain in shortest], problem.kind, weights)
