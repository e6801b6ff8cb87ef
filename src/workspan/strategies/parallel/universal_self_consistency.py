"""Universal self-consistency: the model itself says which of its answers agrees most with all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.asking import select
from workspan.strategies.reading import read

RULE = (
    "Above are several responses to the same task. Do not judge which is right: find the one that "
    "agrees best with the majority of them. Write its number alone, as: Choice: <number>"
)


@dataclass(frozen=True)
class UniversalSelfConsistency:
    """Draw n and let the model choose the most consistent one (Chen et al. 2023, arXiv:2311.17311).

    For answers that no rule can compare, such as open texts; n is 8 in the paper as well. A choice
    that can't be read leaves the plurality, or the first drawn of equals, which is marked as tied.
    """

    n: int = 8
    max_tokens: int = 1024
    temperature: float = 0.7
    choice_tokens: int = 256
    """Of the model's choice, which is drawn at temperature 0."""
    engine: str = ""
    """Chooses; the run's own engine if empty."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="universal_self_consistency(n=3, max_tokens=200, choice_tokens=50)",
        source="arXiv:2311.17311",
        family="parallel",
        parameters={
            "n": "Candidates.",
        },
        calls="n + 1",
        work="n * max_tokens + choice_tokens",
        span="max_tokens + choice_tokens",
        helps="Open answers that no rule can compare.",
        hurts="Answers that can be compared: a vote costs no call and does not misread.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens, choice_tokens=self.choice_tokens)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, then choose once."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        candidates = read(problem, await session.samples(request, self.n))
        answered = [c for c in candidates if c.answer is not None]
        if not answered:
            return await session.vote(candidates, problem.kind)
        session.best(answered[0])
        asked = Request((), max_tokens=self.choice_tokens, temperature=0.0, engine=self.engine)
        return await select(session, problem, answered, RULE, asked)
