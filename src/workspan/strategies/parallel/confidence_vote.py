"""Confidence vote: many chains, each with as many votes as the model was sure of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from workspan.core.engine import Capability
from workspan.core.session import Session
from workspan.data.types import Answer, Problem, Request, Sample
from workspan.errors import at_least
from workspan.registry.card import Card
from workspan.search.confidence import borda, inverse_entropy, probability, self_certainty
from workspan.strategies.reading import read


@dataclass(frozen=True)
class ConfidenceVote:
    """Sample n chains and vote with weights that the model's own probabilities give.

    `rule` names the weight. "self_certainty" (Kang et al. 2025, arXiv:2502.18581) is the divergence
    of the next token from a uniform choice, here among the `alternatives` most likely tokens, and
    from an engine that does not tell them the mean probability of the tokens drawn. "probability"
    is the inverse of the perplexity (Wang et al. 2023, arXiv:2203.11171, section 2).
    "inverse_entropy" is the vote of Sharma & Chopra (2025, arXiv:2511.02309), with the entropy
    estimated from the tokens drawn.

    With `borda` = p, ranks vote in place of the weights: the r-th surest of N chains with an answer
    has (N - r + 1)^p votes, as Kang et al. do (p = 0.5 for 16 chains in their code's example).
    """

    n: int = 8
    rule: Literal["self_certainty", "probability", "inverse_entropy"] = "self_certainty"
    borda: float | None = None
    alternatives: int = 20
    max_tokens: int = 1024
    temperature: float = 0.7
    requires: ClassVar[frozenset[Capability]] = frozenset({"logprobs"})
    card: ClassVar[Card] = Card(
        example="confidence_vote(n=4, borda=0.5, max_tokens=300)",
        source="arXiv:2502.18581",
        family="parallel",
        parameters={
            "n": "Chains that vote.",
            "rule": "What a chain's weight is.",
            "borda": "Power of the ranks that vote in place of the weights; None for the weights.",
            "alternatives": "Likeliest tokens asked for at each place, for self_certainty.",
        },
        calls="n",
        work="n * max_tokens",
        span="max_tokens",
        helps="Models whose probabilities say something of their being right; few samples.",
        hurts="Models that are sure of their mistakes, as after much training for a style.",
    )

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, n=self.n, alternatives=self.alternatives, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature, borda=self.borda or 0)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Draw n at once, weigh each by its tokens, add up the weights of equal answers."""
        samples = await session.samples(self._request(problem), self.n)
        drawn = list(zip(read(problem, samples), samples, strict=True))
        answered = [(chain, sample) for chain, sample in drawn if chain.answer is not None]
        weights = [self._weight(sample) for _, sample in answered]
        if self.borda is not None:
            weights = borda(weights, self.borda)
        return await session.vote([chain for chain, _ in answered], problem.kind, weights)

    def _request(self, problem: Problem) -> Request:
        return Request(
            problem.prompt,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            logprobs=True,
            top_logprobs=self.alternatives if self.rule == "self_certainty" else 0,
        )

    def _weight(self, sample: Sample) -> float:
        if self.rule == "self_certainty":
            return self_certainty(sample, self.alternatives)
        return probability(sample) if self.rule == "probability" else inverse_entropy(sample)
