"""Likelihood: the model's own probability of what it wrote, at no further call."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from workspan.core.engine import Capability
from workspan.core.session import Score, Session
from workspan.data.types import Candidate, Problem
from workspan.errors import VerifierError
from workspan.registry.card import Card

_ROUNDING = 1e-3
"""How far above 0 a log-probability may be by rounding."""


@dataclass(frozen=True)
class Likelihood:
    """Score exp(mean log-probability of the tokens drawn): one over the perplexity.

    The geometric mean of the tokens' probabilities, so that length does not count; known as
    normalised likelihood (Murray & Chiang 2018, arXiv:1808.10006). It tells how sure the model was,
    not whether it was right. A strategy that uses it draws with log-probabilities.
    """

    requires: ClassVar[frozenset[Capability]] = frozenset({"logprobs"})
    card: ClassVar[Card] = Card(
        example="likelihood",
        source="arXiv:1808.10006",
        calls="0",
        work="0",
        span="0",
        helps="To follow the model's own sureness at no cost.",
        hurts="Models that are sure of their mistakes.",
    )

    async def __call__(
        self,
        problem: Problem,  # noqa: ARG002  # one shape for all verifiers
        candidate: Candidate,
        session: Session,  # noqa: ARG002
    ) -> Score:
        """Score one candidate, partial or whole.

        Raises:
            VerifierError: it was drawn without log-probabilities, or what came are none.
        """
        if candidate.logprob is None:
            raise VerifierError("the candidate was drawn without log-probabilities")
        if not candidate.logprob < _ROUNDING:  # NaN, too
            raise VerifierError(f"a mean log-probability of {candidate.logprob} can't be true")
        return Score(min(1.0, math.exp(candidate.logprob)))
