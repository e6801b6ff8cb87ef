"""ESC: votes in small windows, until one of them is unanimous."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.adaptive.rounds import rounds, tally, vote_in_rounds


@dataclass(frozen=True)
class EarlyStoppingConsistency:
    """Draw windows of w samples at once and stop when all of one agree (Li et al. 2024, ESC).

    arXiv:2401.10480: `n` is L, `window` w. A unanimous window gives the answer, as in the authors'
    code, whatever the windows before it said; without one it is the vote over all L. What it will
    cost can be foretold: `workspan.search.stopping.expected_calls`.
    """

    n: int = 40
    window: int = 5
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="esc(n=5, window=2, max_tokens=100)",
        source="arXiv:2401.10480",
        family="adaptive",
        parameters={
            "n": "Samples, at most.",
            "window": "Samples drawn at once, which must agree.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / window) * max_tokens",
        is_most=True,
        helps="As adaptive_consistency, where windows of samples can be drawn at once.",
        hurts="Problems on which a window is seldom of one mind: all n are drawn, in rounds.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, window=self.window, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw window after window until one is unanimous or n are drawn."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        unanimous: list[Candidate] = []

        async def is_enough(_: Answer, latest: list[Candidate]) -> bool:
            if tally(await session.vote(latest, problem.kind)) == [self.window]:
                unanimous.append(latest[0])
            return bool(unanimous)

        sizes = rounds(self.n, self.window)
        vote = await vote_in_rounds(problem, session, request, sizes, is_enough)
        return replace(vote, best=unanimous[0], tied=False) if unanimous else vote
