"""What ``auto`` does to a turn that can be voted on: as many drafts as agreement and budget ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem, Request, Sample
from workspan.errors import BudgetExceeded, EngineError, at_least, first_error
from workspan.strategies.reading import read

_ROOM = 1.25
"""Drafts are taken to cost so many times the mean of those before."""


@dataclass(frozen=True)
class Widening:
    """Draw a window of drafts; go on, window by window, until no other answer can win.

    A first window that agrees ends it. What the budget would cut is not begun: half a draft costs
    and has no vote.
    """

    n: int = 9
    window: int = 3
    max_tokens: int = 4096
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, window=self.window, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature)

    def written(self) -> str:
        """Return how a reply names it."""
        return f"auto(n={self.n}, window={self.window})"

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw and vote until it is decided."""
        request = Request(problem.prompt, max_tokens=self.max_tokens, temperature=self.temperature)
        samples: list[Sample] = []
        candidates: list[Candidate] = []
        errors: list[BudgetExceeded | EngineError] = []
        vote = Answer(None)
        while size := self._size(samples, vote, session):
            try:
                drawn = await session.samples(request, size)
            except (BudgetExceeded, EngineError) as error:
                errors.append(error)
                break
            samples += drawn
            candidates += read(problem, drawn)
            vote = await session.vote(candidates, problem.kind)
            if vote.best is not None:
                session.best(vote.best)
        if not candidates:
            raise first_error(errors)
        return vote

    def _size(self, samples: list[Sample], vote: Answer, session: Session) -> int:
        """Return how many drafts to draw next; 0 where it is decided, or nothing more fits."""
        rest = min(self.window, self.n - len(samples))
        left = session.left()
        room = left.work
        if not samples:
            likely = min(self.max_tokens, _LIKELY)
            return rest if room is None else max(1, min(rest, room // likely))
        lead, second = [*(round(one.weight) for one in vote.votes[:2]), 0, 0][:2]
        is_unanimous = lead >= self.window and lead == len(samples)
        if rest < 1 or is_unanimous or lead - second > self.n - len(samples):
            return 0
        mean = sum(sample.usage.output_tokens for sample in samples) / len(samples) * _ROOM
        if left.span is not None and left.span < mean:
            return 0
        return rest if room is None else min(rest, int(room / max(1.0, mean)))


_LIKELY = 512
"""Tokens that a draft is taken to have before one was drawn."""
