"""Recursive self-aggregation: a population whose members are rewritten from random others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import BudgetExceeded, EngineError, at_least
from workspan.registry.card import Card
from workspan.strategies.asking import CUT, each
from workspan.strategies.listing import beside, listing
from workspan.strategies.reading import begin, candidate

AGGREGATE = (
    "Above are candidate solutions of this problem; each may hold mistakes or be incomplete. Join "
    "what is useful in them to one better solution. If all of them seem wrong, try another way. "
    "End with the answer in the form that was asked for."
)
REFINE = (
    "Above is a candidate solution of this problem; it may hold mistakes or be incomplete. Check "
    "it and write an improved solution; if it is wrong, try another way. End with the answer in "
    "the form that was asked for."
)


@dataclass(frozen=True)
class RecursiveSelfAggregation:
    """Draw N, then rewrite each member from K random ones, T populations in all; the last votes.

    Venkatraman et al. (2025, arXiv:2509.26626): `n` is N (16 there), `k` is K (4), `steps` is T
    (10); the first population counts here as a step. K = 1 refines single members. A rewrite that
    fails, or that the budget cuts, leaves the member that stood in its place. There is no verifier.
    """

    n: int = 8
    k: int = 4
    steps: int = 3
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="rsa(n=3, k=2, steps=2, max_tokens=200)",
        source="arXiv:2509.26626",
        family="hybrid",
        parameters={
            "n": "Members of the population.",
            "k": "Members that a rewrite reads.",
            "steps": "Populations, the first included.",
        },
        calls="n * steps",
        work="n * steps * max_tokens",
        span="steps * max_tokens",
        helps="Models that mend each other's partial solutions; no verifier at hand.",
        hurts="Small contexts: k whole solutions are read for each new one.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, k=self.k, steps=self.steps, max_tokens=self.max_tokens)
        at_least(self.k, n=self.n)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Renew the population while the budget lasts."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        population = await begin(problem, session, request, self.n)
        k = min(self.k, len(population))
        for _ in range(self.steps - 1):
            session.best((await session.vote(population, problem.kind)).best or population[0])
            parents = [session.rng.sample(population, k) for _ in population]
            try:
                drawn = await each(session, [self._ask(problem, chosen) for chosen in parents])
            except (BudgetExceeded, EngineError):
                break
            population = [
                old if new is None or new.finish in CUT else candidate(problem, new)
                for old, new in zip(population, drawn, strict=True)
            ]
        return await session.vote(population, problem.kind)

    def _ask(self, problem: Problem, chosen: Sequence[Candidate]) -> Request:
        shown = listing(member.text for member in chosen)
        prompt = beside(problem.prompt, f"{shown}\n\n{AGGREGATE if len(chosen) > 1 else REFINE}")
        return Request(prompt, max_tokens=self.max_tokens, temperature=self.temperature)
