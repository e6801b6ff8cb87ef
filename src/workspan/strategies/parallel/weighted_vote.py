"""A weighted vote of several models: each engine's samples count as much as it is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.asking import each
from workspan.strategies.reading import candidate


@dataclass(frozen=True)
class WeightedVote:
    """Draw n samples of each engine and add up the engines' weights of equal answers (2509.21091).

    Best-of-infinity, arXiv:2509.21091, section on ensembles: a weighted vote of models can be ahead
    of each of them, where they err on different problems. `workspan.lab.ensemble` fits the weights
    to labelled recordings. Samples of an engine that fails have no vote.
    """

    engines: tuple[str, ...] = ("",)
    """By the names of the run's engines; "" means the run's own."""
    weights: tuple[float, ...] = ()
    """Of one sample of each engine; 1 each if empty."""
    n: int = 4
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="weighted_vote(n=3, max_tokens=300)",
        source="arXiv:2509.21091",
        family="parallel",
        parameters={
            "n": "Samples of each engine.",
        },
        calls="n * len(engines)",
        work="n * len(engines) * max_tokens",
        span="max_tokens",
        helps="Models of about the same strength that are wrong on different problems.",
        hurts="One model that is ahead of the others everywhere: their samples are wasted.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens, engines=len(self.engines))
        at_least(0, temperature=self.temperature, lowest_weight=min(self.weights, default=1))
        if self.weights and len(self.weights) != len(self.engines):
            n, m = len(self.weights), len(self.engines)
            raise ValueError(f"there are {n} weights of {m} engines: give one for each")
        if self.weights and not any(self.weights):
            raise ValueError("all weights are 0: no sample would have a vote")

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw all at once, the engines in turn."""
        weights = self.weights or (1.0,) * len(self.engines)
        places = [i % len(self.engines) for i in range(session.branches(self.n * len(weights)))]
        requests = [
            Request(
                problem.prompt,
                max_tokens=self.max_tokens,
                temperature=self.temperature,
                engine=self.engines[place],
            )
            for place in places
        ]
        drawn = zip(await each(session, requests), places, strict=True)
        held = [(candidate(problem, s), weights[place]) for s, place in drawn if s is not None]
        return await session.vote([one for one, _ in held], problem.kind, [w for _, w in held])
