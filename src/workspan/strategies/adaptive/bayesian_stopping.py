"""Optimal Bayesian stopping: draw votes until what is known of answer shapes settles the mode."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Candidate, Problem
from workspan.errors import at_least, within
from workspan.registry.card import Card
from workspan.search.stopping import ShapePrior
from workspan.strategies.adaptive.rounds import check_rounds, tally, vote_until


@dataclass(frozen=True)
class BayesianStopping:
    """Vote, and stop once the posterior that the mode is found reaches 1 - delta (2602.05395).

    Huang, Ma and Zhou 2026, arXiv:2602.05395: only (top1, top2, rest) of the counts are tracked,
    L = 3, which they prove is enough. `shapes` is the pool that the prior is made of, each the
    counts of one question's answers, such as ((38, 2), (14, 13, 9, 4)): in the paper 40 samples of
    70 % of a task's questions. Without it a broad prior stands in, see `ShapePrior.broad`.
    """

    n: int = 40
    threshold: float = 0.95
    shapes: tuple[tuple[int, ...], ...] = ()
    batch: int = 1
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="bayesian_stopping(n=4, shapes=((38, 2), (14, 13, 9)), max_tokens=100)",
        source="arXiv:2602.05395",
        family="adaptive",
        parameters={
            "n": "Samples, at most.",
            "threshold": "Posterior at which it stops.",
            "shapes": "Counts of answers of known questions; a broad prior if empty.",
            "batch": "Samples drawn at once.",
        },
        calls="n",
        work="n * max_tokens",
        span="ceil(n / batch) * max_tokens",
        is_most=True,
        helps="As adaptive_consistency, where it is known how answers of such problems are spread.",
        hurts="Latency, at batch 1; a prior made of other problems than these.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        check_rounds(self)
        within(0, 1, threshold=self.threshold)
        for shape in self.shapes:
            at_least(1, answers=len(shape), lowest_count=min(shape, default=1))

    @cached_property
    def prior(self) -> ShapePrior:
        """What is believed of answer frequencies before the first sample."""
        return ShapePrior.of_counts(self.shapes) if self.shapes else ShapePrior.broad()

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw in rounds of `batch` until the posterior is high enough or n are drawn."""
        return await vote_until(self, problem, session, self._is_enough)

    async def _is_enough(self, vote: Answer, _: list[Candidate]) -> bool:
        first, second, *others = [*tally(vote), 0, 0]
        return first > 0 and self.prior.confidence(first, second, sum(others)) >= self.threshold
