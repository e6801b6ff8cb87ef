"""GenSelect: a model reads the candidate solutions side by side, reasons, and picks one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.strategies.asking import select
from workspan.strategies.reading import read

RULE = (
    "Above are several solutions of the same problem. Compare them: where do they differ, and "
    "which of them makes no mistake there? Then name the best one in a last line of this form: "
    "Choice: <number>"
)


@dataclass(frozen=True)
class GenSelect:
    """Draw n solutions and let a model select one (Moshkov et al. 2025, arXiv:2504.16891).

    There all candidates, 16 at most, are compared in one prompt, as here when `k` is at least `n`.
    More are a knock-out: groups of `k` in draw order, then their winners (Chen et al. 2024,
    arXiv:2411.19477, of pairs there). The paper shows summaries of the solutions; here they are
    shown as they are, of long ones the end. An unreadable choice leaves the group's vote.
    """

    n: int = 8
    k: int = 8
    max_tokens: int = 1024
    temperature: float = 0.7
    choice_tokens: int = 1024
    """Of each comparison."""
    engine: str = ""
    """Compares; the run's own engine if empty."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="genselect(n=3, k=2, max_tokens=200, choice_tokens=50)",
        source="arXiv:2504.16891",
        family="parallel",
        parameters={
            "n": "Candidates.",
            "k": "Candidates that are compared in one prompt.",
        },
        calls="n + (n - 1 + (k - 2) * ceil(log2(n) / log2(k))) // (k - 1)",
        work=(
            "n * max_tokens + (n - 1 + (k - 2) * ceil(log2(n) / log2(k))) // (k - 1) * "
            "choice_tokens"
        ),
        span="max_tokens + ceil(log2(n) / log2(k)) * choice_tokens",
        is_most=True,
        helps="Models that are better at comparing solutions than at rating one alone.",
        hurts="Small contexts, which k whole solutions do not fit.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, max_tokens=self.max_tokens, choice_tokens=self.choice_tokens)
        at_least(2, k=self.k)
        at_least(0, temperature=self.temperature)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, then round after round of groups until one is left."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        candidates = read(problem, await session.samples(request, self.n))
        vote = final = await session.vote(candidates, problem.kind)
        left = [c for c in candidates if c.answer is not None]
        while len(left) > 1:
            session.best(left[0])
            groups = [left[i : i + self.k] for i in range(0, len(left), self.k)]
            picks = await session.map(lambda s, group: self._pick(s, problem, group), groups)
            left = [pick.best for pick in picks if pick.best is not None]
            if not any(winner.feedback for winner in left):
                return vote  # no choice was read: all of the candidates know more than a few
            final = replace(vote, best=left[0], tied=picks[0].tied)
        return final

    async def _pick(self, session: Session, problem: Problem, group: Sequence[Candidate]) -> Answer:
        asked = Request(
            (), max_tokens=self.choice_tokens, temperature=self.temperature, engine=self.engine
        )
        return await select(session, problem, group, RULE, asked)
